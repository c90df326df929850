"""E-invoices as the tax office's messages: 200 (originals of one rate, fuel at the pump), 300 and 303, and 400."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from lxml import etree

from deploy.simulator.ledger import Data
from deploy.simulator.native.file import Desk, NativeFile, ToldRecord, present
from deploy.simulator.record import Life

_PAID = {"cash": "Tiền mặt", "transfer": "Chuyển khoản", "mixed": "TM/CK"}
_FUELS = {
    "ron95_iii": "Xăng RON 95-III",
    "ron95_v": "Xăng RON 95-V",
    "e5_ron92": "Xăng E5 RON 92-II",
    "do_005s": "Dầu DO 0,05S-II",
    "do_0001s": "Dầu DO 0,001S-V",
    "kerosene": "Dầu hỏa",
    "mazut": "Mazut N°2B",
}


def message_200(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """Invoices of one rate in one message, with the authority's code and signatures."""
    root = etree.Element("TDiep")
    head = etree.SubElement(root, "TTChung")
    for name, value in {"PBan": "2.0.1", "MNGui": "K3590000012", "MNNhan": "TCT", "MLTDiep": "200"}.items():
        etree.SubElement(head, name).text = value
    body, told = etree.SubElement(root, "DLieu"), []
    for life in lives:
        data = life.data
        rates = [int(name[4:]) for name in data if name.startswith("net_") and name[4:].isdigit()]
        if data["relation"] != "original" or data["template"] != "1" or len(rates) != 1:
            continue
        _invoice(body, data, rates[0])
        told.append(ToldRecord("tax.einvoice", life.reporter, present(**{**data, "pump_auto": False})))
    etree.SubElement(head, "SLuong").text = str(len(told))
    return NativeFile("message_200.xml", etree.tostring(root, encoding="UTF-8", xml_declaration=True), tuple(told))


def message_300(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """A notice of wrong invoices: every second one is cancelled, the others explained."""
    return _notice(lives, desk, "300")


def message_303(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """The same of invoices of cash registers."""
    return _notice(lives, desk, "303")


def _notice(lives: Sequence[Life], desk: Desk, message: str) -> NativeFile:
    desks = message == "303"
    own = [
        life.data for life in lives if life.data["relation"] == "original" and (life.data["series"][3] == "M") == desks
    ]
    seller = own[0]["seller_id"] if own else ""
    own = [data for data in own if data["seller_id"] == seller]
    root, told = etree.Element("TDiep"), []
    _put(
        etree.SubElement(root, "TTChung"), PBan="2.0.1", MLTDiep=message, MST=seller, SLuong=1
    )  # one notice, whatever it lists
    notice = etree.SubElement(etree.SubElement(root, "DLieu"), "TBao")
    body = etree.SubElement(notice, "DLTBao")
    _put(body, PBan="2.0.1", MSo="04/SS-HĐĐT", Loai=1, MST=seller, NTBao=str(desk.today))
    listing = etree.SubElement(body, "DSHDon")
    for number, data in enumerate(own):
        cancels = number % 2 == 0
        _put(
            etree.SubElement(listing, "HDon"),
            STT=number + 1,
            KHMSHDon=data["template"],
            KHHDon=data["series"],
            SHDon=f"{data['number']:08d}",
            Ngay=data["issued_on"],
            LADHDDT=1,
            TCTBao=1 if cancels else 4,
            LDo="Sai sót",
        )
        about = {name: data[name] for name in ("seller_id", "template", "series", "number", "issued_on")}
        kind = "cancellation" if cancels else "error_notice"
        told.append(
            ToldRecord(
                "tax.einvoice", seller, {**about, "relation": kind, "pay_method": "mixed", "buyer_type": "anonymous"}
            )
        )
        if cancels:
            told.append(ToldRecord("tax.einvoice", seller, None))
    return NativeFile(
        f"message_{message}.xml", etree.tostring(root, encoding="UTF-8", xml_declaration=True), tuple(told)
    )


def _invoice(body: etree._Element, data: Data, rate: int) -> None:
    invoice = etree.SubElement(body, "HDon")
    content = etree.SubElement(invoice, "DLHDon")
    _put(
        etree.SubElement(content, "TTChung"),
        PBan="2.0.1",
        KHMSHDon=data["template"],
        KHHDon=data["series"],
        SHDon=f"{data['number']:08d}",
        NLap=data["issued_on"],
        DVTTe="VND",
        HTTToan=_PAID[data["pay_method"]],
    )
    parties = etree.SubElement(content, "NDHDon")
    shop = str(data.get("shop_id") or "").partition(".")[2]
    _put(etree.SubElement(parties, "NBan"), Ten="CÔNG TY THỬ", MST=data["seller_id"], MCHang=shop or None)
    buyer = {"business": {"Ten": "CÔNG TY MUA", "MST": "3590000037"}, "person": {"Ten": "Nguyễn Thử"}}
    _put(etree.SubElement(parties, "NMua"), **buyer.get(data["buyer_type"], {"Ten": "Người mua không lấy hóa đơn"}))
    lines = etree.SubElement(parties, "DSHHDVu")
    line: dict[str, object] = {
        "TChat": 1,
        "STT": 1,
        "THHDVu": "Hàng hóa",
        "ThTien": data["amount_net"],
        "TSuat": f"{rate}%",
    }
    for fuel, name in _FUELS.items():
        if f"litres_{fuel}" in data:
            # The line says the value without VAT to the hundredth, so that with VAT it is what the pump showed.
            net = Decimal(data[f"fuel_{fuel}"]) * 100 / (100 + rate)
            line |= {"THHDVu": name, "DVTinh": "Lít", "SLuong": data[f"litres_{fuel}"], "ThTien": f"{net:.6f}"}
    _put(etree.SubElement(lines, "HHDVu"), **line)
    totals = etree.SubElement(parties, "TToan")
    by_rate = etree.SubElement(etree.SubElement(totals, "THTTLTSuat"), "LTSuat")
    _put(by_rate, TSuat=f"{rate}%", ThTien=data["amount_net"], TThue=data["amount_vat"])
    _put(totals, TgTCThue=data["amount_net"], TgTThue=data["amount_vat"], TgTTTBSo=data["amount_gross"])
    if data["series"].startswith("C"):
        etree.SubElement(invoice, "MCCQT").text = "M1-24-SYN01-00000000001"
    signatures = etree.SubElement(invoice, "DSCKS")
    for party, at in (("NBan", data["signed_at"]), ("CQT", data["sent_at"])):
        signature = etree.SubElement(etree.SubElement(signatures, party), "Signature")
        etree.SubElement(signature, "SigningTime").text = datetime.fromisoformat(at).strftime("%Y-%m-%dT%H:%M:%S")


def _put(parent: etree._Element, **fields: object) -> None:
    for name, value in fields.items():
        if value is not None:
            etree.SubElement(parent, name).text = str(value)
