"""Contributions and members by Polars, worked by hand."""

from __future__ import annotations

from datetime import date

import polars as pl

from ioc.catalogue import Measure, contribution_expr, member_expr

DAY = date(2024, 10, 5)
RECORDS = pl.DataFrame(
    {
        "effective_on": [DAY, DAY, DAY, None],
        "left_on": [None, DAY, None, DAY],
        "litres": [3.125, 0.0005, None, 8.0],
        "n": [2, None, 5, 7],
        "counted": [True, True, None, True],
        "guest": ["a", "b", "c", "d"],
    }
)


def contributions(measure: Measure) -> list[int]:
    return RECORDS.select(contribution_expr(measure))[:, 0].to_list()


def test_a_count_counts_each_record_that_has_a_day() -> None:
    assert contributions(Measure("f", "sum", "1")) == [1, 1, 1, 0]
    assert contributions(Measure("f", "sum", "1", at="left_on")) == [0, 1, 0, 1]


def test_an_unknown_condition_or_value_counts_nothing() -> None:
    assert contributions(Measure("f", "sum", "1", "counted")) == [1, 1, 0, 0]
    assert contributions(Measure("f", "sum", "n", "counted")) == [2, 0, 0, 0]


def test_decimals_become_whole_numbers_and_halves_go_to_even() -> None:
    assert contributions(Measure("f", "sum", "litres", decimals=3)) == [3125, 0, 0, 0]
    assert contributions(Measure("f", "sum", "litres", decimals=4)) == [31250, 5, 0, 0]


def test_contributions_are_whole_numbers_without_nulls() -> None:
    series = RECORDS.select(contribution_expr(Measure("f", "sum", "litres", "counted", decimals=3)))[:, 0]
    assert series.dtype == pl.Int64
    assert series.null_count() == 0


def test_members_are_null_where_the_record_does_not_count() -> None:
    members = RECORDS.select(member_expr(Measure("f", "distinct", "guest", "counted")))[:, 0]
    assert members.to_list() == ["a", "b", None, None]
