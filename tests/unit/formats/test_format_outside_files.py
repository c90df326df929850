"""What files from outside once got wrong: each example by itself, with the value that must stand.

The same kinds are held as a whole by the conformance suite and the property tests; stored sums are checked in
tests/integration/test_publish_corrections.py.
"""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from format_reading import context, events_of, read_bytes, rules_of
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from test_format_einvoice import data_of, invoice, related, warnings_of
from test_format_lodging import GUEST, changed, sheet

from connectors.formats.format import BadRecord, Event, Item, Remark
from connectors.formats.fuels import shipped_fuels
from connectors.formats.memory import Memory
from connectors.publishing.publish import FileReader
from connectors.publishing.report import FileResult
from deploy.simulator.native.lodging import same_bytes
from ioc.settings import Settings

NOW = datetime(2024, 10, 12, 2, tzinfo=UTC)


def reader(memory: Memory | None = None) -> FileReader:
    return FileReader(Settings(_env_file=None), establishment="77-750-0004", memory=memory, now=lambda: NOW)


def items_of(path: Path, memory: Memory) -> list[Event]:
    found: list[Item] = list(reader(memory).read(path, FileResult("")))
    return [item for item in found if isinstance(item, Event)]


# ---------------------------------------------------------------------------------------------- place
def moved(block: str, before: str) -> bytes:
    """A replacement whose block of relation stands before another element than usual."""
    return invoice(number="<SHDon>2</SHDon>").replace(before.encode(), block.encode() + before.encode(), 1)


@pytest.mark.parametrize(
    "before", ["<KHMSHDon>", "</TTChung>", "<NDHDon>", "<NBan>", "</NDHDon>", "</DLHDon>", "<MCCQT>"]
)
def test_a_replacement_is_one_wherever_its_relation_stands(before: str) -> None:
    new, void = events_of(moved(related("1", number="1"), before))
    assert new.envelope["data"]["relation"] == "replacement"
    assert (void.envelope["subject"], void.envelope["voided"]) == ("3590000012/1/C24TAA/1", True)


@given(st.sampled_from(["KHMSHDon", "KHHDon", "SHDon", "NLap", "NBan", "TToan", "DSHHDVu", "NMua"]), st.data())
def test_no_element_depends_on_where_its_writer_put_it(name: str, data: st.DataObject) -> None:
    plain = invoice().decode()
    element = re.search(rf"<{name}>.*?</{name}>|<{name}/>", plain)
    assert element
    rest = plain.replace(element[0], "", 1)
    places = [found.end() for found in re.finditer(r"<(HDon|DLHDon|TTChung|NDHDon)>|</(TTChung|NDHDon|DLHDon)>", rest)]
    at = data.draw(st.sampled_from(places))
    (event,) = events_of((rest[:at] + element[0] + rest[at:]).encode())
    assert event.envelope == events_of(invoice())[0].envelope


@pytest.mark.parametrize("code", ["", "0", "3", "9", "x"])
def test_an_unknown_or_missing_relation_is_refused_never_an_original(code: str) -> None:
    assert rules_of(invoice(head=related(code))) == [("DLHDon/TTChung/TTHDLQuan/TCHDon", "relation")]


def test_an_element_that_stands_twice_with_other_content_is_refused() -> None:
    assert rules_of(invoice(head="<NLap>2024-10-06</NLap>")) == [("DLHDon/TTChung/NLap", "several")]
    assert data_of(invoice(head="<NLap>2024-10-05</NLap>"))["issued_on"] == "2024-10-05", "the same twice is one"


# ---------------------------------------------------------------------------------------------- missing is not 0
@pytest.mark.parametrize("name", ["TgTCThue", "TgTThue", "TgTTTBSo"])
def test_a_missing_total_is_refused(name: str) -> None:
    content = re.sub(rf"<{name}>.*?</{name}>", "", invoice().decode()).encode()
    assert rules_of(content) == [(f"DLHDon/NDHDon/TToan/{name}", "required")]


