"""How it was paid, and what kind of buyer it was; the buyer's own data stays here (NĐ 13/2023/NĐ-CP)."""

from __future__ import annotations

import re

from connectors.formats.format import Context
from connectors.formats.plain import plain
from connectors.formats.readers.node import Node
from connectors.formats.tax_einvoice.taxpayer import is_company

_STORE_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,39}")
# An identity card (12 digits, 9 before), a phone number: of a person, whatever the field is called.
_PERSONAL = re.compile(r"[0-9]{12}|[0-9]{9}|(\+?84|0)[0-9]{9,10}")
_CASHLESS = re.compile(
    r"khong dung tien mat|chuyen khoan|\bck\b|\bthe\b|\bqr|\bvi\b|doi tru|bu tru|cong no|ngan hang"
    r"|\batm\b|\bpos\b|^2$|^4$"
)
_CASH = re.compile(r"(?<!khong dung )tien mat|\btm\b|^1$")
_NO_BUYER = re.compile(
    r"khong (cung cap|lay hoa don|lay hd|co thong tin)|khach (hang )?(le|vang lai|khong)"
    r"|nguoi mua khong|nguoi tieu dung"
)
_BUYER_NAMES = ("Ten", "HVTNMHang")
_BUYER_PAPERS = ("MST", "CCCDan", "SHChieu")


def read_pay_method(method: Node) -> str:
    """Return cash, transfer or mixed; mixed also covers what the free text of HTTToan leaves open."""
    text = plain(method.text())
    cash, cashless = _CASH.search(text) is not None, _CASHLESS.search(text) is not None
    if cash == cashless:
        return "mixed"
    return "cash" if cash else "transfer"


def read_buyer_type(buyer: Node) -> str:
    """Return business (an organisation's code), person, or anonymous (no name, or words saying so)."""
    if is_company(buyer.text("MST")) or buyer.text("MDVQHNSach"):
        return "business"
    if any(buyer.text(path) for path in _BUYER_PAPERS):
        return "person"
    names = [plain(buyer.text(path)) for path in _BUYER_NAMES]
    return "person" if any(name and not _NO_BUYER.search(name) for name in names) else "anonymous"


def read_shop(seller: Node, code: Node, seller_id: str, context: Context) -> str | None:
    """Return `<seller>.<store code>` where the seller names the store.

    Some sellers write a name or an address where the code belongs, and a shop may be named after its owner or bear
    the owner's identity or phone number: unless the register knows the code, that becomes `s` and 20 digits of a
    pseudonym, the same for the same text.
    """
    store = " ".join(code.text().split())
    if not any(sign.isalnum() for sign in store):
        return None
    if context.crosswalk.is_registered("tax.einvoice", f"{seller_id}.{store}"):
        return f"{seller_id}.{store}"
    if not _STORE_CODE.fullmatch(store) or _PERSONAL.fullmatch(store.replace(".", "").replace("-", "")):
        store = "s" + context.pseudonymise("store", f"{seller_id}:{store}").partition(":")[2][:20]
        seller.findings.warn(
            code.path,
            "store_code_spelling",
            "mã cửa hàng là tên, địa chỉ, số định danh hoặc số điện thoại; được thay bằng bút danh cho đến khi danh "
            "bạ có mã này",
            "a name, an address, an identity or phone number; a pseudonym is used in its place until the register "
            "knows the code",
        )
    return f"{seller_id}.{store}"
