"""What the page of a sector's engineer says of a cause of refusals: whose turn it is, the commands, what would move."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from testbed.feed_event import HOTEL, stay

from ioc.api.pages.workbench import Cause, Sample, fed_by
from ioc.catalogue.edition import Edition
from ioc.feeds.feed import Feed, load_feeds
from ioc.province.profile import load_profile_catalogue
from ioc.settings import Settings
from streams.dead_letter.rule import MendRule, mend

FEEDS = load_feeds()
NOW = datetime(2024, 11, 1, tzinfo=UTC)


def cause(rule: str, field: str | None, feed: str = "tourism.stay") -> Cause:
    return Cause(
        feed=FEEDS[feed],
        rule=rule,
        field=field,
        events=3,
        waiting=3,
        reporters=1,
        last_at=NOW,
        first_on=None,
        last_on=None,
        samples=(),
        moves=(),
    )


@pytest.fixture(scope="module")
def edition(feeds: Mapping[str, Feed]) -> Edition:
    catalogue = load_profile_catalogue(Settings(_env_file=None).profile, feeds)
    return Edition(catalogue.indicators, {})


def test_the_commands_are_those_of_the_operator() -> None:
    unknown = cause("unknown_reporter", "source")
    assert unknown.sample_command == "ioc dead-letter sample --feed tourism.stay --rule unknown_reporter"
    assert unknown.replay_command == "ioc dead-letter replay --feed tourism.stay --rule unknown_reporter"
    # What a feed's model refuses is refused again, however often it is sent as it is.
    assert cause("greater_than_equal", "data.rooms").replay_command == ""
    assert cause("conflict", "revision").replay_command == ""
    assert shlex.split(cause("a; rm b", None).sample_command)[-1] == "a; rm b"


@pytest.mark.parametrize("feed", FEEDS)
def test_a_proposed_rule_is_one_that_the_command_takes(feed: str) -> None:
    MendRule.model_validate_json(cause("unknown_reporter", "source", feed).proposal)
    if FEEDS[feed].located:
        MendRule.model_validate_json(cause("unknown_area", "data.area_code", feed).proposal)
    # Numbers and days are what the sender has counted, and no table says what is missing.
    assert cause("implausible_date", f"data.{FEEDS[feed].effective}", feed).proposal == ""
    for rule, field in (
        ("missing", "data.area_code"),
        ("enum", "data.no_such_field"),
        ("enum", "data.a.b"),
        ("conflict", "revision"),
        ("literal_error", "specversion"),
        ("unstorable", "data"),
        ("json_invalid", ""),
        ("missing", None),
        ("missing", "data.codes[0]"),
        ("extra_forbidden", "data.\u0001"),
    ):
        assert cause(rule, field, feed).proposal == ""


def test_no_rule_is_proposed_for_a_number() -> None:
    assert cause("greater_than_equal", "data.rooms_sold", "tourism.daily_report").proposal == ""
    assert '"/data/establishment_id"' in cause("string_pattern_mismatch", "data.establishment_id").proposal


def test_a_proposed_rule_that_is_filled_in_mends_an_event() -> None:
    text = cause("unknown_reporter", "source").proposal
    rule = MendRule.model_validate_json(text.replace("GIÁ TRỊ SAI", "99-999-9999").replace("GIÁ TRỊ ĐÚNG", HOTEL))
    mended = mend(rule, json.dumps(stay("99-999-9999", 4)).encode())
    assert mended is not None
    assert json.loads(mended) == stay(HOTEL, 4)


def test_only_what_a_feed_feeds_can_move_and_what_is_computed_from_it(edition: Edition) -> None:
    names = {code: one.name_vi for code, one in edition.indicators.items()}
    moved: dict[str, Any] = {feed: fed_by(edition, feed) for feed in FEEDS}
    lodging = moved["tourism.daily_report"]
    assert names["lodging.room_nights.total"] in lodging
    assert names["lodging.occupancy.total"] in lodging  # computed from it
    assert names["einvoice.value.total"] not in lodging
    assert names["einvoice.value.total"] in moved["tax.einvoice"]
    assert all(list(found) == sorted(found) for found in moved.values())
    # Each indicator that is computed from records is moved by some feed.
    counted = {names[code] for code, plan in edition.compiled.plans.items() if plan.measures}
    assert counted <= {name for found in moved.values() for name in found}


@pytest.mark.parametrize(
    ("event_id", "shown"), [("2024-10-05/77-0001#3", True), ("079012345678", False), ("", False), (None, False)]
)
def test_an_id_that_might_be_a_persons_is_not_shown(event_id: str | None, shown: bool) -> None:
    sample = Sample(NOW, HOTEL, event_id, None, None, "", "")
    assert sample.shown_id == (event_id if shown else None)
