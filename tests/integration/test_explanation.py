"""What stands behind a figure, by hand: what counts, what does not, what was refused and corrected, who is missing."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from testbed.feed_event import (
    BA_RIA,
    CON_DAO,
    HOTEL,
    HOTEL_COMMUNE,
    INN,
    ISLAND,
    PROVINCE,
    RIVAL,
    RIVAL_COMMUNE,
    VUNG_TAU,
    invoice,
    place,
    report,
    reported,
    stay,
    void_stay,
)
from testbed.pipeline import Pipeline

from ioc.catalogue.store import load_editions
from ioc.database.connection import connect, snapshot
from ioc.errors import ConfigError
from ioc.reading.explanation import Explainer, Explanation

OCTOBER = date(2024, 10, 10)
SELLER = "3590000407"
ABROAD = {"origin": "international", "nationality": "KOR", "home_region": None}


@pytest.fixture
def october(pipeline: Pipeline) -> Pipeline:
    """Five arrivals of October, two of foreigners; one correction, one void, one broken event; two daily reports."""
    pipeline.send(
        "tourism.stay",
        [
            stay(HOTEL, 1, "2024-10-05", check_out="2024-10-07"),  # 2 nights
            stay(HOTEL, 2, "2024-10-06", check_out="2024-10-07", **ABROAD),  # 1 night
            stay(INN, 3, "2024-10-07", age_years=40),  # is still there
            stay(RIVAL, 4, "2024-10-08", check_out="2024-10-08", overnight=False),
            stay(ISLAND, 5, "2024-10-08", **ABROAD),
            stay(RIVAL, 6, "2024-10-08"),
            stay(HOTEL, 7, "2024-10-09", sex="unheard"),
        ],
    )
    pipeline.send("tourism.stay", [stay(INN, 3, "2024-10-07", 2, age_years=41), void_stay(RIVAL, 6, "2024-10-08")])
    pipeline.send("registry.reporter", [place(HOTEL, "2024-01-01", rooms=10, star=0, type="hotel")])
    pipeline.send("tourism.daily_report", [report(HOTEL, "2024-10-05", rooms_total=10, rooms_available=10)])
    pipeline.roll_up()
    return pipeline


def explain(
    pipeline: Pipeline, code: str, area: str, period: str = "month", on: date = OCTOBER, **page: int
) -> Explanation:
    compiled = load_editions(pipeline.connection).live.compiled
    explainer = Explainer(pipeline.connection, compiled, pipeline.feeds, pipeline.profile.areas)
    return explainer.explain(code, explainer.cell(area, period, on), **page)


def today() -> date:
    """The day in the province."""
    return datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")).date()


def test_a_flow(october: Pipeline) -> None:
    found = explain(october, "lodging.guests.international", PROVINCE)
    assert (found.value, found.made_of.inputs[0].value, found.fraction) == (2, 2, None)
    assert [(one.reporter, one.counts_on, one.adds) for one in found.records] == [
        (ISLAND, date(2024, 10, 8), 1),
        (HOTEL, date(2024, 10, 6), 1),
    ]
    # Three guests of the same feed, area and month are no foreigners.
    assert found.excluded_total == 3
    assert [(one.reporter, one.business_date.day) for one in found.excluded] == [(RIVAL, 8), (INN, 7), (HOTEL, 5)]
    assert found.definition["where"] == "origin = 'international'"
    assert [(one.version, one.state) for one in found.versions] == [(1, "live")]


def test_keys_are_cut_and_pages_follow_each_other(october: Pipeline) -> None:
    whole = explain(october, "lodging.guests.total", PROVINCE)
    assert whole.records_total == 5
    pages = [explain(october, "lodging.guests.total", PROVINCE, limit=2, offset=at).records for at in (0, 2, 4)]
    assert [record for page in pages for record in page] == list(whole.records)
    assert all("…" in record.record and len(record.record) < 60 for record in whole.records)


def test_a_ratio_shows_what_is_divided(october: Pipeline) -> None:
    share = explain(october, "lodging.international_share", VUNG_TAU)
    assert share.value == pytest.approx(100 / 3)
    assert share.fraction is not None
    assert share.fraction.numerator == "100 * lodging.guests.international"
    assert (share.fraction.numerator_value, share.fraction.denominator_value) == (100, 3)
    assert {part.code: part.value for part in share.made_of.inputs} == {
        "lodging.guests.international": 1,
        "lodging.guests.total": 3,
    }
    assert [(one.reporter, one.adds_to) for one in share.records] == [
        (INN, "lodging.guests.total"),
        (HOTEL, "lodging.guests.international"),
        (HOTEL, "lodging.guests.total"),
    ]
    nothing = explain(october, "lodging.international_share", "750")
    assert (nothing.value, nothing.fraction and nothing.fraction.denominator_value) == (None, 0)


def test_an_average_divides_sums(october: Pipeline) -> None:
    found = explain(october, "lodging.avg_stay.total", HOTEL_COMMUNE)
    assert found.value == 1.5
    assert found.fraction is not None
    assert (found.fraction.numerator_value, found.fraction.denominator_value) == (3, 2)
    # A record that counts above and below the line is told for what it adds above it.
    assert [record.adds for record in found.records] == [2, 1]
    assert {record.adds_to for record in found.records} == {"lodging.avg_stay.total: numerator"}


def test_a_distinct_and_a_stock(october: Pipeline) -> None:
    guests = explain(october, "lodging.unique_guests.total", PROVINCE)
    assert (guests.value, guests.made_of.inputs[0].value, guests.records_total) == (5, 5, 5)
    house = explain(october, "lodging.in_house.total", PROVINCE)
    assert house.value == house.made_of.inputs[0].value == 2  # guests 3 and 5
    assert {record.reporter for record in house.records} == {INN, ISLAND}
    rooms = explain(october, "lodging.rooms.total", VUNG_TAU, "year")
    assert (rooms.value, [record.adds for record in rooms.records]) == (10, [10])


def test_what_was_refused_and_corrected(october: Pipeline) -> None:
    found = explain(october, "lodging.guests.total", PROVINCE)
    (refused,) = found.rejections
    assert (refused.feed, refused.rule, refused.field, refused.events) == (
        "tourism.stay",
        "literal_error",
        "data.sex",
        1,
    )
    assert refused.message_vi and refused.message_en
    assert [(one.day, one.feed, one.revisions, one.late, one.voided) for one in found.corrections] == [
        (today(), "tourism.stay", 2, 0, 1)
    ]
    # The guest's age moves no number of guests; the void takes one away.
    assert found.changes_total == 2
    assert {change.reporter: [(e.before, e.after) for e in change.effects] for change in found.changes} == {
        INN: [],
        RIVAL: [(1, 0)],
    }
    aged = explain(october, "lodging.guests.international", PROVINCE).changes
    assert all(change.effects == () for change in aged) and len(aged) == 2
    assert explain(october, "lodging.guests.total", CON_DAO).corrections == ()


def test_a_record_that_was_moved_is_told_where_it_was_and_where_it_is(pipeline: Pipeline) -> None:
    code, september = "einvoice.value.total", date(2024, 9, 30)
    sold = [invoice(SELLER, 1, 1, "2024-10-05", amount_net=100), invoice(SELLER, 2, 1, "2024-10-06", amount_net=7)]
    pipeline.send("tax.einvoice", sold)
    pipeline.send("tax.einvoice", [invoice(SELLER, 1, 2, "2024-09-30", amount_net=150)])
    pipeline.roll_up()
    for on, value, before, after in ((OCTOBER, 7, 100, 0), (september, 150, 0, 150)):
        shown = explain(pipeline, code, PROVINCE, on=on)
        (change,) = shown.changes
        assert shown.value == value
        assert (change.revision, change.record, change.late) == (1, f"{SELLER}/1/C24TAA/1", False)
        assert [(effect.adds_to, effect.before, effect.after) for effect in change.effects] == [(code, before, after)]
        assert [(one.revisions, one.voided) for one in shown.corrections] == [(1, 0)]
    assert explain(pipeline, code, PROVINCE, "day", date(2024, 10, 6)).changes == ()


def test_a_late_revision_moves_nothing_and_a_void_may_be_taken_back(october: Pipeline) -> None:
    october.send("tourism.stay", [stay(HOTEL, 1, "2024-10-05", 3, check_out="2024-10-07")])
    october.send("tourism.stay", [stay(HOTEL, 1, "2024-10-05", 2, check_out="2024-10-06")])
    october.send("tourism.stay", [stay(RIVAL, 6, "2024-10-08", 3)])
    october.roll_up()
    found = explain(october, "lodging.nights.total", HOTEL_COMMUNE)
    assert [(change.revision, change.late, change.effects) for change in found.changes] == [
        (2, True, ()),
        (1, False, ()),
    ]
    assert [(one.revisions, one.late) for one in found.corrections] == [(2, 1)]
    back = explain(october, "lodging.guests.total", BA_RIA)
    assert [(one.revision, [(e.before, e.after) for e in one.effects]) for one in back.changes] == [
        (2, [(0, 1)]),
        (1, [(1, 0)]),
    ]
    assert {change.record is not None and "…" in change.record for change in back.changes} == {True}


def test_what_came_late_within_one_transaction_is_told_as_that(october: Pipeline) -> None:
    """Both bear the transaction's time; only one of them ever counted."""
    october.send("tourism.stay", [stay(HOTEL, 8, "2024-10-08", 2), stay(HOTEL, 8, "2024-10-08", 1)])
    october.roll_up()
    found = explain(october, "lodging.guests.total", HOTEL_COMMUNE)
    newest = found.changes[0]
    assert (newest.revision, newest.late, newest.effects) == (1, True, ())


