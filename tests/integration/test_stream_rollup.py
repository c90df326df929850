"""Figures by hand: what a leader would reckon on paper, at every level and period."""

from __future__ import annotations

import time

import pytest
from testbed.feed_event import (
    BA_RIA,
    CON_DAO,
    HOTEL,
    HOTEL_COMMUNE,
    INN,
    INN_COMMUNE,
    ISLAND,
    NEIGHBOUR,
    PROVINCE,
    RIVAL,
    VUNG_TAU,
    invoice,
    place,
    report,
    stay,
    void_stay,
)
from testbed.pipeline import Pipeline

from ioc.database.connection import connect
from ioc.errors import DatabaseUnavailableError
from streams.rollup.bell import Bell

SELLER, SHOP = "3590000407", "3590000407.CHXD-02"


@pytest.fixture
def october(pipeline: Pipeline) -> Pipeline:
    """Four days of October 2024.

    Guest 1 stays twice in Vũng Tàu and once in Bà Rịa, guest 2 in the same commune as guest 1, guest 3 in Côn Đảo.
    HOTEL has 10 rooms since 2024-01-01, INN 20 since the 5th, ISLAND 4 until the 7th.
    """
    pipeline.send(
        "tourism.stay",
        [
            stay(HOTEL, 1, "2024-10-05", check_out="2024-10-07"),  # 2 nights
            stay(NEIGHBOUR, 2, "2024-10-05", check_out="2024-10-06"),  # 1 night
            stay(INN, 1, "2024-10-07"),  # is still there
            stay(RIVAL, 1, "2024-10-08", check_out="2024-10-08", overnight=False),
            stay(ISLAND, 3, "2024-10-08", origin="international", nationality="KOR", home_region=None),
        ],
    )
    pipeline.send(
        "registry.reporter",
        [
            place(HOTEL, "2024-01-01", rooms=10, star=0, type="hotel"),
            place(INN, "2024-10-05", rooms=20, star=2, type="hotel", area_code=INN_COMMUNE),
            place(ISLAND, "2024-02-01", rooms=4, closed_on="2024-10-07", type="homestay", area_code=CON_DAO),
        ],
    )
    pipeline.send(
        "tourism.daily_report",
        [
            report(HOTEL, "2024-10-05", rooms_total=10, rooms_available=10, rooms_sold=5, revenue_room=5_000_000),
            report(HOTEL, "2024-10-06", rooms_total=10, rooms_available=10, rooms_sold=10, revenue_room=13_000_000),
            report(INN, "2024-10-06", rooms_total=20, rooms_available=20, rooms_sold=0),
        ],
    )
    pipeline.roll_up()
    return pipeline


WEEK, MONTH, YEAR = ("week", "2024-09-30"), ("month", "2024-10-01"), ("year", "2024-01-01")

# code, area, period, first day, what paper says
EXAMPLES = [
    # A flow: five arrivals; the week ends on Sunday the 6th.
    ("lodging.guests.total", PROVINCE, *MONTH, 5),
    ("lodging.guests.total", PROVINCE, *WEEK, 2),
    ("lodging.guests.total", VUNG_TAU, *MONTH, 3),
    ("lodging.guests.total", HOTEL_COMMUNE, "day", "2024-10-05", 2),
    ("lodging.guests.total", INN_COMMUNE, "day", "2024-10-05", 0),  # others had guests, this commune had none
    ("lodging.guests.total", BA_RIA, "quarter", "2024-10-01", 1),
    ("lodging.guests.total", CON_DAO, *YEAR, 1),
    # Nobody has reported anything for that day: no figure, not 0.
    ("lodging.guests.total", PROVINCE, "day", "2024-10-09", None),
    # Nights count on the day of departure.
    ("lodging.nights.total", PROVINCE, *MONTH, 3),
    ("lodging.nights.total", PROVINCE, "day", "2024-10-07", 2),
    # A distinct: guest 1 was in two communes and two districts, and is one guest of the province.
    ("lodging.unique_guests.total", PROVINCE, *MONTH, 3),
    ("lodging.unique_guests.total", VUNG_TAU, *MONTH, 2),
    ("lodging.unique_guests.total", BA_RIA, *MONTH, 1),
    ("lodging.unique_guests.total", PROVINCE, *WEEK, 2),
    ("lodging.unique_guests.total", PROVINCE, "day", "2024-10-08", 2),
    # An average divides sums: (2 + 1) nights by two overnight stays that have ended.
    ("lodging.avg_stay.total", PROVINCE, *MONTH, 1.5),
    ("lodging.avg_stay.total", HOTEL_COMMUNE, *MONTH, 1.5),
    ("lodging.avg_stay.total", BA_RIA, *MONTH, None),  # nobody stayed overnight: nothing to divide by
    # A stock: who is in the house at the day's end; who leaves on a day is not.
    ("lodging.in_house.total", PROVINCE, "day", "2024-10-05", 2),
    ("lodging.in_house.total", PROVINCE, "day", "2024-10-06", 1),
    ("lodging.in_house.total", PROVINCE, "day", "2024-10-07", 1),
    ("lodging.in_house.total", PROVINCE, "day", "2024-10-08", 2),
    ("lodging.in_house.total", PROVINCE, *WEEK, 1),
    ("lodging.in_house.total", PROVINCE, *MONTH, 2),
    # Rooms: opened on the 5th, closed on the 7th.
    ("lodging.rooms.total", PROVINCE, "day", "2024-10-05", 34),
    ("lodging.rooms.total", PROVINCE, "day", "2024-10-07", 30),
    ("lodging.rooms.total", VUNG_TAU, *MONTH, 30),
    ("lodging.establishments.total", PROVINCE, "day", "2024-10-06", 3),
    ("lodging.establishments.type_homestay", CON_DAO, *MONTH, 0),
    # A ratio of sums: 15 room-nights sold. The last day known is the 8th: 8 days of 10 rooms, 4 of 20, 6 of 4.
    ("lodging.occupancy.total", PROVINCE, *MONTH, 100 * 15 / (8 * 10 + 4 * 20 + 6 * 4)),
    ("lodging.occupancy.total", PROVINCE, "day", "2024-10-06", 100 * 10 / 34),
    ("lodging.occupancy.total", HOTEL_COMMUNE, "day", "2024-10-06", 100.0),
    ("lodging.occupancy.total", CON_DAO, *MONTH, 0.0),  # its rooms stood for six days, and nobody slept in them
    ("lodging.occupancy.total", CON_DAO, "day", "2024-10-07", None),  # no room is left: nothing to divide by
    ("lodging.adr", PROVINCE, *MONTH, 18_000_000 / 15),
    ("lodging.reporting", PROVINCE, *MONTH, 2),
    # Two of the reports that 476 establishments owed for that day.
    ("lodging.reporting_rate", PROVINCE, "day", "2024-10-06", 100 * 2 / 476),
    ("lodging.international_share", PROVINCE, *MONTH, 20.0),
]


