"""The police template for foreign guests as XLSX (sheet `KBTT`).

Rows 1 and 2 are headings. Exporters differ in the order of columns, so these are found by their headings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from connectors.formats.carrier import sheet
from connectors.formats.field import TEXT, dropped, field
from connectors.formats.findings import Findings, refused
from connectors.formats.format import Context, Event, Format, Item, attempt
from connectors.formats.plain import plain
from connectors.formats.readers.cell import InputField
from connectors.formats.readers.table import Table, TableRow, is_sample
from connectors.formats.tourism_stay.stay import FEED, PASSPORT, Declaration, read_stay, require_establishment

SHEET = "KBTT"
_HEADING_ROWS = 2
# Column -> (the words its heading has, how people would write them); the first heading that has them is the column.
_HEADINGS: Mapping[str, tuple[str, str]] = {
    "birth": ("ngay sinh", "Ngày sinh"),
    "sex": ("gioi tinh", "Giới tính"),
    "nationality": ("quoc tich", "Quốc tịch"),
    "number": ("ho chieu", "Số hộ chiếu"),
    "arrival": ("ngay den", "Ngày đến"),
    "planned_departure": ("du kien", "Ngày đi dự kiến"),
    "departure": ("tra phong", "Ngày trả phòng"),
    "birth_precision": ("sinh dung den", "Ngày sinh đúng đến"),
}
_OPTIONAL = ("departure", "birth_precision")

FIELDS = (
    dropped("Họ tên"),
    dropped("Số phòng"),
    dropped("Thời hạn tạm trú"),
    field(
        "age_years", "Ngày sinh", TEXT, required=True, personal="age band", note="age in years on the day of arrival"
    ),
    field("sex", "Giới tính", TEXT, required=True),
    field("nationality", "Quốc tịch", TEXT, required=True, note="`USA - United States of America`"),
    field("guest_id", "Số hộ chiếu", TEXT, required=True, personal="keyed HMAC", note="together with the nationality"),
    field("check_in_on", "Ngày đến", TEXT, required=True, note="dd/mm/yyyy, as text"),
    field("planned_check_out_on", "Ngày đi dự kiến", TEXT, required=True, note="dd/mm/yyyy, as text"),
    field("check_out_on", "Ngày trả phòng", TEXT, note="without this column the planned day is used, as estimated"),
)


def _read(table: Table, context: Context) -> Iterator[Item]:
    require_establishment(context)
    headings: list[TableRow] = []
    columns: dict[str, int] = {}
    found = False
    for number, row in table.rows():
        if number <= _HEADING_ROWS:
            headings.append(row)
            continue
        columns = columns or _find_columns(headings)
        # Templates come with the serial numbers of empty rows filled in.
        if is_sample(cell.text for cell in row) or not any(cell.text for cell in row[1:]):
            continue
        found = True
        where = f"{context.file}{table.place(number)}"
        yield from attempt(where, _stay(row, columns, where, context))
    if not found:
        raise refused(
            SHEET,
            "empty",
            "trang tính không có khách nào; kiểm tra lại việc xuất dữ liệu",
            "the sheet holds no guests; check how it was exported",
        )


def _find_columns(headings: list[TableRow]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for row in headings:
        for index, cell in enumerate(row):
            heading = plain(cell.text)
            for column, (words, _) in _HEADINGS.items():
                is_precision = _HEADINGS["birth_precision"][0] in heading
                if words in heading and (column == "birth_precision" or not is_precision):
                    columns.setdefault(column, index)
    missing = [named for column, (_, named) in _HEADINGS.items() if column not in columns and column not in _OPTIONAL]
    if missing:
        names = ", ".join(missing)
        raise refused(
            f"{SHEET}!1:{_HEADING_ROWS}",
            "heading_missing",
            f"không thấy cột có tiêu đề: {names}; giữ nguyên tiêu đề của mẫu",
            f"no column is headed {names}; keep the template's headings",
        )
    return columns


def _stay(row: TableRow, columns: Mapping[str, int], where: str, context: Context) -> Iterator[Event]:
    findings = Findings()

    def cell(column: str) -> InputField:
        place = columns.get(column, len(row))
        return row[place] if place < len(row) else InputField(column)

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
        tells_departure="departure" in columns,
    )
    yield read_stay(declaration, findings, where, context)


FORMAT = Format(
    name="lodging_foreign_xlsx",
    feeds=(FEED,),
    title_vi=f"khai báo tạm trú khách nước ngoài XLSX (trang {SHEET})",
    title_en=f"residence declaration of foreign guests, XLSX (sheet {SHEET})",
    carriers=(sheet(SHEET),),
    fields=FIELDS,
    read=_read,
    notes_vi=("Cần --establishment <mã cơ sở>; dòng có [EXAMPLE] hoặc [TEST] được bỏ qua.",),
    notes_en=("Needs --establishment <code>; a row marked [EXAMPLE] or [TEST] is skipped.",),
)
