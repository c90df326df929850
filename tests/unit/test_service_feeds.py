"""Dossiers, feedback, documents, security, apps, environment: refusals, whole and parts record by record, stocks."""

from __future__ import annotations

from collections import Counter
from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from testbed.contribution import COMPILED, FEEDS, added, frame_of, stock_at
from testbed.health import pseudonym
from testbed.public_service import LEVELS, MODELS, held, stored

from ioc.catalogue import contribution_expr
from ioc.feeds.validation import reasons_of
from ioc.province.profile import load_profile, registry_events
from ioc.settings import Settings

Fields = dict[str, Any]
DOSSIER: Fields = {
    "dossier_id": pseudonym(1),
    "applicant_id": pseudonym(2),
    "field": "land",
    "channel": "online",
    "service_level": "partial",
    "filed_by": "self",
    "received_on": "2024-10-07",
    "due_on": "2024-10-11",
    "reuse_possible": True,
    "reused": True,
    "has_fee": True,
    "state": "pending",
}
PAID: Fields = {"paid_on": "2024-10-08", "paid_amount": 50_000, "paid_online": True}
RESULT: Fields = {"state": "resolved", "closed_on": "2024-10-14", "processing_h": 40, "digitised_out": True}
REFUSED: Fields = {**DOSSIER, "state": "refused", "closed_on": "2024-10-07", "due_on": None}
TICKET: Fields = {
    "ticket_id": pseudonym(3),
    "area_code": "26506",
    "category": "road",
    "channel": "app",
    "received_on": "2024-10-07",
    "due_on": "2024-10-09",
    "state": "open",
}
ANSWER: Fields = {"state": "resolved", "closed_on": "2024-10-10", "handling_h": 70}
ITEM: Fields = {"item_id": "2024-1005", "occurred_on": "2024-10-05"}
SENT: Fields = {**ITEM, "kind": "sent", "format": "electronic", "signed": True}
TASK: Fields = {**ITEM, "kind": "task", "due_on": "2024-10-10", "overdue": False}
ALERT: Fields = {**ITEM, "kind": "alert", "severity": "high"}
INCIDENT: Fields = {**ITEM, "kind": "incident", "incident_type": "malware", "detection_min": 90}
VISIT: Fields = {
    "kind": "visit",
    "item_id": pseudonym(4),
    "occurred_on": "2024-10-05",
    "app": "brvt_smart",
    "user_id": pseudonym(5),
}
READING: Fields = {"medium": "air", "param": "aqi", "measured_at": "2024-10-05T07:00:00+07:00", "value": 42.0}


def reason(key: str, data: Fields) -> str:
    """Return why a record is refused, in English; '' when it is not."""
    try:
        MODELS[key].model_validate(data)
    except ValueError as error:
        (found,) = reasons_of(error)  # type: ignore[arg-type]
        assert found.message_vi != found.message_en
        return f"{found.field}: {found.message_en}"
    return ""


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("dossier.event", DOSSIER),
        ("dossier.event", DOSSIER | PAID | RESULT),
        ("dossier.event", DOSSIER | {"overdue": True}),
        ("dossier.event", REFUSED),
        ("feedback.ticket", TICKET),
        ("feedback.ticket", TICKET | ANSWER | {"reopened_on": "2024-10-08", "rated_on": "2024-10-10", "rating": 5}),
        ("document.flow", SENT),
        ("document.flow", {**ITEM, "kind": "received"}),
        ("document.flow", TASK | {"done_on": "2024-10-12", "overdue": True}),
        ("infosec.event", ALERT),
        ("infosec.event", INCIDENT | {"resolved_on": "2024-10-06", "resolution_min": 500}),
        ("app.usage", VISIT),
        ("environment.reading", READING),
        ("environment.reading", READING | {"status": "fault", "value": None}),
        ("environment.reading", READING | {"medium": "weather", "param": "water_level", "value": -12.5}),
    ],
)
def test_what_is_right_is_taken(key: str, data: Fields) -> None:
    assert reason(key, data) == ""


