"""What a board draws beside an indicator's course: the pace that its status is judged by, whatever its form."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import numpy as np
import psycopg
import pytest

from grafana.bundle import Bundle, load_bundle
from grafana.checking.check import board_queries
from grafana.checking.run import choose_variables, run_queries
from grafana.query.macros import Situation
from ioc.catalogue.store import load_editions
from ioc.catalogue.target import TargetInForce
from ioc.database.connection import connect
from ioc.province.profile import load_profile
from ioc.settings import Settings
from streams.rules import pace
from streams.status.cells import FigureReader
from streams.status.plan import JudgedUnits, plan_blocks

PROVINCE = 771
RATE, FLOW = "dossier.reuse_rate", "lodging.guests.total"
FIRST, LAST = date(2024, 10, 1), date(2024, 10, 31)
OCTOBER = Situation(datetime(2024, 9, 30, 17, tzinfo=UTC), datetime(2024, 10, 31, 17, tzinfo=UTC), timedelta(days=1))
STEPS = ((date(2024, 10, 10), 15.0), (date(2024, 10, 20), 18.0))


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return load_bundle(Settings(_env_file=None), ["vi"])


@pytest.fixture
def figures(db: psycopg.Connection) -> None:
    """Two years of days: of each indicator ten, and one more each day of the month."""
    db.execute(
        "INSERT INTO indicator_cell (sector, period, area_id, bucket, figures)"
        " SELECT i.sector, 'day', %s, d::date, array_agg(10.0 + extract(day FROM d) ORDER BY i.slot)"
        " FROM indicator i, generate_series('2023-01-01'::date, %s, '1 day') AS d"
        " WHERE i.sector IN ('dossier', 'lodging', 'vaccination') GROUP BY 1, 4",
        [PROVINCE, LAST],
    )


def drawn(bundle: Bundle, settings: Settings, code: str, period: str) -> dict[str, dict[date, float]]:
    """Return by line (its name without the unit) what is drawn by day."""
    (model,) = [board.model for board in bundle.boards if board.uid == "ioc-indicator"]
    chosen = {"area": str(PROVINCE), "sector": code.split(".", maxsplit=1)[0], "indicator": code, "period": period}
    with connect(settings, "grafana", autocommit=True) as connection:
        situation = choose_variables(connection, model, Situation(OCTOBER.start, OCTOBER.end, OCTOBER.interval, chosen))
        (query,) = [q for q in board_queries(model) if "[timeseries]" in q.place]
        (answer,) = run_queries(connection, [query], situation)
    assert not answer.error
    lines: dict[str, dict[date, float]] = {}
    for at, metric, value in answer.rows:
        assert isinstance(at, datetime)
        lines.setdefault(str(metric).partition(" (")[0], {})[(at + timedelta(hours=7)).date()] = value  # type: ignore[assignment]
    return lines


def put_target(db: psycopg.Connection, target: TargetInForce) -> None:
    db.execute("DELETE FROM target WHERE code = %s", [target.code])
    steps = json.dumps([{"on": day.isoformat(), "value": value} for day, value in target.steps])
    db.execute(
        "INSERT INTO target (code, op, value, due_on, baseline, baseline_on, pace, steps, source, origin)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 'test', 'profile')",
        [
            target.code, target.op, target.value, target.due_on, target.baseline, target.baseline_on, target.pace,
            steps,
        ],
    )  # fmt: skip


@pytest.mark.parametrize(
    "target",
    [
        TargetInForce(RATE, ">=", 20.0, None, "test", pace="at_once"),
        TargetInForce(RATE, ">=", 20.0, date(2024, 12, 31), "test", baseline=5.0, baseline_on=date(2024, 10, 5)),
        TargetInForce(RATE, ">=", 50.0, date(2024, 12, 31), "test"),  # from the first known value
        TargetInForce(RATE, ">=", 20.0, date(2024, 10, 25), "test", baseline=5.0, baseline_on=date(2024, 1, 1)),
        TargetInForce(RATE, ">=", 20.0, date(2024, 12, 31), "test", "", None, 12.0, FIRST, "steps", STEPS),
        TargetInForce(RATE, "<=", 9.0, date(2024, 12, 31), "test", pace="steps", steps=((FIRST, 12.0),)),
    ],
    ids=["at once", "from a baseline", "from the first value", "due in between", "steps", "a ceiling by steps"],
)
@pytest.mark.usefixtures("figures")
def test_the_line_of_a_level_is_the_pace_of_its_status(
    bundle: Bundle, settings: Settings, db: psycopg.Connection, target: TargetInForce
) -> None:
    put_target(db, target)
    lines = drawn(bundle, settings, RATE, "day")
    first = (date(2023, 1, 1), 11.0)
    for day in (FIRST + timedelta(days=n) for n in range(31)):
        wanted = pace.expected_value(target, day, first=first)
        if target.baseline_on is not None and day < target.baseline_on:
            wanted = None  # nothing is drawn before the pace begins
        found = lines["Tiến độ được giao"][day]
        assert found == (None if wanted is None else pytest.approx(wanted)), day


@pytest.mark.parametrize("due_on", [date(2024, 11, 20), date(2025, 5, 20)], ids=["within a year", "a longer way"])
@pytest.mark.usefixtures("figures")
def test_the_line_of_a_seasonal_level_follows_last_years_curve(
    bundle: Bundle, settings: Settings, db: psycopg.Connection, due_on: date
) -> None:
    """Each day's figure is ten more than its number in the month, 20 more in 2024; a level is the median of a week."""
    db.execute(
        "UPDATE indicator_cell SET figures = (SELECT array_agg(one + 20) FROM unnest(figures) AS one)"
        " WHERE sector = 'dossier' AND bucket >= '2024-01-01'"
    )
    target = TargetInForce(
        RATE, ">=", 50.0, due_on, "test", baseline=5.0, baseline_on=date(2024, 2, 10), pace="seasonal"
    )
    put_target(db, target)
    line = drawn(bundle, settings, RATE, "day")["Tiến độ được giao"]

    def level(day: date) -> float:
        week = (day - timedelta(days=n) for n in range(7))
        return float(np.median([10.0 + one.day + 20.0 * (one.year >= 2024) for one in week]))

    begins = pace.season_start(date(2024, 2, 10), due_on)
    apart = 0
    for day in (FIRST + timedelta(days=n) for n in range(31)):
        before = [level(pace.year_before(one)) for one in (begins, day, due_on)]
        share = pace.share_of_way(*before, 45.0)
        assert share is not None
        wanted = pace.expected_value(target, day, curve=share)
        assert line[day] == pytest.approx(wanted), day
        apart += wanted != pytest.approx(pace.expected_value(target, day))
    assert apart > 20  # an even pace would be another line
    # The scheduler reads the same levels.
    edition = load_editions(db).live
    ground = JudgedUnits((load_profile(settings.profile).areas.find("77", LAST),))  # type: ignore[arg-type]
    (block,) = [one for one in plan_blocks(edition) if RATE in one.index]
    slot = block.members[block.index[RATE]].slot
    before = [pace.year_before(one) for one in (begins, LAST, due_on)]
    read = FigureReader(db, ground).levels_at(block, slot, {PROVINCE: before[0], -1: before[0]}, *before[1:])
    assert read == {PROVINCE: tuple(level(day) for day in before)}


