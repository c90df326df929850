"""Which of several targets a figure is judged by, around the end of a year, with figures that are made up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ioc.catalogue import Catalogue
from ioc.catalogue.target import TargetInForce
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile, load_profile_catalogue
from ioc.settings import Settings
from streams.status.columns import PACES, StatusColumns
from streams.status.plan import Block, JudgedUnits, Member, ground_of
from streams.status.target_judge import Past, TargetJudge

FLOW, RATE = "lodging.guests.total", "dossier.reuse_rate"


class MadeUpFigures:
    """Every figure is 400, from 2023 on."""

    def __init__(self, ground: JudgedUnits) -> None:
        self.ground = ground
        self.due: list[date] = []
        self.levels: dict[int, tuple[float, float, float]] = {}
        self.starts: dict[int, date] = {}

    def of_areas(self, block: Block, buckets: Iterable[date], slots: Any = None) -> dict[date, NDArray[np.float64]]:
        width = len(block.members) if slots is None else len(slots)
        return {day: np.full((len(self.ground.areas), width), 400.0 if day.year < 2025 else np.nan) for day in buckets}

    def first_known(self, block: Block, slot: int, areas: list[int]) -> dict[int, tuple[date, float]]:
        return dict.fromkeys(areas, (date(2023, 1, 1), 0.0))

    def year_curve(self, block: Block, slot: int, through: date, due_on: date) -> dict[int, float]:
        self.due.append(due_on)
        return dict.fromkeys(self.ground.ids, 0.5)

    def levels_at(
        self, block: Block, slot: int, starts: dict[int, date], through: date, due_on: date
    ) -> dict[int, tuple[float, float, float]]:
        self.starts = starts
        self.due.append(due_on)
        return {area: level for area, level in self.levels.items() if area in starts}


@pytest.fixture(scope="module")
def catalogue(feeds: dict[str, Feed]) -> Catalogue:
    return load_profile_catalogue(Settings(_env_file=None).profile, feeds)


@pytest.fixture(scope="module")
def ground(profile: Profile) -> JudgedUnits:
    return ground_of(profile.areas, date(2024, 6, 1))


def judged(
    catalogue: Catalogue,
    ground: JudgedUnits,
    code: str,
    through: date,
    *targets: TargetInForce,
    levels: dict[int, tuple[float, float, float]] | None = None,
) -> tuple[StatusColumns, MadeUpFigures]:
    """Return what is judged of one indicator whose newest figure is that of a day, on the morning after."""
    indicator = catalogue.indicators[code]
    block = Block(indicator.sector, "day", (Member(indicator, 1, (), ()),))
    columns = StatusColumns((len(ground.areas), 1))
    columns.value[:], columns.bucket[:], columns.through[:] = 400.0, through, through
    reader = MadeUpFigures(ground)
    reader.levels = levels or {}
    today = through + timedelta(days=1)
    numbered = [replace(target, target_id=at) for at, target in enumerate(targets, start=1)]
    TargetJudge(numbered, ground).judge(block, columns, reader, Past(), today, through)  # type: ignore[arg-type]
    return columns, reader


def of_years(code: str, pace: str = "linear") -> list[TargetInForce]:
    return [TargetInForce(code, ">=", 1000.0 + n, date(2023 + n, 12, 31), "s", pace=pace) for n in range(3)]


@pytest.mark.parametrize("code", [FLOW, RATE])
@pytest.mark.parametrize(
    ("through", "target"),
    [
        (date(2023, 12, 31), 1000),
        (date(2024, 1, 1), 1001),
        (date(2024, 2, 29), 1001),
        (date(2024, 12, 30), 1001),
        (date(2024, 12, 31), 1001),  # judged on 1 January: by the year that has just ended
        (date(2025, 1, 1), 1002),
    ],
)
def test_a_figure_is_judged_by_the_target_of_its_own_year(
    catalogue: Catalogue, ground: JudgedUnits, code: str, through: date, target: int
) -> None:
    columns, _ = judged(catalogue, ground, code, through, *of_years(code))
    assert columns.target[0, 0] == target
    assert columns.target_on[0, 0].item().year == through.year
    if through == date(2024, 12, 31):
        assert (columns.expected[0, 0], columns.value[0, 0], bool(columns.met[0, 0])) == (1001, 400, False)


def test_a_year_that_has_not_begun_asks_for_nothing(catalogue: Catalogue, ground: JudgedUnits) -> None:
    """A total that is due in 2025 was `no_data` for all of 2024, with a period after the day that is judged."""
    columns, _ = judged(catalogue, ground, FLOW, date(2024, 10, 1), of_years(FLOW)[2])
    assert columns.target_id[0, 0] == 0
    assert columns.value[0, 0] == 400
    assert columns.bucket[0, 0].item() == date(2024, 10, 1)


def test_a_seasonal_pace_leads_to_the_targets_own_day(catalogue: Catalogue, ground: JudgedUnits) -> None:
    """Of a target for 30 June the first half of last year is the whole, not the year."""
    half = TargetInForce(FLOW, ">=", 1000.0, date(2024, 6, 30), "s", pace="seasonal")
    columns, reader = judged(catalogue, ground, FLOW, date(2024, 2, 29), half)
    assert reader.due == [date(2024, 6, 30)]
    assert columns.expected[0, 0] == 500


def test_a_level_follows_last_years_curve_where_there_is_one(catalogue: Catalogue, ground: JudgedUnits) -> None:
    """Last year three quarters of the way were gone by 1 July: of 0 to 1000, 750 are asked and not 500."""
    target = TargetInForce(
        RATE, ">=", 1000.0, date(2024, 12, 31), "s", baseline=0.0, baseline_on=date(2023, 12, 31), pace="seasonal"
    )
    levels = {
        ground.ids[0]: (100.0, 400.0, 500.0),
        ground.ids[1]: (100.0, 90.0, 500.0),  # it fell at first: nothing is asked yet
        ground.ids[2]: (100.0, 900.0, 500.0),  # it was beyond its end already
        ground.ids[3]: (500.0, 300.0, 100.0),  # it went the other way
        ground.ids[4]: (100.0, 101.0, 102.0),  # it hardly moved
    }
    columns, reader = judged(catalogue, ground, RATE, date(2024, 7, 1), target, levels=levels)
    even = 1000 * 183 / 366
    assert columns.expected[:6, 0].tolist() == [750, 0, 1000, even, even, even]
    assert [PACES[at] for at in columns.pace[:6, 0]] == ["seasonal"] * 3 + ["linear"] * 3
    assert reader.due == [date(2023, 12, 31)]
    assert set(reader.starts.values()) == {date(2022, 12, 31)}


def test_a_longer_way_is_even_until_the_year_before_its_end(catalogue: Catalogue, ground: JudgedUnits) -> None:
    target = TargetInForce(
        RATE, ">=", 1000.0, date(2025, 12, 31), "s", baseline=0.0, baseline_on=date(2021, 12, 31), pace="seasonal"
    )
    levels = {ground.ids[0]: (100.0, 200.0, 500.0)}
    early, reader = judged(catalogue, ground, RATE, date(2024, 7, 1), target, levels=levels)
    assert reader.starts == {}
    assert PACES[early.pace[0, 0]] == "linear"
    assert early.expected[0, 0] == pytest.approx(1000 * 913 / 1461)
    late, _ = judged(catalogue, ground, RATE, date(2024, 12, 31), target, levels=levels)
    before = 1096 / 1461  # of the days, by 31 December 2024
    assert late.expected[0, 0] == pytest.approx(1000 * (before + (1 - before) / 4))


def test_a_dated_target_of_what_grows_with_the_year_starts_from_nothing_and_ends_with_its_year(
    catalogue: Catalogue, ground: JudgedUnits
) -> None:
    """95 % by 31 December 2024 began at the first figure of 2023, and was missed by every 1 % of January 2025."""
    code = "vaccination.coverage.measles"
    target = TargetInForce(code, ">=", 1000.0, date(2024, 12, 31), "s")
    columns, _ = judged(catalogue, ground, code, date(2024, 7, 1), target)
    assert columns.expected[0, 0] == pytest.approx(1000 * 183 / 366)
    for other in (date(2023, 7, 1), date(2025, 1, 31)):
        columns, _ = judged(catalogue, ground, code, other, target)
        assert columns.target_id[0, 0] == 0