def test_a_stock_is_corrected_by_what_was_registered_long_before(october: Pipeline) -> None:
    october.send("registry.reporter", [place(HOTEL, "2024-01-01", 2, rooms=12, star=0, type="hotel")])
    october.roll_up()
    found = explain(october, "lodging.rooms.total", VUNG_TAU)
    assert found.value == 12
    assert [(e.before, e.after) for change in found.changes for e in change.effects] == [(10, 12)]


def test_pages_of_corrections_follow_each_other(october: Pipeline) -> None:
    pages = [explain(october, "lodging.guests.total", PROVINCE, limit=1, offset=at) for at in (0, 1, 2)]
    assert [page.changes_total for page in pages] == [2, 2, 2]
    whole = explain(october, "lodging.guests.total", PROVINCE).changes
    assert [change for page in pages for change in page.changes] == list(whole)


def test_an_explanation_is_of_one_moment(october: Pipeline) -> None:
    compiled = load_editions(october.connection).live.compiled
    with connect(october.settings, "reader", autocommit=True) as connection:
        explainer = Explainer(connection, compiled, october.feeds, october.profile.areas)
        with snapshot(connection):
            before = explainer.explain("lodging.guests.total", explainer.cell(PROVINCE, "month", OCTOBER))
            october.send("tourism.stay", [stay(HOTEL, 9, "2024-10-09")])
            october.roll_up()
            assert explainer.explain("lodging.guests.total", explainer.cell(PROVINCE, "month", OCTOBER)) == before
        after = explainer.explain("lodging.guests.total", explainer.cell(PROVINCE, "month", OCTOBER))
    assert (before.value, after.value, after.records_total) == (5, 6, 6)


