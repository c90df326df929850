"""The daily report of a lodging establishment as JSON: one object, or an array of them.

`revision` orders the reports of one day; a later report replaces the whole earlier one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import to_json

from connectors.formats.carrier import json_object
from connectors.formats.findings import Findings
from connectors.formats.format import Context, Event, Format, Item, attempt
from connectors.formats.readers.json import JsonFile
from connectors.formats.tourism_daily_report.report import FEED, read_establishment, report_event
from ioc.errors import RejectedError
from ioc.feeds.event import MAX_REVISION, ReporterCode
from ioc.feeds.validation import reasons_of

Count = Annotated[int, Field(ge=0, strict=True)]


class _Part(BaseModel):
    """Base of the report's parts: whole numbers only, vendors' own fields ignored."""

    model_config = ConfigDict(frozen=True)


class _Guests(_Part):
    domestic: Count
    international: Count


class _Country(_Part):
    arrivals: Count
    guest_nights: Count


class _Revenue(_Part):
    room: Count
    food: Count
    other: Count


class _Report(_Part):
    establishment_code: ReporterCode
    report_date: date
    revision: Annotated[int, Field(ge=0, le=MAX_REVISION, strict=True)] | None = None
    rooms_total: Count
    rooms_available: Count
    rooms_sold: Count
    beds_total: Count
    arrivals: _Guests
    staying_overnight: _Guests
    day_guests: _Guests
    guest_nights: _Guests
    by_nationality: tuple[_Country, ...] = ()
    revenue_vnd: _Revenue


def _read(document: JsonFile, context: Context) -> Iterator[Item]:
    for place, report in document.items():
        where = f"{context.file}{place}"
        yield from attempt(where, _daily_report(report, where, context))


def _daily_report(content: Any, where: str, context: Context) -> Iterator[Event]:
    if isinstance(content, RejectedError):
        raise content
    try:
        # As JSON, so that dates and codes are text and numbers are numbers.
        report = _Report.model_validate_json(to_json(content))
    except ValidationError as error:
        raise RejectedError(reasons_of(error)) from None
    findings = Findings()
    establishment = read_establishment(report.establishment_code, "establishment_code", findings, context)
    findings.settle()
    _check(report, findings)
    fields: dict[str, Any] = {
        "establishment_id": establishment,
        "report_on": report.report_date,
        "rooms_total": report.rooms_total,
        "rooms_available": report.rooms_available,
        "rooms_sold": report.rooms_sold,
        "beds_total": report.beds_total,
        "revenue_room": report.revenue_vnd.room,
        "revenue_fnb": report.revenue_vnd.food,
        "revenue_other": report.revenue_vnd.other,
    }
    for name, guests in (
        ("arrivals", report.arrivals),
        ("overnight", report.staying_overnight),
        ("day_guests", report.day_guests),
        ("guest_nights", report.guest_nights),
    ):
        fields[f"{name}_domestic"] = guests.domestic
        fields[f"{name}_international"] = guests.international
    yield report_event(fields, report.revision, where, findings, context)


def _check(report: _Report, findings: Findings) -> None:
    """Warn where the report's own numbers disagree."""
    for name, guests in (("arrivals", report.arrivals), ("guest_nights", report.guest_nights)):
        by_country = sum(getattr(country, name) for country in report.by_nationality)
        if report.by_nationality and by_country != guests.domestic + guests.international:
            findings.warn(
                f"by_nationality.{name}",
                "sum_differs",
                "tổng theo quốc tịch khác tổng khách trong nước và quốc tế",
                "the sum over nationalities differs from domestic and international together",
            )
    nights = report.guest_nights.domestic + report.guest_nights.international
    if 2 * nights > 3 * report.beds_total:
        findings.warn(
            "guest_nights",
            "more_nights_than_beds",
            "số ngày khách vượt 1,5 lần số giường",
            "guest-nights exceed one and a half times the beds",
        )


FORMAT = Format(
    name="lodging_daily_json",
    feeds=(FEED,),
    title_vi="báo cáo ngày của cơ sở lưu trú JSON",
    title_en="daily report of a lodging establishment, JSON",
    carriers=(json_object("establishment_code", "report_date"),),
    read=_read,
    notes_vi=("Một đối tượng, một mảng, hoặc mỗi dòng một đối tượng; trường lạ được bỏ qua; số là số nguyên JSON.",),
    notes_en=("An object, an array, or an object a line; unknown fields are ignored; numbers are whole JSON numbers.",),
)