def test_no_rates_and_a_rate_told_twice_are_findings() -> None:
    group = re.compile(r"<THTTLTSuat>.*?</THTTLTSuat>")
    assert "no_rates" in warnings_of(group.sub("", invoice().decode()).encode())
    part = re.search(r"<LTSuat>.*?</LTSuat>", invoice().decode())
    assert part
    assert "rate_twice" in warnings_of(invoice().replace(b"</THTTLTSuat>", part[0].encode() + b"</THTTLTSuat>"))


def test_an_amount_that_is_not_told_is_a_finding() -> None:
    assert "amount_missing" in warnings_of(re.sub(rb"<TThue>.*?</TThue>", b"", invoice()))
    fuel = "<THHDVu>Xăng RON 95-III</THHDVu><DVTinh>Lít</DVTinh><ThTien>1000000</ThTien><TSuat>10%</TSuat>"
    assert "quantity_missing" in warnings_of(invoice(line=fuel))


# ---------------------------------------------------------------------------------------------- fuels
@pytest.mark.parametrize(
    ("name", "product"),
    [
        ("Xăng E10 RON 95-III", "ron95_iii"),
        ("Xăng sinh học E10 RON95-V", "ron95_v"),
        ("Xăng RON 95-III Vùng 2", "ron95_iii"),
        ("RON 95-III Vùng 2", "ron95_iii"),
        ("Xăng RON95-III (PVOIL)", "ron95_iii"),
        ("Dầu hỏa 2-K", "kerosene"),
        ("Dầu hoả Petrolimex", "kerosene"),
        ("Dầu Diesel Petrolimex 0,05S-II", "do_005s"),
        ("Diesel 0,05S-II PVOIL", "do_005s"),
        ("PVOIL DO 0,001S-V", "do_0001s"),
        ("Mazút N°2B", "mazut"),
        ("Dầu mazut №2B (3,5S)", "mazut"),
    ],
)
def test_fuels_count_their_litres_under_the_names_that_shops_write(name: str, product: str) -> None:
    line = f"<THHDVu>{name}</THHDVu><DVTinh>Lít</DVTinh><SLuong>10</SLuong><ThTien>1000000</ThTien><TSuat>10%</TSuat>"
    data = data_of(invoice(line=line))
    assert (data[f"litres_{product}"], data[f"fuel_{product}"]) == (10.0, 1_100_000)


@pytest.mark.parametrize(
    "name", ["Xăng RON 97", "Xăng RON 95", "Jet A-1", "Dầu DO 0,25S", "Xăng E15", "Dau hoa Petrolimex"]
)
def test_what_looks_like_fuel_and_is_not_known_is_always_told(name: str) -> None:
    line = f"<THHDVu>{name}</THHDVu><DVTinh>Lít</DVTinh><SLuong>10</SLuong><ThTien>1000000</ThTien><TSuat>10%</TSuat>"
    assert "unknown_fuel" in warnings_of(invoice(line=line))
    assert not [column for column in data_of(invoice(line=line)) if column.startswith("litres")]


@pytest.mark.parametrize("name", ["Dầu hoa hồng", "Bàn làm việc E5", "Dầu ăn Tường An", "Foam rửa xe", "Dầu gội"])
def test_what_is_no_fuel_is_neither_counted_nor_told(name: str) -> None:
    fuels = shipped_fuels()
    assert fuels.product_of(name, date(2024, 10, 5)) is None and not fuels.looks_like_fuel(name)


def test_fuels_are_dated() -> None:
    fuels = shipped_fuels()
    assert fuels.product_of("Xăng E10", date(2026, 5, 31)) is None
    assert fuels.product_of("Xăng E10", date(2026, 6, 1)) == "ron95_iii"


