"""Events of reporters that the profile knows, and the Kafka records that carry them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ioc.feeds.declared.report_value import ReportValue
from ioc.feeds.event import CONTENT_TYPE_BATCH, CONTENT_TYPE_EVENT, REPORTER_URN
from ioc.feeds.feed import load_feeds

Event = dict[str, Any]

# Establishments of the profile: two in one commune of Vũng Tàu, one in its neighbour, one in Bà Rịa, one in Côn Đảo,
# which has no communes.
HOTEL, NEIGHBOUR, INN, RIVAL, ISLAND = "77-747-0001", "77-747-0015", "77-747-0002", "77-748-0001", "77-755-0001"
LODGING_AGENCY = "so-du-lich"
PROVINCE, VUNG_TAU, BA_RIA, CON_DAO = "77", "747", "748", "755"
HOTEL_COMMUNE, INN_COMMUNE, RIVAL_COMMUNE = "26508", "26509", "26560"

NOW = datetime(2024, 11, 1, tzinfo=UTC)
_FEEDS = load_feeds()
_SENT_AT = "2024-10-20T09:00:00+07:00"


@dataclass(frozen=True, slots=True)
class KafkaRecord:
    """What the client gives of one Kafka record."""

    offset: int
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = (("content-type", CONTENT_TYPE_EVENT.encode()),)
    key: bytes | None = HOTEL.encode()
    timestamp: int = 1_730_000_000_000
    timestamp_type: int = 1  # set by the broker


def event(feed: str, reporter: str, record_key: str, revision: int | None, data: dict[str, Any] | None) -> Event:
    """An event; without data a void."""
    made: Event = {
        "specversion": "1.0",
        "id": f"{record_key}@{revision}",
        "source": f"{REPORTER_URN}{reporter}",
        "type": f"vn.ioc.{feed}.v1",
        "subject": f"{reporter}/{record_key}",
        "time": _SENT_AT,
    }
    if revision is not None:
        made["revision"] = revision
    return made | ({"voided": True} if data is None else {"data": data})


def sent(feed: str, reporter: str, data: dict[str, Any], revision: int = 1, *, void: bool = False) -> Event:
    """An event around a record that the feed's model takes, or the void of it."""
    made = _FEEDS[feed].model.model_validate(data)
    body = made.model_dump(mode="json", exclude_none=True)
    return event(feed, reporter, made.record_key(), revision, None if void else body)


def guest_id(guest: int) -> str:
    """A guest's pseudonym."""
    return f"k1:{guest:032x}"


def stay(
    reporter: str = HOTEL,
    guest: int = 1,
    check_in: str = "2024-10-05",
    revision: int | None = 1,
    *,
    check_out: str | None = None,
    **data: Any,
) -> Event:
    """A domestic guest's stay; `data` replaces fields."""
    fields: dict[str, Any] = {
        "establishment_id": reporter,
        "guest_id": guest_id(guest),
        "origin": "domestic",
        "nationality": "VNM",
        "sex": "female",
        "age_years": 34,
        "purpose": "leisure",
        "doc_type": "cccd",
        "home_region": "hcmc",
        "check_in_on": check_in,
        "planned_check_out_on": check_out or check_in,
        "check_out_on": check_out,
        "overnight": True,
        "declared_at": f"{check_in}T15:00:00+07:00",
        "declared_late": False,
    } | data
    return event("tourism.stay", reporter, f"{guest_id(guest)}/{check_in}", revision, fields)


def void_stay(reporter: str = HOTEL, guest: int = 1, check_in: str = "2024-10-05", revision: int | None = 2) -> Event:
    """The void of a stay."""
    return event("tourism.stay", reporter, f"{guest_id(guest)}/{check_in}", revision, None)


def report(reporter: str, day: str, revision: int = 1, **counts: int) -> Event:
    """A daily report: nothing but the counts named."""
    names = (
        "rooms_total rooms_available rooms_sold beds_total arrivals_domestic arrivals_international "
        "overnight_domestic overnight_international day_guests_domestic day_guests_international "
        "guest_nights_domestic guest_nights_international revenue_room revenue_fnb revenue_other"
    )
    fields = {"establishment_id": reporter, "report_on": day, **dict.fromkeys(names.split(), 0), **counts}
    return event("tourism.daily_report", reporter, day, revision, fields)


def place(
    code: str,
    opened_on: str,
    revision: int = 1,
    *,
    closed_on: str | None = None,
    area_code: str = HOTEL_COMMUNE,
    **data: Any,
) -> Event:
    """An entry of the register of lodging establishments."""
    fields = {
        "registry": "lodging",
        "place_id": code,
        "area_code": area_code,
        "opened_on": opened_on,
        "closed_on": closed_on,
        **data,
    }
    return event("registry.reporter", LODGING_AGENCY, f"lodging/{code}", revision, fields)


def invoice(seller: str, number: int, revision: int = 1, issued_on: str = "2024-10-05", **data: Any) -> Event:
    """An original invoice; `data` replaces fields."""
    fields: dict[str, Any] = {
        "seller_id": seller,
        "template": "1",
        "series": "C24TAA",
        "number": number,
        "relation": "original",
        "issued_on": issued_on,
        "pay_method": "cash",
        "buyer_type": "person",
    } | data
    return event("tax.einvoice", seller, f"1/C24TAA/{number}", revision, fields)


def reported(
    agency: str, indicator: str, area: str, period: str, start: str, value: float | None, revision: int = 1
) -> Event:
    """What an agency states of an area and of the period that begins on a day; without value the void of it."""
    data = {
        "agency": agency,
        "indicator": indicator,
        "area_code": area,
        "period": period,
        "period_start": start,
        "value": 0.0 if value is None else value,
    }
    key = ReportValue.model_validate(data).record_key()
    return event("report.value", agency, key, revision, None if value is None else data)


def record(offset: int, value: Event | bytes | None, **attributes: Any) -> KafkaRecord:
    """A Kafka record of one event."""
    return KafkaRecord(offset, _encoded(value) if isinstance(value, dict) else value, **attributes)


def batch(offset: int, events: Iterable[Event] | bytes, **attributes: Any) -> KafkaRecord:
    """A Kafka record of several events."""
    value = events if isinstance(events, bytes) else _encoded(list(events))
    return KafkaRecord(offset, value, (("content-type", CONTENT_TYPE_BATCH.encode()),), **attributes)


def records(events: Iterable[Event], start: int = 0) -> list[KafkaRecord]:
    """One Kafka record an event, at consecutive offsets."""
    return [record(offset, one) for offset, one in enumerate(events, start)]


def _encoded(value: Event | list[Event]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def void_of(made: Event) -> Event:
    """The void of the same record at the same revision."""
    kept = {name: value for name, value in made.items() if name != "data"}
    return {**kept, "id": f"{made['id']}-void", "voided": True}
