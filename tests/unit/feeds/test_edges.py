"""Every field of every feed at the edges of its type, its bounds and the calendar, alone and in pairs: gateway, parser.

What the gateway takes, the agents take; what it refuses, they refuse too, from whoever it comes. Nothing is raised, and
nothing is left for the last line.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pydantic_core import from_json
from testbed.edge import Edge, edges
from testbed.feed_event import NOW, record
from testbed.pipeline import make_parser
from testbed.sample import events_of

from connectors.gateway.verdict import judge
from ioc.feeds.feed import Feed, load_feeds
from ioc.feeds.plausibility import Calendar, Now
from ioc.province.profile import Profile
from ioc.settings import Settings
from ioc.web.tokens import Token

FEEDS = load_feeds()
BY_TYPE = {feed.event_type: feed for feed in FEEDS.values()}
TOKEN = Token(id="0" * 12, name="all", sha256="0" * 64, feeds=tuple(FEEDS), reporters=("*",), created_at=NOW)
# What only the register, the area list or a derived column can tell; the gateway has none of them.
LATER = {"unknown_reporter", "unknown_area", "implausible_date"}


def taken_by_gateway(edge: Edge, now: Now) -> bool:
    """Whether the gateway accepts an event."""
    try:
        event = from_json(edge.bytes, allow_inf_nan=False)
    except ValueError:
        return False
    return judge(BY_TYPE, TOKEN, 0, event, now=now).result.status == "accepted"


@pytest.mark.parametrize("key", FEEDS)
def test_gateway_and_agents_judge_alike(
    key: str, profile: Profile, record_property: Callable[[str, object], None]
) -> None:
    feed: Feed = FEEDS[key]
    now = Calendar.of(Settings(_env_file=None), profile.timezone).at(NOW)
    tried = list(edges(feed, now, pairs=150))
    record_property("inputs tried", len(tried))
    good = next(event for event in events_of(key) if event.get("data"))
    fetched = [record(offset, edge.bytes) for offset, edge in enumerate(tried)]
    parsed = make_parser(feed, profile).parse("t", 0, [*fetched, record(len(tried), good)], now=NOW)
    rules = {rejection.record_offset: rejection.reasons[0].rule for rejection in parsed.rejections}
    assert "unstorable" not in rules.values()
    for offset, edge in enumerate(tried):
        if taken_by_gateway(edge, now):
            assert rules.get(offset) in {None, *LATER}, edge.what
        else:
            assert offset in rules, edge.what
    kept = parsed.events.height
    assert kept + len(rules) == len(tried) + 1
    assert len(tried) not in rules, "the good neighbour"
    assert kept > len(feed.model_columns), "nearly everything was refused: nothing was tried"
