"""The carriers that formats declare, each recognised by what the file holds, never by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from connectors.formats.format import Carrier
from connectors.formats.readers.json import JsonFile
from connectors.formats.readers.lines import LinesFile
from connectors.formats.readers.table import Table, find_headings
from connectors.formats.readers.xml import XmlFile

Columns = tuple[tuple[str, tuple[str, ...]], ...]


def xml_root(*names: str, wrapped: bool = False) -> Carrier:
    """XML whose root element has one of these local names; `wrapped` also where it lies in an envelope of another."""

    def recognise(document: Any) -> int:
        if not isinstance(document, XmlFile):
            return 0
        if document.root in names:
            return 2
        return 1 if wrapped and any(name in names for name in document.outer()) else 0

    return Carrier("xml", f"XML, root {', '.join(names)}", recognise)


def json_object(*keys: str, **values: str) -> Carrier:
    """JSON (an object, an array or a line each) whose first object has all these keys and values."""
    said = ", ".join([*keys, *(f"{key} = {value}" for key, value in values.items())])

    def recognise(document: Any) -> bool:
        return (
            isinstance(document, JsonFile)
            and all(key in document.first for key in keys)
            and all(document.first.get(key) == value for key, value in values.items())
        )

    return Carrier("json", f"JSON with {said}", recognise)


def json_where(says: str, recognise: Callable[[Mapping[str, Any]], int]) -> Carrier:
    """JSON whose first object is recognised by a rule of its own."""
    return Carrier(
        "json", f"JSON {says}", lambda document: recognise(document.first) if isinstance(document, JsonFile) else 0
    )


def sheet(name: str) -> Carrier:
    """A workbook's sheet of this name."""
    return Carrier(
        "sheet", f"XLSX, sheet {name}", lambda document: isinstance(document, Table) and document.sheet == name
    )


def table(columns: Columns, needed: tuple[str, ...], shown: str) -> Carrier:
    """CSV, or a workbook's sheet, that has a heading for each needed column."""
    return Carrier(
        "table",
        f"CSV or XLSX with columns {shown}",
        lambda document: _columns_found(document, columns, needed),
        tuple(spellings for name, spellings in columns if name in needed),
    )


def lines(says: str, recognise: Callable[[LinesFile], bool]) -> Carrier:
    """Text lines without headings."""
    return Carrier("lines", f"text, {says}", lambda document: isinstance(document, LinesFile) and recognise(document))


def _columns_found(document: Any, columns: Columns, needed: tuple[str, ...]) -> int:
    headings = find_headings(document, columns, needed) if isinstance(document, Table) else None
    return len(headings.columns) if headings is not None else 0


def _is(document: Any, kind: type) -> bool:
    return isinstance(document, kind)
