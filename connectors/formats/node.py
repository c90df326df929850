"""One XML element beside the findings of its record: reads children by local name, numbers and days strictly.

An absent element is a node too (`exists` is false), so that optional containers need no case of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from lxml import etree

from connectors.formats.findings import Findings
from connectors.formats.safe_xml import children, local_name
from ioc.feeds.validation import mask

# 15 digits before the point are more than the largest amount a feed takes, and keep sums exact in 28 digits.
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?")
_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(T[0-9:.]+(Z|[+-][0-9:]+)?)?")


@dataclass(frozen=True)
class Node:
    """An element (or the absence of one), its path below the record, and where to report what is wrong."""

    element: etree._Element | None
    findings: Findings
    path: str = ""

    @property
    def exists(self) -> bool:
        """Whether the element is there."""
        return self.element is not None

    def at(self, path: str) -> str:
        """Return a path below this node as it stands in reasons."""
        return f"{self.path}/{path}" if self.path else path

    def child(self, path: str) -> Node:
        """Return the first descendant along a path of local names."""
        element = self.element
        for name in path.split("/"):
            element = None if element is None else next(children(element, name), None)
        return Node(element, self.findings, self.at(path))

    def children(self, name: str) -> Iterator[Node]:
        """Yield the children of a local name."""
        if self.element is not None:
            for place, element in enumerate(children(self.element, name), 1):
                yield Node(element, self.findings, self.at(f"{name}[{place}]"))

    def descendants(self, name: str) -> Iterator[Node]:
        """Yield all elements of a local name below, at any depth."""
        if self.element is not None:
            for element in self.element.iterdescendants():
                if local_name(element) == name:
                    yield Node(element, self.findings, self.at(f"/{name}"))

    def text(self, path: str = "") -> str:
        """Return a leaf's text without surrounding blanks; empty where it is absent, empty, or no leaf."""
        element = (self.child(path) if path else self).element
        return "" if element is None or len(element) else (element.text or "").strip()

    def required(self, path: str) -> str:
        """Return a leaf's text; notes a reason where it is absent or empty."""
        text = self.text(path)
        if not text:
            self.findings.missing(self.at(path))
        return text

    def decimal(self, path: str) -> Decimal | None:
        """Return a plain decimal (`-12.5`), None where absent; any other spelling refuses the record."""
        text = self.text(path)
        if not text:
            return None
        if not _DECIMAL.fullmatch(text):
            self.findings.refuse(
                self.at(path),
                "decimal",
                "số phải ở dạng thập phân thường, không phân cách hàng nghìn, không số mũ (1000000.5)",
                "must be a plain decimal without thousands separators or exponent (1000000.5)",
                mask(text),
            )
            return None
        return Decimal(text)

    def day(self, path: str) -> date:
        """Return a required `YYYY-MM-DD` (a clock time behind it is ignored)."""
        text = self.required(path)
        found = _DAY.fullmatch(text)
        if found:
            try:
                return date.fromisoformat(found[1])
            except ValueError:
                found = None
        if text:
            self.findings.refuse(
                self.at(path),
                "date",
                "ngày phải có dạng YYYY-MM-DD (ví dụ 2024-10-05)",
                "must be a day as YYYY-MM-DD (2024-10-05)",
                mask(text),
            )
        return date.min
