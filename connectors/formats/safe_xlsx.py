"""How workbooks from outside are opened: bounded before anything is unpacked, cells as text, by position.

A workbook is a ZIP of XML, so the sizes that it declares are checked first, and each XML part for a DTD.
"""

from __future__ import annotations

import io
import itertools
import re
import warnings
import zipfile
from collections.abc import Iterator

import openpyxl

from connectors.formats.findings import refused
from connectors.formats.lodging.cell import InputField
from connectors.formats.safe_xml import decode_xml
from ioc.errors import RejectedError

MAX_BYTES = 16 * 2**20
MAX_UNPACKED = 32 * 2**20
MAX_PARTS = 1000
MAX_ROWS = 20_000

_SHEET = re.compile(r"""<(?:\w+:)?sheet\s[^>]*?name\s*=\s*["']([^"']*)["']""")
_DTD = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

SheetRow = tuple[InputField, ...]


def is_workbook(data: bytes) -> bool:
    """Return whether bytes look like a workbook (a ZIP)."""
    return data.startswith(b"PK\x03\x04")


def sheet_names(data: bytes) -> tuple[str, ...]:
    """Return the names of a workbook's sheets; raises RejectedError where it is hostile or broken."""
    return tuple(name.strip() for name in _SHEET.findall(decode_xml(_parts(data).get("xl/workbook.xml", b""))))


def read_rows(data: bytes, sheet: str, first_row: int, columns: int) -> Iterator[tuple[int, SheetRow]]:
    """Yield (row number, cells) of a sheet's rows that are not empty, from `first_row` on.

    A row has `columns` cells, named by letter. Raises RejectedError where the file is hostile or broken.
    """
    for name, content in _parts(data).items():
        if name.endswith((".xml", ".rels", ".vml")):
            decode_xml(content)
        elif _DTD.search(content.replace(b"\0", b"")):
            raise _unreadable()
    try:
        rows = _values(data, sheet, first_row, columns)
    except Exception:  # openpyxl raises errors of every kind on broken files
        raise _unreadable() from None
    if len(rows) > MAX_ROWS:
        raise refused(
            sheet,
            "too_many_rows",
            f"trang tính có hơn {MAX_ROWS:,} dòng; hãy chia nhỏ tệp",
            f"the sheet has more than {MAX_ROWS:,} rows; split the file",
        )
    for number, values in enumerate(rows, first_row):
        row = tuple(_cell(_LETTERS[place], value) for place, value in enumerate(values))
        if any(cell.text for cell in row):
            yield number, row


def _parts(data: bytes) -> dict[str, bytes]:
    """Return what a workbook holds by name; the sizes that it declares bound what is unpacked."""
    too_large = len(data) > MAX_BYTES
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            too_large |= len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED
            if not too_large:
                return {part.filename: archive.read(part) for part in parts}
    except Exception:  # zipfile raises errors of many kinds on broken files, and for encrypted ones
        raise _unreadable() from None
    raise refused(
        "",
        "workbook_too_large",
        f"tệp Excel vượt {MAX_BYTES // 2**20} MiB (giải nén {MAX_UNPACKED // 2**20} MiB); hãy chia nhỏ tệp",
        f"the workbook exceeds {MAX_BYTES // 2**20} MiB ({MAX_UNPACKED // 2**20} unpacked); split the file",
    )


def _values(data: bytes, sheet: str, first_row: int, columns: int) -> list[tuple[object, ...]]:
    """Return at most one row more than the limit; a row far down counts with the empty ones above it."""
    with warnings.catch_warnings():
        # Exporters leave out styles; openpyxl's remarks about it are of no use to who sends the file.
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        (name,) = (name for name in book.sheetnames if name.strip() == sheet)
        sheet_rows = book[name]
        # Many exporters write a dimension that is too small; openpyxl would stop there without a word.
        sheet_rows.reset_dimensions()
        rows = sheet_rows.iter_rows(min_row=first_row, max_col=columns, values_only=True)
        return list(itertools.islice(rows, MAX_ROWS + 1))


def _cell(field: str, value: object) -> InputField:
    if value is None or isinstance(value, str):
        return InputField(field, (value or "").strip())
    return InputField(field, str(value), is_text=False)


def _unreadable() -> RejectedError:
    return refused(
        "",
        "workbook_unreadable",
        "không mở được tệp Excel (.xlsx); hãy lưu lại tệp từ phần mềm nguồn",
        "the workbook (.xlsx) cannot be opened; save it again from the source system",
    )
