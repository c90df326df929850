"""Data files of automatic stations (TT 10/2021/TT-BTNMT): a line a parameter, every five minutes.

Symbol, value, unit, time, status, separated by tabs, `;`, `,`, `|` or blanks, decimals with point or
comma; headings may stand above. The hour's mean is what is published: once the hour is over, and again whenever a late
value comes in. The station is named in the file's name (`<province>_<facility>_<station>_<time>.txt`), else in the
folder's, else it is `--reporter`. Two values of one parameter and time: the one that came last counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.formats.carrier import lines
from connectors.formats.environment_reading.parameter import factor_of, parameter_of
from connectors.formats.event import Stamp, record_event
from connectors.formats.field import MOMENT, NUMBER, TEXT, field
from connectors.formats.findings import Findings, reason, refused, shown, shown_name
from connectors.formats.format import BadRecord, Context, Event, Format, Item, Remark, attempt
from connectors.formats.readers.lines import LinesFile
from connectors.formats.value import moment_of
from ioc.errors import RejectedError
from ioc.feeds.validation import mask

FEED = "environment.reading"
_SEPARATORS = "\t;|"
_TIME = re.compile(r"[0-9]{12,14}")
# Between commas a symbol and a value may hold one themselves (`PM2,5,12,5,µg/Nm3,…`); a unit begins with no digit.
_COMMAS = re.compile(
    r"(PM ?[0-9],[0-9]+|[^,]{1,20}),\s*(-?[0-9]+(?:[.,][0-9]+)?|-?|N/?A),\s*((?:[^,0-9][^,]*)?),\s*([0-9]{12,14})"
    r"(?:\s*,\s*([^,]*?)\s*(?:,.*)?)?",
    re.IGNORECASE,
)
_STATUSES = {"00": "measuring", "01": "calibrating", "02": "fault", "0": "measuring", "1": "calibrating", "2": "fault"}
# Loggers write -9999, -999 or -99.9 where they have no value; in a mean it would be one among others.
_LEAST = {"temperature": -50, "water_level": -900, "tide_max": -900}
_AHEAD = timedelta(minutes=10)
_SCOPE, _OPEN = "environment/hour", "environment/open"


def _read(document: LinesFile, context: Context) -> Iterator[Item]:
    station, medium = _station(context)
    touched: set[str] = set()
    unknown: set[str] = set()
    seen: dict[tuple[str, str], str] = {}
    begun = False
    for number, text in document.lines():
        # A line before the data is a heading, unless it begins as data does: it is a broken one then.
        begun = begun or _is_line(text) or parameter_of(_parts(text)[0], medium) is not None
        if not begun:
            continue
        where = f"{context.file}:{number}"
        findings = Findings()
        try:
            read = _line(text, medium, findings, context)
            findings.settle()
        except RejectedError as error:
            yield BadRecord(where, error.reasons)
            continue
        if read is None:
            unknown.add(shown_name(_parts(text)[0])[:20])
            continue
        param, measured_at, value, status = read
        key = (param, measured_at.isoformat())
        if seen.setdefault(key, value) != value:
            yield Remark(where, _twice(param))
            seen[key] = value
        hour = measured_at.replace(minute=0, second=0, microsecond=0)
        touched.add(_put(station, medium, param, hour, measured_at, value, status, context))
    if unknown:
        names = ", ".join(sorted(unknown))
        warning = reason(
            "",
            "not_kept",
            f"thông số không dùng cho chỉ tiêu nào: {names}",
            f"parameters that no indicator uses: {names}",
        )
        yield Remark(context.file, warning)
    yield from _issue(touched, context)


def due_hours(context: Context) -> Iterator[Event]:
    """Yield the means of hours that are over by now and were not issued yet."""
    for item in _issue({key for key, _ in context.memory.items(_OPEN)}, context):
        if isinstance(item, Event):
            yield item


def _line(text: str, medium: str, findings: Findings, context: Context) -> tuple[str, datetime, str, str] | None:
    """Return (parameter, time, value in the feed's unit or empty, status), None for a parameter that is not kept."""
    parts = _parts(text)
    if len(parts) < 4:
        findings.refuse(
            "",
            "columns",
            "dòng phải có: ký hiệu, giá trị, đơn vị, thời gian, trạng thái",
            "needs symbol, value, unit, time, status",
        )
        return None
    symbol, told, unit, time_text = parts[:4]
    param = parameter_of(symbol, medium)
    if param is None:
        return None
    status = _STATUSES.get(parts[4] if len(parts) > 4 else "00")
    if status is None:
        findings.refuse(
            "status", "status", "trạng thái phải là 00, 01 hoặc 02", "the status must be 00, 01 or 02", shown(parts[4])
        )
    try:
        measured_at = moment_of(time_text, context.timezone)
    except (ValueError, OverflowError):
        findings.refuse(
            "time",
            "datetime",
            "thời gian phải có dạng yyyyMMddHHmmss",
            "must be a time as yyyyMMddHHmmss",
            mask(time_text),
        )
        return None
    if measured_at > context.received_at + _AHEAD:
        findings.refuse(
            "time",
            "ahead",
            "thời gian nằm ở tương lai; kiểm tra đồng hồ của trạm",
            "lies ahead; check the station's clock",
        )
    value = ""
    if status == "measuring":
        factor = factor_of(unit, param, medium)
        if factor is None:
            findings.refuse("unit", "unit", f"không rõ đơn vị của {param}", f"no such unit of {param}", shown(unit))
        value = _measured(told, factor, findings)
        if value and Decimal(value) < _LEAST.get(param, 0):
            findings.refuse(
                "value",
                "no_value",
                f"giá trị {param} không thể nhỏ như vậy; nếu là mã báo không có số liệu, đặt trạng thái 02",
                f"no {param} is as small; where the number says that there is none, tell the status 02",
                mask(told),
            )
    return param, measured_at, value, status or ""


def _parts(text: str) -> list[str]:
    """Return the parts of a line by the separator that its logger uses: tab, `;`, `|`, `,`, else blanks."""
    for sign in _SEPARATORS:
        if sign in text:
            return [part.strip() for part in text.split(sign)]
    found = _COMMAS.fullmatch(text.strip())
    return [part or "" for part in found.groups(default="00")] if found else text.split()


def _is_line(text: str) -> bool:
    parts = _parts(text)
    return len(parts) > 3 and bool(_TIME.fullmatch(parts[3])) and 0 < len(parts[0]) <= 20


def _is_data_file(document: LinesFile) -> bool:
    """Return whether the first line is one of a logger, or one below headings that tells a status as well."""
    if _is_line(document.first):
        return True
    below = (_parts(text) for text in document.head() if _is_line(text))
    return any(len(parts) > 4 and parts[4] in _STATUSES for parts in below)


def _measured(told: str, factor: Decimal | None, findings: Findings) -> str:
    """Return a value in the feed's unit; a logger writes no thousands, so a comma is the decimal one."""
    text = told.replace(",", ".")
    if re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,9})?", text):
        return str(Decimal(text) * (factor or 1))
    findings.refuse("value", "number", "giá trị phải là số", "the value must be a number", mask(told))
    return ""


