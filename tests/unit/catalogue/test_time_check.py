"""What the loader says of time, of what can never be, and of what is too large."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ioc.catalogue import load_catalogue
from ioc.catalogue.domain import Domain
from ioc.catalogue.expression import parse_expression, schema_of
from ioc.catalogue.expression_type import Type
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed, load_feeds

Write = Callable[..., Path]
GUESTS = {"code": "lodging.guests"}
ROOMS = {"code": "lodging.rooms", "kind": "stock", "feed": "registry.reporter", "value": "rooms", "until": "closed_on"}
ROOMS |= {"at": "opened_on", "where": "registry = 'lodging'"}
RATIO = {"code": "lodging.share", "kind": "ratio", "feed": ""}


def mistakes(directory: Path, feeds: Mapping[str, Feed]) -> str:
    with pytest.raises(ConfigError) as caught:
        load_catalogue(directory, feeds)
    return str(caught.value)


@pytest.mark.parametrize(
    "formula",
    [
        "100 * lodging.guests / lodging.rooms",
        "100 / days * lodging.guests / lodging.rooms",
        "lodging.rooms / lodging.guests",
        "100 * lodging.guests / year(lodging.guests)",
        "ytd(lodging.guests) / lodging.guests",
        "lodging.rooms / standing_days(lodging.rooms)",
        "1 - lodging.guests / (lodging.rooms * 2)",
    ],
)
def test_a_division_of_two_times_is_refused(write: Write, feeds: Mapping[str, Feed], formula: str) -> None:
    directory = write(GUESTS, ROOMS, RATIO | {"formula": formula})
    assert "lodging.csv row 4 column formula: divides what speaks of" in mistakes(directory, feeds)
    told = write(GUESTS, ROOMS, RATIO | {"formula": formula, "span_note": "số trong kỳ so với số cuối kỳ"})
    assert load_catalogue(told, feeds).indicators["lodging.share"].formula == formula


@pytest.mark.parametrize(
    "formula",
    [
        "100 * lodging.guests / standing_days(lodging.rooms)",
        "100 * ytd(lodging.guests) / year(lodging.guests)",
        "100 * ytd(lodging.guests) / lodging.rooms",
        "lodging.guests / lodging.guests",
        "100 * received(tourism.daily_report) / expected(tourism.daily_report)",
        "max(lodging.guests) / min(lodging.guests)",
        "lodging.rooms - lodging.guests",
    ],
)
def test_a_division_of_one_time_is_accepted(write: Write, feeds: Mapping[str, Feed], formula: str) -> None:
    loaded = load_catalogue(write(GUESTS, ROOMS, RATIO | {"formula": formula}), feeds)
    assert "lodging.share" in loaded.indicators


@pytest.mark.parametrize(
    ("formula", "complaint"),
    [
        ("standing_days(lodging.guests)", "is no stock"),
        ("expected(tourism.stay)", "nobody owes it a report; reports are due of tourism.daily_report"),
        ("expected(tourism.guest)", "tourism.guest is not a feed"),
        ("received(lodging.guests)", "lodging.guests is not a feed"),
        ("ytd(lodging.nothing)", "no indicator has the code lodging.nothing"),
        ("ytd(lodging.share)", "goes round in a circle"),
        ("lodging.guests / 0", "divides by `0`, which is always 0"),
        ("lodging.guests / (lodging.guests - lodging.guests)", "which is always 0"),
        ("lodging.guests / (0 * lodging.guests)", "which is always 0"),
        ("median(lodging.guests)", "is not allowed; a formula has"),
    ],
)
def test_what_a_function_cannot_take(write: Write, feeds: Mapping[str, Feed], formula: str, complaint: str) -> None:
    assert complaint in mistakes(write(GUESTS, ROOMS, RATIO | {"formula": formula}), feeds)


def test_units_are_not_added(write: Write, feeds: Mapping[str, Feed]) -> None:
    directory = write(GUESTS, ROOMS | {"unit": "buồng"}, RATIO | {"formula": "lodging.guests + 2 * lodging.rooms"})
    (directory / "units.csv").write_text("unit,name_en\nlượt,times\nbuồng,rooms\n", encoding="utf-8")
    assert "adds lượt and buồng" in mistakes(directory, feeds)


def test_a_name_and_its_twin_of_other_bytes(write: Write, feeds: Mapping[str, Feed]) -> None:
    composed = "Số khách"
    apart = unicodedata.normalize("NFD", composed)
    found = mistakes(write(GUESTS | {"name_vi": composed}, ROOMS | {"name_vi": apart}), feeds)
    assert "(NFD)" in found and "is the name of lodging.guests too" in found


STAY = load_feeds()["tourism.stay"]
SCHEMA = {**schema_of(STAY), "a": schema_of(STAY)["nights"], "b": schema_of(STAY)["nights"]}
DOMAINS = {
    "a": Domain(low=0, high=10**6),
    "b": Domain(low=0, high=10**6),
    "nights": Domain(low=0, high=400),
    "origin": Domain(frozenset({"domestic", "international"})),
    "overnight": Domain(frozenset({True, False})),
}


@pytest.mark.parametrize(
    "text",
    [
        "a IS NULL AND a > 3",
        "a > 3 AND overnight AND a IS NULL",
        "a > 5 AND a < 3",
        "a > 5 AND a < 5",
        "a < 0",
        "a > 1000000",
        "nights BETWEEN 500 AND 600",
        "origin = 'elsewhere'",
        "origin IN ('here', 'there')",
        "origin = 'domestic' AND origin = 'international'",
        "origin = 'domestic' AND origin <> 'domestic'",
        "origin NOT IN ('domestic', 'international')",
        "overnight AND NOT overnight",
        "overnight OR (a IS NULL AND a = 1)",
        "overnight AND (a > 2000000 OR a < 0)",
        "3 > 5",
        "5 BETWEEN 1 AND 3",
        "a = 99999999999999999999",
    ],
)
def test_a_condition_that_no_record_meets_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_expression(text, SCHEMA, DOMAINS)
    vietnamese, _, english = str(caught.value).partition(" · ")
    assert re.search("không|mọi|lưu được|hằng số", vietnamese)
    assert english


@pytest.mark.parametrize(
    "text",
    [
        "a IS NULL OR a > 3",
        "a >= 5 AND a <= 5",
        "NOT (a > 3) AND a IS NOT NULL",
        "origin = 'domestic' OR origin = 'international'",
        "origin <> 'domestic'",
        "a > b",
        "COALESCE(a, 0) > 3 AND a IS NULL",
    ],
)
def test_a_condition_that_records_meet_is_accepted(text: str) -> None:
    assert parse_expression(text, SCHEMA, DOMAINS).type == Type.BOOLEAN


@pytest.mark.parametrize(
    "text", ["a * b * a * b", "a * b * nights * a", "(a * b) * (a * b) - 1", "99999999999999999999"]
)
def test_what_can_grow_too_large_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_expression(text, SCHEMA, DOMAINS)
    vietnamese, _, english = str(caught.value).partition(" · ")
    assert re.search("không|mọi|lưu được|hằng số", vietnamese)
    assert english


@settings(deadline=None, derandomize=True)
@given(
    st.recursive(
        st.sampled_from(["a", "b", "nights", "7"]), lambda x: st.tuples(x, st.sampled_from("+-*"), x), max_leaves=6
    )
)
@example(("a", "*", ("b", "*", "a")))
def test_what_is_accepted_never_overflows(tree: object) -> None:
    """At the ends of every column, an accepted number and each of its parts fits eight bytes."""

    def text(node: object) -> str:
        return node if isinstance(node, str) else f"({text(node[0])} {node[1]} {text(node[2])})"  # type: ignore[index]

    def worst(node: object) -> list[int]:
        ends = {"a": [0, 10**6], "b": [0, 10**6], "nights": [0, 400], "7": [7]}
        if isinstance(node, str):
            return ends[node]
        left, right = worst(node[0]), worst(node[2])  # type: ignore[index]
        compute = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__}[node[1]]  # type: ignore[index]
        found = [compute(x, y) for x in left for y in right]
        assert max(map(abs, found)) < 2**63
        return [min(found), max(found)]

    try:
        parse_expression(text(tree), SCHEMA, DOMAINS)
    except ConfigError:
        return
    worst(tree)
