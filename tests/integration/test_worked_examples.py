"""Every kind at every level and period, by hand. Paper first: the records, then the table with its arithmetic.

    stay  guest  commune (district)    arrives     leaves      nights
    s1    g1     C1      (Vũng Tàu)    2024-09-29  2024-10-01  2
    s2    g2     C1      (Vũng Tàu)    2024-09-30  2024-10-01  1
    s3    g1     C2      (Vũng Tàu)    2024-10-02  2024-10-05  3
    s4    g1     C3      (Bà Rịa)      2024-10-06  is there    -
    s5    g3*    C3      (Bà Rịa)      2023-12-31  2024-01-02  2
    s6    g3*    Côn Đảo               2024-01-01  same day    0, not overnight
    s7    g4*    C2      (Vũng Tàu)    2024-10-03  2024-10-04  1   declared for the 2nd first: voided, declared again
    s8    g5     C1      (Vũng Tàu)    2024-10-02  declared and voided
    * international

    Reports due, monthly: C1 4 in September; C1 5 (first 6, corrected), C3 7, Bà Rịa's own 2 in October.

The last day that the lodging sector knows of is Sunday 2024-10-06: periods go as far as that.
"""

from __future__ import annotations

import pytest
from testbed.feed_event import HOTEL, INN, ISLAND, RIVAL, Event, event, stay, void_stay
from testbed.pipeline import Pipeline

from ioc.feeds.report_value import ReportValue

C1, VUNG_TAU, PROVINCE = "26508", "747", "77"
FLOW, STOCK, DISTINCT = "lodging.guests.total", "lodging.in_house.total", "lodging.unique_guests.total"
RATIO, AVERAGE, REPORTED = "lodging.international_share", "lodging.avg_stay.total", "data_quality.reports_due"

W, M, Q, Y = (("week", "2024-09-30"), ("month", "2024-10-01"), ("quarter", "2024-10-01"), ("year", "2024-01-01"))
SEPTEMBER, Q3, Y2023 = ("month", "2024-09-01"), ("quarter", "2024-07-01"), ("year", "2023-01-01")

