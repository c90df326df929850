"""As of a past moment: every figure is what a fresh database would show that holds only what had come by then."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from testbed.feed_event import HOTEL, INN, ISLAND, RIVAL, Event, place, report, reported, stay, void_of
from testbed.pipeline import Pipeline
from testbed.server import cloned_database

from ioc.catalogue.store import load_editions
from ioc.database.connection import connect
from ioc.errors import QuestionError
from ioc.feeds.feed import Feed
from ioc.period import PERIODS
from ioc.province.profile import Profile
from ioc.reading.past import PastFigures, PastMoment, past
from ioc.settings import Settings
from streams.status.snapshot_job import SnapshotJob

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
# Every kind, and functions of time.
CODES = {
    "lodging": (
        "lodging.guests.total",
        "lodging.guests.international",
        "lodging.nights.total",
        "lodging.unique_guests.total",
        "lodging.rooms.total",
        "lodging.occupancy.total",
        "lodging.in_house.total",
        "lodging.international_share",
        "lodging.reporting_rate",
    ),
    "budget": ("budget.investment_paid", "budget.disbursement_rate"),
    "health_system": ("health_system.beds",),
}
AREAS = ("77", "747", "755", "26508", "26560")
DAYS = ("2023-12-31", "2024-01-01", "2024-02-29", "2024-03-05")
Figures = dict[tuple[str, str, int, date], float]


@pytest.fixture(scope="module")
def pipeline(
    template_database: str, stack_settings: Settings, feeds: Mapping[str, Feed], profile: Profile
) -> Iterator[Pipeline]:
    own = stack_settings.model_copy(update={"db_name": f"t{uuid.uuid4().hex[:12]}"})
    with cloned_database(own, template_database):
        made = Pipeline(own, feeds, profile)
        try:
            yield made
        finally:
            made.close()


def told(indicator: str, period: str, start: str, value: float, revision: int = 1) -> Event:
    """What the treasury states of the province."""
    return reported("kho-bac", indicator, "77", period, start, value, revision)


def moment() -> datetime:
    """A moment between two batches."""
    time.sleep(0.002)
    now = datetime.now(UTC)
    time.sleep(0.002)
    return now


def shown(pipeline: Pipeline) -> Figures:
    """The figures as boards read them now."""
    rows = pipeline.rows(
        "SELECT code, period, area_id, bucket, value FROM indicator_value WHERE code = ANY(%s) AND area_code = ANY(%s)",
        [[code for codes in CODES.values() for code in codes], list(AREAS)],
    )
    return {(code, period, area_id, bucket): value for code, period, area_id, bucket, value in rows}  # type: ignore[misc]


def known(pipeline: Pipeline, at: datetime, *, anew: bool = True) -> Figures:
    """The same figures as they were, computed or also taken from what is kept of them."""
    areas = [area for area in pipeline.profile.areas.areas if area.code in AREAS]
    found: Figures = {}
    with connect(pipeline.settings, "reader", autocommit=True) as connection, past(connection, PastMoment(at)):
        live = load_editions(connection).live
        reader = PastFigures(connection, live.compiled, pipeline.feeds, anew=anew)
        for sector, codes in CODES.items():
            opened = reader.opened(sector)
            for period in PERIODS:
                buckets = [bucket for length, bucket in opened.buckets if length == period]
                values = reader.read(codes, sector, period, buckets, areas)
                found |= {(code, period, area, bucket): value for (code, area, bucket), value in values.items()}
    return found


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, Event]:
    """A revision of one of a few records: moved to other days and areas, corrected, voided, come late."""
    revision, number = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    day = draw(st.sampled_from(DAYS))
    match draw(st.sampled_from(("stay", "stay", "void", "place", "report", "told", "beds"))):
        case "stay":
            night = draw(st.sampled_from((None, *DAYS[1:])))
            return "tourism.stay", stay(
                draw(st.sampled_from((HOTEL, ISLAND))), number, "2023-12-30", revision, check_out=night
            )
        case "void":
            return "tourism.stay", void_of(stay(HOTEL, number, "2023-12-30", revision))
        case "place":
            return "registry.reporter", place(
                f"p{number}",
                draw(st.sampled_from(DAYS[:2])),
                revision,
                closed_on=draw(st.sampled_from((None, "2024-03-01"))),
                area_code=draw(st.sampled_from(("26508", "26560"))),
                rooms=draw(st.integers(1, 50)),
            )
        case "report":
            return "tourism.daily_report", report(
                draw(st.sampled_from((HOTEL, INN, RIVAL))),
                day,
                revision,
                rooms_total=30,
                rooms_sold=draw(st.integers(0, 30)),
            )
        case "told":
            return "report.value", told(
                "budget.investment_paid", "week", "2024-02-26", draw(st.integers(0, 90)), revision
            )
    quarter = draw(st.sampled_from(("2023-10-01", "2024-01-01")))
    return "report.value", told("health_system.beds", "quarter", quarter, draw(st.integers(0, 90)), revision)


@settings(
    max_examples=4,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.generate],
)
@given(data=st.data())
def test_the_past_is_what_a_replay_shows_of_what_had_come(pipeline: Pipeline, data: st.DataObject) -> None:
    batches = data.draw(st.lists(st.lists(changes(), min_size=1, max_size=5), min_size=2, max_size=4))
    cut = data.draw(st.integers(1, len(batches)))
    pipeline.clear()
    snapshots = SnapshotJob(pipeline.connection, ZONE)
    moments, views = [], []
    for batch in batches:
        for feed, one in batch:
            pipeline.send(feed, [one])
        pipeline.roll_up()
        views.append(shown(pipeline))
        moments.append(moment())
        if data.draw(st.booleans()):
            snapshots.take(datetime.now(UTC))
    found = known(pipeline, moments[cut - 1])
    assert found == views[cut - 1]  # what was seen then
    assert known(pipeline, moments[cut - 1], anew=False) == found
    pipeline.clear()
    for feed, one in (pair for batch in batches[:cut] for pair in batch):
        pipeline.send(feed, [one])
    pipeline.roll_up()
    assert found == shown(pipeline)


def test_what_the_chairman_saw_on_5_march(pipeline: Pipeline) -> None:
    """A hotel's guests were corrected afterwards, a report came late, and what waits to be folded is no matter."""
    pipeline.clear()
    pipeline.send(
        "tourism.stay", [stay(HOTEL, 1, "2024-03-04"), stay(HOTEL, 2, "2024-03-04"), stay(INN, 3, "2024-03-05")]
    )
    pipeline.roll_up()
    seen, then = shown(pipeline), moment()
    assert seen["lodging.guests.total", "month", 771, date(2024, 3, 1)] == 3
    pipeline.send(
        "tourism.stay",
        [
            void_of(stay(HOTEL, 2, "2024-03-04", 2)),
            stay(HOTEL, 1, "2024-03-04", 2, origin="international", nationality="KOR", home_region=None),
        ],
    )
    pipeline.roll_up()
    pipeline.send("tourism.stay", [stay(HOTEL, number, "2024-03-05") for number in range(4, 9)])
    assert known(pipeline, then) == seen  # five of them wait
    pipeline.roll_up()
    assert known(pipeline, then) == seen
    assert shown(pipeline)["lodging.guests.total", "month", 771, date(2024, 3, 1)] == 7
    assert known(pipeline, moment()) == shown(pipeline)


