"""From raw records to events: what is read, what is refused and why, and that one bad event never costs another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from testbed.feed_event import (
    BA_RIA,
    CON_DAO,
    HOTEL_COMMUNE,
    INN,
    ISLAND,
    NOW,
    KafkaRecord,
    batch,
    invoice,
    place,
    record,
    records,
    stay,
    void_stay,
)
from testbed.pipeline import make_parser
from testbed.poison import POISON
from testbed.sample import events_of

from ioc.feeds.feed import Feed, load_feeds
from ioc.province.profile import Profile
from streams.rules.batch import Fetched, ParsedBatch
from streams.rules.content import content_hasher, md5
from streams.rules.parse import BatchParser
from streams.rules.refuse import MAX_PAYLOAD

SELLER, SHOP = "3590000407", "3590000407.CHXD-02"


@pytest.fixture(scope="module")
def parsers(feeds: dict[str, Feed], profile: Profile) -> dict[str, BatchParser]:
    return {key: make_parser(feed, profile) for key, feed in feeds.items()}


@pytest.fixture
def parser(parsers: dict[str, BatchParser]) -> BatchParser:
    return parsers["tourism.stay"]


def parse(parser: BatchParser, fetched: Sequence[KafkaRecord]) -> ParsedBatch:
    return parser.parse("t", 0, fetched, now=NOW)


def rules(parsed: ParsedBatch) -> list[str]:
    return [rejection.reasons[0].rule for rejection in parsed.rejections]


@pytest.mark.parametrize("name", POISON)
def test_poison_is_refused_and_costs_its_neighbours_nothing(parser: BatchParser, name: str) -> None:
    rule, poisoned = POISON[name]
    fetched = [record(5, stay(INN)), KafkaRecord(6, poisoned.value, poisoned.headers, poisoned.key), record(7, stay())]
    parsed = parse(parser, fetched)
    assert parsed.events["record_offset"].to_list() == [5, 7]
    assert parsed.consumed == {5: 1, 6: 1, 7: 1}
    assert rules(parsed) == [rule]
    refused = parsed.rejections[0]
    assert (refused.record_offset, refused.position) == (6, 0)
    assert refused.reasons[0].message_vi and refused.reasons[0].message_en
    assert refused.payload is None or len(refused.payload) <= MAX_PAYLOAD
    assert refused.reporter is None or refused.reporter.isprintable()


def test_a_batch_with_one_bad_event_keeps_the_others(parser: BatchParser) -> None:
    bad = stay(INN, age_years=-1)
    parsed = parse(parser, [batch(0, [stay(), bad, stay(guest=2), stay("99-999-9999")]), record(1, stay(guest=3))])
    places = parsed.events.select("record_offset", "position").rows()
    assert places == [(0, 0), (0, 2), (1, 0)]
    assert [(r.record_offset, r.position, r.reasons[0].rule) for r in parsed.rejections] == [
        (0, 1, "greater_than_equal"),
        (0, 3, "unknown_reporter"),
    ]
    assert parsed.consumed == {0: 4, 1: 1}
    assert (parsed.first_offset, parsed.next_offset) == (0, 2)


def test_a_batch_in_which_everything_is_bad(parser: BatchParser) -> None:
    parsed = parse(parser, [batch(0, b'[1, "x", null, {}]')])
    assert parsed.events.height == 0
    assert parsed.consumed == {0: 4}
    assert [r.position for r in parsed.rejections] == [0, 1, 2, 3]


def test_a_refused_event_can_be_replayed_from_its_payload(parser: BatchParser) -> None:
    """The event of a batch is kept alone, and gives the same refusal when it comes again."""
    first = parse(parser, [batch(0, [stay(), stay("99-999-9999", guest=8)])])
    payload = first.rejections[0].payload
    again = parse(parser, [record(1, payload)])
    assert rules(again) == ["unknown_reporter"]
    assert again.rejections[0].subject == first.rejections[0].subject


def test_a_single_event_and_one_of_a_batch_read_the_same(parser: BatchParser) -> None:
    single = parse(parser, [record(0, stay(check_out="2024-10-07"))]).events
    batched = parse(parser, [batch(0, [stay(check_out="2024-10-07")])]).events
    assert single.equals(batched)


def test_the_register_and_the_area_tree_are_joined(parser: BatchParser) -> None:
    events = parse(parser, records([stay(), stay(ISLAND)])).events
    assert events["area_code"].to_list() == [HOTEL_COMMUNE, CON_DAO]
    assert events["lodging_type"].to_list() == ["guesthouse", "homestay"]
    assert events["area_id"].null_count() == 0


def test_business_time_is_local(parser: BatchParser) -> None:
    """A date is a day in Vietnam, which begins at 17:00 UTC of the day before."""
    events = parse(parser, [record(0, stay(check_in="2024-10-05"))]).events
    assert events["effective_on"].to_list() == [date(2024, 10, 5)]
    assert events["effective_at"].to_list() == [datetime(2024, 10, 4, 17, tzinfo=UTC)]


def test_derived_columns(parser: BatchParser) -> None:
    stays = [
        stay(guest=1, check_out="2024-10-08"),
        stay(guest=2, check_out="2024-10-05"),
        stay(guest=3, check_out="2024-10-05", overnight=False),
        stay(guest=4),
    ]
    events = parse(parser, records(stays)).events
    assert events["nights"].to_list() == [3, 1, 0, None]
    assert events["stay_class"].to_list() == ["2_3n", "1n", "1n", "1n"]


def test_a_void_carries_nothing_but_its_record(parser: BatchParser) -> None:
    events = parse(parser, [record(0, void_stay())]).events
    assert events["voided"].to_list() == [True]
    assert events["record_key"].to_list() == [stay()["subject"]]
    assert events["effective_at"].to_list() == [None]
    assert events["key"].to_list() == parse(parser, [record(0, stay())]).events["key"].to_list()


def test_a_void_of_a_stranger_is_refused(parser: BatchParser) -> None:
    assert rules(parse(parser, [record(0, void_stay("99-999-9999"))])) == ["unknown_reporter"]


def test_without_a_revision_the_milliseconds_of_its_time_stand_in(parser: BatchParser) -> None:
    events = parse(parser, [record(0, stay(revision=None))]).events
    assert events["revision"].to_list() == [1_729_389_600_000]


def test_content_is_compared_by_value_not_by_spelling(parser: BatchParser) -> None:
    """Order of fields, blanks, and a time of another offset are no other content; another value is."""
    plain = stay()
    turned = plain | {"data": dict(reversed(plain["data"].items()))}
    utc = stay(declared_at="2024-10-05T08:00:00Z")
    other = stay(age_years=35)
    hashes = parse(parser, records([plain, turned, other])).events["content_hash"].to_list()
    assert hashes[0] == hashes[1] != hashes[2]
    assert parse(parser, [record(0, utc)]).events["declared_at"].to_list() == [datetime(2024, 10, 5, 8, tzinfo=UTC)]


@pytest.mark.parametrize("key", load_feeds())
def test_what_tells_of_the_sending_is_no_content(parsers: dict[str, BatchParser], key: str) -> None:
    """Each event of the samples with and without each transport fact is the same; any other field makes another."""
    feed = parsers[key].feed
    told = [event for event in events_of(key) if event.get("data")]
    columns = {column.name: column for column in feed.model_columns}
    for event in told:
        variants = [event]
        for name in feed.transport:
            data = dict(event["data"])
            for value in _others(columns[name].dtype):
                variants.append(event | {"data": data | {name: value}})
            if not feed.model.model_fields[name].is_required() and name in data:
                variants.append(event | {"data": {field: value for field, value in data.items() if field != name}})
        hashes = parse(parsers[key], records(variants)).events["content_hash"].to_list()
        assert len(hashes) >= len(variants) - 1 - len(feed.transport), "variants that the model allows"
        assert set(hashes) == {hashes[0]}
    contents = {
        json.dumps({n: v for n, v in e["data"].items() if n not in feed.transport}, sort_keys=True) for e in told
    }
    hashes = parse(parsers[key], records(told)).events["content_hash"].to_list()
    assert len(set(hashes)) >= len(contents) - 1


def _others(dtype: pl.DataType) -> list[object]:
    if dtype == pl.Boolean():
        return [True, False]
    if dtype.is_numeric():
        return [0, 7]
    return ["2024-10-05T20:00:00+07:00", "2024-10-06T01:02:03.456Z"]


@given(
    st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.booleans()), max_size=6),
    st.sampled_from(["2024-10-05T20:00:00.123456+07:00", 0, True, None]),
    st.integers(0, 6),
)
def test_a_field_is_left_out_wherever_it_stands(rest: dict[str, object], value: object, place: int) -> None:
    """Also beside texts that look like the field's key."""
    rest = {name: text for name, text in rest.items() if name != "sent_at"} | {"note": '"sent_at":"x",'}
    items = list(rest.items())
    whole = dict([*items[:place], ("sent_at", value), *items[place:]])
    hashed = content_hasher(("sent_at",))
    assert hashed(_json(whole)) == hashed(_json(rest)) == md5(_json(rest))


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def test_dates_up_to_the_tolerance_are_plausible(parser: BatchParser) -> None:
    """Today in Vietnam is 1 November; one day more is tolerated."""
    days = ["1999-12-31", "2000-01-01", "2024-11-02", "2024-11-03"]
    parsed = parse(parser, records([stay(check_in=day) for day in days]))
    refused = {r.record_offset for r in parsed.rejections if r.reasons[0].rule == "implausible_date"}
    assert refused == {0, 3}


