"""The daily report of a lodging establishment as JSON: one object, or an array of them.

`revision` orders the reports of one day; a later report replaces the whole earlier one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Annotated, Any, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from connectors.formats.event import Stamp, record_event
from connectors.formats.findings import Findings, refused
from connectors.formats.format import BadRecord, Context, Event, Format, attempt
from ioc.errors import RejectedError
from ioc.feeds.event import MAX_REVISION, ReporterCode
from ioc.feeds.validation import reasons_of

FEED = "tourism.daily_report"
MAX_BYTES = 4 * 2**20
_HEAD = 4096

Count = Annotated[int, Field(ge=0, strict=True)]


class _ReportSection(BaseModel):
    """Base of the report's parts: whole numbers only, vendors' own fields ignored."""

    model_config = ConfigDict(frozen=True)


class _Guests(_ReportSection):
    domestic: Count
    international: Count


class _Country(_ReportSection):
    arrivals: Count
    guest_nights: Count


class _Revenue(_ReportSection):
    room: Count
    food: Count
    other: Count


class _DailyReport(_ReportSection):
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


def _recognise(data: bytes) -> bool:
    head = data[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith((b"{", b"[")) and b'"establishment_code"' in head


def _read(data: bytes, context: Context) -> Iterator[Event | BadRecord]:
    if len(data) > MAX_BYTES:
        raise refused(
            "",
            "file_too_large",
            f"tệp JSON vượt {MAX_BYTES // 2**20} MiB; hãy chia nhỏ tệp",
            f"the JSON exceeds {MAX_BYTES // 2**20} MiB; split the file",
        )
    try:
        # RecursionError: nested too deep; ValueError: no JSON, no UTF-8, or a number of thousands of digits.
        content = json.loads(data.decode("utf-8-sig"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise refused(
            "",
            "json_invalid",
            "tệp không phải JSON hợp lệ (UTF-8); hãy xuất lại tệp",
            "the file is not valid JSON in UTF-8; export it again",
        ) from None
    several = isinstance(content, list)
    for place, report in enumerate(content if several else [content]):
        where = f"{context.file}[{place}]" if several else context.file
        yield from attempt(where, _daily_report(report, where, context))


def _daily_report(content: Any, where: str, context: Context) -> Iterator[Event]:
    try:
        report = _DailyReport.model_validate(content)
    except ValidationError as error:
        raise RejectedError(reasons_of(error)) from None
    findings = Findings()
    if context.establishment not in ("", report.establishment_code):
        findings.refuse(
            "establishment_code",
            "other_establishment",
            "mã cơ sở trong tệp khác mã ở --establishment",
            "the file's establishment is not the one of --establishment",
        )
    findings.settle()
    _check(report, findings)
    fields: dict[str, Any] = {
        "establishment_id": report.establishment_code,
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
    # A numbered report happened on its day; one without a number is ordered by when it arrived.
    on_day = datetime.combine(report.report_date, time(), context.timezone)
    at = context.received_at if report.revision is None else on_day
    stamp = Stamp(where, at, report.revision)
    yield record_event(context.feeds[FEED], report.establishment_code, fields, stamp=stamp, warnings=findings.warnings)


def _check(report: _DailyReport, findings: Findings) -> None:
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


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


FORMAT = Format(
    name="lodging_daily_json",
    feeds=(FEED,),
    title_vi="báo cáo ngày của cơ sở lưu trú JSON",
    title_en="daily report of a lodging establishment, JSON",
    recognise=_recognise,
    read=_read,
)