# code, area, period and its first day, figure, how it comes about
TABLE = [
    # ------------------------------------------------------------------ flow: arrivals
    (FLOW, C1, "day", "2024-10-02", 0, "s8 is void; others had s3 that day, so it is 0 and not nothing"),
    (FLOW, C1, *W, 1, "s2"),
    (FLOW, C1, *M, 0, "s1 and s2 arrived in September"),
    (FLOW, C1, *Q, 0, "the same"),
    (FLOW, C1, *Y, 2, "s1 s2"),
    (FLOW, VUNG_TAU, "day", "2024-10-02", 1, "s3; s7 moved to the 3rd"),
    (FLOW, VUNG_TAU, *W, 3, "s2 + s3 s7"),
    (FLOW, VUNG_TAU, *M, 2, "s3 s7"),
    (FLOW, VUNG_TAU, *Q, 2, "s3 s7"),
    (FLOW, VUNG_TAU, *Y, 4, "s1 s2 + s3 s7"),
    (FLOW, PROVINCE, "day", "2024-10-02", 1, "s3"),
    (FLOW, PROVINCE, *W, 4, "s2 s3 s7, and s4 on the Sunday"),
    (FLOW, PROVINCE, *M, 3, "s3 s4 s7"),
    (FLOW, PROVINCE, *Q, 3, "s3 s4 s7"),
    (FLOW, PROVINCE, *Y, 6, "all but s5 and s8"),
    (FLOW, PROVINCE, *Y2023, 1, "s5"),
    (FLOW, PROVINCE, "day", "2024-10-20", None, "nobody has reported anything: no figure"),
    # ------------------------------------------------------------------ stock: in house at the period's end
    (STOCK, C1, "day", "2024-09-30", 2, "s1 s2"),
    (STOCK, C1, "day", "2024-10-02", 0, "both left on the 1st: who leaves on a day is not there at its end"),
    (STOCK, C1, *W, 0, "the same on the 6th"),
    (STOCK, C1, *SEPTEMBER, 2, "on the 30th"),
    (STOCK, C1, *Q3, 2, "on September 30th"),
    (STOCK, C1, *Y, 0, "on October 6th, the last day known"),
    (STOCK, VUNG_TAU, "day", "2024-10-03", 2, "s3 s7"),
    (STOCK, VUNG_TAU, *W, 0, "s7 left on the 4th, s3 on the 5th"),
    (STOCK, VUNG_TAU, *SEPTEMBER, 2, "s1 s2"),
    (STOCK, VUNG_TAU, *Q, 0, "on October 6th"),
    (STOCK, VUNG_TAU, *Y, 0, "on October 6th"),
    (STOCK, PROVINCE, "day", "2024-01-01", 1, "s5; s6 came and left"),
    (STOCK, PROVINCE, "day", "2024-10-02", 1, "s3"),
    (STOCK, PROVINCE, *W, 1, "s4"),
    (STOCK, PROVINCE, *M, 1, "s4"),
    (STOCK, PROVINCE, *Q, 1, "s4"),
    (STOCK, PROVINCE, *Y, 1, "s4"),
    (STOCK, PROVINCE, *Y2023, 1, "s5, over the turn of the year"),
    # ------------------------------------------------------------------ distinct: guests, each once
    (DISTINCT, C1, "day", "2024-10-02", 0, "nobody"),
    (DISTINCT, C1, *W, 1, "g2"),
    (DISTINCT, C1, *M, 0, "nobody"),
    (DISTINCT, C1, *Q, 0, "nobody"),
    (DISTINCT, C1, *Y, 2, "g1 g2"),
    (DISTINCT, VUNG_TAU, "day", "2024-10-02", 1, "g1"),
    (DISTINCT, VUNG_TAU, *W, 3, "g2 g1 g4"),
    (DISTINCT, VUNG_TAU, *M, 2, "g1 g4"),
    (DISTINCT, VUNG_TAU, *Q, 2, "g1 g4"),
    (DISTINCT, VUNG_TAU, *Y, 3, "g1, in two communes, is one guest; g2 g4"),
    (DISTINCT, PROVINCE, "day", "2024-10-02", 1, "g1"),
    (DISTINCT, PROVINCE, *W, 3, "four arrivals, but s3 and s4 are both g1's, in two districts"),
    (DISTINCT, PROVINCE, *M, 2, "g1 g4"),
    (DISTINCT, PROVINCE, *Q, 2, "g1 g4"),
    (DISTINCT, PROVINCE, *Y, 4, "g1 g2 g3 g4: six arrivals"),
    (DISTINCT, PROVINCE, *Y2023, 1, "g3, counted again in 2024"),
    # ------------------------------------------------------------------ ratio: international of all arrivals
    (RATIO, C1, "day", "2024-10-02", None, "0 / 0"),
    (RATIO, C1, *W, 0, "0 / 1"),
    (RATIO, C1, *M, None, "0 / 0"),
    (RATIO, C1, *Q, None, "0 / 0"),
    (RATIO, C1, *Y, 0, "0 / 2"),
    (RATIO, VUNG_TAU, "day", "2024-10-02", 0, "0 / 1"),
    (RATIO, VUNG_TAU, *W, 100 / 3, "s7 of s2 s3 s7"),
    (RATIO, VUNG_TAU, *M, 50, "s7 of s3 s7"),
    (RATIO, VUNG_TAU, *Q, 50, "s7 of s3 s7"),
    (RATIO, VUNG_TAU, *Y, 25, "s7 of s1 s2 s3 s7"),
    (RATIO, PROVINCE, "day", "2024-10-02", 0, "0 / 1"),
    (RATIO, PROVINCE, *W, 25, "s7 of s2 s3 s4 s7"),
    (RATIO, PROVINCE, *M, 100 / 3, "1 / 3; the mean of Vũng Tàu's 50 and Bà Rịa's 0 would be 25"),
    (RATIO, PROVINCE, *Q, 100 / 3, "1 / 3"),
    (RATIO, PROVINCE, *Y, 100 / 3, "s6 s7 of six"),
    (RATIO, PROVINCE, *Y2023, 100, "s5"),
    # ------------------------------------------------------------------ average: nights of overnight stays that ended
    (AVERAGE, C1, "day", "2024-10-01", 1.5, "(2 + 1) / 2"),
    (AVERAGE, C1, "day", "2024-10-02", None, "none ended: nothing to divide by"),
    (AVERAGE, C1, *W, 1.5, "(2 + 1) / 2"),
    (AVERAGE, C1, *M, 1.5, "(2 + 1) / 2"),
    (AVERAGE, C1, *Q, 1.5, "(2 + 1) / 2"),
    (AVERAGE, C1, *Y, 1.5, "(2 + 1) / 2"),
    (AVERAGE, VUNG_TAU, "day", "2024-10-04", 1, "s7"),
    (AVERAGE, VUNG_TAU, *W, 1.75, "(2 + 1 + 3 + 1) / 4"),
    (AVERAGE, VUNG_TAU, *M, 1.75, "the same; the mean of the communes' 1.5 and 2 is also 1.75, of the days' it is not"),
    (AVERAGE, VUNG_TAU, *Q, 1.75, "the same"),
    (AVERAGE, VUNG_TAU, *Y, 1.75, "the same"),
    (AVERAGE, PROVINCE, "day", "2024-10-05", 3, "s3"),
    (AVERAGE, PROVINCE, *W, 1.75, "s1 s2 s3 s7"),
    (AVERAGE, PROVINCE, *M, 1.75, "s1 s2 s3 s7"),
    (AVERAGE, PROVINCE, *Q, 1.75, "s1 s2 s3 s7"),
    (AVERAGE, PROVINCE, *Y, 1.8, "(2 + 1 + 3 + 1 + 2) / 5; the mean of the districts' 1.75 and 2 would be 1.875"),
    # ------------------------------------------------------------------ reported, by the month
    (REPORTED, C1, "day", "2024-10-01", None, "a month's report says nothing of a day"),
    (REPORTED, C1, *W, None, "nor of a week"),
    (REPORTED, C1, *M, 5, "corrected from 6"),
    (REPORTED, C1, *Q, 5, "October"),
    (REPORTED, C1, *Y, 9, "4 + 5"),
    (REPORTED, VUNG_TAU, "day", "2024-10-01", None, "as above"),
    (REPORTED, VUNG_TAU, *W, None, "as above"),
    (REPORTED, VUNG_TAU, *M, 5, "C1"),
    (REPORTED, VUNG_TAU, *Q, 5, "C1"),
    (REPORTED, VUNG_TAU, *Y, 9, "C1"),
    (REPORTED, "748", *M, 9, "C3's 7, and 2 of the district's own"),
    (REPORTED, "748", *SEPTEMBER, None, "nobody has reported: no figure"),
    (REPORTED, PROVINCE, "day", "2024-10-01", None, "as above"),
    (REPORTED, PROVINCE, *W, None, "as above"),
    (REPORTED, PROVINCE, *M, 14, "5 + 7 + 2"),
    (REPORTED, PROVINCE, *Q, 14, "October"),
    (REPORTED, PROVINCE, *Y, 18, "4 + 14"),
    (REPORTED, PROVINCE, *SEPTEMBER, 4, "C1"),
]
ABROAD = {"origin": "international", "nationality": "KOR", "home_region": None}


