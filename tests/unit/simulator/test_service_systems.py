"""What only some systems do: reports of every row and of the right size, smoke, office days, rotas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from random import Random

import pytest
from testbed.simulated import Month

from deploy.simulator.calendar import DAYS, FIRST_DAY, HOURS
from deploy.simulator.habit import ALWAYS, CITIZEN, OFFICE, Habit
from deploy.simulator.magnitude import magnitude_of, read_magnitudes
from deploy.simulator.office import after_office_days, office_hours
from deploy.simulator.record import System
from deploy.simulator.rota import Rota, literals_of
from deploy.simulator.systems.report_value import ReportValueSystem
from deploy.simulator.territory import Population
from ioc.catalogue import Catalogue
from ioc.feeds.declared.dossier_event import DossierEvent
from ioc.province.profile import Profile

Build = Callable[[str, int], System]


@pytest.fixture(scope="module")
def months(build: Build) -> Mapping[str, Month]:
    return {"report.value": Month(build("report.value", 3)).run(0)}


def test_every_reported_row_is_reported_by_its_agency(
    build: Build, catalogue: Catalogue, months: Mapping[str, Month]
) -> None:
    system = build("report.value", 1)
    assert isinstance(system, ReportValueSystem)
    agencies = {duty.indicator.code: duty.agency for duty in system.duties}
    asked = {code for code, row in catalogue.indicators.items() if row.kind == "reported"}
    assert set(agencies) == asked == {life.data["indicator"] for life in months["report.value"].lives}
    assert agencies["electricity.loss"] == "dien-luc"
    assert agencies["health_system.bhyt_facilities"] == "bhxh-tinh"
    assert agencies["data_quality.agencies"] == "ioc-tinh"
    assert agencies["data_quality.reports_due"] == "vp-ubnd"


def test_reports_are_of_levels_that_the_row_has(
    catalogue: Catalogue, months: Mapping[str, Month], profile: Profile
) -> None:
    for life in months["report.value"].lives:
        area = profile.areas.find(life.data["area_code"], FIRST_DAY)
        assert area is not None and area.level in catalogue.indicators[life.data["indicator"]].levels


def test_what_is_added_is_reported_of_the_province_or_of_its_parts(
    catalogue: Catalogue, months: Mapping[str, Month]
) -> None:
    areas: dict[str, set[str]] = {}
    for life in months["report.value"].lives:
        areas.setdefault(life.data["indicator"], set()).add(life.data["area_code"])
    for code, reported in areas.items():
        if catalogue.indicators[code].value in ("flow", "stock"):
            assert reported == {"77"} or "77" not in reported, code


def test_shares_are_shares(catalogue: Catalogue, months: Mapping[str, Month]) -> None:
    growing = {"economy.iip", "economy.cpi"}  # of the same month a year before
    for event in months["report.value"].events:
        code, value = event["data"]["indicator"], event["data"]["value"]
        assert value >= 0
        if catalogue.indicators[code].unit == "%" and not any(code.startswith(name) for name in growing):
            assert value <= 100


def test_no_part_is_larger_than_its_whole(catalogue: Catalogue, months: Mapping[str, Month]) -> None:
    """Rates of reported numbers (`100 * a / b`) lie between 0 and 100 in every area and period."""
    winning = {
        (d["indicator"], d["area_code"], d["period_start"]): d["value"]
        for d in (life.data for life in months["report.value"].lives)
    }
    rates = 0
    for row in catalogue.indicators.values():
        part, bar, whole = row.formula.removeprefix("100 * ").partition(" / ")
        if row.unit != "%" or not bar or " " in part + whole or not {part, whole} <= catalogue.indicators.keys():
            continue
        for (code, area, start), value in winning.items():
            if code == part and (total := winning.get((whole, area, start))):
                assert 100 * value / total <= 100, (row.code, area, start)
                rates += 1
    assert rates > 100


def test_months_differ_a_little(catalogue: Catalogue) -> None:
    known = read_magnitudes()
    for row in catalogue.indicators.values():
        if row.kind == "reported" and row.cadence == "monthly":
            magnitude = magnitude_of(row, known)
            before, now = (magnitude.of("month", start, salt=1) for start in (date(2024, 9, 1), date(2024, 10, 1)))
            few = max(1.0, 0.3 * magnitude.value)
            assert abs(now - before) <= few, row.code


def test_a_number_is_spread_over_the_districts_and_sums_to_itself(profile: Profile) -> None:
    parts = Population(profile.areas).split(100_003, FIRST_DAY)
    assert sum(share for _, share in parts) == 100_003
    assert [area.code for area, _ in parts] == ["747", "748", "750", "751", "752", "753", "754", "755"]
    assert {area.code: share for area, share in parts}["755"] == round(100_003 * 5450 / 1_059_537)


def test_smoke_lies_over_one_station_at_a_time(build: Build) -> None:
    month = Month(build("environment.reading", 9)).run(0)
    bad = [life for life in month.lives if life.data["param"] == "aqi" and (life.data["value"] or 0) > 200]
    assert 1 <= len({life.reporter for life in bad}) <= DAYS // 13 + 1


@pytest.mark.parametrize("habit", [OFFICE, CITIZEN, ALWAYS])
def test_the_hours_of_a_week_average_one(habit: Habit) -> None:
    assert len(habit.by_hour) == HOURS
    assert sum(habit.of(tick) for tick in range(7 * HOURS)) / (7 * HOURS) == pytest.approx(1)


def test_office_days() -> None:
    friday = date(2024, 10, 4)
    assert after_office_days(friday, 1) == date(2024, 10, 7)
    assert after_office_days(friday, 5) == date(2024, 10, 11)
    assert office_hours(friday, date(2024, 10, 8)) == 16
    assert office_hours(friday, friday) == 0


def test_a_rota_goes_round_before_chance() -> None:
    rota = Rota.over(DossierEvent, "state", {"resolved": 1.0})
    states = literals_of(DossierEvent, "state")
    random = Random(1)
    assert [rota.pick(random) for _ in range(2 * len(states))] == [*states, *states]
    assert [rota.pick(random) for _ in range(200)].count("resolved") > 150
    with pytest.raises(ValueError, match="is never lost"):
        Rota.over(DossierEvent, "state", {"lost": 1.0})
    with pytest.raises(ValueError, match="literals"):
        literals_of(DossierEvent, "wait_min")
