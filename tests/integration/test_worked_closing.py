"""Hotels that close and open, a commune without its only one, reports that did not come: by hand, in every place.

    HOTEL      ward 26508  10 rooms  all of 2024 and on                 every room sold, every day of December
    NEIGHBOUR  ward 26508  10 rooms  1 January to 29 December 2024, closed   every room sold, 1 to 29 December
    INN        ward 26509   5 rooms  1 January to 10 March 2024, closed      every room sold, 1 to 10 March
    RIVAL      ward 26560  20 rooms  from 1 February 2024               10 rooms sold, every day of February
    poor households of the province: 9 of the 12 months of 2024; 70 in April 2025, not reported after that

On 2025-07-01 the wards 26508 and 26509 became part of 26506. A guest stays at HOTEL on 2025-09-15.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

import pytest
from testbed.feed_event import HOTEL, INN, NEIGHBOUR, RIVAL, Event, event, place, report, stay
from testbed.pipeline import Pipeline
from testbed.server import cloned_database

from ioc.feeds.declared.report_value import ReportValue
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.reading.cli import explain
from ioc.settings import Settings

C1, C2, C3, WARD, PROVINCE = "26508", "26509", "26560", "26506", "77"
OCCUPANCY, ROOMS, REVPAR = "lodging.occupancy.total", "lodging.rooms.total", "lodging.revpar"
POOR = "social.households.poor"
SOLD_IN_YEAR = 310 + 290 + 50 + 290
ROOM_DAYS = 10 * 366 + 10 * 364 + 5 * 70 + 20 * 335  # the inn: 31 + 29 + 10 days; the rival: 366 - 31

# code, area, period and its first day, figure, how it comes about
TABLE = [
    (OCCUPANCY, C1, "year", "2024-01-01", 100 * 600 / 7300, "10 x (366 + 364) room days"),
    (OCCUPANCY, C1, "quarter", "2024-10-01", 100 * 600 / 1820, "10 x (92 + 90)"),
    (OCCUPANCY, C1, "month", "2024-12-01", 100, "310 + 290 of 310 + 290, though one closed on the 30th"),
    (OCCUPANCY, C1, "day", "2024-12-29", 100, "both"),
    (OCCUPANCY, C1, "day", "2024-12-30", 100, "one"),
    (OCCUPANCY, C1, "week", "2024-12-23", 100, "7 x 20 of 7 x 20"),
    (ROOMS, C1, "year", "2024-01-01", 10, "what is there at its end"),
    (OCCUPANCY, C2, "month", "2024-03-01", 100, "50 of 5 x 10 days: it closed on the 11th"),
    (OCCUPANCY, C2, "month", "2024-04-01", None, "no room"),
    (OCCUPANCY, C2, "quarter", "2024-01-01", 100 * 50 / 350, "5 x (31 + 29 + 10)"),
    (OCCUPANCY, C2, "year", "2024-01-01", 100 * 50 / 350, "the same"),
    (OCCUPANCY, C3, "month", "2024-01-01", None, "no room yet"),
    (OCCUPANCY, C3, "month", "2024-02-01", 50, "290 of 20 x 29: no room of January is added"),
    (OCCUPANCY, C3, "quarter", "2024-01-01", 100 * 290 / 1200, "20 x (29 + 31)"),
    (OCCUPANCY, PROVINCE, "year", "2024-01-01", 100 * SOLD_IN_YEAR / ROOM_DAYS, "sums first"),
    (REVPAR, C3, "month", "2024-02-01", 290 * 500_000 / 580, "500,000 a room sold"),
    (ROOMS, WARD, "month", "2025-07-01", 10, "the hotel's, carried over from 26508"),
    (ROOMS, WARD, "month", "2025-08-01", 10, "nothing happened"),
    (ROOMS, WARD, "month", "2025-09-01", 10, "nothing happened: what stood in July stands"),
    (ROOMS, C1, "month", "2025-08-01", None, "the ward has ended"),
    (POOR, PROVINCE, "month", "2025-04-01", 70, "reported"),
    (POOR, PROVINCE, "month", "2025-06-01", 70, "stands until the next report"),
    (POOR, PROVINCE, "year", "2024-01-01", 12, "the last report of the year"),
]


def days(first: str, last: str) -> list[str]:
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    return [str(start + timedelta(days=n)) for n in range((end - start).days + 1)]


def sold(reporter: str, first: str, last: str, rooms: int) -> list[Event]:
    counts = {"rooms_total": 30, "rooms_available": 30, "rooms_sold": rooms, "revenue_room": rooms * 500_000}
    return [report(reporter, day, **counts) for day in days(first, last)]


def told(code: str, period: str, start: str, value: float, agency: str) -> Event:
    data = {"agency": agency, "indicator": code, "area_code": PROVINCE, "value": value}
    data |= {"period": period, "period_start": start}
    return event("report.value", agency, ReportValue.model_validate(data).record_key(), 1, data)


@pytest.fixture(scope="module")
def hotels(
    template_database: str, stack_settings: Settings, feeds: Mapping[str, Feed], profile: Profile
) -> Iterator[tuple[Pipeline, str]]:
    """The records, and a moment before the first of them came."""
    own = stack_settings.model_copy(update={"db_name": f"t{uuid.uuid4().hex[:12]}"})
    with cloned_database(own, template_database):
        pipeline = Pipeline(own, feeds, profile)
        pipeline.now = datetime(2025, 10, 1, tzinfo=UTC)
        before = datetime.now(UTC).isoformat()
        house = {"star": 0, "type": "hotel"}
        parts: list[tuple[str, list[Event]]] = [
            ("registry.reporter", [
                place(HOTEL, "2024-01-01", rooms=10, area_code=C1, **house),
                place(NEIGHBOUR, "2024-01-01", rooms=10, area_code=C1, closed_on="2024-12-30", **house),
                place(INN, "2024-01-01", rooms=5, area_code=C2, **house),
                place(RIVAL, "2024-02-01", rooms=20, area_code=C3, **house),
            ]),
            ("tourism.daily_report", sold(HOTEL, "2024-12-01", "2024-12-31", 10)),
            ("tourism.daily_report", sold(NEIGHBOUR, "2024-12-01", "2024-12-29", 10)),
            ("tourism.daily_report", sold(INN, "2024-03-01", "2024-03-10", 5)),
            ("tourism.daily_report", sold(RIVAL, "2024-02-01", "2024-02-29", 10)),
            ("registry.reporter", [
                place(INN, "2024-01-01", 2, rooms=5, area_code=C2, closed_on="2024-03-11", **house),
            ]),
            ("report.value", [
                told(POOR, "month", f"2024-{month:02}-01", float(month), "so-lao-dong")
                for month in (1, 2, 4, 5, 6, 8, 9, 11, 12)
            ]),
            ("report.value", [told(POOR, "month", "2025-04-01", 70, "so-lao-dong")]),
            ("report.value", [told("budget.investment_paid", "week", "2025-06-02", 5, "kho-bac")]),
            ("tourism.stay", [stay(HOTEL, 1, "2025-09-15")]),
        ]  # fmt: skip
        try:
            for feed, events in parts:
                assert pipeline.send(feed, events).rejected == 0, feed
            pipeline.roll_up()
            yield pipeline, before
        finally:
            pipeline.close()


def test_what_opens_and_closes_within_a_period(hotels: tuple[Pipeline, str]) -> None:
    pipeline, _ = hotels
    found = {row[:4]: pipeline.figure(*row[:4]) for row in TABLE}
    wrong = [
        f"{' '.join(row[:4])}: {found[row[:4]]} instead of {row[4]} ({row[5]})"
        for row in TABLE
        if found[row[:4]] != (row[4] if row[4] is None else pytest.approx(row[4]))
    ]
    assert wrong == []
    result = pipeline.reconcile()
    assert (result.differences, result.waiting) == ((), 0)


def test_nine_of_twelve_monthly_reports_are_not_everybody(hotels: tuple[Pipeline, str]) -> None:
    found = explain(hotels[0].settings, POOR, PROVINCE, date(2024, 6, 1), period="year", limit=0, offset=0)
    (one,) = found.completeness
    assert (one.reported, one.expected, [who.reports for who in one.missing]) == (9, 12, [3])


@pytest.mark.parametrize(
    ("code", "area", "period", "on", "value"),
    [
        (OCCUPANCY, C2, "month", date(2024, 4, 1), None),  # the divisor is 0
        (OCCUPANCY, C3, "month", date(2024, 1, 1), None),
        ("lodging.guests.total", C2, "day", date(2024, 6, 1), None),  # nobody has reported anything
        ("lodging.international_share", C2, "month", date(2024, 6, 1), None),
        (ROOMS, WARD, "month", date(2025, 9, 1), 10.0),  # carried
        (POOR, PROVINCE, "month", date(2025, 6, 1), 70.0),  # carried from April
        (POOR, C2, "month", date(2024, 6, 1), None),  # nobody has ever reported it of the ward
        ("budget.disbursement_rate", PROVINCE, "week", date(2025, 6, 2), None),  # no plan was told
    ],
)
def test_every_cell_explains_itself(
    hotels: tuple[Pipeline, str], code: str, area: str, period: str, on: date, value: float | None
) -> None:
    found = explain(hotels[0].settings, code, area, on, period=period, limit=5, offset=0)
    assert found.value == value

    def parts(part: object) -> Iterator[object]:
        yield part
        for source in part.inputs:  # type: ignore[attr-defined]
            yield from parts(source)

    for part in parts(found.made_of):
        assert part.text_vi and part.text_en  # type: ignore[attr-defined]
        assert part.value is not None or (part.none_vi and part.none_en)  # type: ignore[attr-defined]
    if code == POOR and value is not None:
        assert (found.as_of, found.stale) == (date(2025, 4, 1), True)


def test_before_the_first_record_there_was_nothing_and_all_of_it_came_since(hotels: tuple[Pipeline, str]) -> None:
    pipeline, before = hotels
    found = explain(
        pipeline.settings, OCCUPANCY, C1, date(2024, 12, 1), period="month", limit=5, offset=0, as_of=before
    )
    assert (found.value, found.records_total) == (None, 0)
    assert found.made_of.none_vi and found.made_of.none_en
    since = found.since_then
    assert since is not None
    assert (since.value_now, since.counts["new"]) == (100, 31 + 29 + 2)
