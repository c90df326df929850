"""Every kind at every level and period, by hand. Paper first: the records, then the table with its arithmetic.

    stay  guest  commune (district)    arrives     leaves      nights
    s1    g1     C1      (Vũng Tàu)    2024-09-29  2024-10-01  2   revision 1 said international
    s2    g2     C1      (Vũng Tàu)    2024-09-30  2024-10-01  1
    s3    g1     C2      (Vũng Tàu)    2024-10-02  2024-10-05  3   revision 1: leaves on the 4th
    s4    g1     C3      (Bà Rịa)      2024-10-06  is there    -
    s5    g3*    C3      (Bà Rịa)      2023-12-31  2024-01-02  2
    s6    g3*    Côn Đảo               2024-01-01  same day    0, not overnight
    s7    g4*    C2      (Vũng Tàu)    2024-10-03  2024-10-04  1   declared for the 2nd first: voided, declared again
    s8    g5     C1      (Vũng Tàu)    2024-10-02  declared and voided
    * international

    reported                          C1             C2              C3          Bà Rịa  Vũng Tàu  province
    reports due, a flow by the  Sep   4
    month                       Oct   5 (first 6)    3, then voided  7           2
    hospital beds, a stock by   Q3    10
    the quarter                 Q4    12 (first 20)  30, voided      8
    fees paid without cash, a   Sep   80
    share by the month, in %    Oct   40                             90, voided          60 (50)   75

The last day that the lodging sector knows of is Sunday 2024-10-06, the last on which a report begins is 2024-10-01:
periods go as far as that. What stands is carried on to the last day that any feed knows of.
"""

from __future__ import annotations

import pytest
from testbed.feed_event import HOTEL, INN, ISLAND, RIVAL, Event, reported, stay, void_of, void_stay
from testbed.pipeline import Pipeline

C1, C2, C3, VUNG_TAU, BA_RIA, PROVINCE = "26508", "26509", "26560", "747", "748", "77"
FLOW, STOCK, DISTINCT = "lodging.guests.total", "lodging.in_house.total", "lodging.unique_guests.total"
RATIO, AVERAGE, REPORTED = "lodging.international_share", "lodging.avg_stay.total", "data_quality.reports_due"
BEDS, CASHLESS = "health_system.beds", "education.cashless_fees"

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
    (REPORTED, C2, *M, None, "void: nobody has reported"),
    (REPORTED, BA_RIA, *M, 9, "C3's 7, and 2 of the district's own"),
    (REPORTED, BA_RIA, *SEPTEMBER, None, "nobody has reported: no figure"),
    (REPORTED, PROVINCE, "day", "2024-10-01", None, "as above"),
    (REPORTED, PROVINCE, *W, None, "as above"),
    (REPORTED, PROVINCE, *M, 14, "5 + 7 + 2"),
    (REPORTED, PROVINCE, *Q, 14, "October"),
    (REPORTED, PROVINCE, *Y, 18, "4 + 14"),
    (REPORTED, PROVINCE, *SEPTEMBER, 4, "C1"),
    # ------------------------------------------------------------------ reported stock: holds until its quarter ends
    (BEDS, C1, "day", "2024-07-01", 10, "the third quarter's"),
    (BEDS, C1, "day", "2024-10-01", 12, "the fourth quarter's, corrected from 20; not 10 + 12"),
    (BEDS, C1, "day", "2024-10-02", 12, "no report begins on that day: what stands is carried on"),
    (BEDS, C1, *W, 12, "on October 1st"),
    (BEDS, C1, *M, 12, "on October 1st"),
    (BEDS, C1, *SEPTEMBER, 10, "on September 30th, the last day of its quarter"),
    (BEDS, C1, *Q, 12, "on October 1st"),
    (BEDS, C1, *Q3, 10, "on September 30th"),
    (BEDS, C1, *Y, 12, "on October 1st: what exists now, not a sum of quarters"),
    (BEDS, C2, *Q, None, "void: nobody has reported"),
    (BEDS, VUNG_TAU, "day", "2024-10-01", 12, "C1; C2's is void"),
    (BEDS, VUNG_TAU, *W, 12, "C1"),
    (BEDS, VUNG_TAU, *M, 12, "C1"),
    (BEDS, VUNG_TAU, *Q, 12, "C1"),
    (BEDS, VUNG_TAU, *Y, 12, "C1"),
    (BEDS, BA_RIA, *Q, 8, "C3"),
    (BEDS, BA_RIA, *Q3, None, "nobody has reported that quarter"),
    (BEDS, PROVINCE, "day", "2024-10-01", 20, "12 + 8"),
    (BEDS, PROVINCE, *W, 20, "12 + 8"),
    (BEDS, PROVINCE, *M, 20, "12 + 8"),
    (BEDS, PROVINCE, *Q, 20, "12 + 8"),
    (BEDS, PROVINCE, *Q3, 10, "C1"),
    (BEDS, PROVINCE, *Y, 20, "12 + 8"),
    # ------------------------------------------------------------------ reported share: of the very area
    (CASHLESS, C1, "day", "2024-10-01", 40, "October's holds from its first day"),
    (CASHLESS, C1, *W, 40, "on October 1st; on Monday it was still September's 80"),
    (CASHLESS, C1, *M, 40, "as told"),
    (CASHLESS, C1, *SEPTEMBER, 80, "as told"),
    (CASHLESS, C1, *Q, 40, "October's"),
    (CASHLESS, C1, *Q3, 80, "September's, the last of the quarter"),
    (CASHLESS, C1, *Y, 40, "the last known; neither the sum 120 nor the mean 60"),
    (CASHLESS, VUNG_TAU, "day", "2024-10-01", 60, "its own, not C1's 40"),
    (CASHLESS, VUNG_TAU, *W, 60, "its own"),
    (CASHLESS, VUNG_TAU, *M, 60, "corrected from 50"),
    (CASHLESS, VUNG_TAU, *SEPTEMBER, None, "C1 told its share, the district has not"),
    (CASHLESS, VUNG_TAU, *Q, 60, "October's"),
    (CASHLESS, VUNG_TAU, *Y, 60, "October's"),
    (CASHLESS, C3, *M, None, "void"),
    (CASHLESS, BA_RIA, *M, None, "it has told nothing; a share is not taken from the communes"),
    (CASHLESS, PROVINCE, "day", "2024-10-01", 75, "its own"),
    (CASHLESS, PROVINCE, *W, 75, "its own"),
    (CASHLESS, PROVINCE, *M, 75, "its own, not the mean of 40 and 60"),
    (CASHLESS, PROVINCE, *SEPTEMBER, None, "it has told nothing of September"),
    (CASHLESS, PROVINCE, *Q, 75, "October's"),
    (CASHLESS, PROVINCE, *Y, 75, "October's"),
]
ABROAD = {"origin": "international", "nationality": "KOR", "home_region": None}


