"""Lodging: the police templates as XML and XLSX, and the rules that turn a guest into a stay."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from format_reading import FEEDS, SAMPLES, events_of, read_bytes, rules_of
from openpyxl import Workbook

from connectors.formats.format import BadRecord, Event
from connectors.formats.tourism_stay import region as region_of_provinces
from connectors.formats.tourism_stay.country import nationality_of
from connectors.formats.tourism_stay.region import home_region
from connectors.formats.tourism_stay.stay import paper_of, purpose_of
from deploy.simulator.native.lodging import same_bytes

HOME = "Bà Rịa - Vũng Tàu"
VIETNAM_TIME = ZoneInfo("Asia/Ho_Chi_Minh")

GUEST: Mapping[str, Any] = {
    "A": 1,
    "B": "NGUYỄN THỊ PLANTED",
    "C": "20/10/1990",
    "D": "F - Nữ",
    "E": "VNM - Viet Nam",
    "F": "1 - Thẻ CCCD",
    "H": "077190000123",
    "I": "0909123456",
    "J": "1 - Thường trú",
    "K": "701 - TP. Hồ Chí Minh",
    "M": "12 đường Planted",
    "N": "05/10/2024",
    "O": "07/10/2024",
    "P": "PLANTED-305",
    "Q": "1 - Du lịch",
    "S": "xe 72A-PLANTED",
}


def sheet(*guests: Mapping[str, Any], title: str = "DS_KHACH_VIET_NAM_LUU_TRU ") -> bytes:
    """The Vietnamese template: headings with stray blanks, an example in row 4, guests from row 5 on."""
    book = Workbook()
    page = book.active
    page.title = title
    page.cell(3, 2, " HỌ  TÊN (*) ")
    for column, value in GUEST.items():
        page[f"{column}4"] = "[EXAMPLE]" if column == "B" else value
    for row, guest in enumerate(guests, 5):
        for column, value in guest.items():
            page[f"{column}{row}"] = value
    return same_bytes(book)


def changed(**cells: Any) -> dict[str, Any]:
    return {**GUEST, **cells}


def stay_of(content: bytes, **context: Any) -> dict[str, Any]:
    (event,) = events_of(content, **context)
    data: dict[str, Any] = event.envelope["data"]
    return data


def test_a_vietnamese_guest_becomes_a_stay_without_the_person() -> None:
    (event,) = events_of(sheet(GUEST), file="khach.xlsx")
    data = dict(event.envelope["data"])
    assert data.pop("guest_id").startswith("k1:")
    assert data == {
        "establishment_id": "77-750-0004",
        "origin": "domestic",
        "nationality": "VNM",
        "sex": "female",
        "age_years": 33,
        "purpose": "leisure",
        "doc_type": "cccd",
        "home_region": "hcmc",
        "check_in_on": "2024-10-05",
        "planned_check_out_on": "2024-10-07",
        "check_out_estimated": False,
        "overnight": True,
        "declared_at": "2024-10-05T11:00:00Z",
        "declared_late": False,
    }
    assert event.where == "khach.xlsx: DS_KHACH_VIET_NAM_LUU_TRU!5"
    assert "revision" not in event.envelope, "the time of the declaration orders the revisions of a stay"
    FEEDS["tourism.stay"].envelope.validate_python(event.envelope)


def test_nothing_of_a_person_leaves_a_workbook() -> None:
    broken = changed(C="NGUYỄN THỊ PLANTED", H="07719000012", N="0909123456", K="12 đường Planted", Q="")
    items = read_bytes(sheet(GUEST, broken))
    assert [type(item) for item in items] == [Event, BadRecord]
    for planted in ("PLANTED", "Planted", "0909123456", "077190000123", "07719000012", "1990", "NGUY"):
        assert planted not in repr(items)


def test_one_bad_guest_does_not_cost_its_neighbours() -> None:
    items = read_bytes(sheet(GUEST, changed(D="X - ?"), {}, {"A": 4}, changed(H="077190000124")))
    assert [type(item) for item in items] == [Event, BadRecord, Event]
    assert items[2].where.endswith("!9")


@pytest.mark.parametrize(
    ("cells", "field", "rule"),
    [
        ({"H": 77190000123}, "H", "not_text"),
        ({"H": "77190000123"}, "H", "citizen_number"),
        ({"H": None}, "H", "required"),
        ({"C": date(1990, 10, 20)}, "C", "not_text"),
        ({"C": "20-10-1990"}, "C", "date"),
        ({"C": "31/02/1990"}, "C", "date"),
        ({"C": "06/10/2024"}, "C", "day_order"),
        ({"C": "01/01/1890"}, "age_years", "less_than_equal"),
        ({"D": "Nữ giới"}, "D", "choice"),
        ({"D": "K - Khác"}, "D", "sex"),
        ({"E": "ZZZ - Nowhere"}, "E", "country"),
        ({"F": None}, "F", "required"),
        ({"K": "999 - Atlantis"}, "K", "province"),
        ({"K": None}, "K", "required"),
        ({"N": 45570}, "N", "not_text"),
        ({"N": None}, "N", "required"),
        ({"O": "04/10/2024"}, "O", "day_order"),
        ({"Q": None}, "Q", "required"),
    ],
)
def test_a_wrong_cell_is_refused_by_its_column(cells: dict[str, Any], field: str, rule: str) -> None:
    assert rules_of(sheet(changed(**cells))) == [(field, rule)]


def test_a_sheet_without_guests_is_not_a_success() -> None:
    assert rules_of(sheet()) == [("DS_KHACH_VIET_NAM_LUU_TRU", "empty")]
    assert rules_of(b"<KHAI_BAO_TAM_TRU/>") == [("KHAI_BAO_TAM_TRU/THONG_TIN_KHACH", "empty")]


def test_a_dimension_that_is_too_small_hides_no_guests() -> None:
    packed = io.BytesIO(sheet(GUEST, changed(H="077190000124")))
    short = io.BytesIO()
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(short, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            target.writestr(name, content.replace(b'<dimension ref="A3:S6"', b'<dimension ref="A1"'))
    assert b'ref="A1"' in zipfile.ZipFile(short).read("xl/worksheets/sheet1.xml")
    assert len(events_of(short.getvalue())) == 2


@pytest.mark.parametrize("content", [sheet(GUEST), b"<KHAI_BAO_TAM_TRU><THONG_TIN_KHACH/></KHAI_BAO_TAM_TRU>"])
def test_the_templates_need_an_establishment(content: bytes) -> None:
    assert rules_of(content, establishment="") == [("establishment", "required")]


def test_the_same_document_is_the_same_guest() -> None:
    one = stay_of(sheet(GUEST))["guest_id"]
    assert stay_of(sheet(changed(H=" 077 190 000 123", F="8 - Thẻ Căn Cước")))["guest_id"] == one
    assert stay_of(sheet(changed(H="077190000124")))["guest_id"] != one


def test_a_passport_number_is_anothers_in_another_country() -> None:
    korean = changed(F="4 - Hộ chiếu", H="M1234567", E="KOR - Korea", K=None)
    japanese = changed(F="4 - Hộ chiếu", H="M1234567", E="JPN - Japan", K=None)
    assert stay_of(sheet(korean))["guest_id"] != stay_of(sheet(japanese))["guest_id"]
    assert stay_of(sheet(korean))["origin"] == "international"
    assert "home_region" not in stay_of(sheet(korean))


@pytest.mark.parametrize(
    ("birth", "age"),
    [("05/10/1990", 34), ("06/10/1990", 33), ("29/02/2000", 24), ("05/10/2024", 0), ("1990", 34)],
)
def test_age_is_in_whole_years_at_check_in(birth: str, age: int) -> None:
    assert stay_of(sheet(changed(C=birth)))["age_years"] == age


@pytest.mark.parametrize(
    ("received", "late"),
    [
        ("2024-10-05T23:00", False),
        ("2024-10-05T23:01", True),
        ("2024-10-06T08:00", True),
        ("2024-10-04T12:00", False),
    ],
)
def test_vietnamese_guests_are_declared_by_23_o_clock(received: str, late: bool) -> None:
    at = datetime.fromisoformat(received).replace(tzinfo=VIETNAM_TIME)
    assert stay_of(sheet(GUEST), received_at=at)["declared_late"] is late


def foreigner(**tags: str) -> bytes:
    fields = {
        "ngay_sinh": "01/01/1990",
        "gioi_tinh": "M",
        "ma_quoc_tich": "KOR",
        "so_ho_chieu": "M7654321",
        "ngay_den": "05/10/2024",
        "ngay_di_du_kien": "08/10/2024",
    } | tags
    inner = "".join(f"<{tag}>{text}</{tag}>" for tag, text in fields.items())
    return f"<KHAI_BAO_TAM_TRU><THONG_TIN_KHACH>{inner}</THONG_TIN_KHACH></KHAI_BAO_TAM_TRU>".encode()


@pytest.mark.parametrize(
    ("received", "late"),
    [("2024-10-06T12:00", False), ("2024-10-06T12:01", True), ("2024-10-05T23:30", False)],
)
def test_foreigners_are_declared_within_12_hours_of_the_day(received: str, late: bool) -> None:
    at = datetime.fromisoformat(received).replace(tzinfo=VIETNAM_TIME)
    assert stay_of(foreigner(), received_at=at)["declared_late"] is late


def test_a_check_out_is_a_newer_revision_of_the_same_stay_and_never_late() -> None:
    then = datetime(2024, 10, 5, 20, tzinfo=VIETNAM_TIME)
    later = datetime(2024, 10, 7, 11, tzinfo=VIETNAM_TIME)
    (check_in,) = events_of(foreigner(), received_at=then)
    (check_out,) = events_of(foreigner(ngay_tra_phong="07/10/2024"), received_at=later)
    assert check_in.envelope["subject"] == check_out.envelope["subject"]
    validate = FEEDS["tourism.stay"].envelope.validate_python
    assert validate(check_in.envelope).effective_revision < validate(check_out.envelope).effective_revision
    assert check_out.envelope["data"]["check_out_on"] == "2024-10-07"
    assert check_out.envelope["data"]["declared_late"] is False


@pytest.mark.parametrize(
    ("departures", "overnight"),
    [
        ({"ngay_di_du_kien": "05/10/2024"}, False),
        ({"ngay_di_du_kien": "06/10/2024"}, True),
        ({"ngay_di_du_kien": "06/10/2024", "ngay_tra_phong": "05/10/2024"}, False),
        ({"ngay_di_du_kien": "05/10/2024", "ngay_tra_phong": "06/10/2024"}, True),
    ],
)
def test_who_leaves_on_the_day_of_arrival_is_a_day_guest(departures: dict[str, str], overnight: bool) -> None:
    assert stay_of(foreigner(**departures))["overnight"] is overnight


@pytest.mark.parametrize(
    ("text", "precision", "age"),
    [
        ("01/01/1990", "D", 34),
        ("05/1990", "M", 34),
        ("00/11/1990", "M", 33),
        ("1990", "Y", 34),
        ("00/00/1990", "Y", 34),
    ],
)
def test_birth_dates_of_less_precision(text: str, precision: str, age: int) -> None:
    assert stay_of(foreigner(ngay_sinh=text, ngay_sinh_dung_den=precision))["age_years"] == age


def test_a_vietnamese_guest_belongs_in_the_other_template() -> None:
    assert rules_of(foreigner(ma_quoc_tich="VNM")) == [("ma_quoc_tich", "domestic_guest")]


@pytest.mark.parametrize(
    ("code", "nationality"),
    [
        ("D", "DEU"),
        ("GBR", "GBR"),
        ("GBN", "GBR"),
        ("usa", "USA"),
        ("CHN", "CHN"),
        ("0RQ", "XXX"),
        ("XXA", "XXA"),
    ]
    + [(unknown, None) for unknown in ("", "DE", "GER", "ZZZ", "K0R", "Đ")],
)
def test_country_codes_are_mapped_or_refused(code: str, nationality: str | None) -> None:
    assert nationality_of(code) == nationality


@pytest.mark.parametrize(
    ("province", "region"),
    [
        ("TP. Hồ Chí Minh", "hcmc"),
        ("Thành phố Hà Nội", "hanoi"),
        ("Tỉnh Đồng Nai", "southeast"),
        ("Bà Rịa – Vũng Tàu", "local"),
        ("Tỉnh Bà Rịa - Vũng Tàu", "local"),
        ("CẦN THƠ", "mekong"),
        ("Thừa Thiên - Huế", "central"),
        ("Thành phố Huế", "central"),
        ("Đắk Lắk", "central"),
        ("Hoà Bình", "north"),
        ("Sài Gòn", None),
        ("", None),
    ],
)
def test_provinces_lie_in_regions(province: str, region: str | None) -> None:
    assert home_region(province, HOME) == region


def test_all_63_provinces_have_a_region() -> None:
    names = [name for names in region_of_provinces._REGIONS.values() for name in names.split(", ")]
    assert len(names) == 63 + 1, "Thừa Thiên Huế became Huế"
    assert home_region("Bạc Liêu", "Bạc Liêu") == "local"
    assert home_region(HOME, "Bạc Liêu") == "southeast"


@pytest.mark.parametrize(
    ("code", "label", "typed", "purpose"),
    [
        ("1", "Du lịch", "", "leisure"),
        ("1", "", "", "leisure"),
        ("2", "Công tác", "", "business"),
        ("5", "Hội nghị, hội thảo", "", "mice"),
        ("6", "Chuyên gia nước ngoài", "", "expert"),
        ("3", "Học tập", "", "other"),
        ("20", "Mục đích khác", "đi công tác", "business"),
        ("20", "Mục đích khác", "thăm NGUYỄN PLANTED", "other"),
        ("99", "", "", "other"),
    ],
)
def test_purposes(code: str, label: str, typed: str, purpose: str) -> None:
    assert purpose_of(code, label, typed) == purpose


@pytest.mark.parametrize(
    ("code", "label", "typed", "doc_type"),
    [
        ("1", "Thẻ CCCD", "", "cccd"),
        ("8", "Thẻ Căn Cước", "", "cccd"),
        ("4", "Hộ chiếu", "", "passport"),
        ("2", "Thẻ CMND", "", "other"),
        ("9", "Giấy Tờ Khác", "", "other"),
        ("9", "Giấy Tờ Khác", "VNeID", "vneid"),
    ],
)
def test_documents(code: str, label: str, typed: str, doc_type: str) -> None:
    assert paper_of(code, label, typed).doc_type == doc_type


HEADINGS = (
    "STT",
    "Họ tên",
    "Ngày sinh",
    "Ngày sinh đúng đến",
    "Giới tính",
    "Mã quốc tịch",
    "Số hộ chiếu",
    "Số phòng",
    " Ngày  đến",
    "Ngày đi dự kiến",
    "Ngày trả phòng",
    "Thời hạn tạm trú",
)
ROW = (
    "1",
    "PLANTED GUEST",
    "01/01/1990",
    "D - Ngày",
    "M - Nam",
    "USA - United States of America",
    "P7654321",
    "PLANTED-1",
    "05/10/2024",
    "08/10/2024",
    "",
    "01/11/2024",
)


def kbtt(headings: Sequence[str], *rows: Sequence[str]) -> bytes:
    book = Workbook()
    page = book.active
    page.title = "KBTT"
    page.cell(1, 1, "KHAI BÁO TẠM TRÚ")
    for number, row in enumerate([headings, *rows], 2):
        for place, text in enumerate(row, 1):
            page.cell(number, place, text)
    return same_bytes(book)


def test_foreign_guests_of_a_workbook_are_those_of_the_xml() -> None:
    sample = ("0", "[TEST] GUEST", *ROW[2:])
    by_sheet = stay_of(kbtt(HEADINGS, sample, ROW))
    by_xml = stay_of(foreigner(ma_quoc_tich="USA", so_ho_chieu="P7654321"))
    assert by_sheet == by_xml


def test_columns_of_the_foreign_template_are_found_by_their_headings() -> None:
    assert stay_of(kbtt(HEADINGS[::-1], ROW[::-1])) == stay_of(kbtt(HEADINGS, ROW))
    without = kbtt([heading for heading in HEADINGS if heading != "Số hộ chiếu"], ROW)
    assert rules_of(without) == [("KBTT!1:2", "heading_missing")]
    assert rules_of(kbtt(HEADINGS)) == [("KBTT", "empty")]


def test_a_daily_report_of_another_establishment_is_refused() -> None:
    content = (SAMPLES / "lodging_daily_json" / "days.json").read_bytes()
    assert ("establishment_code", "other_establishment") in rules_of(content, establishment="77-747-0001")
    assert ("establishment_code", "other_establishment") not in rules_of(content, establishment="")
