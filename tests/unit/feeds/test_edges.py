"""Every field of every feed at the edges of its type, its bounds and the calendar, alone and in pairs: gateway, parser.

What the gateway takes, the agents take; what it refuses, they refuse too, from whoever it comes. Nothing is raised, and
nothing is left for the last line.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest
from testbed.edge import Edges, taken_by
from testbed.feed_event import NOW, record
from testbed.pipeline import make_parser
from testbed.sample import events_of

from ioc.feeds.feed import Feed, load_feeds
from ioc.feeds.plausibility import Calendar
from ioc.province.profile import Profile
from ioc.settings import Settings

FEEDS = load_feeds()
PART = 5000  # events of one fetch
# What only the register, the area list or a derived column can tell; the gateway has none of them.
LATER = {"unknown_reporter", "unknown_area", "implausible_date"}


@pytest.mark.parametrize("key", FEEDS)
def test_gateway_and_agents_judge_alike(
    key: str, profile: Profile, record_property: Callable[[str, object], None]
) -> None:
    feed: Feed = FEEDS[key]
    now = Calendar.of(Settings(_env_file=None), profile.timezone).at(NOW)
    taken = taken_by(FEEDS, now)
    edges = Edges(feed, now, taken)
    tried = [*edges.alone(), *edges.pairs(), *edges.covering()]
    record_property("inputs tried", len(tried))
    good = next(event for event in events_of(key) if event.get("data"))
    parser = make_parser(feed, profile)
    kept = 0
    for start in range(0, len(tried), PART):
        part = tried[start : start + PART]
        fetched = [record(offset, edge.bytes) for offset, edge in enumerate(part)]
        parsed = parser.parse("t", 0, [*fetched, record(len(part), good)], now=NOW)
        rules = {rejection.record_offset: rejection.reasons[0].rule for rejection in parsed.rejections}
        assert "unstorable" not in rules.values()
        for offset, edge in enumerate(part):
            if taken(edge):
                assert rules.get(offset) in {None, *LATER}, edge.what
            else:
                assert offset in rules, edge.what
        assert parsed.events.height + len(rules) == len(part) + 1
        assert len(part) not in rules, "the good neighbour"
        kept += parsed.events.height
    assert kept > len(feed.model_columns), "nearly everything was refused: nothing was tried"


@pytest.mark.parametrize("key", ["tourism.stay", "report.value"])
def test_few_events_hold_every_pair_that_is_taken(key: str, profile: Profile) -> None:
    now = Calendar.of(Settings(_env_file=None), profile.timezone).at(NOW)
    taken = taken_by(FEEDS, now)
    edges = Edges(FEEDS[key], now, taken)
    pairs = [edges.made(sample, changes) for sample, changes in edges.taken_alone()]
    wanted = {frozenset(edge.changed.items()) for edge in pairs if taken(edge)}
    rows = list(edges.covering())
    assert all(taken(row) for row in rows)
    held = {frozenset(two) for row in rows for two in combinations(row.changed.items(), 2)}
    assert wanted <= held
    assert len(rows) < len(wanted) / 2
