"""Reported values on the way of every event: sums, states and shares by hand, corrected, voided, in any order."""

from __future__ import annotations

from datetime import date

from testbed.feed_event import Event, reported
from testbed.pipeline import Pipeline

from ioc.catalogue import compile_measures
from ioc.province.profile import load_profile_catalogue
from ioc.reading.explanation import Explainer

FEED = "report.value"
SPENDING, BEDS, LOSS, RESIDENTS = (
    "budget.spending.total",
    "health_system.beds",
    "electricity.loss",
    "population.residents.total",
)


def told(code: str, area: str, period: str, start: str, value: float | None, revision: int = 1) -> Event:
    """What the statistics office states; without value the void of it."""
    return reported("cuc-thong-ke", code, area, period, start, value, revision)


def test_a_flow_adds_up_over_time_and_areas(pipeline: Pipeline) -> None:
    pipeline.send(
        FEED, [told(SPENDING, "747", "month", "2024-08-01", 10.5), told(SPENDING, "748", "month", "2024-08-01", 4)]
    )
    pipeline.send(FEED, [told(SPENDING, "747", "month", "2024-09-01", 20)])
    # A quarter's report beside the months' does not count: the row is monthly.
    pipeline.send(FEED, [told(SPENDING, "747", "quarter", "2024-07-01", 999)])
    pipeline.roll_up()
    assert pipeline.figure(SPENDING, "77", "month", "2024-08-01") == 14.5
    assert pipeline.figure(SPENDING, "77", "quarter", "2024-07-01") == 34.5
    assert pipeline.figure(SPENDING, "747", "year", "2024-01-01") == 30.5
    assert pipeline.figure(SPENDING, "77", "day", "2024-08-01") is None
    assert pipeline.figure(SPENDING, "750", "month", "2024-08-01") is None, "nobody has reported it"
    pipeline.send(FEED, [told(SPENDING, "747", "month", "2024-08-01", 11, 2)])
    pipeline.send(FEED, [told(SPENDING, "748", "month", "2024-08-01", None, 2)])
    pipeline.roll_up()
    assert pipeline.figure(SPENDING, "77", "month", "2024-08-01") == 11
    assert pipeline.figure(SPENDING, "748", "month", "2024-08-01") is None
    assert pipeline.reconcile().differences == ()


def test_the_largest_reports_are_stored_to_the_last_digit_and_larger_ones_refused(pipeline: Pipeline) -> None:
    """9,348 reports, 114 months of 82 communes: of a million million each they would be more than a sum can hold."""
    leaves = [area.code for area in pipeline.profile.areas.areas if area.level == "commune"][:82]
    months = [f"{year}-{month:02}-01" for year in range(2015, 2025) for month in range(1, 13)][:114]
    places = [(area, month) for area in leaves for month in months]
    assert len(places) == 9348
    too_large = [told(SPENDING, area, "month", month, 1) for area, month in places]
    for one in too_large:
        one["data"]["value"] = 1e12
    counts = pipeline.send(FEED, too_large)
    assert (counts.consumed, counts.rejected) == (9348, 9348)
    assert pipeline.rows("SELECT DISTINCT rule, reasons -> 0 ->> 'field' FROM rejected_event") == [
        ("less_than_equal", "data.value")
    ]
    # All communes, each with the largest value: to the last digit.
    counts = pipeline.send(FEED, [told(SPENDING, area, "month", "2023-05-01", 1e11 - 0.001, 2) for area in leaves])
    assert counts.accepted == 82
    pipeline.roll_up()
    assert pipeline.rows("SELECT * FROM contribution_set_aside") == []
    assert pipeline.figure(SPENDING, "77", "year", "2023-01-01") == 82 * (10**14 - 1) / 1000
    assert pipeline.reconcile().differences == ()