def test_worked_examples(october: Pipeline) -> None:
    found = [(*example[:4], october.figure(*example[:4])) for example in EXAMPLES]
    assert found == [
        (*example[:4], example[4] if example[4] is None else pytest.approx(example[4])) for example in EXAMPLES
    ]
    assert october.reconcile().differences == ()


def test_a_correction_takes_the_last_record_of_a_member_away(october: Pipeline) -> None:
    """Guest 1 was never in Bà Rịa; guest 3 was never there at all."""
    october.send("tourism.stay", [void_stay(RIVAL, 1, "2024-10-08"), void_stay(ISLAND, 3, "2024-10-08")])
    october.roll_up()
    assert october.figure("lodging.unique_guests.total", PROVINCE, *MONTH) == 2
    assert october.figure("lodging.unique_guests.total", BA_RIA, *MONTH) == 0
    # Nothing is known of the 8th any more, so the month goes as far as the 7th.
    assert october.figure("lodging.unique_guests.total", PROVINCE, "day", "2024-10-08") is None
    assert october.figure("lodging.occupancy.total", PROVINCE, *MONTH) == pytest.approx(
        100 * 15 / (7 * 10 + 3 * 20 + 6 * 4)
    )
    assert october.reconcile().differences == ()


def test_a_member_stays_while_another_record_speaks_of_it(october: Pipeline) -> None:
    october.send("tourism.stay", [void_stay(INN, 1, "2024-10-07")])
    october.roll_up()
    assert october.figure("lodging.unique_guests.total", VUNG_TAU, *MONTH) == 2
    assert october.figure("lodging.unique_guests.total", INN_COMMUNE, *MONTH) == 0
    assert october.reconcile().differences == ()


def test_a_place_that_is_registered_late_was_there_all_along(october: Pipeline) -> None:
    """Its rooms count from the day it opened, in every figure since then."""
    october.send("registry.reporter", [place("late", "2024-10-06", rooms=6, type="hotel", area_code="26560")])
    october.roll_up()
    assert october.figure("lodging.rooms.total", PROVINCE, "day", "2024-10-05") == 34
    assert october.figure("lodging.rooms.total", PROVINCE, "day", "2024-10-06") == 40
    assert october.figure("lodging.rooms.total", PROVINCE, *MONTH) == 36
    assert october.figure("lodging.occupancy.total", PROVINCE, "day", "2024-10-06") == pytest.approx(100 * 10 / 40)
    assert october.reconcile().differences == ()


def test_when_the_last_known_day_moves_on_the_month_before_is_whole(october: Pipeline) -> None:
    """On 8 October eight days of the month had passed; in November all 31 have."""
    october.send("tourism.daily_report", [report(HOTEL, "2024-11-02", rooms_total=10)])
    october.roll_up()
    assert october.figure("lodging.occupancy.total", PROVINCE, *MONTH) == pytest.approx(
        100 * 15 / (31 * 10 + 27 * 20 + 6 * 4)
    )
    assert october.reconcile().differences == ()