def _put(
    station: str,
    medium: str,
    param: str,
    hour: datetime,
    measured_at: datetime,
    value: str,
    status: str,
    context: Context,
) -> str:
    key = f"{station}/{medium}/{param}/{hour.isoformat()}"
    values: dict[str, list[str]] = context.memory.get(_SCOPE, key) or {}
    values[measured_at.isoformat()] = [value, status]
    context.memory.put(_SCOPE, key, values)
    context.memory.put(_OPEN, key, 1)
    return key


def _issue(keys: set[str], context: Context) -> Iterator[Item]:
    stations = {key.split("/")[0] for key in keys}
    waiting = {key for key, _ in context.memory.items(_OPEN) if key.split("/")[0] in stations}
    for key in sorted(keys | waiting):
        station, medium, param, hour_text = key.split("/")
        hour = datetime.fromisoformat(hour_text)
        if hour + timedelta(hours=1) > context.received_at:
            continue
        values: dict[str, list[str]] = context.memory.get(_SCOPE, key) or {}
        context.memory.forget(_OPEN, key)
        measured = [Decimal(value) for value, status in values.values() if status == "measuring"]
        fields: dict[str, Any] = {"medium": medium, "param": param, "measured_at": hour.astimezone(UTC)}
        if measured:
            fields["value"] = float(round(sum(measured, Decimal(0)) / len(measured), 6))
        else:
            statuses = [status for _, status in values.values()]
            fields["status"] = "fault" if "fault" in statuses else "calibrating"
        # Each issue of an hour has seen more of it than the one before.
        where = f"{context.file}: {param} {hour.astimezone(context.timezone):%Y-%m-%d %Hh}"
        yield from attempt(where, _mean(station, fields, Stamp(where, context.received_at), context))


