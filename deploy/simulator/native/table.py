"""Tables as CSV: of each feed that takes one, under the headings that its systems use."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta

from deploy.simulator.native.file import Desk, NativeFile, ToldRecord, born_before, citizen_number, present, slashed
from deploy.simulator.record import Life

# Ages in years of the bands of the health records.
_YEARS = {"under6": 3, "6_14": 10, "15_24": 20, "25_44": 33, "45_59": 50, "60_79": 70, "80_plus": 84}
_STATUS = {"measuring": "00", "calibrating": "01", "fault": "02"}
_UNITS: Mapping[str, str] = {
    "ph": "-",
    "aqi": "-",
    "aqi_max": "",
    "wqi": "-",
    "temperature": "oC",
    "coliform": "MPN/100mL",
    "rain": "mm",
    "wind_max": "m/s",
    "water_level": "cm",
    "tide_max": "cm",
    "flow": "m3/h",
}
_BY_MEDIUM = {"air": "µg/Nm3", "stack": "mg/Nm3"}
_FEEDBACK = {"open": "Đang xử lý", "resolved": "Đã xử lý", "rejected": "Từ chối"}
_CATEGORIES = {
    "environment": "Môi trường",
    "road": "Giao thông",
    "lighting": "Chiếu sáng",
    "urban_order": "Trật tự đô thị",
    "construction": "Xây dựng",
    "security": "An ninh trật tự",
    "water_power": "Cấp điện, nước",
    "food": "An toàn thực phẩm",
    "procedure": "Thủ tục hành chính",
    "other": "Khác",
}
_CHANNELS = {"app": "Ứng dụng", "web": "Cổng thông tin", "hotline": "Tổng đài", "direct": "Trực tiếp"}


def csv_bytes(headings: Sequence[str], rows: Iterable[Sequence[object]], *, delimiter: str = ",") -> bytes:
    """A table as Excel writes it: with a byte-order mark and CRLF."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows(["" if value is None else value for value in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def comma(value: float, digits: int = 9) -> str:
    """A number with a decimal comma."""
    return f"{value:.{digits}f}".rstrip("0").rstrip(".").replace(".", ",")


