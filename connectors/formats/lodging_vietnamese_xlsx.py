"""The police template for Vietnamese guests as XLSX (sheet `DS_KHACH_VIET_NAM_LUU_TRU`).

Row 4 is the template's example; guests stand from row 5 on. Columns are read by position, because the
headings hold stray spaces. Lists are cells of the form `code - label`; dates and numbers of documents are
text.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.formats.findings import Findings, refused
from connectors.formats.format import BadRecord, Context, Event, Format, attempt
from connectors.formats.lodging.cell import InputField
from connectors.formats.lodging.stay import (
    FEED,
    Declaration,
    paper_of,
    purpose_of,
    read_stay,
    require_establishment,
)
from connectors.formats.safe_xlsx import SheetRow, is_workbook, read_rows, sheet_names

SHEET = "DS_KHACH_VIET_NAM_LUU_TRU"
_FIRST_ROW = 5
_COLUMNS = 19


def _read(data: bytes, context: Context) -> Iterator[Event | BadRecord]:
    require_establishment(context)
    found = False
    for number, row in read_rows(data, SHEET, _FIRST_ROW, _COLUMNS):
        # Templates come with the serial numbers of empty rows filled in.
        if not any(cell.text for cell in row[1:]):
            continue
        found = True
        where = f"{context.file}: {SHEET}!{number}"
        yield from attempt(where, _stay(row, where, context))
    if not found:
        raise refused(
            SHEET,
            "empty",
            f"trang tính không có khách nào từ dòng {_FIRST_ROW}; kiểm tra lại việc xuất dữ liệu",
            f"the sheet holds no guests from row {_FIRST_ROW} on; check how it was exported",
        )


def _stay(row: SheetRow, where: str, context: Context) -> Iterator[Event]:
    findings = Findings()
    cells = {cell.field: cell for cell in row}
    paper_code, paper_label = cells["F"].choice(findings)
    reason_code, reason_label = cells["Q"].choice(findings)
    declaration = Declaration(
        birth=cells["C"],
        sex=cells["D"],
        nationality=cells["E"],
        number=cells["H"],
        arrival=cells["N"],
        planned_departure=cells["O"],
        departure=InputField("", ""),
        paper=paper_of(paper_code, paper_label, cells["G"].text),
        purpose=purpose_of(reason_code, reason_label, cells["R"].text),
        province=cells["K"],
    )
    yield read_stay(declaration, findings, where, context)


FORMAT = Format(
    name="lodging_vietnamese_xlsx",
    feeds=(FEED,),
    title_vi=f"khai báo lưu trú khách Việt Nam XLSX (trang {SHEET})",
    title_en=f"residence declaration of Vietnamese guests, XLSX (sheet {SHEET})",
    recognise=lambda data: is_workbook(data) and SHEET in sheet_names(data),
    read=_read,
)
