"""Guests as the police's templates have them (XML, two workbooks), and the daily report as JSON."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, timedelta

from lxml import etree
from openpyxl import Workbook

from deploy.simulator.ledger import Data
from deploy.simulator.native.file import Desk, NativeFile, ToldRecord, born_before, citizen_number, present, slashed
from deploy.simulator.record import Life

_PASSPORT_CODES = {"DEU": "D"}
_PROVINCES = {
    "hcmc": "TP. Hồ Chí Minh",
    "southeast": "Đồng Nai",
    "mekong": "Cần Thơ",
    "central": "Khánh Hòa",
    "hanoi": "Hà Nội",
    "north": "Hải Phòng",
    "local": "Bà Rịa - Vũng Tàu",
}
_WRITTEN_AT = datetime(2024, 10, 5)  # noqa: DTZ001 - of a file, in no zone
_MODIFIED = re.compile(rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z")
_GUESTS = 12
_LATE_DOMESTIC, _LATE_ABROAD = 23, 12


def _stays(lives: Sequence[Life], desk: Desk, origin: str) -> tuple[str, list[tuple[int, Data, date, date]]]:
    """One establishment's guests of the last days: (number, content, arrival, planned departure)."""
    known = [life for life in lives if life.data["origin"] == origin][:_GUESTS]
    guests = []
    for number, life in enumerate(known):
        arrival = desk.days_ago(number % 4)
        guests.append((number, life.data, arrival, arrival + timedelta(days=1 + number % 3)))
    return known[0].reporter if known else "", guests


def _told(
    number: int,
    establishment: str,
    data: Data,
    arrival: date,
    planned: date,
    left: date | None,
    desk: Desk,
    **more: object,
) -> ToldRecord:
    """The stay that a declaration means; who declared the departure does not tell how late the arrival was declared."""
    domestic = data["origin"] == "domestic"
    hour = desk.now.hour + 24 * (desk.today - arrival).days
    late = left is None and hour >= (_LATE_DOMESTIC if domestic else 24 + _LATE_ABROAD)
    return ToldRecord(
        "tourism.stay",
        establishment,
        present(
            establishment_id=establishment,
            origin=data["origin"],
            nationality=data["nationality"],
            sex=data["sex"],
            age_years=data["age_years"],
            purpose="leisure",
            check_in_on=str(arrival),
            planned_check_out_on=str(planned),
            check_out_on=str(left) if left else None,
            overnight=(left or planned) > arrival,
            declared_at=desk.first_told(number).isoformat(),
            declared_late=late,
            **more,
        ),
    )


