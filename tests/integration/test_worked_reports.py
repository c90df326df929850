"""Reports of several areas that do not come together: worked out by hand, stage by stage, in every place.

    beds, by the quarter    1         2               3                       4         5         6       7
    C1 (Vũng Tàu)           Q1 10                     Q2 13 (corrected)
                            Q2 12
    C2 (Vũng Tàu)           Q1 20     Q4 26, then     Q4 void
                                      Q2 22, late
    C3 (Bà Rịa)             Q3 7, its first
    district of Bà Rịa                                                        Q1 3 + 4
                                                                              Q2 5
    the new wards, 2025                                                                 Q3 50     Q3 9    Q3 void
    (Vũng Tàu, Bà Rịa)                                                                  (first)   (second) (first)
    pupils, by the year     C1 2024 100; C2 2025 40

Each area's last report stands until its own next one. C1 to C3 and the districts end with the reform of 1 July 2025.
After each stage the figures are compared with paper; at the end, with the other engine, and with what was known then.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from testbed.feed_event import Event, reported, void_of
from testbed.pipeline import Pipeline
from testbed.server import cloned_database

from ioc.catalogue.store import load_editions
from ioc.database.connection import connect
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.reading.explanation import Explainer, Explanation
from ioc.reading.past import PastFigures, PastMoment, past
from ioc.reading.series import SeriesReader
from ioc.settings import Settings

C1, C2, C3, VUNG_TAU, BA_RIA, PROVINCE = "26508", "26509", "26560", "747", "748", "77"
WARD, SECOND, CITY = "26506", "26560", "79"
BEDS, PUPILS, PAID = "health_system.beds", "education.pupils.primary", "budget.investment_paid"
Q1, Q2, Q3, Q4 = (("quarter", f"2024-{month}-01") for month in ("01", "04", "07", "10"))
JULY = ("month", "2025-07-01")


def beds(area: str, start: str, value: float | None, revision: int = 1, agency: str = "vp-ubnd") -> Event:
    """Beds of an area in the quarter that begins on a day."""
    return reported(agency, BEDS, area, "quarter", start, value, revision)


STAGES: list[tuple[list[Event], list[tuple[str, str, str, str, float | None, str]]]] = [
    (
        [
            beds(C3, "2024-07-01", 7),
            beds(C1, "2024-04-01", 12),
            beds(C1, "2024-01-01", 10),
            beds(C2, "2024-01-01", 20),
            reported("vp-ubnd", PUPILS, C1, "year", "2024-01-01", 100),
            reported("vp-ubnd", PUPILS, C2, "year", "2025-01-01", 40),
            reported("kho-bac", PAID, PROVINCE, "week", "2024-12-23", 1),
            reported("kho-bac", PAID, CITY, "week", "2025-07-07", 1),
        ],
        [
            (BEDS, VUNG_TAU, "month", "2024-03-01", 30, "10 + 20"),
            (BEDS, VUNG_TAU, "month", "2024-04-01", 32, "12, and 20 of the quarter before"),
            (BEDS, VUNG_TAU, "month", "2024-06-01", 32, "the same"),
            (BEDS, VUNG_TAU, *Q3, 32, "nobody has reported anew"),
            (BEDS, C3, *Q2, None, "it has not reported yet"),
            (BEDS, C3, *Q3, 7, "its first report"),
            (BEDS, PROVINCE, *Q1, 30, "10 + 20"),
            (BEDS, PROVINCE, *Q2, 32, "12 + 20"),
            (BEDS, PROVINCE, *Q3, 39, "12 + 20, and C3's first 7"),
            (BEDS, PROVINCE, "year", "2024-01-01", 39, "as at its end"),
            (BEDS, PROVINCE, "week", "2024-12-23", 39, "the same"),
            (PUPILS, C1, "month", "2024-07-01", 100, "a yearly report serves the months"),
            (PUPILS, VUNG_TAU, "month", "2025-01-01", 140, "C2's 40, and C1's 100 of the year before"),
            (PUPILS, PROVINCE, "year", "2025-01-01", 140, "the same"),
        ],
    ),
    (
        [beds(C2, "2024-10-01", 26), beds(C2, "2024-04-01", 22)],
        [
            (BEDS, VUNG_TAU, *Q1, 30, "as before"),
            (BEDS, VUNG_TAU, *Q2, 34, "12 + 22: the late report counts where it belongs"),
            (BEDS, VUNG_TAU, *Q3, 34, "and stands until the next"),
            (BEDS, VUNG_TAU, *Q4, 38, "12 + 26"),
            (BEDS, PROVINCE, *Q4, 45, "12 + 26 + 7"),
        ],
    ),
    (
        [beds(C1, "2024-04-01", 13, 2), void_of(beds(C2, "2024-10-01", 26, 2))],
        [
            (BEDS, VUNG_TAU, *Q2, 35, "13 + 22"),
            (BEDS, VUNG_TAU, *Q4, 35, "C2's last report is that of the second quarter again"),
            (BEDS, PROVINCE, *Q4, 42, "13 + 22 + 7"),
        ],
    ),
    (
        [
            beds(BA_RIA, "2024-01-01", 3),
            beds(BA_RIA, "2024-01-01", 4, agency="kho-bac"),
            beds(BA_RIA, "2024-04-01", 5),
        ],
        [
            (BEDS, BA_RIA, *Q1, 7, "two agencies report of one district: 3 + 4"),
            (BEDS, BA_RIA, *Q2, 5, "a report of a later period follows all that the district had"),
            (BEDS, BA_RIA, *Q3, 12, "5, and 7 of its ward"),
            (BEDS, PROVINCE, *Q4, 47, "13 + 22 + 7 + 5"),
            (BEDS, CITY, *JULY, 47, "the reform takes nothing away"),
            (BEDS, WARD, *JULY, 35, "13 + 22: the ward that took C1 and C2 over has not reported"),
            (BEDS, VUNG_TAU, "year", "2025-01-01", 35, "as it stood when the district ended"),
        ],
    ),
    (
        [beds(WARD, "2025-07-01", 50)],
        [
            (BEDS, WARD, *JULY, 50, "in place of what C1 and C2 reported"),
            (BEDS, CITY, *JULY, 62, "50 + 7 + 5: Bà Rịa's have not reported anew"),
            (BEDS, C1, "month", "2025-06-01", 13, "before the reform, as before"),
            (BEDS, VUNG_TAU, "year", "2025-01-01", 35, "as it stood when the district ended"),
        ],
    ),
    (
        [beds(SECOND, "2025-07-01", 9)],
        [(BEDS, CITY, *JULY, 59, "50 + 9: in place of C3's 7, and of the 5 of the district that was divided")],
    ),
    (
        [void_of(beds(WARD, "2025-07-01", 50, 2))],
        [
            (BEDS, WARD, *JULY, 35, "13 + 22 stand again"),
            (BEDS, CITY, *JULY, 44, "35 + 9"),
        ],
    ),
]


@pytest.fixture(scope="module")
def told(
    template_database: str, stack_settings: Settings, feeds: dict[str, Feed], profile: Profile
) -> Iterator[tuple[Pipeline, list[list[str]], list[datetime]]]:
    """The stages, one after another: what was wrong after each, and a moment after it."""
    own = stack_settings.model_copy(update={"db_name": f"t{uuid.uuid4().hex[:12]}"})
    with cloned_database(own, template_database):
        pipeline = Pipeline(own, feeds, profile)
        pipeline.now = datetime(2025, 10, 1, tzinfo=UTC)
        wrong, moments = [], []
        try:
            for events, table in STAGES:
                assert pipeline.send("report.value", events).rejected == 0
                pipeline.roll_up()
                found = {row[:4]: pipeline.figure(*row[:4]) for row in table}
                wrong.append([f"{' '.join(row[:4])}: {found[row[:4]]} is not {row[4]} ({row[5]})"
                              for row in table if found[row[:4]] != row[4]])  # fmt: skip
                time.sleep(0.002)
                moments.append(datetime.now(UTC))
                time.sleep(0.002)
            yield pipeline, wrong, moments
        finally:
            pipeline.close()


Told = tuple[Pipeline, list[list[str]], list[datetime]]


def test_each_stage_is_as_on_paper(told: Told) -> None:
    assert told[1] == [[] for _ in STAGES]


def test_the_other_engine_agrees_at_the_end(told: Told) -> None:
    assert told[0].reconcile().differences == ()


def test_each_stage_is_told_as_of_then(told: Told) -> None:
    pipeline, _, moments = told
    wrong = []
    for at, (_, table) in zip(moments, STAGES, strict=True):
        with connect(pipeline.settings, "reader", autocommit=True) as connection, past(connection, PastMoment(at)):
            compiled = load_editions(connection).live.compiled
            reader = PastFigures(connection, compiled, pipeline.feeds, anew=True)
            for code, area_code, period, bucket, wanted, why in table:
                day = date.fromisoformat(bucket)
                area = pipeline.profile.areas.find(area_code, day)
                assert area is not None
                found = reader.read([code], code.partition(".")[0], period, [day], [area])
                if found.get((code, area.area_id, day)) != wanted:
                    wrong.append(f"{code} {area_code} {period} {bucket}: {found} is not {wanted} ({why})")
    assert wrong == []


def explained(pipeline: Pipeline, area: str, period: str, bucket: str, moment: datetime | None = None) -> Explanation:
    """The beds of an area, taken apart."""
    with connect(pipeline.settings, "reader", autocommit=True) as connection:
        if moment is None:
            compiled = load_editions(connection).live.compiled
            explainer = Explainer(connection, compiled, pipeline.feeds, pipeline.profile.areas)
            return explainer.explain(BEDS, explainer.cell(area, period, date.fromisoformat(bucket)))
        then = PastMoment(moment)
        with past(connection, then):
            compiled = load_editions(connection).live.compiled
            explainer = Explainer(connection, compiled, pipeline.feeds, pipeline.profile.areas, moment=then)
            return explainer.explain(BEDS, explainer.cell(area, period, date.fromisoformat(bucket)))


def test_explain_names_what_is_carried_and_from_when(told: Told) -> None:
    pipeline, _, moments = told
    found = explained(pipeline, VUNG_TAU, *Q4, moments[1])
    assert (found.value, found.made_of.inputs[0].value, found.made_of.inputs[1].value) == (38, 38, 2)
    assert [(one.area_code, one.reported_for, one.until, one.value, one.stale) for one in found.carried] == [
        (C1, date(2024, 4, 1), date(2024, 6, 30), 12, True)
    ]
    assert found.stale
    assert found.as_of == date(2024, 10, 1)
    assert sorted(record.adds for record in found.records) == [12, 26]
    now = explained(pipeline, CITY, *JULY)
    assert (now.value, now.made_of.inputs[0].value) == (44, 44)
    assert {(one.area_code, one.value) for one in now.carried} == {(C1, 13), (C2, 22)}
    assert sum(record.adds for record in now.records) == 44


def test_every_worked_figure_is_the_sum_of_what_explain_lists(told: Told) -> None:
    pipeline, _, _ = told
    now: dict[tuple[str, str, str, str], None] = dict.fromkeys(
        (code, area, period, bucket) for _, table in STAGES for code, area, period, bucket, *_ in table if code == BEDS
    )
    for code, area, period, bucket in now:
        found = explained(pipeline, area, period, bucket)
        if found.value is None:
            assert found.made_of.none_vi
            continue
        assert found.value == pipeline.figure(code, area, period, bucket)
        assert sum(record.adds for record in found.records) == found.value, (area, period, bucket)
        assert found.made_of.inputs[0].value == found.value, (area, period, bucket)
        assert found.made_of.inputs[1].value == found.records_total


def test_a_series_marks_what_is_of_an_earlier_day(told: Told) -> None:
    pipeline, _, _ = told
    with connect(pipeline.settings, "reader", autocommit=True) as connection:
        compiled = load_editions(connection).live.compiled
        reader = SeriesReader(connection, compiled, pipeline.feeds, pipeline.profile.areas)
        first, last = date(2024, 1, 1), date(2024, 12, 31)
        (district,) = reader.read(BEDS, period="quarter", first=first, last=last, area_code=VUNG_TAU).areas
        assert [(p.value, p.until, p.stale) for p in district.points] == [
            (30, None, False),
            (35, None, False),
            (35, date(2024, 6, 30), True),
            (35, date(2024, 6, 30), True),
        ]
        assert "2/2 nơi" in (district.points[-1].note or "")
        (ward,) = reader.read(BEDS, period="quarter", first=first, last=last, area_code=WARD,
                              units_on=date(2025, 7, 2)).areas  # fmt: skip
        assert [point.value for point in ward.points] == [30, 35, 35, 35]
