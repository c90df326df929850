"""Files of every format with a person's data in every place where real files have it, and where they should not.

`PLANTED` lists all of it. Beside valid records stand broken ones, whose reasons must not quote what they refuse.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from openpyxl import Workbook

HOTEL, STRANGE_HOTEL = "77-747-0001", "77-999-0001"
SELLER, STRANGE_SELLER, PETROL_SELLER, STORE = "3590000012", "3599990004", "3590000051", "CHXD-02"
# A household business: since 2025-07-01 its tax code is its owner's identity number.
OWNER_NUMBER = "077188004321"

GUEST, COMPANION, FOREIGNER, BUYER, CLERK = (
    "Tôn Nữ Hỷ Khương",
    "Đỗ Quýnh Hoàn",
    "Zbigniewska Brzęczysława",
    "Ung Thị Khuê Diễm",
    "Khúc Thừa Nguyệt Ẩn",
)
BORN = "23/11/1987"
CITIZEN, CHILD, OLD_CARD, BUYER_CODE = "077187004321", "077318123987", "273412987", "077455667788"
PASSPORT, OTHER_PASSPORT = "C7QX41908", "P0ZKW5521"
PHONE, ABROAD_PHONE = "0908715243", "+84 918 273 645"
ADDRESS, ROOM, PLATE, MAIL = "47/9B đường Hoàng Hoa Quýnh", "PK-7391", "72A-839.17", "quynh.hoan@example.invalid"
ACCOUNT, PUMP_LOG, CERTIFICATE = "190277331155", "LOG-5533-XQ", "CN=Khúc Thừa Nguyệt Ẩn, UID=CCCD:077466778899"

PLANTED: tuple[str, ...] = (
    *(GUEST, COMPANION, FOREIGNER, BUYER, CLERK, BORN, "1987-11-23", OWNER_NUMBER, CITIZEN, CHILD, OLD_CARD),
    *(BUYER_CODE, PASSPORT, OTHER_PASSPORT, PHONE, ABROAD_PHONE, "0918273645", ADDRESS, ROOM, PLATE, MAIL, ACCOUNT),
    *(PUMP_LOG, CERTIFICATE, "077466778899"),
    # Parts of names that by themselves tell who it is.
    *("Hỷ Khương", "Quýnh Hoàn", "Brzęczysława", "Zbigniewska", "Khuê Diễm", "Nguyệt Ẩn", "Hoàng Hoa Quýnh"),
)
# What a careless system writes into fields of the wrong kind; `WORDS` are neither numbers nor codes.
WORDS = (GUEST, MAIL, ADDRESS, BORN)
WRONG = (GUEST, MAIL, ADDRESS, PHONE, CITIZEN, OLD_CARD, PLATE, PASSPORT)


def write_files(directory: Path) -> Iterator[tuple[Path, str]]:
    """Write the files; yields each with the establishment that it is published for (empty = it names its own)."""
    for establishment in (HOTEL, STRANGE_HOTEL):
        files = {"guests.xml": foreign_xml(), "khach.xlsx": vietnamese_xlsx(), "kbtt.xlsx": foreign_xlsx()}
        for name, content in files.items():
            path = directory / f"{establishment}-{name}"
            if isinstance(content, Workbook):
                content.save(path)
            else:
                path.write_text(content, encoding="utf-8")
            yield path, establishment
    for name, text in {
        "days.json": daily_json(),
        "invoices.xml": invoice_message(),
        "notices.xml": notice_message(),
        "broken.xml": f"<HDon><DLHDon><Ten>{GUEST}</Ten><{CITIZEN}></DLHDon>",
        "broken.json": f'[{{"establishment_code": "{HOTEL}", "ghi_chu": "{GUEST}", {PHONE}',
        "entity.xml": f'<!DOCTYPE HDon [<!ENTITY x "{CITIZEN}">]><HDon>&x;</HDon>',
        "unknown.csv": f"{GUEST};{CITIZEN};{PHONE}\n",
    }.items():
        path = directory / name
        path.write_text(text, encoding="utf-8")
        yield path, ""


def foreign_xml() -> str:
    """The police template for foreigners: a valid guest, and one broken in every element in turn."""
    guest = {
        "ho_ten": FOREIGNER,
        "ngay_sinh": BORN,
        "ngay_sinh_dung_den": "D",
        "gioi_tinh": "F",
        "ma_quoc_tich": "POL",
        "so_ho_chieu": PASSPORT,
        "so_phong": ROOM,
        "ngay_den": "05/10/2024",
        "ngay_di_du_kien": "08/10/2024",
    }
    read = ("ngay_sinh", "gioi_tinh", "ma_quoc_tich", "ngay_den", "ngay_di_du_kien")
    broken = [{**guest, name: wrong} for name in read for wrong in WRONG]
    guests = "".join(f"<THONG_TIN_KHACH>{_elements(one)}</THONG_TIN_KHACH>" for one in (guest, *broken))
    return f"<KHAI_BAO_TAM_TRU>{guests}</KHAI_BAO_TAM_TRU>"


def vietnamese_xlsx() -> Workbook:
    """The template for Vietnamese guests: two valid ones, and one broken in every column in turn."""
    guest: dict[str, object] = {
        "A": 1,
        "B": GUEST,
        "C": BORN,
        "D": "F - Nữ",
        "E": "VNM - Viet Nam",
        "F": "1 - Thẻ CCCD",
        "G": CLERK,
        "H": CITIZEN,
        "I": PHONE,
        "J": "1 - Thường trú",
        "K": "701 - TP. Hồ Chí Minh",
        "L": ADDRESS,
        "M": ADDRESS,
        "N": "05/10/2024",
        "O": "07/10/2024",
        "P": ROOM,
        "Q": "1 - Du lịch",
        "R": f"thăm {COMPANION}",
        "S": f"xe {PLATE}, {MAIL}",
    }
    child = {**guest, "B": COMPANION, "C": "02/03/2018", "H": CHILD, "I": ABROAD_PHONE, "F": "9 - Giấy tờ khác"}
    broken = [{**guest, column: wrong} for column in "CDEFKNOQ" for wrong in WRONG]
    broken += [{**guest, "H": wrong} for wrong in (OLD_CARD, int(CITIZEN), GUEST)]
    book, page = _workbook("DS_KHACH_VIET_NAM_LUU_TRU ")
    for row, one in enumerate((guest, guest, child, *broken), 4):  # row 4 is the template's example
        for column, value in one.items():
            page[f"{column}{row}"] = value
    return book


def foreign_xlsx() -> Workbook:
    """The sheet `KBTT`: a valid guest, and one broken in every column in turn."""
    headings = (
        "STT", "Họ tên (*)", "Ngày sinh (*)", "Ngày sinh đúng đến (*)", "Giới tính (*)", "Mã quốc tịch (*)",
        "Số hộ chiếu (*)", "Số phòng", "Ngày đến (*)", "Ngày đi dự kiến (*)", "Ngày trả phòng",
    )  # fmt: skip
    guest: list[object] = [1, FOREIGNER, BORN, "D", "F", "POL", OTHER_PASSPORT, ROOM, "05/10/2024", "09/10/2024", ""]
    broken = [[*guest[:column], wrong, *guest[column + 1 :]] for column in (2, 4, 5, 8, 9, 10) for wrong in WRONG]
    book, page = _workbook("KBTT")
    for line in (headings, [""] * len(headings), guest, *broken):
        page.append(list(line))
    return book


def daily_json() -> str:
    """Daily reports: a valid one with a vendor's own fields, and broken ones."""
    guests = {"domestic": 4, "international": 1}
    report = {
        "establishment_code": HOTEL,
        "report_date": "2024-10-05",
        "revision": 1,
        "le_tan": CLERK,
        "lien_he": {"ten": GUEST, "dien_thoai": PHONE, "email": MAIL, PHONE: PLATE},
        "rooms_total": 9,
        "rooms_available": 9,
        "rooms_sold": 3,
        "beds_total": 12,
        **dict.fromkeys(("arrivals", "staying_overnight", "day_guests", "guest_nights"), guests),
        "by_nationality": [{"iso3": GUEST, "arrivals": 5, "guest_nights": 5}],
        "revenue_vnd": {"room": 900_000, "food": 0, "other": 0},
    }
    broken = [
        {**report, name: wrong}
        for name in ("establishment_code", "report_date", "rooms_sold", "arrivals", "revenue_vnd")
        for wrong in (*(WORDS if name == "establishment_code" else WRONG), {GUEST: CITIZEN})
    ]
    reporting_a_number = {**report, "rooms_sold": -int(CITIZEN), "rooms_total": float(PHONE) + 0.5}
    return json.dumps([report, *broken, reporting_a_number], ensure_ascii=False)


