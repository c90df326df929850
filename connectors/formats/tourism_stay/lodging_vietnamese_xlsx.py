"""The police template for Vietnamese guests as XLSX (sheet `DS_KHACH_VIET_NAM_LUU_TRU`).

Columns are read by position, because the headings hold stray spaces. Lists are cells of the form `code - label`; dates
and numbers of documents are text. Row 4 is the template's example, unless somebody wrote a guest into it: a row is an
example where it says so, or where the numbering of guests starts below it. There is no column for the check-out, so
the planned day is used once it is over, marked as estimated.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.formats.carrier import sheet
from connectors.formats.field import TEXT, dropped, field
from connectors.formats.findings import Findings, reason, refused
from connectors.formats.format import Context, Event, Format, Item, Remark, attempt
from connectors.formats.readers.cell import InputField
from connectors.formats.readers.table import Table, TableRow, is_sample
from connectors.formats.tourism_stay.stay import (
    FEED,
    Declaration,
    due_departures,
    paper_of,
    purpose_of,
    read_stay,
    require_establishment,
)

SHEET = "DS_KHACH_VIET_NAM_LUU_TRU"
_EXAMPLE_ROW = 4
_FIRST_NUMBERS = ("1", "01")

FIELDS = (
    dropped("B HỌ TÊN"),
    dropped("I SỐ ĐIỆN THOẠI"),
    dropped("L PHƯỜNG/XÃ"),
    dropped("M ĐỊA CHỈ CHI TIẾT"),
    dropped("P SỐ PHÒNG"),
    dropped("S GHI CHÚ"),
    field(
        "age_years", "C NGÀY SINH", TEXT, required=True, personal="age band", note="age in years on the day of arrival"
    ),
    field("sex", "D GIỚI TÍNH", TEXT, required=True),
    field("nationality", "E QUỐC TỊCH", TEXT, required=True),
    field("doc_type", "F LOẠI GIẤY TỜ", TEXT, required=True),
    field("guest_id", "H SỐ GIẤY TỜ", TEXT, required=True, personal="keyed HMAC"),
    field("home_region", "K TỈNH", TEXT, required=True, personal="area only", note="one of seven regions"),
    field("check_in_on", "N NGÀY ĐẾN", TEXT, required=True, note="dd/mm/yyyy, as text"),
    field(
        "planned_check_out_on",
        "O NGÀY ĐI DỰ KIẾN",
        TEXT,
        required=True,
        note="used as the check-out once the day is over",
    ),
    field("purpose", "Q LÝ DO CƯ TRÚ", TEXT, required=True),
)


def _read(table: Table, context: Context) -> Iterator[Item]:
    require_establishment(context)
    rows = [
        (number, row)
        for number, row in table.rows()
        # Templates come with the serial numbers of empty rows filled in.
        if number >= _EXAMPLE_ROW and any(cell.text for cell in row[1:]) and not is_sample(cell.text for cell in row)
    ]
    if _starts_below(rows):
        warning = reason(
            f"{SHEET}!{_EXAMPLE_ROW}",
            "example_row",
            "dòng 4 được coi là ví dụ của mẫu vì số thứ tự bắt đầu từ dòng sau; nếu là khách thật, hãy đánh số 1 ở "
            "dòng 4 và 2 ở dòng 5",
            "row 4 is taken as the template's example because the numbering starts below it; if it is a guest, "
            "number it 1 and the next row 2",
        )
        yield Remark(context.file, warning)
        rows = rows[1:]
    if not rows:
        raise refused(
            SHEET,
            "empty",
            "trang tính không có khách nào; kiểm tra lại việc xuất dữ liệu",
            "the sheet holds no guests; check how it was exported",
        )
    for number, row in rows:
        where = f"{context.file}{table.place(number)}"
        yield from attempt(where, _stay(row, where, context))


def _starts_below(rows: list[tuple[int, TableRow]]) -> bool:
    """Return whether row 4 holds something and the guests are numbered from a row below it."""
    if len(rows) < 2 or rows[0][0] != _EXAMPLE_ROW:
        return False
    (_, first), (_, second) = rows[:2]
    return second[0].text in _FIRST_NUMBERS and not (first[0].text.isdigit() and first[0].text not in _FIRST_NUMBERS)


def _stay(row: TableRow, where: str, context: Context) -> Iterator[Event]:
    findings = Findings()
    cells = {cell.field: cell for cell in row}

    def cell(letter: str) -> InputField:
        return cells.get(letter, InputField(letter))

    paper_code, paper_label = cell("F").choice(findings)
    reason_code, reason_label = cell("Q").choice(findings)
    declaration = Declaration(
        birth=cell("C"),
        sex=cell("D"),
        nationality=cell("E"),
        number=cell("H"),
        arrival=cell("N"),
        planned_departure=cell("O"),
        departure=InputField("", ""),
        paper=paper_of(paper_code, paper_label, cell("G").text),
        purpose=purpose_of(reason_code, reason_label, cell("R").text),
        province=cell("K"),
        tells_departure=False,
    )
    yield read_stay(declaration, findings, where, context)


FORMAT = Format(
    name="lodging_vietnamese_xlsx",
    feeds=(FEED,),
    title_vi=f"khai báo lưu trú khách Việt Nam XLSX (trang {SHEET})",
    title_en=f"residence declaration of Vietnamese guests, XLSX (sheet {SHEET})",
    carriers=(sheet(SHEET),),
    versions=("2024", "2026"),
    fields=FIELDS,
    read=_read,
    due=due_departures,
    notes_vi=(
        "Cần --establishment <mã cơ sở>; dòng có [EXAMPLE] hoặc [TEST] được bỏ qua.",
        "Mẫu không có cột ngày trả phòng: sau ngày đi dự kiến, khách được coi là đã đi (check_out_estimated = true).",
    ),
    notes_en=(
        "Needs --establishment <code>; a row marked [EXAMPLE] or [TEST] is skipped.",
        "The template has no check-out: once the planned day is over the guest counts as gone (check_out_estimated = "
        "true).",
    ),
)
