"""Dossiers, feedback, documents, security, apps and stations on the way of every event: stored, folded, recomputed."""

from __future__ import annotations

from random import Random

import pytest
from testbed.feed_event import Event, sent
from testbed.health import pseudonym
from testbed.pipeline import Pipeline, assert_any_order_agrees
from testbed.public_service import MAKERS, Fields

CENTRE, COMMUNE, ISLAND = "mot-cua-tinh", "ubnd-26509", "ubnd-755"
# Reporters of each feed, and the field that names its records.
REPORTERS = {
    "dossier.event": ((CENTRE, COMMUNE, ISLAND), "dossier_id"),
    "feedback.ticket": (("pakn-tinh", "tong-dai-1022"), "ticket_id"),
    "document.flow": (("so-du-lich", COMMUNE, ISLAND), "item_id"),
    "infosec.event": (("soc-tinh",), "item_id"),
    "app.usage": (("brvt-smart", "tro-ly-ao"), "item_id"),
    "environment.reading": (("qt-kk-01", "qt-nm-01", "qt-mm-01", "qt-kk-08"), ""),
}
DOSSIER: Fields = {
    "dossier_id": pseudonym(1),
    "applicant_id": pseudonym(2),
    "field": "land",
    "channel": "direct",
    "service_level": "partial",
    "received_on": "2024-10-07",
    "due_on": "2024-10-09",
    "has_fee": True,
    "state": "pending",
}
PAID: Fields = {"paid_on": "2024-10-10", "paid_amount": 50_000, "paid_online": True}
RESULT: Fields = {"state": "resolved", "closed_on": "2024-10-11", "processing_h": 30}
TICKET: Fields = {
    "ticket_id": pseudonym(3),
    "area_code": "26560",
    "category": "road",
    "channel": "app",
    "received_on": "2024-10-07",
    "due_on": "2024-10-09",
    "state": "open",
}


def test_a_dossier_from_intake_to_rating(pipeline: Pipeline) -> None:
    revisions = [DOSSIER, DOSSIER | {"overdue": True}, DOSSIER | PAID | {"overdue": True}, DOSSIER | PAID | RESULT]
    revisions.append(revisions[-1] | {"rated_on": "2024-10-12", "rating": "satisfied"})

    def days(code: str, *numbers: int) -> list[float | None]:
        return [pipeline.figure(f"dossier.{code}", "747", "day", f"2024-10-{day:02d}") for day in numbers]

    pipeline.send("dossier.event", [sent("dossier.event", COMMUNE, revisions[0])])
    pipeline.roll_up()
    assert days("pending.in_time", 7) == [1]
    pipeline.send("dossier.event", [sent("dossier.event", COMMUNE, r, n) for n, r in enumerate(revisions, 1)])
    pipeline.roll_up()
    assert days("received.level_commune", 7, 11) == [1, 0]
    assert days("pending.in_time", 7, 10) == [1, 0]
    assert days("pending.overdue", 7, 10, 11) == [0, 1, 0]
    assert days("resolved.late", 11) == [1]
    assert days("paid_online_value", 10) == [50_000]
    for code, value in {
        "online_payment_rate": 100,
        "on_time_rate": 0,
        "satisfaction_rate": 100,
        "proc_time": 30,
    }.items():
        assert pipeline.figure(f"dossier.{code}", "77", "month", "2024-10-01") == value
    assert not pipeline.reconcile().differences


def test_a_dossier_that_is_refused_was_never_received(pipeline: Pipeline) -> None:
    pipeline.send("dossier.event", [sent("dossier.event", ISLAND, DOSSIER)])
    pipeline.roll_up()
    assert pipeline.figure("dossier.received.total", "755", "day", "2024-10-07") == 1
    pipeline.send(
        "dossier.event", [sent("dossier.event", ISLAND, DOSSIER | {"state": "refused", "closed_on": "2024-10-08"}, 2)]
    )
    pipeline.roll_up()
    assert pipeline.figure("dossier.received.total", "755", "month", "2024-10-01") == 0
    assert pipeline.figure("dossier.rejected", "755", "month", "2024-10-01") == 1
    assert pipeline.figure("dossier.pending.in_time", "755", "month", "2024-10-01") == 0


def test_a_ticket_counts_where_it_is_about_and_opens_again(pipeline: Pipeline) -> None:
    answered = TICKET | {"state": "resolved", "closed_on": "2024-10-08", "handling_h": 20}
    again = TICKET | {"reopened_on": "2024-10-10", "due_on": "2024-10-14"}
    key = "feedback.ticket"
    pipeline.send(key, [sent(key, "tong-dai-1022", TICKET), sent(key, "tong-dai-1022", answered, 2)])
    pipeline.roll_up()
    assert pipeline.figure("feedback.resolved.on_time", "26560", "month", "2024-10-01") == 1
    pipeline.send(key, [sent(key, "tong-dai-1022", again, 3)])
    pipeline.roll_up()
    assert pipeline.figure("feedback.resolved.on_time", "26560", "month", "2024-10-01") == 0
    assert pipeline.figure("feedback.reopened", "748", "day", "2024-10-10") == 1
    assert pipeline.figure("feedback.received.channel_app", "77", "month", "2024-10-01") == 1


def test_an_average_weighs_hours_over_stations_and_days(pipeline: Pipeline) -> None:
    key = "environment.reading"

    def hour(station: str, at: str, value: float, revision: int = 1) -> Event:
        data = {"medium": "air", "param": "pm25", "measured_at": f"2024-10-{at}:00:00+07:00", "value": value}
        return sent(key, station, data, revision)

    # Midnight in Việt Nam is still the day before in UTC.
    hours = [hour("qt-kk-01", "05T00", 10.25), hour("qt-kk-01", "05T01", 20.0), hour("qt-kk-08", "06T00", 60.0)]
    pipeline.send(key, [*hours, hour("qt-kk-01", "05T01", 20.5, 2)])
    pipeline.roll_up()
    assert pipeline.figure("environment.air.pm25", "747", "day", "2024-10-05") == 15.375
    assert pipeline.figure("environment.air.pm25", "77", "month", "2024-10-01") == pytest.approx(90.75 / 3)
    assert pipeline.figure("environment.stations_online", "77", "month", "2024-10-01") == 2
    assert not pipeline.reconcile().differences


@pytest.mark.parametrize("key", REPORTERS)
def test_corrections_in_any_order_agree_with_the_recompute(pipeline: Pipeline, key: str) -> None:
    rng = Random(11)
    reporters, name = REPORTERS[key]

    def made() -> Fields:
        data = MAKERS[key](rng)
        if name:
            # Few things, so that their revisions meet.
            data[name] = pseudonym(rng.randrange(40)) if data[name].startswith("k1:") else str(rng.randrange(40))
        return data

    assert_any_order_agrees(pipeline, key, rng, 300, reporters, made)