@pytest.mark.parametrize(
    ("key", "data", "complaint"),
    [
        ("dossier.event", DOSSIER | {"dossier_id": "000.17.22.H06-241007-0001"}, "dossier_id: "),
        ("dossier.event", DOSSIER | {"filed_by": None}, "filed_by is for online dossiers"),
        ("dossier.event", DOSSIER | {"service_level": "information"}, "only informs takes no online"),
        ("dossier.event", DOSSIER | {"wait_min": 4}, "wait_min is for dossiers filed at the counter"),
        ("dossier.event", DOSSIER | {"reuse_possible": False}, "reused needs reuse_possible"),
        ("dossier.event", DOSSIER | {"due_on": "2024-10-06"}, "due_on lies before received_on"),
        ("dossier.event", DOSSIER | {"due_on": None}, "needs due_on"),
        ("dossier.event", DOSSIER | RESULT | {"closed_on": None}, "closed_on comes with the end"),
        ("dossier.event", DOSSIER | {"closed_on": "2024-10-09"}, "closed_on comes with the end"),
        ("dossier.event", DOSSIER | RESULT | {"closed_on": "2024-10-11", "overdue": True}, "is not overdue"),
        ("dossier.event", DOSSIER | RESULT | {"processing_h": None}, "processing_h is for resolved dossiers"),
        ("dossier.event", DOSSIER | {"result_electronic": True}, "only a resolved dossier has a result"),
        ("dossier.event", DOSSIER | {"rating": "satisfied"}, "rated_on and rating go together"),
        ("dossier.event", DOSSIER | PAID | {"paid_amount": None}, "paid_on and paid_amount go together"),
        ("dossier.event", DOSSIER | PAID | {"has_fee": False}, "a payment needs has_fee"),
        ("dossier.event", DOSSIER | {"paid_online": True}, "paid_online needs paid_on"),
        ("feedback.ticket", TICKET | {"area_code": "Vũng Tàu"}, "area_code: "),
        ("feedback.ticket", TICKET | {"phone": "0912345678"}, "ph**e: "),
        ("feedback.ticket", TICKET | {"due_on": "2024-10-01"}, "due_on lies before received_on"),
        ("feedback.ticket", TICKET | {"state": "rejected"}, "closed_on comes with the end"),
        ("feedback.ticket", TICKET | ANSWER | {"handling_h": None}, "handling_h is for resolved tickets"),
        ("feedback.ticket", TICKET | ANSWER | {"reopened_on": "2024-10-11"}, "was opened again is open"),
        ("feedback.ticket", TICKET | ANSWER | {"closed_on": "2024-10-09", "overdue": True}, "is not overdue"),
        ("feedback.ticket", TICKET | {"rating": 5}, "rated_on and rating go together"),
        ("document.flow", SENT | {"format": None}, "sent needs format"),
        ("document.flow", SENT | {"online": True}, "sent carries no online"),
        ("document.flow", SENT | {"format": "paper"}, "paper bears no digital signature"),
        ("document.flow", SENT | {"item_id": "12/QĐ về ông An"}, "item_id: "),
        ("document.flow", TASK | {"done_on": "2024-10-04"}, "done_on lies before occurred_on"),
        ("document.flow", TASK | {"done_on": "2024-10-10", "overdue": True}, "is not overdue"),
        ("infosec.event", ALERT | {"host": "10.0.0.1"}, "h***: "),
        ("infosec.event", ALERT | {"severity": None}, "alert needs severity"),
        ("infosec.event", INCIDENT | {"resolved_on": "2024-10-06"}, "go together"),
        ("infosec.event", INCIDENT | {"resolved_on": "2024-10-04", "resolution_min": 1}, "lies before occurred_on"),
        ("app.usage", VISIT | {"user_id": "nguyen-van-an"}, "user_id: "),
        ("app.usage", VISIT | {"kind": "question"}, "question needs answered, assistant"),
        ("environment.reading", READING | {"param": "wqi"}, "param is none that is measured in air"),
        ("environment.reading", READING | {"value": None}, "a station that measures gives a value"),
        ("environment.reading", READING | {"value": -1.0}, "aqi is not negative"),
        ("environment.reading", READING | {"value": float("nan")}, "value: "),
        (
            "environment.reading",
            READING | {"medium": "surface_water", "param": "ph", "value": 14.5},
            "pH lies between 0 and 14",
        ),
        ("environment.reading", READING | {"status": "fault", "exceeded": True}, "only what was measured"),
        ("environment.reading", READING | {"measured_at": "2024-10-05T07:00:00"}, "measured_at: "),
    ],
)
def test_what_is_wrong_is_refused(key: str, data: Fields, complaint: str) -> None:
    assert complaint in reason(key, data)