PERIOD = {REPORTED: "month", BEDS: "quarter", CASHLESS: "month"}


def told(code: str, area: str, start: str, value: float, revision: int = 1) -> Event:
    """What the province's office states of an area and of the period that begins on a day."""
    return reported("vp-ubnd", code, area, PERIOD[code], start, value, revision)


@pytest.fixture
def paper(pipeline: Pipeline) -> Pipeline:
    """The records above, in the order in which they might come: first what is corrected or voided afterwards."""
    moved = stay(INN, 4, "2024-10-02", check_out="2024-10-04", **ABROAD)
    pipeline.send(
        "tourism.stay",
        [
            stay(HOTEL, 1, "2024-09-29", check_out="2024-10-01", **ABROAD),
            stay(HOTEL, 2, "2024-09-30", check_out="2024-10-01"),
            stay(HOTEL, 5, "2024-10-02"),
            stay(INN, 1, "2024-10-02", check_out="2024-10-04"),
            moved,
            stay(RIVAL, 1, "2024-10-06"),
        ],
    )
    mistaken = [
        told(REPORTED, C1, "2024-10-01", 6),
        told(REPORTED, C2, "2024-10-01", 3),
        told(BEDS, C1, "2024-10-01", 20),
        told(BEDS, C2, "2024-10-01", 30),
        told(CASHLESS, C3, "2024-10-01", 90),
        told(CASHLESS, VUNG_TAU, "2024-10-01", 50),
    ]
    pipeline.send("report.value", [*mistaken, told(REPORTED, C3, "2024-10-01", 7), told(BEDS, C3, "2024-10-01", 8)])
    pipeline.roll_up()
    pipeline.send(
        "tourism.stay",
        [
            stay(HOTEL, 1, "2024-09-29", 2, check_out="2024-10-01"),
            void_stay(HOTEL, 5, "2024-10-02"),
            # A stay's day is part of its identity: declared for a wrong day, it is voided and declared again.
            void_stay(INN, 4, "2024-10-02"),
            stay(INN, 4, "2024-10-03", check_out="2024-10-04", **ABROAD),
            stay(INN, 1, "2024-10-02", 2, check_out="2024-10-05"),
            stay(RIVAL, 3, "2023-12-31", check_out="2024-01-02", **ABROAD),
            stay(ISLAND, 3, "2024-01-01", check_out="2024-01-01", overnight=False, **ABROAD),
        ],
    )
    pipeline.send(
        "report.value",
        [
            told(REPORTED, C1, "2024-09-01", 4),
            told(REPORTED, C1, "2024-10-01", 5, 2),
            void_of(told(REPORTED, C2, "2024-10-01", 3, 2)),
            told(REPORTED, BA_RIA, "2024-10-01", 2),
            told(BEDS, C1, "2024-07-01", 10),
            told(BEDS, C1, "2024-10-01", 12, 2),
            void_of(told(BEDS, C2, "2024-10-01", 30, 2)),
            told(CASHLESS, C1, "2024-09-01", 80),
            told(CASHLESS, C1, "2024-10-01", 40),
            void_of(told(CASHLESS, C3, "2024-10-01", 90, 2)),
            told(CASHLESS, VUNG_TAU, "2024-10-01", 60, 2),
            told(CASHLESS, PROVINCE, "2024-10-01", 75),
        ],
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
    """Six kinds, the last of them as flow, stock and share; three levels, five periods."""
    told_of = {(code, area, period) for code, area, period, *_ in TABLE}
    periods = ("day", "week", "month", "quarter", "year")
    wanted = {
        (code, area, period)
        for code in (FLOW, STOCK, DISTINCT, RATIO, AVERAGE, REPORTED, BEDS, CASHLESS)
        for area in (C1, VUNG_TAU, PROVINCE)
        for period in periods
    }
    assert wanted <= told_of
    assert len({row[:4] for row in TABLE}) == len(TABLE)
