"""How workbooks from outside are opened: bounded before anything is unpacked, every sheet a table.

A workbook is a ZIP of XML, so the sizes that it declares are checked first, each XML part for a DTD, and how far its
cells reach, because calamine holds a sheet as a full rectangle.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from connectors.formats.findings import refused
from connectors.formats.plain import composed
from connectors.formats.readers.cell import Holds, InputField
from connectors.formats.readers.source import Source, bytes_source, too_large, unreadable_archive
from connectors.formats.readers.table import Table, TableRow
from connectors.formats.readers.xml import local_name, open_xml, parse_xml
from ioc.errors import RejectedError

MAX_BYTES = 16 * 2**20
MAX_UNPACKED = 64 * 2**20
MAX_PARTS = 1000
MAX_ROWS = 20_000
MAX_CELLS = 4_000_000

_CELL = re.compile(rb"""<(?:\w+:)?c\s[^>]*?\br\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["'][^>]*?(?<!/)>""")
_ROW = re.compile(rb"""<(?:\w+:)?row\s[^>]*?\br\s*=\s*["']([^"']*)["']""")
_WHOLE_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*)(?<!/)>(.*?)</(?:\w+:)?c>", re.DOTALL)
_PLACE = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})([0-9]{1,7})["']""")
_TYPE = re.compile(rb"""\bt\s*=\s*["'](\w+)["']""")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_RESULT = re.compile(rb"<(?:\w+:)?v(?:\s[^>]*)?>([^<]*)<")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_MERGED = re.compile(
    rb"""<(?:\w+:)?mergeCell\s[^>]*?\bref\s*=\s*["']([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})["']"""
)
_STYLE = re.compile(rb"""\bs\s*=\s*["']([0-9]{1,5})["']""")
# Formats that every workbook knows: 0% and 0.00%.
_PERCENT_FORMATS = frozenset({"9", "10"})
_DTD = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_LAST_ROW = 1_048_576


# (row, column from 0) -> why the cell tells no value.
Unread = dict[tuple[int, int], Holds]


def open_workbook(source: Source) -> list[Table]:
    """Return the sheets with anything in them; raises RejectedError where the file is hostile or broken."""
    data, parts = _checked(source)
    for name, content in parts.items():
        if name.endswith((".xml", ".rels", ".vml")):
            _check_part(name, content)
        elif _DTD.search(content.replace(b"\0", b"")):
            raise unreadable_archive()
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [
            (meta.name, _values(book, meta.name), meta.visible != SheetVisibleEnum.Visible)
            for meta in book.sheets_metadata
            if meta.typ == SheetTypeEnum.WorkSheet
        ]
    except RejectedError:
        raise
    except Exception:  # calamine raises errors of many kinds on broken files
        raise unreadable_archive() from None
    unread = _unread_cells(parts)
    return [
        replace(_table(source, name.strip(), rows, unread.get(name, {})), hidden=hidden)
        for name, rows, hidden in sheets
        if rows
    ]


def _table(source: Source, name: str, rows: list[tuple[int, list[object]]], unread: Unread) -> Table:
    def cells() -> Iterator[tuple[int, TableRow]]:
        for number, values in rows:
            yield (
                number,
                tuple(
                    InputField(letter_of(index), "", unread[number, index])
                    if (number, index) in unread
                    else _cell(letter_of(index), value)
                    for index, value in enumerate(values)
                ),
            )

    return Table(source, name, cells)


def letter_of(place: int) -> str:
    """Return a column's letters by its index from 0."""
    letters = ""
    while place >= 0:
        letters, place = chr(ord("A") + place % 26) + letters, place // 26 - 1
    return letters


def _checked(source: Source) -> tuple[bytes, dict[str, bytes]]:
    """Return the workbook's bytes and what it holds by name; the sizes that it declares bound what is unpacked."""
    if source.size > MAX_BYTES:
        raise too_large(MAX_BYTES)
    data = source.read()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if len(parts) <= MAX_PARTS and sum(part.file_size for part in parts) <= MAX_UNPACKED:
                return data, {part.filename: archive.read(part) for part in parts}
    except Exception:  # zipfile raises errors of many kinds on broken files, and for encrypted ones
        raise unreadable_archive() from None
    raise refused(
        "",
        "workbook_too_large",
        f"tệp Excel giải nén vượt {MAX_UNPACKED // 2**20} MiB hoặc {MAX_PARTS:,} phần; hãy chia nhỏ tệp",
        f"the workbook unpacks to more than {MAX_UNPACKED // 2**20} MiB or {MAX_PARTS:,} parts; split the file",
    )


def _check_part(name: str, content: bytes) -> None:
    """Refuse a part with a DTD, and a sheet with a cell (that holds something) or a row beyond a workbook's size."""
    if content.strip():
        open_xml(bytes_source(name, content))
    if not name.startswith("xl/worksheets/"):
        return
    if any(not row.isdigit() for row in _ROW.findall(content)):
        raise unreadable_archive()
    if any(int(row) > _LAST_ROW for row in _ROW.findall(content)):
        raise _too_many_rows(name)
    last_row = last_column = 0
    for letters, row in _CELL.findall(content):
        last_row, last_column = max(last_row, int(row)), max(last_column, _index(letters))
    if last_row * last_column > MAX_CELLS:
        raise refused(
            name,
            "far_cell",
            "có ô nằm rất xa bảng dữ liệu; hãy xóa các ô thừa rồi lưu lại",
            "a cell lies far away from the table; delete what is not data and save again",
        )