def invoice_message() -> str:
    """Invoices of a company, a petrol shop, a household and a stranger; and invoices broken in many places."""
    good = (
        invoice(SELLER, 1),
        invoice(PETROL_SELLER, 2, store=STORE),
        invoice(OWNER_NUMBER, 3, store=f"Quán {GUEST}"),
        invoice(STRANGE_SELLER, 4),
        invoice(SELLER, 5, related="<TCHDon>1</TCHDon><KHMSHDCLQuan>1</KHMSHDCLQuan><KHHDCLQuan>C24TQX</KHHDCLQuan>"
                f"<SHDCLQuan>1</SHDCLQuan><GChu>{GUEST} {CITIZEN}</GChu>"),
    )  # fmt: skip
    broken = [
        invoice(SELLER, 6).replace(f">{right}<", f">{escape(wrong)}<")
        for right in ("6", "1", "C24TQX", "2024-10-05", "VND", "10%", SELLER)
        for wrong in WRONG
    ]
    broken += [
        invoice(SELLER, 6).replace(f">{right}<", f">{escape(wrong)}<")
        for right in ("1000000", "100000", "1100000")
        for wrong in (*WORDS, PLATE, PASSPORT)
    ]
    broken += [invoice(SELLER, 7, related=f"<TCHDon>{escape(wrong)}</TCHDon>") for wrong in WRONG]
    documents = "".join((*good, *broken))
    head = f"<MLTDiep>202</MLTDiep><MNGui>{CITIZEN}</MNGui><SLuong>{len(good) + len(broken)}</SLuong>"
    return f"<TDiep><TTChung>{head}</TTChung><DLieu>{documents}</DLieu></TDiep>"


