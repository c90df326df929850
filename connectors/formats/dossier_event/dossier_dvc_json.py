"""The national portal's exchange of dossiers: `DongBoHoSoMC` (a dossier's present state) and `CapNhatTienDoHoSoMC`.

A message of progress changes state and days of a dossier that was synchronised before. Times are yyyyMMddHHmmss. The
promised day is the latest that was set. Source: NĐ 61/2018/NĐ-CP; exchange of the national public-service portal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from connectors.formats.carrier import json_where
from connectors.formats.dossier_event.procedure import field_of
from connectors.formats.event import Stamp, record_event
from connectors.formats.field import MOMENT, TEXT, dropped, field
from connectors.formats.findings import Findings, refused, shown
from connectors.formats.format import BadRecord, Context, Event, Format, Item, attempt
from connectors.formats.moment import told_moment
from connectors.formats.readers.json import JsonFile
from ioc.errors import RejectedError

FEED = "dossier.event"
_SYNC, _PROGRESS = "DongBoHoSoMC", "CapNhatTienDoHoSoMC"
_STATES = {
    "1": "pending",
    "2": "pending",
    "3": "refused",
    "4": "pending",
    "5": "pending",
    "6": "pending",
    "7": "withdrawn",
    "8": "stopped",
    "9": "resolved",
    "10": "resolved",
}
_CHANNELS = {"1": "direct", "2": "online", "3": "postal"}
_KNOWN = "dossier/known"
_HOURS_A_DAY, _WORKDAYS = 8, 5

FIELDS = (
    field(
        "dossier_id", "MaHoSo", TEXT, required=True, personal="keyed HMAC", note="its agency code names the reporter"
    ),
    field(
        "applicant_id", "MaDoiTuong", TEXT, personal="keyed HMAC", note="without it, each dossier has its own applicant"
    ),
    field("field", "MaLinhVuc, TenLinhVuc", TEXT, note="one of twelve fields, else other"),
    field("channel", "KenhThucHien", TEXT, note="1 counter, 2 online, 3 post; else HinhThuc: 1 online, 0 counter"),
    field("service_level", "MucDo", TEXT, note="4 full, 3 partial, 2 information; else partial"),
    field("received_on", "NgayTiepNhan", MOMENT, required=True),
    field("due_on", "NgayHenTra", MOMENT, note="or the latest NgayHenTraMoi of DanhSachHoSoBoSung"),
    field("state", "TrangThaiHoSo", TEXT, required=True, note="1 to 10"),
    field("closed_on", "NgayKetThucXuLy", MOMENT, note="else NgayTra"),
    field("supplement_on", "DanhSachHoSoBoSung.NgayYeuCau", MOMENT),
    field("digitised_in", "TaiLieuNop.DuocSoHoa", TEXT),
    field("has_fee", "DanhSachLePhi", TEXT),
    dropped("ChuHoSo"),
    dropped("Email"),
    dropped("Fax"),
    dropped("SoDienThoai"),
    dropped("NguoiXuLy"),
    dropped("TrichYeuHoSo"),
    dropped("GhiChu"),
    dropped("ThongTinKhac"),
)


def _read(document: JsonFile, context: Context) -> Iterator[Item]:
    found = False
    for place, message in document.items():
        where = f"{context.file}{place}"
        if isinstance(message, RejectedError):
            yield BadRecord(where, message.reasons)
            continue
        service = message.get("service") if isinstance(message, dict) else None
        items = message.get("data") if isinstance(message, dict) else None
        for index, item in enumerate(items if isinstance(items, list) else [items]):
            path = f"{where}.data[{index}]"
            found = True
            if not isinstance(item, dict):
                wrong = refused("data", "json_object", "phải là một đối tượng JSON", "must be a JSON object")
                yield BadRecord(path, wrong.reasons)
            elif service == _PROGRESS:
                yield from attempt(path, _progress(item, path, context))
            else:
                yield from attempt(path, _dossier(item, path, context))
    if not found:
        raise refused("data", "empty", "thông điệp không có hồ sơ nào", "the message holds no dossiers")


def _dossier(item: Mapping[str, Any], where: str, context: Context) -> Iterator[Event]:
    findings = Findings()
    code = _text(item, "MaHoSo")
    if not code:
        findings.missing("MaHoSo")
    received = _moment(item, "NgayTiepNhan", findings, context, required=True)
    state = _state(item, "TrangThaiHoSo", findings)
    reporter = _reporter(code, _text(item, "MaDonViXuLy") or _text(item, "DonViXuLy"), findings, context)
    findings.settle()
    assert received is not None and state is not None, "findings hold a reason for each that is missing"
    received_on = _day(received, context)
    supplements = [part for part in _list(item, "DanhSachHoSoBoSung") if isinstance(part, dict)]
    promises = [_moment(part, "NgayHenTraMoi", findings, context) for part in supplements]
    due = max((at for at in promises if at), default=None) or _moment(item, "NgayHenTra", findings, context)
    asked = [_moment(part, "NgayYeuCau", findings, context) for part in supplements]
    channel = _channel(item)
    papers = [part for part in _list(item, "TaiLieuNop") if isinstance(part, dict)]
    applicant = _text(item, "MaDoiTuong")
    ident = context.pseudonymise("dossier", code, received_on)
    data: dict[str, Any] = {
        "dossier_id": ident,
        "applicant_id": context.pseudonymise("applicant", applicant, received_on) if applicant else ident,
        "field": field_of(_text(item, "MaLinhVuc"), _text(item, "TenLinhVuc")),
        "channel": channel,
        "service_level": _level(item, channel),
        "filed_by": "self" if channel == "online" else None,
        "received_on": received_on.isoformat(),
        "due_on": _day(due, context).isoformat() if due else None,
        "digitised_in": any(str(part.get("DuocSoHoa", "")) in ("1", "True", "true") for part in papers),
        "reuse_possible": any(str(part.get("DuocTaiSuDung", "")) in ("1", "True", "true") for part in papers),
        "reused": any(str(part.get("DuocTaiSuDung", "")) in ("1", "True", "true") for part in papers),
        "has_fee": bool(_list(item, "DanhSachLePhi")),
        "supplement_on": _latest_day(asked, context),
    }
    ended = _moment(item, "NgayKetThucXuLy", findings, context) or _moment(item, "NgayTra", findings, context)
    findings.settle()
    yield _event(data, state, received, ended, reporter, where, context.received_at, findings, context)


def _progress(item: Mapping[str, Any], where: str, context: Context) -> Iterator[Event]:
    findings = Findings()
    code = _text(item, "MaHoSo")
    if not code:
        findings.missing("MaHoSo")
    handled_at = _moment(item, "ThoiDiemXuLy", findings, context, required=True)
    state = _state(item, "TrangThai", findings)
    reporter = _reporter(code, _text(item, "MaDonViXuLy"), findings, context)
    findings.settle()
    assert handled_at is not None and state is not None, "findings hold a reason for each that is missing"
    known = context.memory.get(_KNOWN, _known_key(code, context))
    if known is None:
        findings.refuse(
            "MaHoSo",
            "unknown_dossier",
            "chưa có hồ sơ này; hãy đồng bộ hồ sơ (DongBoHoSoMC) trước khi cập nhật tiến độ",
            "the dossier is not known yet; synchronise it (DongBoHoSoMC) before its progress",
        )
    findings.settle()
    received = datetime.fromisoformat(known["received"])
    due = _moment(item, "NgayKetThucTheoQuyDinh", findings, context)
    data = dict(known["data"])
    if due is not None and not data.get("due_on"):
        data["due_on"] = _day(due, context).isoformat()
    # Steps of one second are ordered by their codes: a dossier is processed (4) before it is finished (9).
    step = timedelta(milliseconds=int(_text(item, "TrangThai")))
    at = max(handled_at, received) + step
    yield _event(data, state, received, handled_at, reporter, where, at, findings, context)


def _event(
    data: dict[str, Any],
    state: str,
    received: datetime,
    ended: datetime | None,
    reporter: str,
    where: str,
    moment: datetime,
    findings: Findings,
    context: Context,
) -> Event:
    today = _day(context.received_at, context)
    closed = _day(ended, context) if ended is not None and state != "pending" else None
    if state != "pending" and closed is None:
        findings.warn(
            "NgayKetThucXuLy",
            "end_missing",
            "hồ sơ đã kết thúc nhưng không có ngày kết thúc; lấy ngày nhận tệp",
            "the dossier has ended and its day is not told; the day of the file is taken",
        )
        closed, ended = today, context.received_at
    due = date.fromisoformat(data["due_on"]) if data.get("due_on") else None
    context.memory.put(
        _KNOWN,
        data["dossier_id"],
        {"received": received.isoformat(), "data": {k: v for k, v in data.items() if v is not None}},
    )
    fields = data | {
        "state": state,
        "closed_on": closed.isoformat() if closed else None,
        "overdue": due is not None and (closed or today) > due,
        "processing_h": _working_hours(received, ended, context) if state == "resolved" and ended else None,
    }
    fields = {name: value for name, value in fields.items() if value is not None}
    return record_event(context.feeds[FEED], reporter, fields, stamp=Stamp(where, moment), warnings=findings.warnings)


def _working_hours(start: datetime, end: datetime, context: Context) -> int:
    """Return working hours between two moments: eight a weekday, whole days in between."""
    first, last = start.astimezone(context.timezone), end.astimezone(context.timezone)
    if last <= first:
        return 0
    if first.date() == last.date():
        return min(_HOURS_A_DAY, int((last - first).total_seconds() // 3600))
    weekdays = sum(
        (first.date() + timedelta(days=day)).weekday() < _WORKDAYS
        for day in range(1, (last.date() - first.date()).days)
    )
    opens, closes = time(8), time(17)
    begin = max(
        0.0,
        min(
            _HOURS_A_DAY,
            (datetime.combine(first, closes) - datetime.combine(first, first.time())).total_seconds() / 3600,
        ),
    )
    finish = max(
        0.0,
        min(_HOURS_A_DAY, (datetime.combine(last, last.time()) - datetime.combine(last, opens)).total_seconds() / 3600),
    )
    return int(begin + finish) + weekdays * _HOURS_A_DAY


def _known_key(code: str, context: Context) -> str:
    # The day of intake chooses the key, and a message of progress does not tell it: both keys are looked for.
    for on in (None, date.min):
        key = context.pseudonymise("dossier", code, on)
        if context.memory.get(_KNOWN, key) is not None:
            return key
    return context.pseudonymise("dossier", code)


def _reporter(code: str, told: str, findings: Findings, context: Context) -> str:
    agency = code.partition("-")[0]
    for candidate in (agency, told, context.reporter):
        known = context.crosswalk.reporter(FEED, candidate) if candidate else None
        if known is not None:
            return known
    return context.crosswalk.read(FEED, agency or context.reporter, "MaHoSo", findings)


def _channel(item: Mapping[str, Any]) -> str:
    told = _CHANNELS.get(_text(item, "KenhThucHien"))
    return told or ("online" if _text(item, "HinhThuc") == "1" else "direct")


def _level(item: Mapping[str, Any], channel: str) -> str:
    told = {"4": "full", "3": "partial", "2": "information"}.get(_text(item, "MucDo"), "partial")
    return "partial" if channel == "online" and told == "information" else told


def _state(item: Mapping[str, Any], name: str, findings: Findings) -> str | None:
    text = _text(item, name)
    if not text:
        findings.missing(name)
        return None
    state = _STATES.get(text)
    if state is None:
        findings.refuse(name, "state", "trạng thái hồ sơ phải từ 1 đến 10", "the state must be 1 to 10", shown(text))
    return state


def _moment(
    item: Mapping[str, Any], name: str, findings: Findings, context: Context, *, required: bool = False
) -> datetime | None:
    return told_moment(_text(item, name), name, "yyyyMMddHHmmss", findings, context.timezone, required=required)


def _latest_day(moments: list[datetime | None], context: Context) -> str | None:
    known = [moment for moment in moments if moment is not None]
    return _day(max(known), context).isoformat() if known else None


def _day(moment: datetime, context: Context) -> date:
    return moment.astimezone(context.timezone).date()


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    return str(value).strip() if isinstance(value, str | int) else ""


def _list(item: Mapping[str, Any], name: str) -> list[Any]:
    value = item.get(name)
    return value if isinstance(value, list) else []


FORMAT = Format(
    name="dossier_dvc_json",
    feeds=(FEED,),
    title_vi="hồ sơ dịch vụ công JSON (DongBoHoSoMC, CapNhatTienDoHoSoMC)",
    title_en="dossiers of public services, JSON (DongBoHoSoMC, CapNhatTienDoHoSoMC)",
    carriers=(
        json_where(
            "with service DongBoHoSoMC or CapNhatTienDoHoSoMC",
            lambda first: first.get("service") in (_SYNC, _PROGRESS),
        ),
    ),
    fields=FIELDS,
    read=_read,
    notes_vi=(
        "Mã đơn vị lấy từ phần đầu của MaHoSo (trước dấu -), tra trong crosswalk.csv.",
        "Bản tin tiến độ cần hồ sơ đã được đồng bộ trước đó.",
        "Số giờ xử lý tính 8 giờ mỗi ngày làm việc; ngày lễ chưa trừ.",
    ),
    notes_en=(
        "The agency is the first part of MaHoSo (before the dash), by crosswalk.csv.",
        "A message of progress needs a dossier that was synchronised before.",
        "Processing hours are eight a weekday; public holidays are not taken off.",
    ),
)
