"""Fields of procedures by code or name: the portal's many fields as the record's twelve."""

from __future__ import annotations

import re

from connectors.formats.plain import plain

_FIELDS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("civil_status", re.compile(r"ho tich|chung thuc|tu phap|ly lich")),
    ("land", re.compile(r"dat dai|nha dat|dia chinh")),
    ("construction", re.compile(r"xay dung|quy hoach|kien truc|nha o")),
    ("business", re.compile(r"doanh nghiep|ho kinh doanh|dau tu|hop tac xa|dang ky kinh doanh")),
    ("social", re.compile(r"bao tro|nguoi co cong|lao dong|xa hoi|bao hiem|viec lam|tre em")),
    ("transport", re.compile(r"giao thong|duong bo|duong thuy|van tai|dang kiem|lai xe|phuong tien")),
    ("health", re.compile(r"\by te\b|kham chua benh|duoc|an toan thuc pham|my pham")),
    ("education", re.compile(r"giao duc|dao tao|truong hoc|van bang")),
    ("environment", re.compile(r"moi truong|tai nguyen|khoang san|nuoc")),
    ("residence", re.compile(r"cu tru|can cuoc|ho chieu|xuat nhap canh|ho khau")),
    ("trade", re.compile(r"cong thuong|luu thong hang hoa|ruou|thuoc la|xang dau|thuong mai")),
)


def field_of(code: str, name: str) -> str:
    """Return the record's field of a procedure, `other` where neither code nor name tells one."""
    text = plain(f"{name} {code}")
    return next((field for field, pattern in _FIELDS if pattern.search(text)), "other")
