"""What files from outside got wrong, seen in the stored sums: each file read as `ioc publish` reads it, then stored.

The figures were worked out by hand from the files; formats' own tests are in tests/unit/formats.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook
from testbed.pipeline import Pipeline

from connectors.formats.format import BadRecord, Event, Remark
from connectors.formats.memory import Memory
from connectors.publishing.publish import FileReader
from connectors.publishing.report import FileResult
from deploy.simulator.native.lodging import same_bytes
from ioc.settings import Settings

PETROL, KIM_DINH = "3590000051", "26566"
HOTEL, XUAN_SON = "77-750-0004", "26584"
OCTOBER = "2024-10-01"


class Office:
    """A sector system that publishes files: what its formats give goes the way of every event."""

    def __init__(self, pipeline: Pipeline, directory: Path) -> None:
        self._pipeline = pipeline
        self._directory = directory
        self._memory = Memory()
        self._files = 0
        self.warnings: list[str] = []  # of what was published last
        self.remarks: list[str] = []
        self.now = datetime(2024, 10, 5, 11, tzinfo=UTC)

    def publish(self, *contents: bytes, name: str = "") -> list[BadRecord]:
        """Publish files at this moment, one after the other; returns what was refused."""
        reader = FileReader(
            Settings(_env_file=None),
            establishment=HOTEL,
            received_at=self.now,
            memory=self._memory,
            now=lambda: self.now,
        )
        bad: list[BadRecord] = []
        self.warnings, self.remarks = [], []
        for content in contents:
            self._files += 1
            file = self._directory / (name or f"{self._files}.bin")
            file.write_bytes(content)
            items = [*reader.due(), *reader.read(file, FileResult(""))]
            bad += [item for item in items if isinstance(item, BadRecord)]
            self.remarks += [item.warning.rule for item in items if isinstance(item, Remark)]
            self.warnings += [told.rule for item in items if isinstance(item, Event) for told in item.warnings]
            self._send([item for item in items if isinstance(item, Event)])
        self._pipeline.roll_up()
        return bad

    def _send(self, events: Sequence[Event]) -> None:
        by_feed: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
        for event in events:
            by_feed[event.feed].append(dict(event.envelope))
        for feed, envelopes in by_feed.items():
            self._pipeline.send(feed, envelopes)

    def forget(self) -> None:
        """Lose what the connector remembered, as where another one takes over."""
        self._memory = Memory()

    def figure(self, code: str, area: str, day: str = "") -> float | None:
        """October's figure, or a day's."""
        return self._pipeline.figure(code, area, "day" if day else "month", day or OCTOBER)


@pytest.fixture
def office(pipeline: Pipeline, tmp_path: Path) -> Office:
    return Office(pipeline, tmp_path)


def invoice(number: int, amount: int, *, related: str = "", beside: str = "", line: str = "", vat: int = 0) -> bytes:
    """An invoice of a petrol shop; `related` stands in TTChung, `beside` behind it."""
    line = line or f"<THHDVu>Hàng</THHDVu><ThTien>{amount}</ThTien><TSuat>10%</TSuat>"
    rates = f"<LTSuat><TSuat>10%</TSuat><ThTien>{amount}</ThTien><TThue>{vat}</TThue></LTSuat>"
    return (
        "<HDon><DLHDon><TTChung><KHMSHDon>1</KHMSHDon><KHHDon>C24MPL</KHHDon>"
        f"<SHDon>{number}</SHDon><NLap>2024-10-05</NLap>{related}</TTChung>{beside}<NDHDon><NBan><MST>{PETROL}</MST>"
        "<MCHang>CHXD-02</MCHang></NBan>"
        f"<DSHHDVu><HHDVu><TChat>1</TChat>{line}</HHDVu></DSHHDVu><TToan><THTTLTSuat>{rates}</THTTLTSuat>"
        f"<TgTCThue>{amount}</TgTCThue><TgTThue>{vat}</TgTThue><TgTTTBSo>{amount + vat}</TgTTTBSo></TToan></NDHDon>"
        "</DLHDon><MCCQT>M1-24-SYN01-00000000042</MCCQT></HDon>"
    ).encode()


def relation(code: str, number: int) -> str:
    return (
        f"<TTHDLQuan><TCHDon>{code}</TCHDon><LHDCLQuan>1</LHDCLQuan><KHMSHDCLQuan>1</KHMSHDCLQuan>"
        f"<KHHDCLQuan>C24MPL</KHHDCLQuan><SHDCLQuan>{number}</SHDCLQuan></TTHDLQuan>"
    )


def guest_list(*guests: dict[str, str]) -> bytes:
    """The police template for Vietnamese guests, filled from row 4 on."""
    book = Workbook()
    page = book.active
    page.title = "DS_KHACH_VIET_NAM_LUU_TRU"
    usual = {"B": "NGUYỄN THỬ", "C": "20/10/1990", "D": "F - Nữ", "E": "VNM - Viet Nam", "F": "1 - Thẻ CCCD"}
    stay = {"K": "701 - TP. Hồ Chí Minh", "N": "05/10/2024", "O": "07/10/2024", "Q": "1 - Du lịch"}
    for row, guest in enumerate(guests, 4):
        for column, value in ({"A": str(row - 3)} | usual | stay | guest).items():
            page[f"{column}{row}"] = value
    return same_bytes(book)


def foreigner(passport: str, **told: str) -> str:
    """A foreign guest of the police template, who came on the 5th and plans to leave on the 7th."""
    cells = {
        "ngay_sinh": "14/02/1988",
        "gioi_tinh": "F",
        "ma_quoc_tich": "KOR",
        "so_ho_chieu": passport,
        "ngay_den": "05/10/2024",
        "ngay_di_du_kien": "07/10/2024",
    } | told
    inside = "".join(f"<{name}>{text}</{name}>" for name, text in cells.items())
    return f"<THONG_TIN_KHACH>{inside}</THONG_TIN_KHACH>"


def foreign_list(*guests: str) -> bytes:
    return f"<KHAI_BAO_TAM_TRU>{''.join(guests)}</KHAI_BAO_TAM_TRU>".encode()


def report(sold: int, revision: int | None = None) -> bytes:
    pair = {"domestic": 1, "international": 1}
    told = {
        "establishment_code": HOTEL,
        "report_date": "2024-10-04",
        "rooms_total": 20,
        "rooms_available": 20,
        "rooms_sold": sold,
        "beds_total": 40,
        **dict.fromkeys(("arrivals", "staying_overnight", "day_guests", "guest_nights"), pair),
        "revenue_vnd": {"room": 1, "food": 1, "other": 1},
    }
    return json.dumps(told | ({} if revision is None else {"revision": revision})).encode()


def test_invoices_count_once_whatever_their_writers_did(office: Office, pipeline: Pipeline) -> None:
    # 500,000 replaced by 600,000 is 600,000, with the relation beside TTChung.
    assert office.publish(invoice(1, 500_000), invoice(2, 600_000, beside=relation("1", 1))) == []
    assert office.figure("einvoice.value.total", KIM_DINH) == 600_000
    # The same invoices an hour later change nothing, and are no conflict.
    office.now += timedelta(hours=1)
    office.publish(invoice(1, 500_000), invoice(2, 600_000, beside=relation("1", 1)))
    assert office.figure("einvoice.value.total", KIM_DINH) == 600_000
    assert pipeline.rows("SELECT count(*) FROM rejected_event") == [(0,)]
    # Nor is the answer of the tax authority, or another connector that did not see the first file.
    for hour in ("20:00", "21:00"):
        signed = f"<DSCKS><CQT><SigningTime>2024-10-05T{hour}:00</SigningTime></CQT></DSCKS></HDon>".encode()
        office.forget()
        assert office.publish(invoice(5, 0).replace(b"</HDon>", signed)) == []
    assert pipeline.rows("SELECT count(*) FROM rejected_event") == [(0,)]
    assert pipeline.rows(
        "SELECT to_char(sent_at AT TIME ZONE 'Asia/Ho_Chi_Minh', 'HH24') FROM tax_einvoice WHERE number = 5"
    ) == [("20",)], "the first fact stands"
    office.publish(invoice(1, 500_000), invoice(2, 600_000, beside=relation("1", 1)))
    # A second replacement of the first is refused, one without a code too; nothing moves.
    assert office.publish(invoice(3, 600_000, related=relation("1", 1)), invoice(4, 9, related=relation("", 1)))
    assert office.figure("einvoice.value.total", KIM_DINH) == 600_000
    # What shops write for fuels counts its litres; a summary table counts beside single invoices.
    for number, name in enumerate(("Xăng E10 RON 95-III", "RON 95-III Vùng 2"), 10):
        sold = "<DVTinh>Lít</DVTinh><SLuong>10</SLuong><ThTien>200000</ThTien><TSuat>10%</TSuat>"
        line = f"<THHDVu>{name}</THHDVu>{sold}"
        office.publish(invoice(number, 200_000, line=line, vat=20_000))
    row = (
        "<DLieu><KHMSHDon>1</KHMSHDon><KHHDon>C24MPL</KHHDon><SHDon>20</SHDon><NLap>2024-10-05</NLap>"
        "<THHDVu>Dầu hỏa 2-K</THHDVu><DVTinh>Lít</DVTinh><SLuong>7</SLuong><TTCThue>100000</TTCThue><TSuat>10%</TSuat>"
        "<TgTThue>10000</TgTThue><TgTTToan>110000</TgTTToan><TThai>0</TThai></DLieu>"
    )
    head, rows = f"<TTChung><MST>{PETROL}</MST></TTChung>", f"<NDBTHDLieu><DSDLieu>{row}</DSDLieu></NDBTHDLieu>"
    table = f"<DLBTHop>{head}{rows}</DLBTHop>"
    assert office.publish(f"<BTHDLieu>{table}</BTHDLieu>".encode()) == []
    assert office.figure("petrol.volume.total", KIM_DINH) == 20
    assert pipeline.rows("SELECT litres_kerosene, shop_id FROM tax_einvoice WHERE number = 20") == [(7, None)]
    assert office.figure("petrol.volume.ron95_iii", KIM_DINH) == 20
    assert office.figure("einvoice.value.total", KIM_DINH) == 600_000 + 400_000
    assert office.figure("einvoice.value.total", "77") == 600_000 + 400_000 + 100_000
    assert pipeline.reconcile().differences == ()


def test_what_outside_invoices_hold_is_in_the_sums_or_refused(office: Office, pipeline: Pipeline) -> None:
    # Missing is not 0: no total of VAT is refused, and moves nothing.
    bad = office.publish(invoice(1, 500_000).replace(b"<TgTThue>0</TgTThue>", b""))
    assert [item.reasons[0].rule for item in bad] == ["required"]
    assert office.figure("einvoice.value.total", KIM_DINH) in (None, 0)
    # A day told in another zone: 17:30 UTC on the 4th is the 5th in the province.
    office.publish(invoice(2, 100_000).replace(b"2024-10-05", b"2024-10-04T17:30:00Z"))
    assert office.figure("einvoice.value.total", KIM_DINH, "2024-10-05") == 100_000
    # Fuels with brands and zones; furnace oil is kept beside retail.
    for number, name in ((3, "Diesel 0,05S-II Petrolimex"), (4, "Mazút N°2B")):
        sold = (
            f"<THHDVu>{name}</THHDVu><DVTinh>Lít</DVTinh><SLuong>10</SLuong><ThTien>200000</ThTien><TSuat>10%</TSuat>"
        )
        office.publish(invoice(number, 200_000, line=sold, vat=20_000))
    assert office.figure("petrol.volume.total", KIM_DINH) == 10
    assert pipeline.rows("SELECT litres_do_005s, litres_mazut FROM tax_einvoice WHERE number IN (3, 4) ORDER BY 1") == [
        (10, None),
        (None, 10),
    ]
    # Recognised however it is written: a long comment, UTF-16 without a mark; a shop's code that is a citizen's number.
    office.publish(b"<!--" + b"x" * 100_000 + b"-->" + invoice(5, 1_000))
    office.publish(invoice(6, 2_000).decode().encode("utf-16-le"))
    office.publish(invoice(7, 4_000).replace(b"CHXD-02", b"000190000123"))
    assert office.figure("einvoice.value.total", "77") == 100_000 + 400_000 + 7_000
    assert pipeline.rows("SELECT count(*) FROM tax_einvoice WHERE position('000190000123' IN shop_id) > 0") == [(0,)]
    # Two invoices in one HDon are a finding; nothing of them counts.
    double = invoice(8, 9_000).replace(b"</DLHDon>", b"</DLHDon><DLHDon><TTChung/></DLHDon>")
    assert [item.reasons[0].rule for item in office.publish(double)] == ["several"]
    assert office.figure("einvoice.value.total", "77") == 507_000
    assert pipeline.reconcile().differences == ()


def test_guests_leave_and_reports_are_ordered(office: Office, pipeline: Pipeline) -> None:
    office.publish(guest_list({"H": "077190000123"}, {"H": "077190000124", "O": "06/10/2024"}))
    assert office.figure("lodging.guests.total", XUAN_SON) == 2, "row 4 holds a guest"
    assert office.figure("lodging.in_house.total", XUAN_SON, "2024-10-05") == 2
    assert office.figure("lodging.nights.total", XUAN_SON) in (None, 0), "a plan is no event before its day"
    # Two days later another file comes: who was to leave on the 6th has left, as far as anyone can tell.
    office.now += timedelta(days=2)
    office.publish(guest_list({"H": "077190000125", "N": "07/10/2024", "O": "09/10/2024"}))
    assert office.figure("lodging.in_house.total", XUAN_SON, "2024-10-07") == 2
    assert office.figure("lodging.nights.total", XUAN_SON) == 1
    office.now += timedelta(days=5)
    office.publish(report(10, revision=2), report(3))
    assert office.figure("lodging.in_house.total", XUAN_SON, "2024-10-12") in (None, 0), "and nobody stays for ever"
    assert office.figure("lodging.nights.total", XUAN_SON) == 2 + 1 + 2
    assert office.figure("lodging.room_nights.total", XUAN_SON) == 10, "revision 2 stands"
    estimated = pipeline.rows("SELECT count(*) FROM tourism_stay WHERE check_out_estimated")
    assert estimated == [(3,)]
    # The lists of one second: the check-out of a foreigner stands, in either order.
    guest = (
        "<KHAI_BAO_TAM_TRU><THONG_TIN_KHACH><ngay_sinh>14/02/1988</ngay_sinh><gioi_tinh>F</gioi_tinh>"
        "<ma_quoc_tich>KOR</ma_quoc_tich><so_ho_chieu>C0000001</so_ho_chieu><ngay_den>11/10/2024</ngay_den>"
        "<ngay_di_du_kien>12/10/2024</ngay_di_du_kien>{}</THONG_TIN_KHACH></KHAI_BAO_TAM_TRU>"
    )
    left = guest.format("<ngay_tra_phong>12/10/2024</ngay_tra_phong>").encode()
    office.publish(guest.format("").encode(), left)
    assert office.figure("lodging.guests.international", XUAN_SON) == 1
    assert pipeline.rows("SELECT count(*) FROM rejected_event") == [(0,)], "no conflict"
    left_on = pipeline.rows("SELECT check_out_on::text FROM tourism_stay WHERE origin = 'international'")
    assert left_on == [("2024-10-12",)]
    assert pipeline.reconcile().differences == ()


def test_rates_and_cancellations_are_counted_as_told(office: Office, pipeline: Pipeline) -> None:
    # A rate told twice is summed, with a finding.
    rate = "<LTSuat><TSuat>10%</TSuat><ThTien>{}</ThTien><TThue>{}</TThue></LTSuat>"
    twice = invoice(1, 500_000, vat=50_000).replace(
        rate.format(500_000, 50_000).encode(), (rate.format(200_000, 20_000) + rate.format(300_000, 30_000)).encode()
    )
    assert office.publish(twice) == []
    assert office.warnings == ["rate_twice"]
    assert office.figure("einvoice.value.rate_10", KIM_DINH) == 500_000
    assert office.figure("einvoice.vat.rate_10", KIM_DINH) == 50_000
    # No rates at all: it counts in the total, at no rate, and is told.
    group = f"<THTTLTSuat>{rate.format(100_000, 10_000)}</THTTLTSuat>"
    assert office.publish(invoice(2, 100_000, vat=10_000).replace(group.encode(), b"")) == []
    assert "no_rates" in office.warnings
    assert office.figure("einvoice.value.rate_10", KIM_DINH) == 500_000
    assert office.figure("einvoice.value.rate_other", KIM_DINH) == 100_000
    assert office.figure("einvoice.value.total", KIM_DINH) == 600_000
    # Adjusted by -50,000, then cancelled: the invoice goes, its adjustment stays and is told.
    office.publish(invoice(3, -50_000, related=relation("2", 1)))
    assert office.figure("einvoice.value.total", KIM_DINH) == 550_000
    line = "<KHMSHDon>1</KHMSHDon><KHHDon>C24MPL</KHHDon><SHDon>1</SHDon><Ngay>2024-10-05</Ngay><TCTBao>1</TCTBao>"
    listed = f"<DSHDon><HDon>{line}</HDon></DSHDon>"
    notice = f"<TBao><DLTBao><MST>{PETROL}</MST><NTBao>2024-10-05</NTBao>{listed}</DLTBao></TBao>"
    assert office.publish(notice.encode()) == []
    assert office.warnings == ["adjustments_remain"]
    assert office.figure("einvoice.value.total", KIM_DINH) == 100_000 - 50_000
    assert pipeline.reconcile().differences == ()


def test_samples_plans_and_odd_workbooks_of_guests_are_counted_right(office: Office, pipeline: Pipeline) -> None:
    # [EXAMPLE] in XML is no guest, and a check-out that lies ahead is a plan.
    example = foreigner("C0000001", ho_ten="[EXAMPLE] GUEST")
    assert office.publish(foreign_list(example, foreigner("C0000002", ngay_tra_phong="07/10/2024"))) == []
    assert office.warnings == ["departure_ahead"]
    assert office.figure("lodging.guests.total", XUAN_SON) == 1
    assert office.figure("lodging.nights.total", XUAN_SON) in (None, 0)
    assert pipeline.rows("SELECT check_out_on, planned_check_out_on::text FROM tourism_stay") == [(None, "2024-10-07")]
    # Of two sheets one is known: its guest counts, the other is told.
    book = load_workbook(io.BytesIO(guest_list({"H": "077190000123"})))
    book.create_sheet("Ghi chú").append(["ca đêm", "2"])
    assert office.publish(same_bytes(book)) == []
    assert office.remarks == ["sheet_not_read"]
    assert office.figure("lodging.guests.total", XUAN_SON) == 2
    # A row at the very end of the sheet that holds nothing is no row.
    packed, far = io.BytesIO(guest_list({"H": "077190000124"}, {"H": "077190000125"})), io.BytesIO()
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(far, "w") as target:
        for name in source.namelist():
            content = source.read(name).replace(b"</sheetData>", b'<row r="1048576"/></sheetData>')
            target.writestr(name, content)
    assert office.publish(far.getvalue()) == []
    assert office.figure("lodging.guests.total", XUAN_SON) == 4
    # Two days later those who were to leave have left.
    office.now += timedelta(days=3)
    office.publish(foreign_list(foreigner("C0000002", ngay_tra_phong="07/10/2024")))
    assert office.figure("lodging.in_house.total", XUAN_SON, "2024-10-08") in (None, 0)
    assert office.figure("lodging.nights.total", XUAN_SON) == 2 * 4
    assert pipeline.reconcile().differences == ()


def test_reports_that_were_misread_are_in_no_sum(office: Office, pipeline: Pipeline) -> None:
    agency, code = "so-thong-tin-truyen-thong", "dti.targets_done.total"
    head = "REF_AGENCY,INDICATOR,REF_AREA,TIME_PERIOD,SEX,OBS_VALUE"

    def value() -> float | None:
        return office.figure(code, "77")

    # 32,5 between commas is neither 32 nor two cells; in quotes it is 32.5.
    plain = f"agency,indicator,area_code,period_label,value\n{agency},{code},77,2024-10,"
    assert [bad.reasons[0].rule for bad in office.publish(f"{plain}32,5\n".encode())] == ["row_too_long"]
    assert value() is None
    assert office.publish(f'{plain}"32,5"\n'.encode()) == []
    assert value() == 32.5
    # A part by sex does not replace the whole, nor does a second row that says something else, a percentage or a merge.
    office.now += timedelta(hours=1)
    parts = f"DATAFLOW,{head}\nIOC:R(1.0),{agency},{code},77,2024-10,F,9\n"
    assert [bad.reasons[0].rule for bad in office.publish(parts.encode())] == ["dimension"]
    book = Workbook()
    for cells in (["agency", "indicator", "area_code", "period_label", "value"], [agency, code, "77", "2024-10", 0.4]):
        book.active.append(cells)
    book.active["E2"].number_format = "0%"
    assert [bad.reasons[0].rule for bad in office.publish(same_bytes(book))] == ["percent_cell"]
    book.active["E2"].number_format, book.active["E2"] = "0", None
    book.active.merge_cells("E1:E2")
    assert [bad.reasons[0].rule for bad in office.publish(same_bytes(book))] == ["merged_cell"]
    assert value() == 32.5
    office.now += timedelta(hours=1)
    assert [bad.reasons[0].rule for bad in office.publish(f"{plain}40\n{agency},{code},77,2024-10,41\n".encode())] == [
        "record_twice"
    ]
    assert value() == 40
    assert pipeline.rows("SELECT count(*) FROM rejected_event") == [(0,)], "no conflict reaches the store"
    # In windows-1258, without a word of its encoding.
    office.now += timedelta(hours=1)
    # Mã đơn vị báo cáo;Mã chỉ tiêu;Mã địa bàn;Kỳ báo cáo;Giá trị / Tháng 10/2024
    head_1258 = (
        b"Ma\xde \xf0\xf5n vi\xf2 b\xe1o c\xe1o;Ma\xde chi\xd2 ti\xeau;Ma\xde \xf0i\xf2a b\xe0n;"
        b"Ky\xcc b\xe1o c\xe1o;Gi\xe1 tri\xf2\n"
    )
    assert office.publish(head_1258 + f"{agency};{code};77;Th".encode() + b"\xe1ng 10/2024;42\n") == []
    assert value() == 42


def test_every_other_sectors_file_moves_its_figures(office: Office, pipeline: Pipeline) -> None:
    samples = Path(__file__).resolve().parents[1] / "samples" / "formats"
    office.now = datetime(2024, 10, 5, 11, tzinfo=UTC)
    for path in sorted(samples.glob("*/*")):
        if ".golden" not in path.name and not path.parent.name.startswith(("einvoice", "lodging")):
            office.publish(path.read_bytes(), name=path.name)
    stored = {feed.key: pipeline.rows(f"SELECT count(*) FROM {feed.table}")[0][0] for feed in pipeline.feeds.values()}
    silent = {key for key, count in stored.items() if not count}
    tested_above = {"tax.einvoice", "tourism.stay", "tourism.daily_report"}
    assert silent - tested_above == {"document.flow"}, "what was sent was recalled"
    assert office.figure("health_visit.visits.total", "77") is not None
    assert pipeline.rows("SELECT value FROM environment_reading WHERE param = 'tss'") == [(36.5,)]
    late = b"TSS;31,5;mg/l;20241005105500;00\r\n"
    office.now += timedelta(hours=2)
    office.publish(late, name="BRVT_QTNT01_20241005105500.txt")
    assert pipeline.rows("SELECT round(value::numeric, 4)::float FROM environment_reading WHERE param = 'tss'") == [
        (round((34.5 + 38.5 + 31.5) / 3, 4),)
    ], "a late value makes the hour's mean anew"
    assert pipeline.reconcile().differences == ()