# ---------------------------------------------------------------------------------------------- zones
@pytest.mark.parametrize(
    ("told", "day"),
    [
        ("2024-03-10T17:30:00Z", "2024-03-11"),
        ("2024-03-10T16:59:59Z", "2024-03-10"),
        ("2024-03-11T00:30:00+07:00", "2024-03-11"),
        ("2024-03-10T23:59:00", "2024-03-10"),
        ("2024-03-10T20:00:00-05:00", "2024-03-11"),
        ("2024-03-10+07:00", "2024-03-10"),
    ],
)
def test_a_day_is_a_day_in_viet_nam(told: str, day: str) -> None:
    content = invoice().replace(b"<NLap>2024-10-05</NLap>", f"<NLap>{told}</NLap>".encode())
    assert data_of(content)["issued_on"] == day


@given(st.integers(2 * 86_400, 360 * 86_400), st.integers(-12, 14))
def test_every_zone_gives_the_same_day(second: int, hours: int) -> None:
    at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=second)
    local = at.astimezone(context().timezone).date()
    zone = f"{'-' if hours < 0 else '+'}{abs(hours):02d}:00"
    told = f"{(at + timedelta(hours=hours)).replace(tzinfo=None).isoformat()}{zone}"
    content = invoice().replace(b"<NLap>2024-10-05</NLap>", f"<NLap>{told}</NLap>".encode())
    assert data_of(content)["issued_on"] == local.isoformat()


# ------------------------------------------------------------------------------------------- facts of a first version
def test_the_same_invoice_an_hour_later_is_the_same_event() -> None:
    later = context().received_at + timedelta(hours=1)
    assert events_of(invoice()) == events_of(invoice(), received_at=later)


def test_a_message_before_and_after_coding_is_one_invoice() -> None:
    memory = Memory()
    signed = b"<DSCKS><CQT><Signature><SigningTime>2024-10-05T09:00:00</SigningTime></Signature></CQT></DSCKS></HDon>"
    before = events_of(invoice(), memory=memory)
    assert events_of(invoice().replace(b"</HDon>", signed), memory=memory) == before, "else the two are a conflict"
    assert "sent_at" in events_of(invoice().replace(b"</HDon>", signed))[0].envelope["data"]


def test_an_extension_does_not_make_a_declaration_late() -> None:
    memory = Memory()
    first = datetime(2024, 10, 5, 8, tzinfo=UTC)
    (declared,) = events_of(sheet(GUEST), memory=memory, received_at=first)
    extended = sheet(changed(O="09/10/2024"))
    (again,) = events_of(extended, memory=memory, received_at=first + timedelta(days=2))
    one, other = declared.envelope["data"], again.envelope["data"]
    assert (other["declared_at"], other["declared_late"]) == (one["declared_at"], False)
    assert other["planned_check_out_on"] == "2024-10-09"


def test_a_copy_of_a_file_arrives_when_the_file_did(tmp_path: Path) -> None:
    memory = Memory()
    file, copy = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    for path, age in ((file, 7200), (copy, 60)):
        path.write_bytes(sheet(GUEST))
        os.utime(path, (NOW.timestamp() - age,) * 2)
    one, other = (items_of(path, memory) for path in (file, copy))
    assert [item.envelope for item in one] == [item.envelope for item in other]


# ---------------------------------------------------------------------------------------------- plans
def guests(**cells: str) -> bytes:
    told = {
        "ngay_sinh": "14/02/1988",
        "gioi_tinh": "F",
        "ma_quoc_tich": "KOR",
        "so_ho_chieu": "C0PLANT11",
        "ngay_den": "05/10/2024",
        "ngay_di_du_kien": "08/10/2024",
    } | cells
    guest = "".join(f"<{name}>{text}</{name}>" for name, text in told.items())
    return f"<KHAI_BAO_TAM_TRU><THONG_TIN_KHACH>{guest}</THONG_TIN_KHACH></KHAI_BAO_TAM_TRU>".encode()


def test_a_future_check_out_is_a_plan() -> None:
    (event,) = events_of(guests(ngay_tra_phong="07/10/2024"))
    assert "check_out_on" not in event.envelope["data"]
    assert event.envelope["data"]["planned_check_out_on"] == "2024-10-07"
    assert [warning.rule for warning in event.warnings] == ["departure_ahead"]


