"""Where domestic guests live: provinces by name (63 before 2025-07-01, 34 since), in seven regions."""

from __future__ import annotations

import re
from collections.abc import Mapping

from connectors.formats.plain import compact

_REGIONS: Mapping[str, str] = {
    "hcmc": "Hồ Chí Minh",
    "hanoi": "Hà Nội",
    "southeast": "Bà Rịa - Vũng Tàu, Bình Dương, Bình Phước, Đồng Nai, Tây Ninh",
    "mekong": (
        "An Giang, Bạc Liêu, Bến Tre, Cà Mau, Cần Thơ, Đồng Tháp, Hậu Giang, Kiên Giang, Long An, "
        "Sóc Trăng, Tiền Giang, Trà Vinh, Vĩnh Long"
    ),
    "central": (
        "Bình Định, Bình Thuận, Đà Nẵng, Đắk Lắk, Đắk Nông, Gia Lai, Hà Tĩnh, Huế, Khánh Hòa, "
        "Kon Tum, Lâm Đồng, Nghệ An, Ninh Thuận, Phú Yên, Quảng Bình, Quảng Nam, Quảng Ngãi, "
        "Quảng Trị, Thanh Hóa, Thừa Thiên Huế"
    ),
    "north": (
        "Bắc Giang, Bắc Kạn, Bắc Ninh, Cao Bằng, Điện Biên, Hà Giang, Hà Nam, Hải Dương, "
        "Hải Phòng, Hòa Bình, Hưng Yên, Lai Châu, Lạng Sơn, Lào Cai, Nam Định, Ninh Bình, "
        "Phú Thọ, Quảng Ninh, Sơn La, Thái Bình, Thái Nguyên, Tuyên Quang, Vĩnh Phúc, Yên Bái"
    ),
}
_PREFIX = re.compile(r"^(tinh|thanhpho|tp)")
_BY_PROVINCE: Mapping[str, str] = {
    compact(name): region for region, names in _REGIONS.items() for name in names.split(", ")
}


def home_region(province: str, home_province: str) -> str | None:
    """Return the region of a province's name (with or without `Tỉnh`, `TP.`), None for an unknown name.

    Residents of `home_province` are `local`.
    """
    name = _PREFIX.sub("", compact(province))
    if name == _PREFIX.sub("", compact(home_province)):
        return "local"
    return _BY_PROVINCE.get(name)