def foreign_xml(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """The template for foreign guests as XML; those who have left have `ngay_tra_phong`."""
    establishment, guests = _stays(lives, desk, "international")
    root, told = etree.Element("KHAI_BAO_TAM_TRU"), []
    for number, data, arrival, planned in guests:
        passport, left = f"C{number:07d}", planned if planned <= desk.today else None
        fields = {
            "so_thu_tu": number + 1,
            "ho_ten": "KHACH MAU",
            "ngay_sinh": slashed(born_before(data["age_years"], arrival)),
            "ngay_sinh_dung_den": "D",
            "gioi_tinh": "M" if data["sex"] == "male" else "F",
            "ma_quoc_tich": _PASSPORT_CODES.get(data["nationality"], data["nationality"]),
            "so_ho_chieu": passport,
            "so_phong": "101",
            "ngay_den": slashed(arrival),
            "ngay_di_du_kien": slashed(planned),
            "ngay_tra_phong": slashed(left) if left else None,
        }
        guest = etree.SubElement(root, "THONG_TIN_KHACH")
        for name, value in fields.items():
            if value is not None:
                etree.SubElement(guest, name).text = str(value)
        token = desk.pseudonymise("passport", f"{data['nationality']}:{passport}", arrival)
        told.append(
            _told(number, establishment, data, arrival, planned, left, desk, guest_id=token, doc_type="passport")
        )
    content = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return NativeFile("foreign.xml", content, tuple(told), establishment)


def foreign_xlsx(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """The same as a workbook, sheet KBTT: two rows of headings, an example, the guests."""
    establishment, guests = _stays(lives, desk, "international")
    head = [
        "STT",
        "Họ tên",
        "Ngày sinh",
        "Ngày sinh đúng đến",
        "Giới tính",
        "Quốc tịch",
        "Số hộ chiếu",
        "Số phòng",
        "Ngày đến",
        "Ngày đi dự kiến",
        "Ngày trả phòng",
    ]
    rows: list[list[str]] = [["KHAI BÁO TẠM TRÚ"], head, ["1", "[EXAMPLE] JOHN", "01/01/1990"]]
    told = []
    for number, data, arrival, planned in guests:
        passport, left = f"X{number:07d}", planned if planned <= desk.today else None
        code = _PASSPORT_CODES.get(data["nationality"], data["nationality"])
        rows.append(
            [
                str(number + 1),
                "KHACH MAU",
                slashed(born_before(data["age_years"], arrival)),
                "D",
                "M - Nam" if data["sex"] == "male" else "F - Nữ",
                f"{code} - Country",
                passport,
                "101",
                slashed(arrival),
                slashed(planned),
                slashed(left) if left else "",
            ]
        )
        token = desk.pseudonymise("passport", f"{data['nationality']}:{passport}", arrival)
        told.append(
            _told(number, establishment, data, arrival, planned, left, desk, guest_id=token, doc_type="passport")
        )
    return NativeFile("foreign.xlsx", _workbook("KBTT", rows), tuple(told), establishment)


def vietnamese_xlsx(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """The template for Vietnamese guests: it has no departure, so that the planned one stands in once it is over."""
    establishment, guests = _stays(lives, desk, "domestic")
    rows: list[list[str]] = [["DANH SÁCH KHÁCH"], [], ["STT", "HỌ TÊN"], ["1", "[VÍ DỤ] NGUYỄN VĂN A"]]
    told = []
    for number, data, arrival, planned in guests:
        card = citizen_number(f"guest {number}")
        region = data["home_region"]
        rows.append(
            [
                str(number + 1),
                "NGUYỄN THỬ",
                slashed(born_before(data["age_years"], arrival)),
                "M - Nam" if data["sex"] == "male" else "F - Nữ",
                "VNM - Viet Nam",
                "1 - Thẻ CCCD",
                "",
                card,
                "0900000000",
                "1 - Thường trú",
                f"1 - {_PROVINCES[region]}",
                "",
                "",
                slashed(arrival),
                slashed(planned),
                "101",
                "1 - Du lịch",
                "",
                "",
            ]
        )
        gone = planned < desk.today
        record = _told(
            number,
            establishment,
            data,
            arrival,
            planned,
            None,
            desk,
            home_region=region,
            doc_type="cccd",
            guest_id=desk.pseudonymise("cccd", card, arrival),
        )
        stands_in = {"check_out_on": str(planned), "check_out_estimated": True} if gone else {}
        told.append(ToldRecord(record.feed, record.reporter, {**(record.data or {}), **stands_in}))
    return NativeFile("vietnamese.xlsx", _workbook("DS_KHACH_VIET_NAM_LUU_TRU", rows), tuple(told), establishment)


def daily_json(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """The daily report as property systems send it."""
    told, reports = [], []
    for life in lives:
        data = life.data
        pairs = {
            name: {"domestic": data[f"{column}_domestic"], "international": data[f"{column}_international"]}
            for name, column in (
                ("arrivals", "arrivals"),
                ("staying_overnight", "overnight"),
                ("day_guests", "day_guests"),
                ("guest_nights", "guest_nights"),
            )
        }
        revenue = {"room": data["revenue_room"], "food": data["revenue_fnb"], "other": data["revenue_other"]}
        counts = {name: data[name] for name in ("rooms_total", "rooms_available", "rooms_sold", "beds_total")}
        reports.append(
            {
                "establishment_code": life.reporter,
                "report_date": data["report_on"],
                **counts,
                **pairs,
                "revenue_vnd": revenue,
            }
        )
        told.append(ToldRecord("tourism.daily_report", life.reporter, data))
    return NativeFile("days.json", json.dumps(reports).encode(), tuple(told))


def _workbook(sheet: str, rows: Sequence[Sequence[str]]) -> bytes:
    book = Workbook()
    page = book.create_sheet(sheet, 0)
    del book["Sheet"]
    for row in rows:
        page.append(list(row))
    return same_bytes(book)


def same_bytes(book: Workbook) -> bytes:
    """A workbook as a file whose bytes do not depend on the moment of writing.

    A workbook and the zip around it hold when they were written, to two seconds. Both are set to a fixed time, so that
    a seed gives the same bytes, and so that a test that writes a file twice writes a copy.
    """
    book.properties.created = book.properties.modified = _WRITTEN_AT
    out, same = io.BytesIO(), io.BytesIO()
    book.save(out)
    with zipfile.ZipFile(out) as packed, zipfile.ZipFile(same, "w", zipfile.ZIP_DEFLATED) as again:
        for name in packed.namelist():
            part = packed.read(name)
            if name == "docProps/core.xml":
                part = _MODIFIED.sub(b"2024-10-05T00:00:00Z", part)
            again.writestr(zipfile.ZipInfo(name, _WRITTEN_AT.timetuple()[:6]), part)
    return same.getvalue()