def test_where_no_check_out_can_come_the_plan_stands_in_after_its_day() -> None:
    memory = Memory()
    (declared,) = events_of(sheet(GUEST), memory=memory)
    assert "check_out_on" not in declared.envelope["data"], "the plan is no event before its day"
    from connectors.formats.tourism_stay.stay import due_departures  # noqa: PLC0415

    assert list(due_departures(context(memory=memory, received_at=datetime(2024, 10, 7, 10, tzinfo=UTC)))) == []
    (left,) = due_departures(context(memory=memory, received_at=datetime(2024, 10, 8, 10, tzinfo=UTC)))
    data = left.envelope["data"]
    assert (data["check_out_on"], data["check_out_estimated"]) == ("2024-10-07", True)
    assert left.envelope["subject"] == declared.envelope["subject"]
    assert left.envelope["time"] == "2024-10-07T17:00:00.000+00:00" > declared.envelope["time"]
    assert list(due_departures(context(memory=memory, received_at=datetime(2024, 10, 9, tzinfo=UTC)))) == [], "once"
    (late,) = events_of(sheet(GUEST), received_at=datetime(2024, 10, 9, tzinfo=UTC))
    assert late.envelope["data"]["check_out_estimated"] is True, "a list that comes after the day"


# ---------------------------------------------------------------------------------------------- keys of order
def test_lists_of_one_second_are_ordered(tmp_path: Path) -> None:
    memory, second = Memory(), (NOW.timestamp() - 60,) * 2
    came, left = tmp_path / "came.xml", tmp_path / "left.xml"
    came.write_bytes(guests())
    left.write_bytes(guests(ngay_tra_phong="07/10/2024"))
    for path in (left, came):
        os.utime(path, second)
    (checked_out,), (checked_in,) = items_of(left, memory), items_of(came, memory)
    assert checked_out.envelope["time"] != checked_in.envelope["time"], "else the two are a conflict"
    (one,) = events_of(guests(ngay_tra_phong="05/10/2024"))
    (other,) = events_of(guests())
    assert one.envelope["time"] > other.envelope["time"], "of one moment the check-out comes after"


def report(**changes: Any) -> bytes:
    pair = {"domestic": 1, "international": 1}
    told = {
        "establishment_code": "77-750-0004",
        "report_date": "2024-10-04",
        "rooms_total": 20,
        "rooms_available": 20,
        "rooms_sold": 10,
        "beds_total": 40,
        "arrivals": pair,
        "staying_overnight": pair,
        "day_guests": pair,
        "guest_nights": pair,
        "revenue_vnd": {"room": 1, "food": 1, "other": 1},
    }
    return json.dumps(told | changes).encode()


def test_a_report_without_a_number_does_not_outrank_a_numbered_one() -> None:
    memory = Memory()
    numbered = events_of(report(revision=2), memory=memory)[0].envelope["revision"]
    (bare,) = events_of(report(rooms_sold=11), memory=memory)
    assert bare.envelope["revision"] < numbered == 2
    assert [warning.rule for warning in bare.warnings] == ["number_missing"]
    first, second = (events_of(report(rooms_sold=n), memory=Memory())[0].envelope["revision"] for n in (1, 2))
    assert first == second == 0


def test_reports_without_numbers_replace_each_other_in_the_order_of_arrival() -> None:
    memory = Memory()
    told = [events_of(report(rooms_sold=n), memory=memory)[0].envelope["revision"] for n in (1, 2, 1, 3)]
    assert told == [0, 1, 0, 2], "and the same report again is the same"


# ---------------------------------------------------------------------------------------------- one rule, every carrier
def kbtt(*rows: dict[str, Any]) -> Workbook:
    book = Workbook()
    page = book.active
    page.title = "KBTT"
    columns = ("STT", "Họ tên", "Ngày sinh", "Giới tính", "Quốc tịch", "Số hộ chiếu", "Ngày đến", "Ngày đi dự kiến")
    page.append(["KHAI BÁO TẠM TRÚ"])
    page.append(columns)
    for row in rows:
        page.append([row.get(column) for column in columns])
    return book