def _mean(station: str, fields: dict[str, Any], stamp: Stamp, context: Context) -> Iterator[Event]:
    yield record_event(context.feeds[FEED], station, fields, stamp=stamp)


def _station(context: Context) -> tuple[str, str]:
    """Return the station's code and medium by the file's name, its folder, or the option."""
    *folders, name = re.split(r"[\\/]", context.file)
    parts = name.rpartition(".")[0].split("_") if "." in name else name.split("_")
    if parts and re.fullmatch(r"[0-9]{12,14}", parts[-1]):
        parts = parts[:-1]
    named = ["_".join(parts[start:]) for start in range(len(parts))]
    candidates = [*named, *folders[-1:], context.reporter]
    for candidate in filter(None, candidates):
        code = context.crosswalk.reporter(FEED, candidate)
        medium = context.crosswalk.attribute(FEED, code, "medium") if code else None
        if code and medium:
            return code, str(medium)
    findings = Findings()
    context.crosswalk.read(FEED, context.reporter or (named[0] if named else name), "station", findings)
    if not findings.reasons:
        raise refused(
            "station",
            "medium",
            "danh bạ không ghi môi trường (medium) của trạm",
            "the register does not tell the station's medium",
        )
    raise RejectedError(findings.reasons)


def _twice(param: str) -> Any:
    return reason(
        param,
        "value_twice",
        "một thông số có hai giá trị cùng thời điểm; lấy giá trị đến sau",
        "two values of one parameter and time; the later one counts",
    )


FORMAT = Format(
    name="station_txt",
    feeds=(FEED,),
    title_vi="tệp số liệu trạm quan trắc tự động TXT (TT 10/2021)",
    title_en="data files of automatic stations, TXT (TT 10/2021)",
    carriers=(
        lines(
            "lines of symbol, value, unit, yyyyMMddHHmmss, status",
            _is_data_file,
        ),
    ),
    versions=("TT 24/2017/TT-BTNMT", "TT 10/2021/TT-BTNMT"),
    fields=(
        field(
            "param",
            "symbol",
            TEXT,
            required=True,
            note="Temp, pH, TSS, PM2,5, …; those that no indicator uses give a remark",
        ),
        field("value", "value", NUMBER, required=True, note="5-minute means; point or comma"),
        field("", "unit", TEXT, required=True, note="converted to the feed's unit"),
        field("measured_at", "time", MOMENT, required=True, note="the begin of the hour of the mean"),
        field("status", "status", TEXT, note="00 measuring, 01 calibrating, 02 fault; only 00 counts in the mean"),
    ),
    read=_read,
    due=due_hours,
    notes_vi=(
        "Trung bình giờ được phát khi giờ đã hết, và phát lại khi có số liệu đến muộn.",
        "Mã trạm lấy từ tên tệp, rồi tên thư mục, rồi --reporter; tra trong crosswalk.csv.",
    ),
    notes_en=(
        "An hour's mean is issued when the hour is over, and again when late values come in.",
        "The station comes from the file's name, else the folder's, else --reporter; see crosswalk.csv.",
    ),
)
