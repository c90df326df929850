"""The police template for foreign guests as XLSX (sheet `KBTT`).

Rows 1 and 2 are headings; a row marked `[TEST]` or `[EXAMPLE]` is the template's sample. Exporters differ in
the order of columns, so these are found by their headings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.formats.findings import Findings, refused
from connectors.formats.format import BadRecord, Context, Event, Format, attempt
from connectors.formats.lodging.cell import InputField
from connectors.formats.lodging.stay import FEED, PASSPORT, Declaration, read_stay, require_establishment
from connectors.formats.plain import plain
from connectors.formats.safe_xlsx import SheetRow, is_workbook, read_rows, sheet_names

SHEET = "KBTT"
_HEADING_ROWS = 2
_COLUMNS = 20
_SAMPLE_MARKS = ("[TEST]", "[EXAMPLE]")
# Column -> the words its heading has; the first heading that has them all is the column.
_HEADINGS: Mapping[str, str] = {
    "birth": "ngay sinh",
    "sex": "gioi tinh",
    "nationality": "quoc tich",
    "number": "ho chieu",
    "arrival": "ngay den",
    "planned_departure": "du kien",
    "departure": "tra phong",
    "birth_precision": "sinh dung den",
}
_OPTIONAL = ("departure", "birth_precision")


def _read(data: bytes, context: Context) -> Iterator[Event | BadRecord]:
    require_establishment(context)
    headings: list[SheetRow] = []
    columns: dict[str, int] = {}
    found = False
    for number, row in read_rows(data, SHEET, 1, _COLUMNS):
        if number <= _HEADING_ROWS:
            headings.append(row)
            continue
        columns = columns or _find_columns(headings)
        if any(mark in cell.text.upper() for cell in row for mark in _SAMPLE_MARKS):
            continue
        # Templates come with the serial numbers of empty rows filled in.
        if not any(cell.text for cell in row[1:]):
            continue
        found = True
        where = f"{context.file}: {SHEET}!{number}"
        yield from attempt(where, _stay(row, columns, where, context))
    if not found:
        raise refused(
            SHEET,
            "empty",
            "trang tính không có khách nào; kiểm tra lại việc xuất dữ liệu",
            "the sheet holds no guests; check how it was exported",
        )


def _find_columns(headings: list[SheetRow]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for row in headings:
        for place, cell in enumerate(row):
            heading = plain(cell.text)
            for column, words in _HEADINGS.items():
                is_precision = _HEADINGS["birth_precision"] in heading
                if words in heading and (column == "birth_precision" or not is_precision):
                    columns.setdefault(column, place)
    missing = [words for column, words in _HEADINGS.items() if column not in columns and column not in _OPTIONAL]
    if missing:
        names = ", ".join(missing)
        raise refused(
            f"{SHEET}!1:{_HEADING_ROWS}",
            "heading_missing",
            f"không thấy cột có tiêu đề: {names}; giữ nguyên tiêu đề của mẫu",
            f"no column is headed: {names}; keep the template's headings",
        )
    return columns


def _stay(row: SheetRow, columns: Mapping[str, int], where: str, context: Context) -> Iterator[Event]:
    findings = Findings()

    def cell(column: str) -> InputField:
        return row[columns[column]] if column in columns else InputField(column)

    declaration = Declaration(
        birth=cell("birth"),
        birth_precision=cell("birth_precision").text[:1].upper() or "D",
        sex=cell("sex"),
        nationality=cell("nationality"),
        number=cell("number"),
        arrival=cell("arrival"),
        planned_departure=cell("planned_departure"),
        departure=cell("departure"),
        paper=PASSPORT,
        purpose="leisure",
    )
    yield read_stay(declaration, findings, where, context)


FORMAT = Format(
    name="lodging_foreign_xlsx",
    feeds=(FEED,),
    title_vi=f"khai báo tạm trú khách nước ngoài XLSX (trang {SHEET})",
    title_en=f"residence declaration of foreign guests, XLSX (sheet {SHEET})",
    recognise=lambda data: is_workbook(data) and SHEET in sheet_names(data),
    read=_read,
)