FOREIGNER = {
    "STT": "1",
    "Họ tên": "TEST GUEST PLANTED",
    "Ngày sinh": "14/02/1988",
    "Giới tính": "F - Nữ",
    "Quốc tịch": "KOR - Korea",
    "Số hộ chiếu": "C0PLANT11",
    "Ngày đến": "05/10/2024",
    "Ngày đi dự kiến": "08/10/2024",
}


@pytest.mark.parametrize("mark", ["[EXAMPLE]", "[TEST] GUEST", "[VÍ DỤ]", "[example]"])
def test_a_sample_is_skipped_in_every_carrier(mark: str) -> None:
    real = events_of(guests())
    both = guests().replace(b"</KHAI_BAO_TAM_TRU>", b"") + guests(ho_ten=mark, so_ho_chieu="C1").replace(
        b"<KHAI_BAO_TAM_TRU>", b""
    )
    assert events_of(both) == [*real] or [e.envelope for e in events_of(both)] == [e.envelope for e in real]
    assert len(events_of(same_bytes(kbtt(FOREIGNER | {"Họ tên": mark}, FOREIGNER)))) == 1
    assert len(events_of(sheet(changed(B=mark), changed(A=2)))) == 1


def test_a_real_guest_in_the_templates_row_4_counts() -> None:
    book = Workbook()
    page = book.active
    page.title = "DS_KHACH_VIET_NAM_LUU_TRU"
    for row, guest in ((4, GUEST), (5, changed(A=2, H="077190000124"))):
        for column, value in guest.items():
            page[f"{column}{row}"] = value
    assert len(events_of(same_bytes(book))) == 2


def test_every_known_sheet_is_read_and_an_unknown_one_is_told() -> None:
    book = kbtt(FOREIGNER)
    other = book.create_sheet("DS_KHACH_VIET_NAM_LUU_TRU")
    for column, value in GUEST.items():
        other[f"{column}5"] = value
    book.create_sheet("Ghi chú").append(["một dòng"])
    items = read_bytes(same_bytes(book))
    assert [item.feed for item in items if isinstance(item, Event)] == ["tourism.stay"] * 2
    (remark,) = [item for item in items if isinstance(item, Remark)]
    assert (remark.warning.field, remark.warning.rule) == ("Ghi chú", "sheet_not_read")


def test_two_bodies_in_one_invoice_are_refused() -> None:
    body = re.search(rb"<DLHDon>.*</DLHDon>", invoice())
    assert body
    assert rules_of(invoice().replace(b"</DLHDon>", b"</DLHDon>" + body[0])) == [("DLHDon", "several")]


def test_a_second_replacement_of_one_original_is_refused() -> None:
    memory = Memory()
    first = invoice(number="<SHDon>2</SHDon>", head=related("1", number="1"))
    events_of(first, memory=memory)
    assert len(events_of(first, memory=memory)) == 2, "the same again is the same"
    (bad,) = read_bytes(invoice(number="<SHDon>3</SHDon>", head=related("1", number="1")), memory=memory)
    assert isinstance(bad, BadRecord) and [reason.rule for reason in bad.reasons] == ["replaced_twice"]


def test_a_cancellation_after_an_adjustment_is_told() -> None:
    memory = Memory()
    events_of(invoice(number="<SHDon>2</SHDon>", head=related("2", number="1")), memory=memory)
    line = "<KHMSHDon>1</KHMSHDon><KHHDon>C24TAA</KHHDon><SHDon>1</SHDon><Ngay>2024-10-05</Ngay><TCTBao>1</TCTBao>"
    listed = f"<DSHDon><HDon>{line}</HDon></DSHDon>"
    notice = f"<TBao><DLTBao><MST>3590000012</MST><NTBao>2024-10-05</NTBao>{listed}</DLTBao></TBao>"
    record, _ = events_of(notice.encode(), memory=memory)
    assert [warning.rule for warning in record.warnings] == ["adjustments_remain"]
