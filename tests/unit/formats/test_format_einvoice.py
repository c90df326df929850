"""E-invoices: the samples' goldens, and each rule by itself on a small invoice."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from format_reading import events_of, read_bytes, rules_of
from pydantic import SecretStr

from connectors.formats.fuels import shipped_fuels
from ioc.pseudonym import Pseudonymiser


def invoice(
    *,
    seller: str = "<MST>3590000012</MST>",
    head: str = "",
    buyer: str = "",
    line: str = "",
    rate: str = "10%",
    total: str | None = None,
    number: str = "<SHDon>1</SHDon>",
    after: str = "<MCCQT>00</MCCQT>",
) -> bytes:
    """A valid VAT invoice over 1,000,000 đồng; parts can be replaced."""
    if total is None:
        total = (
            f"<THTTLTSuat><LTSuat><TSuat>{rate}</TSuat><ThTien>1000000</ThTien><TThue>100000</TThue></LTSuat>"
            "</THTTLTSuat><TgTCThue>1000000</TgTCThue><TgTThue>100000</TgTThue><TgTTTBSo>1100000</TgTTTBSo>"
        )
    line = line or f"<THHDVu>Hàng</THHDVu><ThTien>1000000</ThTien><TSuat>{rate}</TSuat>"
    return (
        "<HDon><DLHDon><TTChung><KHMSHDon>1</KHMSHDon><KHHDon>C24TAA</KHHDon>"
        f"{number}<NLap>2024-10-05</NLap>{head}</TTChung>"
        f"<NDHDon><NBan>{seller}</NBan><NMua>{buyer}</NMua>"
        f"<DSHHDVu><HHDVu><TChat>1</TChat>{line}</HHDVu></DSHHDVu><TToan>{total}</TToan></NDHDon>"
        f"</DLHDon>{after}</HDon>"
    ).encode()


def data_of(content: bytes) -> dict[str, Any]:
    """The record of a file that holds one event."""
    (event,) = events_of(content)
    data: dict[str, Any] = event.envelope["data"]
    return data


def warnings_of(content: bytes) -> list[str]:
    return [warning.rule for event in events_of(content) for warning in event.warnings]


def test_the_plain_invoice_is_clean() -> None:
    (event,) = events_of(invoice())
    assert event.warnings == ()
    assert event.envelope["subject"] == "3590000012/1/C24TAA/1"
    assert event.envelope["time"] == "2024-10-04T17:00:00.000+00:00", "midnight in Vietnam where nobody signed"


@pytest.mark.parametrize("spelling", ["75757", "00075757", " 75757 "])
def test_leading_zeros_do_not_make_another_invoice(spelling: str) -> None:
    (event,) = events_of(invoice(number=f"<SHDon>{spelling}</SHDon>"))
    assert event.envelope["subject"] == "3590000012/1/C24TAA/75757"


@pytest.mark.parametrize(
    "number", ["", "<SHDon/>", "<SHDon>123456789</SHDon>", "<SHDon>１２</SHDon>", "<SHDon>-1</SHDon>"]
)
def test_an_invoice_without_a_number_is_refused(number: str) -> None:
    ((field, _),) = rules_of(invoice(number=number))
    assert field == "DLHDon/TTChung/SHDon"


@pytest.mark.parametrize(
    "amount",
    [
        "1.000.000,50",
        "1,000,000",
        "1E+999999999",
        "1e6",
        "NaN",
        "Infinity",
        "+5",
        ".5",
        "5.",
        "0x10",
        "1 000",
        "٣",
    ],
)
def test_amounts_are_plain_decimals_only(amount: str) -> None:
    total = f"<TgTCThue>{amount}</TgTCThue><TgTThue>0</TgTThue><TgTTTBSo>0</TgTTTBSo>"
    assert rules_of(invoice(total=total)) == [("DLHDon/NDHDon/TToan/TgTCThue", "decimal")]


@pytest.mark.parametrize(
    ("spelling", "column", "warns"),
    [
        ("0%", "net_0", False),
        ("5%", "net_5", False),
        ("8%", "net_8", False),
        ("8", "net_8", True),
        ("10.0%", "net_10", True),
        ("KCT", "net_exempt", False),
        ("kkknt", "net_not_declared", False),
        ("KHAC", "net_other", False),
        ("KHAC:5%", "net_other", False),
        ("KHAC:3.5%", "net_other", False),
    ],
)
def test_each_vat_rate_has_its_column(spelling: str, column: str, warns: bool) -> None:
    data = data_of(invoice(rate=spelling))
    assert {name for name in data if name.startswith("net_")} == {column}
    assert data[column] == 1_000_000
    assert ("vat_rate_spelling" in warnings_of(invoice(rate=spelling))) is warns


def rate_total(rate: str, net: str, vat: str | None) -> str:
    tax = "" if vat is None else f"<TThue>{vat}</TThue>"
    return f"<LTSuat><TSuat>{rate}</TSuat><ThTien>{net}</ThTien>{tax}</LTSuat>"


def with_rates(*rates: str) -> str:
    return f"<THTTLTSuat>{''.join(rates)}</THTTLTSuat><TgTCThue>0</TgTCThue><TgTThue>0</TgTThue><TgTTTBSo>0</TgTTTBSo>"


def test_the_vat_of_each_rate_is_the_declared_one_summed() -> None:
    total = with_rates(
        rate_total("8%", "1000", "80"),
        rate_total("10%", "500", "49"),
        rate_total("8", "2000", "161.5"),
        rate_total("5%", "100", "-5"),
    )
    data = data_of(invoice(total=total))
    by_rate = {name: data.get(name) for name in ("vat_5", "vat_8", "vat_10", "net_5", "net_8", "net_10")}
    assert by_rate == {"vat_5": -5, "vat_8": 242, "vat_10": 49, "net_5": 100, "net_8": 3000, "net_10": 500}


@pytest.mark.parametrize("rate", ["0%", "KCT", "KKKNT", "KHAC:3.5%"])
def test_the_vat_of_other_rates_has_no_column(rate: str) -> None:
    data = data_of(invoice(total=with_rates(rate_total(rate, "1000", "35"))))
    assert not [name for name in data if name.startswith("vat_")]


def test_vat_that_is_not_told_is_not_zero() -> None:
    data = data_of(invoice(total=with_rates(rate_total("8%", "1000", None), rate_total("10%", "1000", "0"))))
    assert "vat_8" not in data
    assert data["vat_10"] == 0


def test_the_vat_of_an_invoice_in_foreign_currency_counts_in_dong() -> None:
    total = with_rates(rate_total("10%", "100", "10.5"))
    data = data_of(invoice(head="<DVTTe>USD</DVTTe><TGia>25000.5</TGia>", total=total))
    assert (data["net_10"], data["vat_10"]) == (2_500_050, 262_505)


def test_an_amount_that_is_read_twice_is_complained_of_once() -> None:
    fields = rules_of(invoice(total=with_rates(rate_total("10%", "1.000.000,5", "100,5"))))
    path = "DLHDon/NDHDon/TToan/THTTLTSuat/LTSuat[1]"
    assert fields == [(f"{path}/ThTien", "decimal"), (f"{path}/TThue", "decimal")]
    fuel = "<THHDVu>Dầu hỏa</THHDVu><DVTinh>Lít</DVTinh><SLuong>1</SLuong><ThTien>1,5</ThTien><TSuat>10%</TSuat>"
    assert rules_of(invoice(line=fuel)) == [("DLHDon/NDHDon/DSHHDVu/HHDVu[1]/ThTien", "decimal")]


@pytest.mark.parametrize("rate", ["7%", "18", "8,0%", "-8%", "KHAC:x", "VAT"])
def test_an_unknown_vat_rate_is_refused_by_name(rate: str) -> None:
    assert rules_of(invoice(rate=rate)) == [("DLHDon/NDHDon/TToan/THTTLTSuat/LTSuat[1]/TSuat", "vat_rate")]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("3590000012", "3590000012"),
        (" 3590000012 ", "3590000012"),
        ("3590000012-001", "3590000012-001"),
        ("3590000012001", "3590000012-001"),
    ],
)
def test_tax_codes_have_one_spelling(text: str, code: str) -> None:
    assert data_of(invoice(seller=f"<MST>{text}</MST>"))["seller_id"] == code


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("3590000013", "tax_code_check_digit"),
        ("3590000012-000", "tax_code_check_digit"),
        ("359000001", "tax_code"),
        ("35900000123", "tax_code"),
        ("ABCDEFGHIJ", "tax_code"),
        ("", "required"),
    ],
)
def test_a_wrong_tax_code_is_refused(text: str, rule: str) -> None:
    assert rules_of(invoice(seller=f"<MST>{text}</MST>")) == [("DLHDon/NDHDon/NBan/MST", rule)]


def test_a_persons_tax_code_leaves_as_a_pseudonym() -> None:
    (event,) = events_of(invoice(seller="<MST>077088000123</MST><MCHang>A1</MCHang>"))
    seller = event.envelope["data"]["seller_id"]
    assert seller.startswith("p") and len(seller) == 21
    assert event.envelope["source"] == f"urn:ioc:reporter:{seller}"
    assert event.envelope["data"]["shop_id"] == f"{seller}.A1"
    again = data_of(invoice(seller="<MST>077 088 000 123</MST>"))["seller_id"]
    assert again == seller, "the same person is the same reporter"
    other_key = Pseudonymiser("k1", SecretStr("another key"))
    (event,) = events_of(invoice(seller="<MST>077088000123</MST>"), pseudonymise=other_key)
    assert event.envelope["data"]["seller_id"] != seller


@pytest.mark.parametrize(
    ("store", "shop"),
    [
        ("CHXD-07", "3590000012.CHXD-07"),
        ("-", None),
        ("", None),
        ("X" * 40, "3590000012." + "X" * 40),
    ],
)
def test_a_store_code_becomes_part_of_the_shops_code(store: str, shop: str | None) -> None:
    assert data_of(invoice(seller=f"<MST>3590000012</MST><MCHang>{store}</MCHang>")).get("shop_id") == shop


@pytest.mark.parametrize("text", ["Cửa hàng Đất Đỏ / số 3", "CH ONG BA", "X" * 41, "-07"])
def test_a_store_that_is_named_instead_of_coded_appears_as_a_pseudonym(text: str) -> None:
    content = invoice(seller=f"<MST>3590000012</MST><MCHang>{text}</MCHang>")
    (event,) = events_of(content)
    shop = event.envelope["data"]["shop_id"]
    assert re.fullmatch(r"3590000012\.s[0-9a-f]{20}", shop)
    assert warnings_of(content) == ["store_code_spelling"]
    again = invoice(seller=f"<MST>3590000012</MST><MCHang> {text.replace(' ', '  ')} </MCHang>")
    assert data_of(again)["shop_id"] == shop, "the same store is the same shop"
    other = invoice(seller=f"<MST>3590000037</MST><MCHang>{text}</MCHang>")
    assert data_of(other)["shop_id"].partition(".")[2] != shop.partition(".")[2]


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("Tiền mặt", "cash"),
        ("TM", "cash"),
        ("1", "cash"),
        ("Chuyển khoản", "transfer"),
        ("CK", "transfer"),
        ("Không dùng tiền mặt", "transfer"),
        ("Thẻ tín dụng", "transfer"),
        ("Ví điện tử", "transfer"),
        ("Đối trừ công nợ", "transfer"),
        ("TM/CK", "mixed"),
        ("Tiền mặt/Chuyển khoản", "mixed"),
        ("", "mixed"),
        ("Khác", "mixed"),
    ],
)
def test_pay_methods(text: str, method: str) -> None:
    assert data_of(invoice(head=f"<HTTToan>{text}</HTTToan>"))["pay_method"] == method


@pytest.mark.parametrize(
    ("buyer", "kind"),
    [
        ("<MST>3590000044</MST><HVTNMHang>NGƯỜI NHẬN</HVTNMHang>", "business"),
        ("<MST>3590000044-001</MST>", "business"),
        ("<MDVQHNSach>1234567</MDVQHNSach>", "business"),
        ("<MST>077088000123</MST>", "person"),
        ("<HVTNMHang>NGUYỄN VĂN THỬ</HVTNMHang>", "person"),
        ("<CCCDan>077088000123</CCCDan>", "person"),
        ("<SHChieu>C1234567</SHChieu>", "person"),
        ("", "anonymous"),
        ("<HVTNMHang>Khách lẻ không cung cấp thông tin</HVTNMHang>", "anonymous"),
        ("<Ten>Khách hàng không lấy hoá đơn</Ten>", "anonymous"),
    ],
)
def test_buyers(buyer: str, kind: str) -> None:
    assert data_of(invoice(buyer=buyer))["buyer_type"] == kind


@pytest.mark.parametrize(
    ("name", "product"),
    [
        ("Xăng RON 95-III", "ron95_iii"),
        ("Xăng không chì RON95-III", "ron95_iii"),
        ("XĂNG A95-III", "ron95_iii"),
        ("RON95-III", "ron95_iii"),
        ("Xăng RON 95-V", "ron95_v"),
        ("Xăng RON 95 mức 5", "ron95_v"),
        ("Xăng E5 RON 92-II", "e5_ron92"),
        ("Xăng sinh học E5", "e5_ron92"),
        ("Dầu DO 0,05S-II", "do_005s"),
        ("Dầu Diesel 0.05S", "do_005s"),
        ("DO 0,001S-V", "do_0001s"),
        ("Dầu điêzen 0,001S-V", "do_0001s"),
        ("Dầu hỏa", "kerosene"),
        ("Dầu hoả dân dụng", "kerosene"),
        ("Mazut 180CST 3.5S", "mazut"),
        ("Dầu FO No2B", "mazut"),
        ("Xăng RON 95", None),
        ("Xăng RON 95-IV", None),
        ("Dầu hoa hồng", None),
        ("Dầu nhớt 4T", None),
        ("Dịch vụ chở xăng RON 95-III", None),
        ("Foam rửa xe", None),
    ],
)
def test_fuel_is_known_by_its_name(name: str, product: str | None) -> None:
    assert shipped_fuels().product_of(name, date(2024, 10, 5)) == product


def test_fuel_that_is_no_known_product_is_left_out_with_a_warning() -> None:
    content = invoice(
        line="<THHDVu>Xăng RON 95-IV</THHDVu><DVTinh>Lít</DVTinh><SLuong>10</SLuong><ThTien>1000000</ThTien>"
    )
    assert not [name for name in data_of(content) if name.startswith(("litres", "fuel"))]
    assert warnings_of(content) == ["unknown_fuel"]


@pytest.mark.parametrize(
    ("field", "told"),
    [("MaVoiBom", True), ("Số log", True), ("PumpID", True), ("Catalog", False), ("GhiChu", False)],
)
def test_a_pump_or_log_number_shows_the_link_to_the_pump(field: str, told: bool) -> None:
    entry = f"<TTKhac><TTin><TTruong>{field}</TTruong><DLieu>V03-PLANTED</DLieu></TTin></TTKhac>"
    line = "<THHDVu>Dầu hỏa</THHDVu><DVTinh>Lít</DVTinh><SLuong>10</SLuong><ThTien>1000000</ThTien><TSuat>10%</TSuat>"
    data = data_of(invoice(line=line + entry))
    assert data["pump_auto"] is told
    assert (data["litres_kerosene"], data["fuel_kerosene"]) == (10.0, 1_100_000)
    assert "PLANTED" not in str(data)


def test_the_tax_authoritys_code_is_expected_once_coded() -> None:
    bare = invoice(after="")
    assert warnings_of(bare) == ["code_missing"]
    message = b"<TDiep><TTChung><MLTDiep>202</MLTDiep></TTChung><DLieu>" + bare + b"</DLieu></TDiep>"
    assert warnings_of(message) == ["code_missing"]
    assert warnings_of(message.replace(b">202<", b">200<")) == [], "it is sent to get its code"
    assert warnings_of(bare.replace(b"<NLap>", b"<MCCQT>00</MCCQT><NLap>")) == [], "misplaced is there"
    signed = bare.replace(b"</HDon>", b"<DSCKS><Signature><MCCQT>00</MCCQT></Signature></DSCKS></HDon>")
    assert warnings_of(signed) == ["code_missing"], "inside a signature it is not the invoice's"


def test_sums_that_differ_by_more_than_one_dong_a_line_are_a_warning() -> None:
    def with_total(gross: int) -> bytes:
        return invoice().replace(b"<TgTTTBSo>1100000<", f"<TgTTTBSo>{gross}<".encode())

    assert warnings_of(with_total(1_100_001)) == []
    assert warnings_of(with_total(1_100_002)) == ["sum_differs"]
    assert data_of(with_total(1_100_002))["amount_gross"] == 1_100_002, "what is declared is kept"


def test_foreign_currency_needs_a_rate() -> None:
    assert rules_of(invoice(head="<DVTTe>USD</DVTTe>")) == [("DLHDon/TTChung/TGia", "required")]
    assert rules_of(invoice(head="<DVTTe>USD</DVTTe><TGia>0</TGia>")) == [("DLHDon/TTChung/TGia", "positive")]
    assert data_of(invoice(head="<DVTTe>USD</DVTTe><TGia>2.5</TGia>"))["amount_net"] == 2_500_000
    assert data_of(invoice(head="<DVTTe>VND</DVTTe><TGia>2.5</TGia>"))["amount_net"] == 1_000_000


@pytest.mark.parametrize(
    ("amount", "dong"), [("0.5", 1), ("-0.5", -1), ("0.49", 0), ("2.5", 3), ("-13340460.000000", -13340460)]
)
def test_half_a_dong_is_rounded_away_from_zero(amount: str, dong: int) -> None:
    total = f"<TgTCThue>{amount}</TgTCThue><TgTThue>0</TgTThue><TgTTTBSo>{amount}</TgTTTBSo>"
    assert data_of(invoice(total=total))["amount_net"] == dong


def test_an_amount_beyond_all_bounds_is_refused() -> None:
    total = f"<TgTCThue>{'9' * 15}</TgTCThue><TgTThue>0</TgTThue><TgTTTBSo>0</TgTTTBSo>"
    assert rules_of(invoice(total=total)) == [("amount_net", "less_than_equal")]


def related(kind: str, series: str = "C24TAA", number: str = "9", old_kind: str = "1") -> str:
    return (
        f"<TTHDLQuan><TCHDon>{kind}</TCHDon><LHDCLQuan>{old_kind}</LHDCLQuan><KHMSHDCLQuan>1</KHMSHDCLQuan>"
        f"<KHHDCLQuan>{series}</KHHDCLQuan><SHDCLQuan>{number}</SHDCLQuan></TTHDLQuan>"
    )


def test_reading_twice_gives_the_same_events() -> None:
    assert read_bytes(invoice()) == read_bytes(invoice())
    one, other = events_of(invoice())[0], events_of(invoice(number="<SHDon>2</SHDon>"))[0]
    assert one.envelope["id"] != other.envelope["id"]
