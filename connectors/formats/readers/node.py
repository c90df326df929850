"""One XML element beside the findings of its record: reads children by local name, numbers and days strictly.

An absent element is a node too (`exists` is false), so that optional containers need no case of their own. `Places`
holds the one rule by which elements are found wherever writers put them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from lxml import etree

from connectors.formats.findings import Findings
from connectors.formats.plain import composed
from connectors.formats.readers.xml import children, local_name
from connectors.formats.value import day_of, decimal_of, moment_of
from ioc.feeds.validation import mask

_SIGNATURES = ("Signature", "DSCKS")


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
        """Return a path below this node as reasons show it."""
        return f"{self.path}/{path}" if self.path and path else self.path or path

    def child(self, path: str) -> Node:
        """Return the first descendant along a path of local names."""
        element = self.element
        for name in path.split("/"):
            element = None if element is None else next(children(element, name), None)
        return Node(element, self.findings, self.at(path))

    def children(self, name: str) -> Iterator[Node]:
        """Yield the children of a local name."""
        if self.element is not None:
            for index, element in enumerate(children(self.element, name), 1):
                yield Node(element, self.findings, self.at(f"{name}[{index}]"))

    def descendants(self, name: str) -> Iterator[Node]:
        """Yield all elements of a local name below, at any depth."""
        if self.element is not None:
            for element in self.element.iterdescendants():
                if local_name(element) == name:
                    yield Node(element, self.findings, self.at(f"/{name}"))

    def text(self, path: str = "") -> str:
        """Return a leaf's text without surrounding blanks; empty where it is absent, empty, or no leaf."""
        element = (self.child(path) if path else self).element
        return "" if element is None or len(element) else composed(element.text or "")

    def required(self, path: str = "") -> str:
        """Return a leaf's text; notes a reason where it is absent or empty."""
        text = self.text(path)
        if not text:
            self.findings.missing(self.at(path))
        return text

    def decimal(self, path: str = "") -> Decimal | None:
        """Return a plain decimal (`-12.5`), None where absent; any other spelling refuses the record."""
        text = self.text(path)
        if not text:
            return None
        try:
            return decimal_of(text)
        except ValueError:
            self.findings.refuse(
                self.at(path),
                "decimal",
                "số phải ở dạng thập phân thường, không phân cách hàng nghìn, không số mũ (1000000.5)",
                "must be a plain decimal without thousands separators or exponent (1000000.5)",
                mask(text),
            )
            return None

    def day(self, timezone: ZoneInfo, path: str = "") -> date:
        """Return a required day in the province; a time that names a zone is converted first."""
        text = self.required(path)
        if text:
            try:
                return day_of(text, timezone)
            except (ValueError, OverflowError):
                self.findings.refuse(
                    self.at(path),
                    "date",
                    "ngày phải có dạng YYYY-MM-DD (ví dụ 2024-10-05)",
                    "must be a day as YYYY-MM-DD (2024-10-05)",
                    mask(text),
                )
        return date.min

    def moment(self, timezone: ZoneInfo, path: str = "") -> datetime | None:
        """Return a moment in UTC, None where it is absent or unreadable."""
        try:
            return moment_of(self.text(path), timezone)
        except (ValueError, OverflowError):
            return None


class Places:
    """Finds elements of one record wherever its writer put them.

    The rule: an element counts at whatever depth it stands, but for what lies inside `walls` (signatures, vendors'
    own fields, other records). Empty ones and repetitions of the same content do not matter; two that say different
    things refuse the record.
    """

    def __init__(self, root: Node, walls: frozenset[str]) -> None:
        self._root = root
        self._found: defaultdict[str, list[tuple[str, etree._Element]]] = defaultdict(list)
        self._hidden: Counter[str] = Counter()
        if root.element is not None:
            self._gather(root.element, root.path, walls)

    def the(self, path: str) -> Node:
        """Return the element of the last name of `path`, which is where the specification has it."""
        name = path.rpartition("/")[2]
        found = self._found.get(name, [])
        if len(found) > 1:
            found = [(where, element) for where, element in found if _content(element)]
        if not found:
            found = self._found[name][:1]
        if len(found) > 1 and len({_content(element) for _, element in found}) > 1:
            self._root.findings.refuse(
                path,
                "several",
                f"phần tử {name} xuất hiện nhiều lần với nội dung khác nhau; chỉ giữ một",
                f"the element {name} is there several times with different content; keep one",
            )
        where, element = found[0] if found else (path, None)
        return Node(element, self._root.findings, where)

    def filled(self, path: str) -> bool:
        """Return whether an element of the last name of `path` says anything."""
        return any(_content(element) for _, element in self._found[path.rpartition("/")[2]])

    def hidden(self, name: str) -> bool:
        """Return whether an element of a name stands behind a wall other than a signature, where nothing is read."""
        return self._hidden[name] > 0

    def count(self, name: str) -> int:
        """Return how many elements of a name the record holds."""
        return len(self._found[name])

    def _gather(self, element: etree._Element, path: str, walls: frozenset[str]) -> None:
        for child in element:
            name = local_name(child)
            where = f"{path}/{name}" if path else name
            self._found[name].append((where, child))
            if name not in walls:
                self._gather(child, where, walls)
            elif name not in _SIGNATURES:
                self._hidden.update(local_name(inner) for inner in child.iterdescendants())


def _content(element: etree._Element) -> str:
    """Return what an element says: its own text and that of everything below, with the names."""
    if not len(element):
        return (element.text or "").strip()
    parts = [f"{local_name(child)}={_content(child)}" for child in element if _content(child)]
    return ";".join(parts)
