"""How it was paid, and what kind of buyer it was; the buyer's own data stays here (NĐ 13/2023/NĐ-CP)."""

from __future__ import annotations

import re
import unicodedata

from connectors.formats.einvoice.taxpayer import is_company
from connectors.formats.node import Node
from connectors.formats.plain import plain

_MAX_STORE = 40
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


def read_pay_method(head: Node) -> str:
    """Return cash, transfer or mixed; mixed also stands for what the free text of HTTToan leaves open."""
    text = plain(head.text("HTTToan"))
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


def read_shop(seller: Node, seller_id: str) -> str | None:
    """Return `<seller>.<store code>` where the seller names the store, spelt with the signs of a code."""
    ascii_text = unicodedata.normalize("NFKD", seller.text("MCHang").replace("Đ", "D").replace("đ", "d"))
    store = re.sub(r"[^0-9A-Za-z._-]+", "-", ascii_text.encode("ascii", "ignore").decode()).strip("-._")
    return f"{seller_id}.{store[:_MAX_STORE]}" if store else None