@pytest.mark.usefixtures("figures")
def test_a_dated_target_of_what_grows_with_the_year_starts_from_nothing(
    bundle: Bundle, settings: Settings, db: psycopg.Connection
) -> None:
    code = "vaccination.coverage.measles"
    put_target(db, TargetInForce(code, ">=", 95.0, date(2024, 12, 31), "test"))
    line = drawn(bundle, settings, code, "day")["Tiến độ được giao"]
    assert line[FIRST] == pytest.approx(95 * 275 / 366)
    put_target(db, TargetInForce(code, ">=", 95.0, date(2025, 12, 31), "test"))
    assert "Tiến độ được giao" not in drawn(bundle, settings, code, "day")  # its year has not begun


@pytest.mark.usefixtures("figures")
def test_the_line_of_a_standing_target_of_what_grows_with_the_year(
    bundle: Bundle, settings: Settings, db: psycopg.Connection
) -> None:
    """Coverage since 1 January: 95 % are due by 31 December, a twelfth of it or so each month."""
    code = "vaccination.coverage.measles"
    put_target(db, TargetInForce(code, ">=", 95.0, None, "test", pace="at_once"))
    line = drawn(bundle, settings, code, "day")["Tiến độ được giao"]
    assert line[FIRST] == pytest.approx(95 * 275 / 366)  # 1 October is the 275th day of a leap year
    assert line[LAST] == pytest.approx(95 * 305 / 366)


@pytest.mark.parametrize(
    ("form", "op", "due_on"),
    [
        ("linear", ">=", date(2024, 12, 31)),
        ("seasonal", ">=", date(2024, 12, 31)),
        ("seasonal", ">=", date(2024, 11, 30)),
        ("steps", ">=", date(2024, 12, 31)),
        ("steps", "<=", date(2024, 12, 31)),
    ],
)
@pytest.mark.usefixtures("figures")
def test_the_line_of_a_years_total_is_drawn_beside_what_has_added_up(
    bundle: Bundle, settings: Settings, db: psycopg.Connection, form: str, op: str, due_on: date
) -> None:
    steps = STEPS if form == "steps" else ()
    target = TargetInForce(FLOW, op, 12000.0, due_on, "test", pace=form, steps=steps)
    put_target(db, target)
    lines = drawn(bundle, settings, FLOW, "total")
    days = [date(2023, 1, 1) + timedelta(days=n) for n in range(365)]
    whole = sum(10.0 + day.day for day in days if day <= due_on.replace(year=2023))
    for day in (FIRST, date(2024, 10, 15), LAST):
        reached = sum(10.0 + past.day for past in days if past <= day.replace(year=2023))
        this_year = (date(2024, 1, 1) + timedelta(days=n) for n in range(366))
        assert lines["Giá trị"][day] == pytest.approx(sum(10.0 + d.day for d in this_year if d <= day))
        assert lines["Cùng kỳ năm trước"][day] == pytest.approx(reached, rel=0.01)
        wanted = pace.expected_total(target, date(2024, 1, 1), day, curve=reached / whole)
        found = lines["Tiến độ được giao"][day]
        assert found == (None if wanted is None else pytest.approx(wanted, rel=0.01)), day
    # A year's total is no line among single days.
    assert "Tiến độ được giao" not in drawn(bundle, settings, FLOW, "day")
