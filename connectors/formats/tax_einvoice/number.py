"""An invoice's identity: template digit, series and number; with the seller's code it holds for all time.

Source: QĐ 1450/QĐ-TCT, TT 78/2021/TT-BTC Art. 4; series and number start anew each year.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from connectors.formats.findings import shown
from connectors.formats.readers.node import Node

_TEMPLATE = re.compile(r"[1-9]")
_SERIES = re.compile(r"[CK][0-9]{2}[TDLMNBGHX][A-Z]{2}")
_NUMBER = re.compile(r"0*([0-9]{1,8})")


@dataclass(frozen=True)
class InvoiceNumber:
    """Template, series (upper case) and number (no leading zeros) of an invoice under Decree 123/2020."""

    template: str
    series: str
    number: int

    @property
    def key(self) -> str:
        """What follows the seller's code in the record's key."""
        return f"{self.template}/{self.series}/{self.number}"

    def __str__(self) -> str:
        """As people name it: series and number."""
        return f"{self.template}{self.series} {self.number}"


def read_number(template: Node, series: Node, number: Node) -> InvoiceNumber:
    """Return the identity that three elements tell; notes what is missing or misspelt."""
    return InvoiceNumber(
        _match(template, _TEMPLATE, "một chữ số từ 1 đến 9", "one digit from 1 to 9"),
        _match(series, _SERIES, "6 ký tự như C24TAA", "6 characters like C24TAA"),
        int(_match(number, _NUMBER, "tối đa 8 chữ số", "at most 8 digits") or 0),
    )


def is_current(template: Node, series: Node, number: Node | None = None) -> bool:
    """Return whether template and series are spelt as under Decree 123/2020 (older invoices are not)."""
    return bool(
        _TEMPLATE.fullmatch(template.text())
        and _SERIES.fullmatch("".join(series.text().split()).upper())
        and (number is None or _NUMBER.fullmatch("".join(number.text().split())))
    )


def _match(node: Node, pattern: re.Pattern[str], vi: str, en: str) -> str:
    text = "".join(node.required().split()).upper()
    if text and not pattern.fullmatch(text):
        node.findings.refuse(node.path, "pattern", f"phải là {vi}", f"must be {en}", shown(text))
        return ""
    return text