def test_a_register_that_changed_and_a_definition_that_was_replaced(pipeline: Pipeline) -> None:
    """Reports that were due, and formulas, are those of the moment."""
    pipeline.clear()
    pipeline.send(
        "tourism.daily_report", [report(HOTEL, "2024-02-29", rooms_total=30, rooms_available=30, rooms_sold=3)]
    )
    pipeline.roll_up()
    seen, then = shown(pipeline), moment()
    assert seen["lodging.reporting_rate", "day", 265081, date(2024, 2, 29)] > 0
    with connect(pipeline.settings, "owner") as owner:
        owner.execute("UPDATE reporter SET valid_to = '2023-06-01' WHERE code LIKE '77-747-%%' AND code <> %s", [HOTEL])
        owner.execute(
            "UPDATE indicator SET definition = jsonb_set(definition, '{formula}', '\"2 * lodging.guests.total\"')"
            " WHERE code = 'lodging.reporting_rate'"
        )
    assert known(pipeline, then) == seen
    now = known(pipeline, moment())
    assert ("lodging.reporting_rate", "day", 265081, date(2024, 2, 29)) not in now  # nobody has reported a guest


def test_nobody_edits_the_past(pipeline: Pipeline) -> None:
    """Neither the writer, who may not at all, nor the owner by mistake."""
    pipeline.clear()
    for revision in (1, 2):
        pipeline.send("tourism.stay", [stay(HOTEL, 1, "2024-03-04", revision, overnight=revision == 1)])
        pipeline.roll_up()
    for table, change in (
        ("record_revision", "record = NULL"),
        ("open_day_change", "opened = false"),
        ("row_version", "content = NULL"),
    ):
        for statement in (f"UPDATE {table} SET {change}", f"DELETE FROM {table}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                pipeline.connection.execute(statement)  # type: ignore[arg-type]
            with (
                connect(pipeline.settings, "owner") as owner,
                pytest.raises(psycopg.errors.InsufficientPrivilege, match="only added"),
            ):
                owner.execute(statement)  # type: ignore[arg-type]


def test_a_close_of_day_answers_without_computing(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two closes, what changed only before the moment is what the later close says."""
    pipeline.clear()
    midnight = datetime.now(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    job = SnapshotJob(pipeline.connection, ZONE)
    job.take(datetime.now(UTC))  # snapshots begin
    pipeline.send("tourism.stay", [stay(HOTEL, 1, "2024-03-04")])
    pipeline.roll_up()
    seen, then = shown(pipeline), moment()
    assert job.take(datetime.now(UTC)) > 0
    pipeline.send("tourism.stay", [stay(HOTEL, 2, "2024-03-04")])
    pipeline.roll_up()
    monkeypatch.setattr(PastFigures, "_computed", lambda *_: pytest.fail("computed"))
    assert known(pipeline, then, anew=False) == seen
    assert known(pipeline, moment(), anew=False) == shown(pipeline)
    assert job.run(midnight, {"taken_at": "before"}) == {"taken_at": "before"}, "what came before has to be folded"
    done = job.run(midnight + timedelta(days=1, minutes=1), {})
    assert done["cells"] > 0
    assert job.run(midnight + timedelta(days=1, minutes=2), done) == done, "one a day"


def test_moments_are_read_as_people_write_them(pipeline: Pipeline) -> None:
    assert PastMoment.parse("2025-03-05", ZONE).at == datetime(2025, 3, 5, 17, tzinfo=UTC) - timedelta(microseconds=1)
    assert PastMoment.parse("2025-03-05T09:30", ZONE).at == datetime(2025, 3, 5, 2, 30, tzinfo=UTC)
    assert PastMoment.parse("2025-03-05 09:30:00+00:00", ZONE).at == datetime(2025, 3, 5, 9, 30, tzinfo=UTC)
    with pytest.raises(QuestionError, match="2025-03-05"):
        PastMoment.parse("5 March", ZONE)
    with connect(pipeline.settings, "reader", autocommit=True) as connection:
        for at, word in ((datetime(2001, 1, 1, tzinfo=UTC), "begins at"), (datetime(2999, 1, 1, tzinfo=UTC), "ahead")):
            with pytest.raises(QuestionError, match=word), past(connection, PastMoment(at)):
                pass