def test_a_place_counts_only_while_it_is_registered(parser: BatchParser) -> None:
    """The establishment opened on 2023-09-20; before, no entry says where it lies."""
    parsed = parse(parser, records([stay(check_in="2023-09-19"), stay(check_in="2023-09-20")]))
    assert parsed.events["record_offset"].to_list() == [1]
    assert rules(parsed) == ["unknown_area"]


def test_an_invoice_lies_where_the_shop_lies_and_else_where_the_seller_does(parsers: dict[str, BatchParser]) -> None:
    invoices = [
        invoice(SELLER, 1, shop_id=SHOP),
        invoice(SELLER, 2),
        invoice(SELLER, 3, shop_id=f"{SELLER}.UNKNOWN"),
    ]
    events = parse(parsers["tax.einvoice"], records(invoices)).events
    assert events["area_code"].to_list() == ["26725", "26719", "26719"]
    assert events["place_type"].to_list() == ["petrol", "seller", "seller"]


def test_a_located_record_names_its_area_itself(parsers: dict[str, BatchParser]) -> None:
    parsed = parse(
        parsers["registry.reporter"],
        records([place("a", "2024-01-01", area_code=CON_DAO), place("b", "2024-01-01", area_code=BA_RIA)]),
    )
    assert parsed.events["area_code"].to_list() == [CON_DAO]
    # Bà Rịa has communes: a place lies in one of them.
    assert [(r.reasons[0].rule, r.reasons[0].field) for r in parsed.rejections] == [("unknown_area", "data.area_code")]


