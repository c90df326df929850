"""Records of services, documents, security and the environment, made from a source of chance; each is valid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from ioc.feeds.declared import (
    app_usage,
    document_flow,
    dossier_event,
    environment_reading,
    feedback_ticket,
    infosec_event,
)
from ioc.feeds.declared.app_usage import AppUsage
from ioc.feeds.declared.document_flow import DocumentFlow
from ioc.feeds.declared.dossier_event import DossierEvent
from ioc.feeds.declared.environment_reading import BELOW_ZERO, PARAMS, EnvironmentReading
from ioc.feeds.declared.feedback_ticket import FeedbackTicket
from ioc.feeds.declared.infosec_event import InfosecEvent
from ioc.feeds.event import Record
from testbed.health import pseudonym, values_of

DAY = date(2024, 10, 5)
LEVELS = ("province", "district", "commune")
# What the register adds to a record: the attributes of the profile's reporters.
REGISTERED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "dossier.event": {"level": LEVELS},
    "document.flow": {"level": LEVELS},
    "environment.reading": {"station_type": ("automatic", "sampling", "hydromet")},
}
Fields = dict[str, Any]


def dossier(rng: Random) -> Fields:
    """Return a dossier: under way, overdue, ended one way or another; perhaps paid and rated."""
    received = DAY - timedelta(days=rng.randrange(30))
    made: Fields = {
        "dossier_id": pseudonym(rng.randrange(10**6)),
        "applicant_id": pseudonym(rng.randrange(10**4)),
        **_chosen(rng, DossierEvent, "field", "channel", "service_level", "state"),
        **_flags(rng, "paperless_day", "digitised_in", "reuse_possible", "has_fee"),
        "received_on": received,
    }
    match made["channel"]:
        case "online":
            made |= {"service_level": rng.choice(("full", "partial")), **_chosen(rng, DossierEvent, "filed_by")}
        case "direct":
            made["wait_min"] = rng.randrange(90)
    made["reused"] = made["reuse_possible"] and rng.randrange(3) == 0
    if made["state"] != "refused":
        made |= _term(rng, received, open_while=made["state"] == "pending")
    else:
        made["closed_on"] = received + timedelta(days=rng.randrange(3))
    if made["state"] == "resolved":
        made |= {"processing_h": rng.randrange(200), **_flags(rng, "digitised_out", "result_electronic")}
        if rng.randrange(2):
            made |= {"rated_on": made["closed_on"], **_chosen(rng, DossierEvent, "rating")}
    if made["has_fee"] and made["state"] != "refused" and rng.randrange(2):
        made |= {"paid_on": received, "paid_amount": 1 + rng.randrange(10**6), **_flags(rng, "paid_online")}
    if rng.randrange(4) == 0:
        made["supplement_on"] = received + timedelta(days=rng.randrange(5))
    return made


def ticket(rng: Random) -> Fields:
    """Return a ticket: open, overdue, answered or rejected; perhaps opened again and rated."""
    received = DAY - timedelta(days=rng.randrange(30))
    made: Fields = {
        "ticket_id": pseudonym(rng.randrange(10**6)),
        "area_code": "26506",
        "received_on": received,
        **_chosen(rng, FeedbackTicket, "category", "channel", "state"),
    }
    made |= _term(rng, received, open_while=made["state"] == "open")
    if rng.randrange(4) == 0:
        made["reopened_on"] = made.get("closed_on", received)
    if made["state"] == "resolved":
        made["handling_h"] = rng.randrange(300)
        if rng.randrange(2):
            made |= {"rated_on": made["closed_on"], "rating": 1 + rng.randrange(5)}
    return made


def _term(rng: Random, begin: date, *, open_while: bool) -> Fields:
    """Return `due_on`, and either whether it is overdue or when it ended."""
    due = begin + timedelta(days=1 + rng.randrange(20))
    if open_while:
        return {"due_on": due, "overdue": rng.randrange(2) == 0}
    closed = begin + timedelta(days=rng.randrange(2 * (due - begin).days + 1))
    return {"due_on": due, "closed_on": min(closed, date(2024, 10, 31))}  # what is closed has been closed


def document(rng: Random) -> Fields:
    """Return a document, a case file or a task."""
    made: Fields = {
        "item_id": f"{rng.randrange(10**6)}",
        "occurred_on": DAY,
        **_chosen(rng, DocumentFlow, "kind"),
    }
    match made["kind"]:
        case "sent":
            made |= _chosen(rng, DocumentFlow, "format")
            made["signed"] = made["format"] != "paper" and rng.randrange(3) > 0
        case "case_file":
            made |= _flags(rng, "online")
        case "task":
            term = _term(rng, DAY, open_while=rng.randrange(2) == 0)
            made |= {"due_on": term["due_on"], "overdue": term.get("overdue", False)}
            if "closed_on" in term:
                made["done_on"] = term["closed_on"]
    return made


def security(rng: Random) -> Fields:
    """Return an alert or an incident."""
    made: Fields = {"item_id": f"{rng.randrange(10**6)}", "occurred_on": DAY, **_chosen(rng, InfosecEvent, "kind")}
    if made["kind"] == "alert":
        return made | _chosen(rng, InfosecEvent, "severity")
    made |= {**_chosen(rng, InfosecEvent, "incident_type"), "detection_min": rng.randrange(10**4)}
    if rng.randrange(2):
        made |= {"resolved_on": DAY + timedelta(days=rng.randrange(9)), "resolution_min": rng.randrange(10**4)}
    return made


def usage(rng: Random) -> Fields:
    """Return a visit to an app or a question to an assistant."""
    made: Fields = {
        "item_id": pseudonym(rng.randrange(10**6)),
        "occurred_on": DAY,
        **_chosen(rng, AppUsage, "kind"),
    }
    if made["kind"] == "visit":
        return made | {
            "user_id": pseudonym(rng.randrange(10**4)),
            "app": rng.choice(("brvt_smart", "dvc_brvt", "ioc_app")),
        }
    return made | _chosen(rng, AppUsage, "assistant") | _flags(rng, "answered")


def reading(rng: Random) -> Fields:
    """Return a reading; one in eight is of a station that does not measure."""
    medium = rng.choice(values_of(EnvironmentReading, "medium"))
    param = rng.choice(sorted(PARAMS[medium]))
    made: Fields = {
        "medium": medium,
        "param": param,
        "measured_at": datetime(2024, 10, 5, rng.randrange(24), tzinfo=UTC),
    }
    if rng.randrange(8) == 0:
        return made | {"status": rng.choice(("calibrating", "fault"))}
    top = {"ph": 14, "aqi": 500}.get(param, 10**4)
    low = -50 if param in BELOW_ZERO else 0
    return made | {"value": rng.randrange(low * 1000, top * 1000) / 1000, "exceeded": rng.randrange(5) == 0}


def _chosen(rng: Random, model: type[Record], *fields: str) -> Fields:
    return {field: rng.choice(values_of(model, field)) for field in fields}


def _flags(rng: Random, *fields: str) -> Fields:
    return {field: rng.randrange(2) == 0 for field in fields}


MAKERS: Mapping[str, Callable[[Random], Fields]] = {
    dossier_event.FEED.key: dossier,
    feedback_ticket.FEED.key: ticket,
    document_flow.FEED.key: document,
    infosec_event.FEED.key: security,
    app_usage.FEED.key: usage,
    environment_reading.FEED.key: reading,
}
MODELS: Mapping[str, type[Record]] = {
    dossier_event.FEED.key: DossierEvent,
    feedback_ticket.FEED.key: FeedbackTicket,
    document_flow.FEED.key: DocumentFlow,
    infosec_event.FEED.key: InfosecEvent,
    app_usage.FEED.key: AppUsage,
    environment_reading.FEED.key: EnvironmentReading,
}
_EFFECTIVE = {"dossier.event": "received_on", "feedback.ticket": "received_on", "environment.reading": "measured_at"}


def stored(key: str, rng: Random) -> Fields:
    """Return a record as its table holds it, but for derived columns: checked by its model, enriched, dated."""
    register = {name: rng.choice(values) for name, values in REGISTERED.get(key, {}).items()}
    return held(key, MAKERS[key](rng)) | register | {"reporter": f"r-{rng.randrange(100)}"}


def held(key: str, data: Fields) -> Fields:
    """Return data as the table holds it: checked by the model, enriched with the register's first values, dated."""
    made = MODELS[key].model_validate(data).model_dump(exclude={"area_code"})
    effective = made[_EFFECTIVE.get(key, "occurred_on")]
    if isinstance(effective, datetime):
        effective = effective.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date()
    register = {name: values[0] for name, values in REGISTERED.get(key, {}).items()}
    return made | register | {"effective_on": effective, "reporter": "r-1"}