def test_a_stock_holds_for_its_period_and_adds_up_over_areas(pipeline: Pipeline) -> None:
    later = [told(BEDS, area, "quarter", "2024-07-01", beds) for area, beds in (("747", 900), ("755", 100))]
    earlier = [told(BEDS, "747", "quarter", "2024-04-01", 850)]
    for reports in (later, earlier):
        pipeline.send(FEED, reports)
        pipeline.roll_up()
    pipeline.send(FEED, [told(SPENDING, "77", "month", "2024-10-01", 1)])
    pipeline.roll_up()
    assert pipeline.figure(BEDS, "77", "quarter", "2024-07-01") == 1000
    assert pipeline.figure(BEDS, "77", "quarter", "2024-04-01") == 850
    assert pipeline.figure(BEDS, "755", "quarter", "2024-04-01") is None
    assert pipeline.figure(BEDS, "77", "month", "2024-10-01") == 1000, "the third quarter's stand until the next report"
    pipeline.send(
        FEED, [told(BEDS, "747", "quarter", "2024-10-01", 910), told(BEDS, "747", "quarter", "2024-07-01", 905, 2)]
    )
    pipeline.roll_up()
    assert pipeline.figure(BEDS, "77", "month", "2024-10-01") == 1010, "910, and the 100 that 755 reported last"
    assert pipeline.figure(BEDS, "77", "year", "2024-01-01") == 1010
    assert pipeline.figure(BEDS, "77", "quarter", "2024-07-01") == 1005
    assert pipeline.reconcile().differences == ()


def test_a_share_is_that_of_the_area_it_was_reported_for(pipeline: Pipeline) -> None:
    pipeline.send(FEED, [told(LOSS, "747", "month", "2024-09-01", 3.125), told(LOSS, "748", "month", "2024-09-01", 5)])
    pipeline.roll_up()
    assert pipeline.figure(LOSS, "747", "month", "2024-09-01") == 3.125
    assert pipeline.figure(LOSS, "77", "month", "2024-09-01") is None
    pipeline.send(FEED, [told(LOSS, "77", "month", "2024-09-01", 3.5)])
    pipeline.roll_up()
    assert pipeline.figure(LOSS, "77", "month", "2024-09-01") == 3.5
    pipeline.send(FEED, [told(LOSS, "747", "month", "2024-09-01", None, 2)])
    pipeline.roll_up()
    assert pipeline.figure(LOSS, "747", "month", "2024-09-01") is None
    assert pipeline.reconcile().differences == ()


def test_the_end_of_a_report_opens_no_period(pipeline: Pipeline) -> None:
    pipeline.send(FEED, [told(RESIDENTS, "26506", "month", "2024-09-01", 17_842)])
    pipeline.roll_up()
    assert pipeline.figure(RESIDENTS, "77", "month", "2024-09-01") == 17_842
    assert pipeline.rows("SELECT FROM indicator_cell WHERE bucket >= '2024-10-01'") == []
    pipeline.send(FEED, [told(RESIDENTS, "26506", "month", "2024-09-01", None, 2)])
    pipeline.roll_up()
    assert pipeline.rows("SELECT FROM indicator_cell") == []
    assert pipeline.reconcile().differences == ()


def test_reports_are_explained(pipeline: Pipeline) -> None:
    pipeline.send(FEED, [told(LOSS, "77", "month", "2024-09-01", 3.5), told(LOSS, "747", "month", "2024-09-01", 9)])
    pipeline.send(FEED, [told(RESIDENTS, "26506", "month", "2024-09-01", 100)])
    pipeline.roll_up()
    compiled = compile_measures(load_profile_catalogue(pipeline.settings.profile, pipeline.feeds))
    explainer = Explainer(pipeline.connection, compiled, pipeline.feeds, pipeline.profile.areas)
    province = explainer.cell("77", "month", date(2024, 9, 1))
    loss = explainer.explain(LOSS, province)
    assert (loss.value, loss.records_total, [part.value for part in loss.made_of.inputs]) == (3.5, 1, [3.5, 1])
    residents = explainer.explain(RESIDENTS, province)
    assert [(record.reporter, record.adds) for record in residents.records] == [("cuc-thong-ke", 100)]
    assert explainer.explain(LOSS, explainer.cell("747", "month", date(2024, 9, 1))).value == 9
