"""E-invoices that speak of others: replacements, adjustments, and messages and notices that hold several."""

from __future__ import annotations

import pytest
from format_reading import events_of, read_bytes, rules_of
from test_format_einvoice import data_of, invoice, related, warnings_of

from connectors.formats.format import BadRecord, Event, Remark


def test_a_replacement_voids_the_old_invoice_under_its_own_key() -> None:
    old = events_of(invoice(number="<SHDon>00000009</SHDon>"))[0]
    new, void = events_of(invoice(head=related("1", number="0009")))
    assert (new.envelope["data"]["relation"], new.envelope["revision"]) == ("replacement", 1)
    assert void.envelope["subject"] == old.envelope["subject"]
    assert (void.envelope["voided"], void.envelope["revision"]) == (True, 2)
    assert void.envelope["source"] == old.envelope["source"]
    assert "data" not in void.envelope


def test_an_invoice_cannot_replace_itself() -> None:
    assert rules_of(invoice(head=related("1", number="1"))) == [
        ("DLHDon/TTChung/TTHDLQuan/SHDCLQuan", "replaces_itself")
    ]


def test_replacing_an_invoice_of_an_older_kind_voids_nothing() -> None:
    content = invoice(head=related("1", series="AA/20E", old_kind="3"))
    assert data_of(content)["relation"] == "replacement"
    assert warnings_of(content) == ["replaces_old_kind"]


@pytest.mark.parametrize("broken", [related("1", series="AA/20E"), related("1", number=""), related("3")])
def test_a_relation_that_cannot_be_followed_is_refused(broken: str) -> None:
    assert len(rules_of(invoice(head=broken))) == 1


def test_an_empty_relation_is_none() -> None:
    assert data_of(invoice(head="<TTHDLQuan><TCHDon/></TTHDLQuan>"))["relation"] == "original"


def test_an_adjustment_by_text_alone_changes_no_amount() -> None:
    content = invoice(head=related("2"), line="<THHDVu>Sửa địa chỉ</THHDVu><ThTien/>", total="")
    data = data_of(content)
    assert (data["relation"], data["amount_net"], data["amount_vat"], data["amount_gross"]) == (
        "adjustment",
        0,
        0,
        0,
    )
    assert rules_of(content.replace(b"<TCHDon>2<", b"<TCHDon>1<")) == [
        ("DLHDon/NDHDon/TToan/TgTCThue", "required"),
        ("DLHDon/NDHDon/TToan/TgTThue", "required"),
        ("DLHDon/NDHDon/TToan/TgTTTBSo", "required"),
    ], "only an adjustment may leave its totals empty"


def test_a_message_of_another_type_is_refused_whole() -> None:
    message = b"<TDiep><TTChung><MLTDiep>999</MLTDiep></TTChung><DLieu>" + invoice() + b"</DLieu></TDiep>"
    assert rules_of(message) == [("TDiep/TTChung/MLTDiep", "message_type")]


def test_a_message_may_hold_no_invoice_but_not_fewer_than_it_says() -> None:
    message = "<TDiep><TTChung><MLTDiep>206</MLTDiep><SLuong>{}</SLuong></TTChung><DLieu>{}</DLieu></TDiep>"
    (remark,) = read_bytes(message.format(0, "").encode())
    assert isinstance(remark, Remark) and remark.warning.rule == "empty"
    assert rules_of(message.format("", "").encode()) == [("TDiep/DLieu", "empty")]
    items = read_bytes(message.format(2, invoice().decode()).encode())
    assert [type(item) for item in items] == [Event, BadRecord]
    assert isinstance(items[1], BadRecord) and items[1].reasons[0].rule == "count"


def test_a_bare_notice_is_read_and_needs_lines() -> None:
    line = (
        "<HDon><KHMSHDon>1</KHMSHDon><KHHDon>C24TAA</KHHDon><SHDon>9</SHDon><Ngay>2024-10-05</Ngay>"
        "<TCTBao>1</TCTBao></HDon>"
    )
    notice = "<TBao><DLTBao><MST>3590000012</MST><NTBao>2024-11-01</NTBao><DSHDon>{}</DSHDon></DLTBao></TBao>"
    record, void = events_of(notice.format(line).encode())
    assert record.envelope["subject"] == "3590000012/1/C24TAA/9/cancellation"
    assert record.envelope["data"]["issued_on"] == "2024-10-05", "it counts on the invoice's day"
    assert "revision" not in record.envelope, "a later notice about the same invoice stands"
    assert void.envelope["subject"] == "3590000012/1/C24TAA/9"
    assert rules_of(notice.format("").encode()) == [("DLTBao/DSHDon/HDon", "required")]