def test_who_has_not_reported(october: Pipeline) -> None:
    """Of stays nobody; of daily reports each deadline counts by itself."""
    (stays,) = explain(october, "lodging.guests.total", BA_RIA).completeness
    assert (stays.reported, stays.expected, stays.missing) == (1, None, ())
    october.send("tourism.daily_report", [report(RIVAL, f"2024-10-0{day}") for day in (1, 2, 4)])
    october.roll_up()
    found = explain(october, "lodging.room_nights.total", BA_RIA)
    (reports,) = found.completeness
    owed = {one.code: one.reports for one in reports.missing}
    assert (reports.reported, len(owed)) == (3, 20)
    assert RIVAL not in owed, "it owes least, and twenty are named"
    days = max(one.reports or 0 for one in reports.missing)
    assert days == max(int(row[0].day) for row in october.rows("SELECT max(day) FROM open_day"))  # type: ignore[attr-defined]
    assert reports.expected is not None and reports.expected % days == 0


def test_how_fresh_a_figure_is(october: Pipeline) -> None:
    before = explain(october, "lodging.guests.total", PROVINCE).freshness
    assert [(one.feed, one.waiting) for one in before] == [("tourism.stay", 0)]
    october.send("tourism.stay", [stay(HOTEL, 9, "2024-10-09")])
    (after,) = explain(october, "lodging.guests.total", PROVINCE).freshness
    assert after.waiting == 1 and after.newest_received_at is not None


def test_figures_through_a_reform(pipeline: Pipeline) -> None:
    """Rooms registered in a ward of 2024 stand in the ward of 2025; a guest of June leaves in July, in the new ward."""
    pipeline.now = datetime(2025, 9, 1, tzinfo=UTC)
    pipeline.send("registry.reporter", [place(HOTEL, "2024-01-01", rooms=10, star=0, type="hotel")])
    pipeline.send("tourism.stay", [stay(HOTEL, 4, "2025-06-28", check_out="2025-07-03"), stay(HOTEL, 5, "2025-07-10")])
    pipeline.roll_up()
    july = date(2025, 7, 15)
    for area in ("26506", "79"):
        nights = explain(pipeline, "lodging.nights.total", area, on=july)
        assert (nights.value, nights.made_of.inputs[0].value, nights.records_total) == (5, 5, 1), area
        rooms = explain(pipeline, "lodging.rooms.total", area, on=july)
        assert (rooms.value, rooms.made_of.inputs[0].value) == (10, 10), area
        guests = explain(pipeline, "lodging.guests.total", area, on=july)
        assert (guests.value, guests.records_total) == (1, 1), area
    june = explain(pipeline, "lodging.guests.total", HOTEL_COMMUNE, on=date(2025, 6, 15))
    assert (june.value, june.area_name) == (1, "Phường Thắng Tam")
    (stays,) = explain(pipeline, "lodging.guests.total", "26506", on=july).completeness
    assert stays.reported == 1 and stays.expected is None