def told(area: str, month: str, value: float, revision: int = 1) -> Event:
    """The reports due of an area and month."""
    fields = {"agency": "vp-ubnd", "indicator": REPORTED, "area_code": area}
    data = fields | {"period": "month", "period_start": month, "value": value}
    return event("report.value", "vp-ubnd", ReportValue.model_validate(data).record_key(), revision, data)


@pytest.fixture
def paper(pipeline: Pipeline) -> Pipeline:
    """The records above, in the order in which they might come."""
    moved = stay(INN, 4, "2024-10-02", check_out="2024-10-04", **ABROAD)
    pipeline.send(
        "tourism.stay",
        [
            stay(HOTEL, 1, "2024-09-29", check_out="2024-10-01"),
            stay(HOTEL, 2, "2024-09-30", check_out="2024-10-01"),
            stay(HOTEL, 5, "2024-10-02"),
            moved,
            stay(RIVAL, 1, "2024-10-06"),
        ],
    )
    pipeline.send("report.value", [told(C1, "2024-10-01", 6), told("26560", "2024-10-01", 7)])
    pipeline.roll_up()
    pipeline.send(
        "tourism.stay",
        [
            void_stay(HOTEL, 5, "2024-10-02"),
            # A stay's day is part of its identity: declared for a wrong day, it is voided and declared again.
            void_stay(INN, 4, "2024-10-02"),
            stay(INN, 4, "2024-10-03", check_out="2024-10-04", **ABROAD),
            stay(INN, 1, "2024-10-02", check_out="2024-10-05"),
            stay(RIVAL, 3, "2023-12-31", check_out="2024-01-02", **ABROAD),
            stay(ISLAND, 3, "2024-01-01", check_out="2024-01-01", overnight=False, **ABROAD),
        ],
    )
    pipeline.send(
        "report.value",
        [told(C1, "2024-09-01", 4), told(C1, "2024-10-01", 5, 2), told("748", "2024-10-01", 2)],
    )
    pipeline.roll_up()
    return pipeline


def test_every_kind_at_every_level_and_period(paper: Pipeline) -> None:
    found = {row[:4]: paper.figure(*row[:4]) for row in TABLE}
    wrong = [
        f"{' '.join(row[:4])}: {found[row[:4]]} instead of {row[4]} ({row[5]})"
        for row in TABLE
        if found[row[:4]] != (row[4] if row[4] is None else pytest.approx(row[4]))
    ]
    assert wrong == []
    assert paper.reconcile().differences == ()


def test_the_table_leaves_nothing_out() -> None:
    """Six kinds, three levels, five periods."""
    told_of = {(code, area, period) for code, area, period, *_ in TABLE}
    periods = ("day", "week", "month", "quarter", "year")
    wanted = {
        (code, area, period)
        for code in (FLOW, STOCK, DISTINCT, RATIO, AVERAGE, REPORTED)
        for area in (C1, VUNG_TAU, PROVINCE)
        for period in periods
    }
    assert wanted <= told_of
    assert len({row[:4] for row in TABLE}) == len(TABLE)