def usage(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """Visits and questions."""
    rows, told = [], []
    for number, life in enumerate(lives):
        data, day = life.data, date.fromisoformat(life.data["occurred_on"])
        visit, session, user = data["kind"] == "visit", f"S-{number}", f"U-{number % 7}"
        assistant = (data.get("assistant") or "").removeprefix("assistant_")
        answered = None if visit else "1" if data["answered"] else "0"
        rows.append(
            [
                life.reporter,
                "Truy cập" if visit else "Câu hỏi",
                session,
                f"{day}T08:00:00+07:00",
                data.get("app"),
                user if visit else None,
                assistant,
                answered,
            ]
        )
        own = (
            {"app": data.get("app"), "user_id": desk.pseudonymise("app_user", user, day)}
            if visit
            else {"assistant": data["assistant"], "answered": data["answered"]}
        )
        item = desk.pseudonymise("usage", session, day)
        told.append(
            ToldRecord(
                "app.usage", life.reporter, present(kind=data["kind"], item_id=item, occurred_on=str(day), **own)
            )
        )
    head = ["operator", "loai", "ma_phien", "thoi_diem", "ung_dung", "ma_nguoi_dung", "tro_ly", "da_tra_loi"]
    return NativeFile("usage.csv", csv_bytes(head, rows), tuple(told))


def readings(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """Hourly values and samples, with decimal commas."""
    rows, told = [], []
    for life in lives:
        data = life.data
        param, medium = data["param"], data["medium"]
        if param == "aqi_max":
            continue
        value = data["value"]
        unit = _UNITS.get(param, _BY_MEDIUM.get(medium, "mg/L"))
        shown = None if value is None else comma(value)
        rows.append(
            [
                life.reporter,
                medium,
                param,
                data["measured_at"],
                shown,
                unit,
                _STATUS[data["status"]],
                "1" if data["exceeded"] else "0",
            ]
        )
        told.append(ToldRecord("environment.reading", life.reporter, data))
    head = ["Mã trạm", "Môi trường", "Thông số", "Thời gian", "Giá trị", "Đơn vị", "Trạng thái", "Vượt ngưỡng"]
    return NativeFile("readings.csv", csv_bytes(head, rows, delimiter=";"), tuple(told))


def tickets(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """Tickets of the 1022 portal, received at eight and closed at ten."""
    rows, told = [], []
    for number, life in enumerate(lives):
        data, code = life.data, f"PA-{number}"
        received, due = date.fromisoformat(data["received_on"]), date.fromisoformat(data["due_on"])
        state = data["state"]
        closed = received + timedelta(days=number % 4) if state != "open" else None
        rows.append(
            [
                life.reporter,
                code,
                data["area_code"],
                _CATEGORIES[data["category"]],
                _CHANNELS[data["channel"]],
                f"{slashed(received)} 08:00",
                slashed(due),
                _FEEDBACK[state],
                f"{slashed(closed)} 10:00" if closed else None,
                "Nguyễn Thử",
                "0900000000",
                "Nội dung; dài",
            ]
        )
        hours = 24 * (closed - received).days + 2 if closed and state == "resolved" else None
        told.append(
            ToldRecord(
                "feedback.ticket",
                life.reporter,
                present(
                    ticket_id=desk.pseudonymise("ticket", code, received),
                    area_code=data["area_code"],
                    category=data["category"],
                    channel=data["channel"],
                    received_on=str(received),
                    due_on=str(due),
                    overdue=(closed or desk.today) > due,
                    state=state,
                    closed_on=str(closed) if closed else None,
                    handling_h=hours,
                ),
            )
        )
    head = [
        "Hệ thống",
        "Mã phản ánh",
        "Mã xã",
        "Lĩnh vực",
        "Kênh tiếp nhận",
        "Ngày tiếp nhận",
        "Hạn xử lý",
        "Trạng thái",
        "Ngày xử lý xong",
        "Họ tên",
        "Điện thoại",
        "Nội dung",
    ]
    return NativeFile("tickets.csv", csv_bytes(head, rows, delimiter=";"), tuple(told))


def health_records(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """Health records of a station."""
    rows, told = [], []
    for number, life in enumerate(life for life in lives if life.data["kind"] == "record"):
        data, code = life.data, f"HS-{number:04d}"
        group, day = data["age_group"], date.fromisoformat(data["occurred_on"])
        linked = data.get("linked_on")
        rows.append(
            [
                life.reporter,
                code,
                slashed(day),
                "Nam" if data["sex"] == "male" else "Nữ",
                slashed(born_before(_YEARS[group], desk.today)),
                slashed(date.fromisoformat(linked)) if linked else None,
            ]
        )
        item = desk.pseudonymise("health_record", code, None)
        told.append(
            ToldRecord(
                "health.record",
                life.reporter,
                present(
                    kind="record",
                    item_id=item,
                    occurred_on=str(day),
                    sex=data["sex"],
                    age_group=group,
                    linked_on=linked,
                ),
            )
        )
    head = ["Mã trạm", "Mã hồ sơ", "Ngày lập hồ sơ", "Giới tính", "Ngày sinh", "Ngày liên kết VNeID"]
    return NativeFile("records.csv", csv_bytes(head, rows), tuple(told))


def security_events(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """Alerts and incidents of the centre."""
    rows, told = [], []
    for life in lives:
        data = life.data
        moment = f"{data['occurred_on']} 08:30:00"
        resolved = f"{data['resolved_on']} 10:00:00" if data.get("resolved_on") else None
        rows.append(
            [
                life.reporter,
                "Sự cố" if data["kind"] == "incident" else "Cảnh báo",
                data["item_id"],
                moment,
                data.get("severity"),
                data.get("incident_type"),
                data.get("detection_min"),
                resolved,
                data.get("resolution_min"),
            ]
        )
        told.append(ToldRecord("infosec.event", life.reporter, present(**data)))
    head = [
        "centre",
        "loại",
        "mã sự kiện",
        "occurred_at",
        "severity",
        "incident_type",
        "detection_min",
        "resolved_at",
        "resolution_min",
    ]
    return NativeFile("security.csv", csv_bytes(head, rows), tuple(told))


def register(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """A register of places."""
    names = ("registry", "place_id", "area_code", "type", "star", "rooms", "beds", "opened_on", "closed_on")
    rows = [[life.reporter, *(life.data.get(name) for name in names)] for life in lives]
    told = [
        ToldRecord("registry.reporter", life.reporter, present(**{name: life.data.get(name) for name in names}))
        for life in lives
    ]
    head = [
        "Cơ quan quản lý",
        "Danh bạ",
        "Mã cơ sở",
        "Mã xã",
        "Loại hình",
        "Hạng sao",
        "Số buồng",
        "Số giường",
        "Ngày hoạt động",
        "Ngày đóng cửa",
    ]
    return NativeFile("register.csv", csv_bytes(head, rows), tuple(told))


def doses(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """Doses of a site: the programme's measles vaccine at nine months, late ones too, and what adults pay for."""
    rows, told = [], []
    for number, life in enumerate(life for life in lives if life.data["kind"] == "dose"):
        day, late = date.fromisoformat(life.data["occurred_on"]), 40 * (number % 2)
        epi = number % 3 > 0
        vaccine, dose_no = ("measles", 1) if epi else (life.data["vaccine"], life.data["dose_no"])
        born = _months_before(day - timedelta(days=late), 9) if epi else born_before(30, day)
        if born is None:
            continue
        person, code = citizen_number(f"{life.key}/{number}"), f"MT-{number}"
        rows.append(
            [
                life.reporter,
                code,
                person,
                slashed(born),
                vaccine,
                dose_no,
                f"{slashed(day)} 08:00",
                f"{slashed(day)} 11:00",
                "TCMR" if epi else "Dịch vụ",
                "Hủy" if life.is_void else "Đã tiêm",
            ]
        )
        schedule = {"on_schedule": not late, "delay_days": late} if epi else {}
        told.append(
            ToldRecord(
                "vaccination.dose",
                life.reporter,
                None
                if life.is_void
                else present(
                    kind="dose",
                    item_id=desk.pseudonymise("dose", code, day),
                    person_id=desk.pseudonymise("cccd", person, day),
                    occurred_on=str(day),
                    vaccine=vaccine,
                    dose_no=dose_no,
                    programme="epi" if epi else "service",
                    age_group="under1" if epi else "18_59",
                    record_lag_h=3,
                    **schedule,
                ),
            )
        )
    head = [
        "Mã cơ sở",
        "Mã mũi tiêm",
        "Mã đối tượng",
        "Ngày sinh",
        "Vắc xin",
        "Mũi số",
        "Ngày tiêm",
        "Ngày nhập",
        "Chương trình",
        "Trạng thái",
    ]
    return NativeFile("doses.csv", csv_bytes(head, rows), tuple(told))


def _months_before(day: date, months: int) -> date | None:
    """The same day of an earlier month, None where that month may have none."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, day.day) if day.day <= 28 else None


def daily_reports(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """Daily reports of establishments, with the row of totals that people add."""
    counts = {
        "rooms_total": "Tổng số buồng",
        "rooms_available": "Số buồng sẵn sàng",
        "rooms_sold": "Số buồng đã bán",
        "beds_total": "Tổng số giường",
        "arrivals_domestic": "Lượt khách trong nước",
        "arrivals_international": "Lượt khách quốc tế",
        "overnight_domestic": "Khách ở qua đêm trong nước",
        "overnight_international": "Khách ở qua đêm quốc tế",
        "day_guests_domestic": "Khách trong ngày trong nước",
        "day_guests_international": "Khách trong ngày quốc tế",
        "guest_nights_domestic": "Ngày khách trong nước",
        "guest_nights_international": "Ngày khách quốc tế",
        "revenue_room": "Doanh thu buồng",
        "revenue_fnb": "Doanh thu ăn uống",
        "revenue_other": "Doanh thu khác",
    }
    rows: list[list[object]] = [
        [life.reporter, slashed(date.fromisoformat(life.data["report_on"])), *(life.data[name] for name in counts)]
        for life in lives
    ]
    rows.append(["Tổng cộng", None, *(sum(life.data[name] for life in lives) for name in counts)])
    told = tuple(ToldRecord("tourism.daily_report", life.reporter, life.data) for life in lives)
    return NativeFile("days.csv", csv_bytes(["Mã cơ sở", "Ngày báo cáo", *counts.values()], rows), told)