def test_the_outline_of_a_refused_value_is_shown_not_the_value(parser: BatchParser) -> None:
    parsed = parse(parser, [record(0, stay(guest_id="Nguyễn Văn An 0912345678"))])
    shown = parsed.rejections[0].reasons[0].value
    assert "Nguyễn" not in shown and "0912345678" not in shown


@settings(derandomize=True, max_examples=30, deadline=None)
@given(data=st.data())
def test_fetches_parsed_together_give_what_each_gives_alone(
    parsers: dict[str, BatchParser], data: st.DataObject
) -> None:
    """Partitions share a frame and nothing else: events, refusals, payloads and accounts stay with their fetch."""
    parser = parsers["tourism.stay"]
    kinds = [stay(), stay(INN, 2), void_stay(), stay("99-999-9999", 3), stay(age_years=-1), stay(check_in="1900-01-01")]
    event = st.sampled_from(kinds)
    value = st.one_of(event, st.lists(event, min_size=1, max_size=4), st.just(b"{"), st.just(b"[]"))
    fetches = []
    for partition in range(data.draw(st.integers(1, 4))):
        values = data.draw(st.lists(value, min_size=1, max_size=4))
        first = data.draw(st.integers(0, 50))
        fetched = [batch(at, one) if isinstance(one, list) else record(at, one) for at, one in enumerate(values, first)]
        fetches.append(Fetched("t", partition, fetched, begins_at=data.draw(st.sampled_from([None, 0]))))
    together = parser.parse_together(fetches, now=NOW)
    for fetched, found in zip(fetches, together, strict=True):
        alone = parser.parse("t", fetched.partition, fetched.records, now=NOW, begins_at=fetched.begins_at)
        assert found.events.drop("row").equals(alone.events.drop("row"))
        assert replace(found, events=alone.events, payloads=alone.payloads) == alone