def test_revisions_are_one_record() -> None:
    assert {MODELS["dossier.event"].model_validate(d).record_key() for d in (DOSSIER, DOSSIER | RESULT, REFUSED)} == {
        pseudonym(1)
    }
    assert {MODELS["feedback.ticket"].model_validate(d).record_key() for d in (TICKET, TICKET | ANSWER)} == {
        pseudonym(3)
    }


def test_a_reading_has_one_key_in_every_time_zone() -> None:
    keys = {
        MODELS["environment.reading"].model_validate(READING | {"measured_at": at}).record_key()
        for at in ("2024-10-05T07:00:00+07:00", "2024-10-05T00:00:00Z")
    }
    assert keys == {"air/aqi/2024-10-05T00:00:00Z"}


# ------------------------------------------------------------------------------ bands
def test_every_hour_of_a_measured_index_has_one_band() -> None:
    bands = ("good", "moderate", "poor", "bad", "very_bad", "hazardous")
    values = [0.0, 50.0, 50.5, 100.0, 150.0, 151.0, 200.0, 250.0, 300.0, 301.0, 500.0]
    broken = READING | {"status": "fault", "value": None}
    records = [held("environment.reading", data) for data in [*(READING | {"value": v} for v in values), broken]]
    frame = frame_of(FEEDS["environment.reading"], records)
    hours = [frame.select(added(f"environment.aqi_hours.{band}").sum())[0, 0] for band in bands]
    assert hours == [2, 2, 1, 2, 2, 2]


# ------------------------------------------------------------------------------ in the course of time
def pending(data: Fields, *days: int) -> list[tuple[int, int]]:
    records = [held("dossier.event", data)]
    return [
        (
            stock_at("dossier.pending.in_time", records, date(2024, 10, day)),
            stock_at("dossier.pending.overdue", records, date(2024, 10, day)),
        )
        for day in days
    ]


def test_a_dossier_is_pending_in_time_then_overdue_then_done() -> None:
    assert pending(DOSSIER, 6, 7, 11, 12) == [(0, 0), (1, 0), (1, 0), (1, 0)]
    assert pending(DOSSIER | {"overdue": True}, 11, 12, 20) == [(1, 0), (0, 1), (0, 1)]
    assert pending(DOSSIER | RESULT, 7, 11, 12, 13, 14) == [(1, 0), (1, 0), (0, 1), (0, 1), (0, 0)]
    assert pending(DOSSIER | RESULT | {"closed_on": "2024-10-09"}, 8, 9, 12) == [(1, 0), (0, 0), (0, 0)]
    assert pending(DOSSIER | {"state": "withdrawn", "closed_on": "2024-10-15"}, 12, 15) == [(0, 1), (0, 0)]
    assert pending(REFUSED, 7, 8) == [(0, 0), (0, 0)]