def test_a_stock_that_ends_on_a_day_not_yet_reached(october: Pipeline) -> None:
    """HOTEL will close on the 20th: its rooms are there while the month has come to the 8th, and gone at its end."""
    october.send("registry.reporter", [place(HOTEL, "2024-01-01", 2, rooms=10, closed_on="2024-10-20")])
    october.roll_up()
    assert october.figure("lodging.rooms.total", PROVINCE, *MONTH) == 30
    october.send("tourism.stay", [stay(INN, 9, "2024-11-02")])
    october.roll_up()
    assert october.figure("lodging.rooms.total", PROVINCE, *MONTH) == 20
    assert october.reconcile().differences == ()


def test_invoices_count_where_the_shop_is_and_in_thousandths_of_a_litre(pipeline: Pipeline) -> None:
    sale = {"shop_id": SHOP, "amount_net": 100, "litres_ron95_iii": 0.1, "fuel_ron95_iii": 2000}
    pipeline.send("tax.einvoice", [invoice(SELLER, number, **sale) for number in range(10)])
    pipeline.roll_up()
    day = ("day", "2024-10-05")
    assert pipeline.figure("petrol.volume.total", "26725", *day) == 1.0  # ten tenths, exactly
    assert pipeline.figure("petrol.volume.total", "26719", *day) == 0.0
    assert pipeline.figure("petrol.shops_einvoice", PROVINCE, *day) == 1
    assert pipeline.figure("petrol.litres_per_sale", PROVINCE, *day) == pytest.approx(0.1)
    assert pipeline.figure("petrol.avg_price.do_005s", PROVINCE, *day) is None  # none was sold
    pipeline.send("tax.einvoice", [invoice(SELLER, 0, 2, "2024-10-06", **sale | {"litres_ron95_iii": 0.3})])
    pipeline.roll_up()
    assert pipeline.figure("petrol.volume.total", PROVINCE, *day) == 0.9
    assert pipeline.figure("petrol.volume.total", PROVINCE, "day", "2024-10-06") == 0.3
    assert pipeline.reconcile().differences == ()


def test_only_one_roll_up_works_at_a_time(pipeline: Pipeline) -> None:
    pipeline.send("tourism.stay", [stay()])
    with pipeline.connection.transaction():
        pipeline.rows("SELECT 1 FROM pg_advisory_xact_lock(7305002)")
        other = Pipeline(pipeline.settings, pipeline.feeds, pipeline.profile)
        other.roll_up()
        assert other.figure("lodging.guests.total", PROVINCE, *MONTH) is None
        other.close()
    pipeline.roll_up()
    assert pipeline.figure("lodging.guests.total", PROVINCE, *MONTH) == 1


def test_a_commit_wakes_the_roll_up_each_time(pipeline: Pipeline) -> None:
    """Two commits before it listens again are answered together, and the next one wakes it anew."""
    with connect(pipeline.settings, "writer") as waiting:
        bell = Bell(waiting)
        for guests in ((1, 2), (3,)):
            for guest in guests:
                pipeline.send("tourism.stay", [stay(guest=guest)])
            begin = time.monotonic()
            bell.wait(60.0)
            assert time.monotonic() - begin < 30.0


def test_reconcile_sees_what_is_wrong(october: Pipeline) -> None:
    """One unit in one cell, one figure, one row that is missing."""
    october.rows("UPDATE measure_cell SET sums[1] = sums[1] + 1 WHERE period = 'month' AND area_id = 771 RETURNING 1")
    cells = october.reconcile().differences
    assert cells and all(d.period == "month" and d.area_id == 771 for d in cells)
    october.rows("UPDATE measure_cell SET sums[1] = sums[1] - 1 WHERE period = 'month' AND area_id = 771 RETURNING 1")
    assert october.reconcile().differences == ()

    october.rows("UPDATE indicator_cell SET figures[1] = figures[1] + 1e-6 WHERE period = 'year' RETURNING 1")
    assert {d.what for d in october.reconcile().differences} == {"lodging.guests.total"}
    october.rows("UPDATE indicator_cell SET figures[1] = figures[1] - 1e-6 WHERE period = 'year' RETURNING 1")

    october.rows("DELETE FROM indicator_cell WHERE period = 'month' AND area_id = 7471 RETURNING 1")
    missing = october.reconcile().differences
    assert missing and all((d.period, d.area_id, d.stored) == ("month", 7471, None) for d in missing)


def test_a_fold_that_fails_changes_nothing(october: Pipeline) -> None:
    """The contributions were taken and the cells written when the figures could not be: all of it comes again."""
    october.send("tourism.stay", [stay(INN, 9, "2024-10-06")])
    waiting = october.rows("SELECT count(*) FROM measure_delta")
    october.rows("SELECT set_config('lock_timeout', '300ms', false)")
    with connect(october.settings, "owner") as other:
        other.execute("LOCK TABLE indicator_cell IN SHARE MODE")
        with pytest.raises(DatabaseUnavailableError):
            october.roll_up()
        other.rollback()
    assert october.rows("SELECT count(*) FROM measure_delta") == waiting != [(0,)]
    assert october.figure("lodging.guests.total", PROVINCE, *MONTH) == 5
    october.roll_up()
    assert october.figure("lodging.guests.total", PROVINCE, *MONTH) == 6
    assert october.reconcile().differences == ()