def invoice(seller: str, number: int, *, store: str = "", related: str = "") -> str:
    """An invoice that names seller, buyer, clerk and signer wherever the format has a place for them."""
    person = _elements({"DChi": ADDRESS, "SDThoai": PHONE, "DCTDTu": MAIL, "STKNHang": ACCOUNT, "HVTNMHang": BUYER})
    note = f"<TTKhac><TTin><TTruong>Ghi chú {CLERK}</TTruong><DLieu>{PLATE} {ROOM} {CITIZEN}</DLieu></TTin></TTKhac>"
    log = f"<TTKhac><TTin><TTruong>Số log bơm</TTruong><DLieu>{PUMP_LOG}</DLieu></TTin></TTKhac>"
    signature = (
        f"<Signature><KeyInfo><X509SubjectName>{CERTIFICATE}</X509SubjectName></KeyInfo>"
        "<SigningTime>2024-10-05T09:30:00</SigningTime></Signature>"
    )
    return (
        f"<HDon><DLHDon><TTChung><KHMSHDon>1</KHMSHDon><KHHDon>C24TQX</KHHDon><SHDon>{number}</SHDon>"
        f"<NLap>2024-10-05</NLap><DVTTe>VND</DVTTe><HTTToan>Tiền mặt, {BUYER} trả</HTTToan>"
        f"<TTHDLQuan>{related}</TTHDLQuan>{note}</TTChung>"
        f"<NDHDon><NBan><Ten>Hộ kinh doanh {GUEST}</Ten><MST>{seller}</MST><MCHang>{store}</MCHang>{person}</NBan>"
        f"<NMua><Ten>{BUYER}</Ten><MST>{BUYER_CODE}</MST><CCCDan>{CITIZEN}</CCCDan>"
        f"<SHChieu>{PASSPORT}</SHChieu>{person}</NMua>"
        f"<DSHHDVu><HHDVu><TChat>1</TChat><THHDVu>Xăng RON 95-III</THHDVu><DVTinh>Lít</DVTinh><SLuong>50</SLuong>"
        f"<ThTien>1000000</ThTien><TSuat>10%</TSuat>{log}</HHDVu>"
        f"<HHDVu><TChat>4</TChat><THHDVu>Xe {PLATE} của {BUYER}</THHDVu></HHDVu></DSHHDVu>"
        "<TToan><THTTLTSuat><LTSuat><TSuat>10%</TSuat><ThTien>1000000</ThTien><TThue>100000</TThue></LTSuat>"
        "</THTTLTSuat><TgTCThue>1000000</TgTCThue><TgTThue>100000</TgTThue><TgTTTBSo>1100000</TgTTTBSo></TToan>"
        f"</NDHDon></DLHDon><MCCQT>00</MCCQT><DSCKS><NBan>{signature}</NBan></DSCKS></HDon>"
    )


def notice_message() -> str:
    """A notice that cancels an invoice and quotes its buyer, and lines broken in every element."""
    line = {
        "KHMSHDon": "1",
        "KHHDon": "C24TQX",
        "SHDon": "8",
        "Ngay": "2024-10-05",
        "TCTBao": "1",
        "LDo": f"{BUYER}, {PHONE}, trả lại",
    }
    broken = [{**line, name: wrong} for name in ("KHMSHDon", "KHHDon", "SHDon", "Ngay", "TCTBao") for wrong in WRONG]
    lines = "".join(f"<HDon>{_elements(one)}</HDon>" for one in (line, *broken))
    notices = "".join(
        f"<TBao><DLTBao><TNNT>{GUEST}</TNNT><MST>{seller}</MST><DDanh>{ADDRESS}</DDanh><NTBao>2024-10-25</NTBao>"
        f"<DSHDon>{lines}</DSHDon></DLTBao></TBao>"
        for seller in (SELLER, OWNER_NUMBER, GUEST, OLD_CARD)
    )
    return f"<TDiep><TTChung><MLTDiep>300</MLTDiep></TTChung><DLieu>{notices}</DLieu></TDiep>"


def misplaced(valid: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """Events of a system that does without the formats and puts personal data where none belongs."""
    data = valid["data"]
    assert isinstance(data, dict)
    for wrong in WRONG:
        yield {**valid, "guestname": wrong, "data": {**data, "ho_ten": wrong}}
        yield {**valid, "data": {**data, wrong: wrong}}
        yield {**valid, "data": wrong}
        yield {**valid, "type": wrong}
        yield {**valid, "source": f"urn:ioc:reporter:{wrong}"}
        yield {**valid, "subject": f"{HOTEL}/{wrong}"}
        yield {**valid, "time": wrong}
        for name in data:
            yield {**valid, "data": {**data, name: wrong}}


def _elements(values: Mapping[str, object]) -> str:
    return "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in values.items())


def _workbook(title: str) -> tuple[Workbook, Any]:
    book = Workbook()
    page = book.active
    page.title = title
    return book, page
