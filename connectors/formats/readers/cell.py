"""One cell of a template: how the template calls it, its text, and strict readings of it.

What a cell holds may be personal data in the wrong column, so reasons show it masked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from connectors.formats.findings import Findings
from ioc.feeds.validation import mask

# What a cell of a workbook, or a value of JSON, is by its own type. `unread`: a formula without a result, or an error;
# `merged`: part of a merged cell whose value stands elsewhere; `percent`: 35 % that the file holds as 0.35.
Holds = Literal["text", "number", "date", "flag", "unread", "merged", "percent"]
_UNREAD: Mapping[str, tuple[str, str, str]] = {
    "unread": (
        "formula_unread",
        "ô chứa công thức chưa có kết quả hoặc báo lỗi (#N/A, #DIV/0!); hãy tính lại trong Excel rồi lưu, hoặc dán "
        "giá trị",
        "the cell holds a formula without a result, or an error (#N/A, #DIV/0!); calculate and save it in Excel, "
        "or paste values",
    ),
    "merged": (
        "merged_cell",
        "ô bị gộp (merge) với ô khác nên không rõ giá trị của dòng này; hãy bỏ gộp ô và điền từng dòng",
        "the cell is merged with others, so that the row's own value is not told; unmerge it and fill in each row",
    ),
    "percent": (
        "percent_cell",
        "ô ở dạng phần trăm: Excel lưu 35% thành 0,35; hãy đổi ô sang dạng số và ghi 35",
        "the cell is formatted as a percentage, which Excel keeps as 0.35 for 35%; format it as a number and write 35",
    ),
}

_DAY = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_CHOICE = re.compile(r"([0-9A-Za-z]{1,4})(?:\s*-\s*(.*))?", re.DOTALL)


@dataclass(frozen=True)
class InputField:
    """A cell or an element, `field` as reasons name it; `holds` is its own type in a workbook or in JSON."""

    field: str
    text: str = ""
    holds: Holds = "text"

    @property
    def is_text(self) -> bool:
        """Whether it is text: numbers and dates of a workbook are none."""
        return self.holds == "text"

    @property
    def is_unread(self) -> bool:
        """Whether there is something that tells no value: neither an empty cell nor 0."""
        return self.holds in _UNREAD

    def required(self, findings: Findings) -> str:
        """Return the text; notes a reason where it is empty or not text."""
        if not self.text and not self.is_unread:
            findings.missing(self.field)
        return self.optional(findings)

    def optional(self, findings: Findings) -> str:
        """Return the text, empty where there is none; notes a reason where the cell is not text."""
        if self.is_text:
            return self.text
        if self.is_unread:
            self.refuse_unread(findings)
            return ""
        findings.refuse(
            self.field,
            "not_text",
            "ô phải ở định dạng văn bản (Text): số làm mất số 0 đứng đầu, ngày có thể bị đảo ngày và tháng",
            "the cell must be text: numbers lose leading zeros, and dates may have day and month swapped",
        )
        return ""

    def refuse_unread(self, findings: Findings) -> None:
        """Note why what the cell holds tells no value."""
        findings.refuse(self.field, *_UNREAD[self.holds])

    def day(self, findings: Findings) -> date | None:
        """Return a `dd/mm/yyyy`, None where the cell is empty or wrong."""
        text = self.optional(findings)
        if not text:
            return None
        found = _DAY.fullmatch(text)
        if found:
            try:
                return date(int(found[3]), int(found[2]), int(found[1]))
            except ValueError:
                pass
        self.refuse(findings, "date", "ngày phải có dạng dd/mm/yyyy", "must be a day as dd/mm/yyyy")
        return None

    def choice(self, findings: Findings) -> tuple[str, str]:
        """Return code and label of a required `code - label` (the label may be absent)."""
        text = self.required(findings)
        found = _CHOICE.fullmatch(text)
        if found:
            return found[1].upper(), (found[2] or "").strip()
        if text:
            self.refuse(
                findings,
                "choice",
                "phải chọn từ danh mục, dạng mã - tên (ví dụ M - Nam)",
                "must be picked from the list, as code - label (for example M - Nam)",
            )
        return "", ""

    def refuse(self, findings: Findings, rule: str, vi: str, en: str) -> None:
        """Note a reason that shows the cell masked."""
        findings.refuse(self.field, rule, vi, en, mask(self.text))

    def warn(self, findings: Findings, rule: str, vi: str, en: str) -> None:
        """Note a warning that shows the cell masked."""
        findings.warn(self.field, rule, vi, en, mask(self.text))
