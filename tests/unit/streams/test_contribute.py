"""What records add to measures, and that what is taken back leaves nothing."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ioc.catalogue import Measure, StoredMeasure
from streams.rules.contribute import DELTA_SCHEMA, MEMBER_SCHEMA, Contributor, check_fits

FEED = "tourism.stay"
D1, D2, D3 = date(2024, 10, 5), date(2024, 10, 6), date(2024, 10, 7)


def stored(slot: int, measure: Measure) -> StoredMeasure:
    return StoredMeasure(100 + slot, slot, measure)


GUESTS = stored(1, Measure(FEED, "sum", "1"))
NIGHTS = stored(2, Measure(FEED, "sum", "nights", "overnight", at="left_on"))
LITRES = stored(3, Measure(FEED, "sum", "litres", decimals=3))
IN_HOUSE = stored(5, Measure(FEED, "sum", "1", until="left_on"))
UNIQUE = stored(4, Measure(FEED, "distinct", "guest", "overnight"))
ALL = (GUESTS, NIGHTS, LITRES, UNIQUE, IN_HOUSE)


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    plain = {
        "area_id": 1,
        "effective_on": D1,
        "left_on": None,
        "nights": None,
        "overnight": True,
        "litres": None,
        "guest": "a",
        "sign": 1,
    }
    schema = {
        "area_id": pl.Int32,
        "effective_on": pl.Date,
        "left_on": pl.Date,
        "nights": pl.Int64,
        "overnight": pl.Boolean,
        "litres": pl.Float64,
        "guest": pl.String,
        "sign": pl.Int64,
    }
    return pl.DataFrame([plain | row for row in rows], schema=schema, orient="row")


def test_each_measure_has_its_slot_and_its_day() -> None:
    deltas = Contributor(ALL).deltas(frame({}, {"left_on": D3, "nights": 2}, {"area_id": 2, "litres": 1.2345}))
    assert deltas.schema == DELTA_SCHEMA
    assert deltas.rows() == [
        (1, D1, [2, 0, 0, 0, 2]),
        (1, D3, [0, 2, 0, 0, -1]),  # a guest leaves: nights count, and the house has one less
        (2, D1, [1, 0, 1234, 0, 1]),  # half to even
    ]


def test_what_comes_to_nothing_is_no_delta() -> None:
    both = frame({"sign": 1}, {"sign": -1})
    assert Contributor(ALL).deltas(both).height == 0
    assert Contributor(ALL).members(both).height == 0


def test_who_arrives_and_leaves_on_one_day_was_never_there_at_its_end() -> None:
    assert Contributor((IN_HOUSE,)).deltas(frame({"left_on": D1})).height == 0


def test_members_are_counted_by_area_and_day_under_their_hash() -> None:
    rows = frame(
        {}, {}, {"guest": "b"}, {"guest": "b", "overnight": False}, {"guest": None}, {"area_id": 2, "sign": -1}
    )
    members = Contributor(ALL).members(rows)
    assert members.schema == MEMBER_SCHEMA
    found = {(measure, area, day, member): n for measure, area, day, member, n in members.rows()}
    assert found == {
        (104, 1, D1, _md5("a")): 2,
        (104, 1, D1, _md5("b")): 1,
        (104, 2, D1, _md5("a")): -1,
    }


def test_no_measures_and_no_records_add_nothing() -> None:
    assert Contributor(()).deltas(frame({})).rows() == []
    assert Contributor(()).members(frame({})).rows() == []
    assert Contributor(ALL).deltas(frame()).rows() == []
    assert Contributor(ALL).members(frame()).rows() == []


row = st.fixed_dictionaries(
    {
        "area_id": st.sampled_from((1, 2)),
        "effective_on": st.sampled_from((D1, D2)),
        "left_on": st.sampled_from((None, D2, D3)),
        "nights": st.none() | st.integers(0, 9),
        "overnight": st.booleans(),
        "litres": st.none() | st.floats(-1e7, 1e7),
        "guest": st.sampled_from(("a", "b", None)),
        "sign": st.sampled_from((1, -1)),
    }
)


@given(rows=st.lists(row, max_size=12), cut=st.integers(0, 12))
def test_parts_add_up_to_the_whole(rows: list[dict[str, Any]], cut: int) -> None:
    contributor = Contributor(ALL)
    whole = _total(contributor, [rows])
    assert _total(contributor, [rows[:cut], rows[cut:]]) == whole
    opposite = [one | {"sign": -one["sign"]} for one in rows]
    assert _total(contributor, [rows, opposite]) == ({}, {})


def _total(contributor: Contributor, parts: list[list[dict[str, Any]]]) -> tuple[dict[Any, Any], dict[Any, Any]]:
    sums: dict[Any, list[int]] = {}
    members: dict[Any, int] = {}
    for part in parts:
        for area, day, added in contributor.deltas(frame(*part)).rows():
            known = sums.get((area, day), [0] * len(added))
            sums[area, day] = [a + b for a, b in zip(known, added, strict=True)]
        for *key, n in contributor.members(frame(*part)).rows():
            members[tuple(key)] = members.get(tuple(key), 0) + n
    return {key: one for key, one in sums.items() if any(one)}, {key: n for key, n in members.items() if n}


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def test_a_sum_that_would_wrap_is_refused() -> None:
    check_fits(np.array([[2**61], [2**60]], dtype=np.int64))
    check_fits(np.array([[2**61, 0], [0, 2**61]], dtype=np.int64))  # columns do not add up
    for amounts in ([[2**61], [2**61]], [[-(2**61)], [-(2**61)]], [[2**63 - 1]], [[-(2**63)]]):
        with pytest.raises(OverflowError):
            check_fits(np.array(amounts, dtype=np.int64))
