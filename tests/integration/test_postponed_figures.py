"""One record of years ago opens many periods: a fold leaves their figures to later transactions, and loses none."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from testbed.feed_event import Event, reported
from testbed.pipeline import Pipeline

from ioc.approval.store import sign
from ioc.catalogue import compile_measures
from ioc.database.connection import connect
from ioc.errors import QuestionError
from ioc.province.profile import load_profile_catalogue
from ioc.reading.explanation.explainer import Explainer
from ioc.reading.explanation.model import Explanation
from streams.proof.reconcile import reconcile
from streams.rollup.service import Rollup
from streams.status.snapshot_job import SnapshotJob

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
FEED, BEDS, DISTRICT, OTHER = "report.value", "health_system.beds", "747", "748"


def told(area: str, quarter: str, beds: float | None, revision: int = 1) -> Event:
    """How many beds an area has from a quarter on; without a number, the void of it."""
    return reported("cuc-thong-ke", BEDS, area, "quarter", quarter, beds, revision)


LATE, OLD, EARLIER = told(DISTRICT, "2023-07-01", 100), told(OTHER, "2023-04-01", 7), told(OTHER, "2023-01-01", 9)
PRESENT = [told(DISTRICT, "2024-01-01", 120), told(OTHER, "2024-01-01", 30)]


@pytest.fixture
def early(pipeline: Pipeline) -> Pipeline:
    """Two reports of 2024."""
    pipeline.send(FEED, PRESENT)
    pipeline.roll_up()
    return pipeline


def patient(pipeline: Pipeline) -> Rollup:
    """A roll-up that postpones whatever it may."""
    return Rollup(pipeline.settings, pipeline.connection, most_rows=1)


def postponed(pipeline: Pipeline) -> int:
    ((count,),) = pipeline.rows("SELECT coalesce(sum(cardinality(areas)), 0)::int FROM figure_postponed")
    assert isinstance(count, int)
    return count


def explained(pipeline: Pipeline, month: str) -> Explanation:
    compiled = compile_measures(load_profile_catalogue(pipeline.settings.profile, pipeline.feeds))
    with connect(pipeline.settings, "reader", autocommit=True) as connection:
        explainer = Explainer(connection, compiled, pipeline.feeds, pipeline.profile.areas)
        return explainer.explain(BEDS, explainer.cell(DISTRICT, "month", date.fromisoformat(month)))


def figures(pipeline: Pipeline) -> list[tuple[object, ...]]:
    return pipeline.rows("SELECT sector, period, area_id, bucket, figures FROM indicator_cell ORDER BY 1, 2, 3, 4")


def test_the_present_comes_at_once_and_the_years_between_later(early: Pipeline) -> None:
    rollup = patient(early)
    early.send(FEED, [LATE])
    assert rollup.fold_once(early.connection) > 0
    left = postponed(early)
    assert left > 1000  # half a year of months and quarters, in all areas of all sectors that agencies report
    # What the record says of itself, and what is shown of the present.
    assert early.figure(BEDS, DISTRICT, "quarter", "2023-07-01") == 100
    assert early.figure(BEDS, DISTRICT, "year", "2024-01-01") == 120
    assert early.figure(BEDS, DISTRICT, "month", "2023-11-01") is None
    assert reconcile(early.settings).waiting > 0  # due, so no difference
    told = explained(early, "2023-11-01")
    assert (told.postponed, told.value) == (True, None)
    with pytest.raises(QuestionError, match="being computed"):
        sign(
            early.connection,
            "health_system",
            "month",
            date(2023, 11, 1),
            by="Giám đốc Sở Du lịch",
            today=date(2024, 11, 1),
        )
    newest = early.rows("SELECT max(bucket) FROM figure_postponed")
    while rollup.compute_postponed(early.connection):
        assert postponed(early) < left
        left = postponed(early)
        assert left == 0 or early.rows("SELECT max(bucket) FROM figure_postponed") <= newest
    assert early.figure(BEDS, DISTRICT, "month", "2023-11-01") == 100
    told = explained(early, "2023-11-01")
    assert (told.postponed, told.value) == (False, 100)
    assert early.reconcile().differences == ()


def test_a_roll_up_that_dies_while_it_computes_leaves_the_list_as_it_was(early: Pipeline) -> None:
    rollup = patient(early)
    early.send(FEED, [LATE])
    rollup.fold_once(early.connection)
    left = postponed(early)
    with pytest.raises(KeyboardInterrupt), early.connection.transaction():
        assert rollup.compute_postponed(early.connection) > 0
        raise KeyboardInterrupt
    assert postponed(early) == left
    early.start_again()
    early.roll_up()
    assert postponed(early) == 0
    assert early.figure(BEDS, DISTRICT, "month", "2023-11-01") == 100


# Periods open, are corrected and are shut again while their figures are due.
STEPS = [OLD, EARLIER, LATE, told(DISTRICT, "2023-07-01", 90, 2), told(OTHER, "2023-04-01", None, 2)]


def test_what_comes_while_figures_are_due_makes_no_difference(early: Pipeline) -> None:
    rollup = patient(early)
    for event in STEPS:
        early.send(FEED, [event])
        assert rollup.fold_once(early.connection) > 0
        rollup.compute_postponed(early.connection)  # some of it
    assert postponed(early) > 0
    while rollup.run_once(early.connection):
        pass
    found = figures(early)
    assert early.reconcile().differences == ()
    # The same without any postponing.
    early.clear()
    early.send(FEED, PRESENT)
    for event in STEPS:
        early.send(FEED, [event])
    whole = Rollup(early.settings, early.connection, most_rows=10**9)
    while whole.fold_once(early.connection):
        pass
    assert figures(early) == found


def test_a_day_is_closed_when_its_figures_are_computed(early: Pipeline) -> None:
    """A close that lacked them would say later that nothing had moved them."""
    job = SnapshotJob(early.connection, ZONE)
    assert job.take(datetime.now(UTC)) == 0  # closes begin
    rollup = patient(early)
    early.send(FEED, [LATE])
    rollup.fold_once(early.connection)
    assert job.take(datetime.now(UTC)) is None
    while rollup.compute_postponed(early.connection):
        pass
    assert (job.take(datetime.now(UTC)) or 0) > 1000


def test_contributions_go_on_where_a_postponed_figure_cannot_be_computed(early: Pipeline) -> None:
    rollup = patient(early)
    early.send(FEED, [LATE])
    rollup.fold_once(early.connection)
    left = postponed(early)
    with connect(early.settings, "owner", autocommit=True) as owner:
        owner.execute("ALTER TABLE indicator_cell ADD CONSTRAINT fault CHECK (bucket <> '2023-11-01')")
        assert rollup.compute_postponed(early.connection) == 0
        assert postponed(early) == left
        early.send(FEED, [told(DISTRICT, "2024-01-01", 121, 2)])
        assert rollup.run_once(early.connection)
        assert early.figure(BEDS, DISTRICT, "year", "2024-01-01") == 121
        owner.execute("ALTER TABLE indicator_cell DROP CONSTRAINT fault")
    early.start_again()
    early.roll_up()
    assert early.reconcile().differences == ()