def test_a_report_counts_for_its_own_area(pipeline: Pipeline) -> None:
    said = reported("cuc-thong-ke", "electricity.loss", PROVINCE, "month", "2024-10-01", 3.5)
    pipeline.send("report.value", [said])
    pipeline.roll_up()
    found = explain(pipeline, "electricity.loss", PROVINCE)
    assert (found.value, found.records_total) == (3.5, 1)
    assert found.fraction is not None and found.fraction.denominator_value == 1


def test_what_there_is_not_is_said(october: Pipeline) -> None:
    with pytest.raises(ConfigError, match=r"lodging\.ghosts"):
        explain(october, "lodging.ghosts", PROVINCE)
    with pytest.raises(ConfigError, match="no area bears the code '999'"):
        explain(october, "lodging.guests.total", "999")
    with pytest.raises(ConfigError, match="decade"):
        explain(october, "lodging.guests.total", PROVINCE, "decade")


def test_revisions_below_nothing_that_stand_nowhere_are_explained(october: Pipeline) -> None:
    """Before they were refused, a first revision below 0 was kept in the history and its record stood nowhere."""
    early = stay(HOTEL, 8, "2024-10-05", -3)
    content = {**early["data"], "reporter": HOTEL, "area_code": HOTEL_COMMUNE, "effective_on": "2024-10-05"}
    # As the worker of that time left it: no identity, and of a record whose later revision stands.
    known = october.rows("SELECT key FROM tourism_stay WHERE record_key = %s", [stay(HOTEL, 1)["subject"]])[0][0]
    for key in ("00000000-0000-0000-0000-000000000001", known):
        october.rows(
            "INSERT INTO record_revision (key, revision, feed_id, content_hash, record) "
            "SELECT %s, -3, feed_id, md5('x')::uuid, %s::jsonb FROM feed WHERE key = 'tourism.stay' RETURNING 1",
            [key, json.dumps(content)],
        )
    for code in ("lodging.guests.total", "lodging.unique_guests.total", "lodging.international_share"):
        for period in ("day", "month", "year"):
            found = explain(october, code, HOTEL_COMMUNE, period, date(2024, 10, 5))
            assert found.value is not None
    found = explain(october, "lodging.guests.total", HOTEL_COMMUNE, "day", date(2024, 10, 5))
    assert found.value == 1
    assert [(one.revision, one.late, one.effects) for one in found.changes] == [(-3, True, ())] * 2
    assert {one.reporter for one in found.changes} == {HOTEL}
    assert october.reconcile().differences == ()


def test_of_a_record_with_thousands_of_revisions_the_newest_are_looked_at(october: Pipeline) -> None:
    """A sender that counts every second: its record is explained as quickly as another, and says what it left out."""
    made = stay(HOTEL, 9, "2024-10-05", 20_001)
    october.send("tourism.stay", [made])
    october.roll_up()
    content = {**made["data"], "reporter": HOTEL, "area_code": HOTEL_COMMUNE, "effective_on": "2024-10-05"}
    ((key,),) = october.rows("SELECT key FROM tourism_stay WHERE record_key = %s", [made["subject"]])
    october.rows(
        "INSERT INTO record_revision (key, revision, feed_id, content_hash, record, recorded_at) "
        "SELECT %s, number, feed_id, md5(number::text)::uuid, %s::jsonb, now() - (20100 - number) * interval '1 minute'"
        " FROM feed, generate_series(1, 20000) number WHERE key = 'tourism.stay' RETURNING 1",
        [key, json.dumps(content)],
    )
    before = explain(october, "lodging.guests.total", RIVAL_COMMUNE, "day", date(2024, 10, 5)).older_revisions
    found = explain(october, "lodging.guests.total", HOTEL_COMMUNE, "day", date(2024, 10, 5), limit=5)
    assert (before, found.older_revisions) == (0, 19_900)
    assert [one.revision for one in found.changes] == [20_000, 19_999, 19_998, 19_997, 19_996]
    assert found.changes_total < 150
