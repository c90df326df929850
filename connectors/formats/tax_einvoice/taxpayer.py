"""Tax codes (mã số thuế).

10 digits with a check digit, or 13 for a branch (`NNNNNNNNNN-NNN`). Since 2025-07-01 persons and household
businesses use their 12-digit identity number (TT 86/2024/TT-BTC): accepted, and leaves only as a pseudonym.
"""

from __future__ import annotations

import re

from stdnum.exceptions import ValidationError as InvalidNumberError
from stdnum.vn import mst

from connectors.formats.format import Context
from connectors.formats.readers.node import Node
from ioc.feeds.validation import mask

_COMPANY = re.compile(r"[0-9]{10}(-?[0-9]{3})?")
_PERSONAL = re.compile(r"[0-9]{12}")


def read_taxpayer(node: Node, path: str, context: Context) -> str:
    """Return a taxpayer as a reporter code: the tax code, or `p` and 20 digits of a pseudonym."""
    text = "".join(node.required(path).split())
    if _PERSONAL.fullmatch(text):
        return "p" + context.pseudonymise("mst", text).partition(":")[2][:20]
    if _COMPANY.fullmatch(text):
        try:
            number = mst.validate(text)
        except InvalidNumberError:
            node.findings.refuse(
                node.at(path),
                "tax_code_check_digit",
                "mã số thuế sai số kiểm tra; đối chiếu lại với đăng ký thuế của người bán",
                "the tax code's check digit is wrong; compare it with the seller's tax registration",
                mask(text),
            )
            return ""
        return number if len(number) == 10 else f"{number[:10]}-{number[10:]}"
    if text:
        node.findings.refuse(
            node.at(path),
            "tax_code",
            "mã số thuế phải có 10 chữ số, 13 chữ số (chi nhánh) hoặc 12 chữ số (cá nhân)",
            "a tax code has 10 digits, 13 (a branch) or 12 (a person)",
            mask(text),
        )
    return ""


def is_company(text: str) -> bool:
    """Return whether a buyer's tax code is that of an organisation: 10 or 13 digits."""
    return _COMPANY.fullmatch("".join(text.split())) is not None