def _unread_cells(parts: dict[str, bytes]) -> dict[str, Unread]:
    """Return, by the sheet's name, the cells that tell no value, and why.

    calamine gives formulas without a result, errors and the rest of a merged cell as empty cells, and an empty cell
    says that there is no number, or takes back the one before. `=B2*C2` that no program has calculated says neither,
    nor does `#N/A`. A percentage it gives as a number a hundredth of what people see.
    """
    percent = _percent_styles(parts.get("xl/styles.xml", b""))
    return {
        sheet: dict([*_merged_in(parts.get(part, b"")), *_unread_of(parts.get(part, b""), percent)])
        for sheet, part in _sheet_parts(parts).items()
    }


def _unread_of(content: bytes, percent: frozenset[bytes]) -> Iterator[tuple[tuple[int, int], Holds]]:
    if not percent and not any(mark in content for mark in (b"<f", b":f", b'"e"', b"'e'")):
        return
    for attributes, inside in _WHOLE_CELL.findall(content):
        place, kind, style = _PLACE.search(attributes), _TYPE.search(attributes), _STYLE.search(attributes)
        if place is None:
            continue
        cell = int(place[2]), _index(place[1]) - 1
        told = _RESULT.search(inside)
        is_open = _FORMULA.search(inside) is not None and not (told and told[1].strip())
        # A formula whose result is an empty text has the type `str`.
        if (kind and kind[1] == b"e") or (is_open and not (kind and kind[1] == b"str")):
            yield cell, "unread"
        elif told and style and style[1] in percent and (kind is None or kind[1] == b"n"):
            yield cell, "percent"


def _merged_in(content: bytes) -> Iterator[tuple[tuple[int, int], Holds]]:
    """Yield the cells of merged ranges but the first, as far as rows and columns reach that hold anything."""
    filled = [(int(row), _index(letters)) for letters, row in _CELL.findall(content)]
    last_row, last_column = max((row for row, _ in filled), default=0), max((one for _, one in filled), default=0)
    count = 0
    for left, top, right, bottom in _MERGED.findall(content):
        for row in range(int(top), min(int(bottom), last_row) + 1):
            for column in range(_index(left), min(_index(right), last_column) + 1):
                count += 1
                if count > MAX_CELLS:
                    raise unreadable_archive()
                if (row, column) != (int(top), _index(left)):
                    yield (row, column - 1), "merged"


def _percent_styles(part: bytes) -> frozenset[bytes]:
    """Return the styles of cells that show a number times a hundred, with a `%` behind it."""
    if not part.strip():
        return frozenset()
    styles = parse_xml(part)
    formats = set(_PERCENT_FORMATS)
    for one in styles.iter():
        if local_name(one) == "numFmt" and "%" in (one.get("formatCode") or ""):
            formats.add(one.get("numFmtId") or "")
    held = next((one for one in styles.iter() if local_name(one) == "cellXfs"), ())
    return frozenset(b"%d" % index for index, one in enumerate(held) if one.get("numFmtId") in formats)


def _sheet_parts(parts: dict[str, bytes]) -> dict[str, str]:
    """Return the part of each sheet by its name, as the workbook and its relationships tell."""
    told = [parts.get(name, b"") for name in ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")]
    if not all(part.strip() for part in told):
        return {}
    book, relations = (parse_xml(part) for part in told)
    targets = {
        relation.get("Id"): (relation.get("Target") or "").lstrip("/").removeprefix("xl/") for relation in relations
    }
    return {
        sheet.get("name") or "": f"xl/{targets.get(sheet.get(_RELATION), '')}"
        for sheet in book.iter()
        if local_name(sheet) == "sheet"
    }


def _values(book: CalamineWorkbook, name: str) -> list[tuple[int, list[object]]]:
    """Return (row number, values) of the rows that hold anything."""
    rows: list[tuple[int, list[object]]] = []
    for number, values in enumerate(book.get_sheet_by_name(name).to_python(skip_empty_area=False), 1):
        if any(value != "" for value in values):
            rows.append((number, [*values]))
            if len(rows) > MAX_ROWS:
                raise _too_many_rows(name.strip())
    return rows


def _cell(field: str, value: object) -> InputField:
    if isinstance(value, str):
        return InputField(field, composed(value))
    if isinstance(value, bool):
        return InputField(field, "true" if value else "false", "flag")
    if isinstance(value, float):
        text = str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
        return InputField(field, text, "number")
    if isinstance(value, datetime):
        midnight = value.time() == time()
        return InputField(field, value.date().isoformat() if midnight else value.isoformat(), "date")
    if isinstance(value, date | time | timedelta):
        return InputField(field, value.isoformat() if not isinstance(value, timedelta) else str(value), "date")
    return InputField(field, str(value), "number")


def _index(letters: bytes) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + letter - 64
    return index


def _too_many_rows(sheet: str) -> RejectedError:
    return refused(
        sheet,
        "too_many_rows",
        f"trang tính có hơn {MAX_ROWS:,} dòng có dữ liệu; hãy chia nhỏ tệp hoặc gửi CSV",
        f"the sheet has more than {MAX_ROWS:,} rows with data; split the file or send CSV",
    )
