"""Changes of distinct counts, against counting all members anew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from testbed.small_territory import CHAINS, DAYS, above

from ioc.period import PERIODS, start_of
from streams.rules.contribute import MEMBER_SCHEMA
from streams.rules.member import TURNING_SCHEMA, sum_members, turnovers, within_areas

Row = tuple[int, date, str]  # unit, day, member

rows = st.tuples(st.sampled_from((11, 12, 10, 20)), st.sampled_from(DAYS), st.sampled_from("ab"))


def counts(stored: Mapping[Row, int]) -> Counter[tuple[str, int, date]]:
    """How many members each cell has."""
    members = {
        (period, area, start_of(period, day), member)
        for (unit, day, member), n in stored.items()
        if n > 0
        for area in above(unit)
        for period in PERIODS
    }
    return Counter((period, area, bucket) for period, area, bucket, _ in members)


def nearest(turning: Iterable[Row], stored: Mapping[Row, int]) -> pl.DataFrame:
    """What the database answers: the nearest days in the bounds that are asked for."""
    frame = within_areas(pl.DataFrame([(7, *row) for row in turning], schema=TURNING_SCHEMA, orient="row"), CHAINS)
    earlier, later = [], []
    for _, area, day, member, first, last in frame.iter_rows():
        days = [d for (unit, d, who), n in stored.items() if n > 0 and who == member and area in above(unit)]
        earlier.append(max((d for d in days if first <= d <= day), default=None))
        later.append(min((d for d in days if day < d <= last), default=None))
    return frame.with_columns(earlier=pl.Series(earlier, dtype=pl.Date), later=pl.Series(later, dtype=pl.Date))


@given(
    known=st.dictionaries(rows, st.sampled_from((-1, 1, 2)), max_size=6),
    new=st.dictionaries(rows, st.sampled_from((-2, -1, 1, 2)), min_size=1, max_size=6),
)
def test_changes_equal_counting_anew(known: dict[Row, int], new: dict[Row, int]) -> None:
    """Whatever is there, and whatever comes or goes, in one fold: also counts that are negative for a while."""
    merged = {row: n for row in known | new if (n := known.get(row, 0) + new.get(row, 0))}
    turned = [row for row in new if (known.get(row, 0) > 0) != (merged.get(row, 0) > 0)]
    appeared = nearest([row for row in turned if known.get(row, 0) <= 0], known)
    disappeared = nearest([row for row in turned if known.get(row, 0) > 0], merged)

    found = turnovers(appeared, disappeared)

    before, after = counts(known), counts(merged)
    expected = {cell: after[cell] - before[cell] for cell in before | after if after[cell] != before[cell]}
    changes = found.select("period", "area_id", "bucket", "change").iter_rows()
    assert {(period, area, bucket): change for period, area, bucket, change in changes} == expected
    assert set(found["measure_id"]) <= {7}


def test_members_of_one_unit_and_day_are_one_row() -> None:
    given_rows = [
        (7, 11, DAYS[0], "a", 1),
        (7, 11, DAYS[0], "a", 1),
        (7, 11, DAYS[0], "b", 1),
        (7, 11, DAYS[0], "b", -1),
    ]
    found = sum_members(pl.DataFrame(given_rows, schema=MEMBER_SCHEMA, orient="row"))
    assert found.rows() == [(7, 11, DAYS[0], "a", 2)]