@settings(max_examples=50, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 31))
def test_no_dossier_and_no_ticket_is_in_a_stock_less_than_never_or_more_than_once(rng: Random, day: int) -> None:
    dossiers, tickets = ([stored(key, rng)] for key in ("dossier.event", "feedback.ticket"))
    stocks = [stock_at(f"dossier.pending.{state}", dossiers, date(2024, 10, day)) for state in ("in_time", "overdue")]
    assert sum(stocks) in (0, 1)
    assert min(stocks) >= 0
    assert stock_at("feedback.overdue", tickets, date(2024, 10, day)) in (0, 1)


@pytest.mark.parametrize(
    ("closed_on", "timeliness"), [("2024-10-10", "early"), ("2024-10-11", "on_time"), ("2024-10-12", "late")]
)
def test_timeliness_of_a_dossier(closed_on: str, timeliness: str) -> None:
    frame = frame_of(
        FEEDS["dossier.event"],
        [held("dossier.event", DOSSIER | RESULT | {"closed_on": closed_on}), held("dossier.event", DOSSIER)],
    )
    assert frame["timeliness"].to_list() == [timeliness, None]


def test_a_ticket_is_overdue_until_it_is_answered() -> None:
    late = [held("feedback.ticket", TICKET | ANSWER | {"closed_on": "2024-10-12"})]
    assert [stock_at("feedback.overdue", late, date(2024, 10, day)) for day in (9, 10, 11, 12)] == [0, 1, 1, 0]
    again = [held("feedback.ticket", TICKET | {"reopened_on": "2024-10-12", "due_on": "2024-10-15"})]
    assert [stock_at("feedback.overdue", again, date(2024, 10, day)) for day in (10, 20)] == [0, 0]


def test_states_of_tasks() -> None:
    tasks = [
        TASK,
        TASK | {"overdue": True},
        TASK | {"done_on": "2024-10-10"},
        TASK | {"done_on": "2024-10-11"},
        SENT,
    ]
    frame = frame_of(FEEDS["document.flow"], [held("document.flow", task) for task in tasks])
    assert frame["task_state"].to_list() == ["open", "overdue", "on_time", "late", None]


def test_calibration_and_faults_do_not_count_in_averages() -> None:
    hours = [READING, READING | {"value": 60.0}, READING | {"status": "calibrating", "value": 999.0}]
    frame = frame_of(FEEDS["environment.reading"], [held("environment.reading", hour) for hour in hours])
    total, count = (
        frame.select(contribution_expr(m).sum())[0, 0] for m in COMPILED.plans["environment.aqi.avg"].measures
    )
    assert (total, count) == (102_000, 2)


# ------------------------------------------------------------------------------ the register
def test_the_profile_holds_agencies_and_stations() -> None:
    profile = load_profile(Settings(_env_file=None).profile)
    october = date(2024, 10, 1)
    communes = {area.code for area in profile.areas.at(october) if area.level == "commune"}
    for key, province in {"dossier.event": 1, "document.flow": 21}.items():
        agencies = [r for r in profile.reporters if r.feed == key]
        assert Counter(r.attributes["level"] for r in agencies) == {"province": province, "district": 8, "commune": 82}
        assert {r.attributes["level"] for r in agencies} == set(LEVELS)
        assert {r.area_code for r in agencies if r.attributes["level"] == "commune"} == communes
    for reporter in profile.reporters:
        if reporter.feed in MODELS:
            assert profile.areas.leaf(reporter.area_code, max(reporter.valid_from, october)) is not None
    kept = Counter((agency, entry.registry) for agency, entry in registry_events(profile))
    stations = [r for r in profile.reporters if r.feed == "environment.reading"]
    automatic = [r for r in stations if r.attributes["type"] == "automatic"]
    assert kept["so-tai-nguyen-moi-truong", "env_station"] == len(automatic)
    assert {r.attributes["type"] for r in stations} == {"automatic", "sampling", "hydromet"}
