"""The daily report of lodging establishments as CSV or XLSX, a row a day, with a row of control totals if there is one.

A row whose first cell says `Tổng cộng`, `Tổng` or `Total` holds the sums of the rows above it: where they differ,
rows were lost or changed on the way, and that is told as a refusal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from connectors.formats.field import DAY, TEXT, WHOLE, field, read_fields
from connectors.formats.findings import Findings, refused
from connectors.formats.flat import Built, RecordMap, cells_of, flat_carriers, remarks_on
from connectors.formats.format import BadRecord, Context, Event, Format, Item, attempt
from connectors.formats.plain import plain
from connectors.formats.readers.cell import InputField
from connectors.formats.readers.table import Table
from connectors.formats.tourism_daily_report.report import FEED, read_establishment, report_event
from ioc.errors import RejectedError

_COUNTS = {
    "rooms_total": "tổng số buồng",
    "rooms_available": "số buồng sẵn sàng",
    "rooms_sold": "số buồng đã bán",
    "beds_total": "tổng số giường",
    "arrivals_domestic": "lượt khách trong nước",
    "arrivals_international": "lượt khách quốc tế",
    "overnight_domestic": "khách ở qua đêm trong nước",
    "overnight_international": "khách ở qua đêm quốc tế",
    "day_guests_domestic": "khách trong ngày trong nước",
    "day_guests_international": "khách trong ngày quốc tế",
    "guest_nights_domestic": "ngày khách trong nước",
    "guest_nights_international": "ngày khách quốc tế",
    "revenue_room": "doanh thu buồng",
    "revenue_fnb": "doanh thu ăn uống|revenue_food",
    "revenue_other": "doanh thu khác",
}
_TOTALS = ("tong cong", "tong", "total", "cong")
FIELDS = (
    field("establishment", "establishment_code|ma_co_so|mã cơ sở", TEXT, note="else --establishment"),
    field("report_on", "report_date|ngay_bao_cao|ngày báo cáo", DAY, required=True),
    field("revision", "revision|lan_gui|lần gửi", WHOLE),
    *(field(name, f"{name}|{spellings}", WHOLE, required=True) for name, spellings in _COUNTS.items()),
)


def _unused(values: dict[str, Any], findings: Findings, context: Context) -> Built:
    raise NotImplementedError("reports are built by `_report`, which orders those of one day")


_MAP = RecordMap(FEED, FIELDS, ("report_on", "rooms_available", "rooms_sold"), _unused)


def _read(table: Table, context: Context) -> Iterator[Item]:
    sums: Counter[str] = Counter()
    found = False
    yield from remarks_on(table, _MAP, context)
    for where, cells in cells_of(table, _MAP, context):
        if isinstance(cells, RejectedError):
            yield BadRecord(where, cells.reasons)
            continue
        if any(plain(cell.text) in _TOTALS for name, cell in cells.items() if name not in _COUNTS):
            yield from _check_totals(cells, sums, where, context)
            continue
        found = True
        findings = Findings()
        values = read_fields(FIELDS, cells, findings, context)
        sums.update({name: values[name] for name in _COUNTS if name in values})
        yield from attempt(where, _report(values, where, findings, context))
    if not found:
        raise refused("", "empty", "bảng không có báo cáo nào", "the table holds no reports")


def _report(values: dict[str, Any], where: str, findings: Findings, context: Context) -> Iterator[Event]:
    code = read_establishment(values.get("establishment", ""), "establishment_code", findings, context)
    findings.settle()
    fields = {"establishment_id": code, "report_on": values["report_on"], **{name: values[name] for name in _COUNTS}}
    yield report_event(fields, values.get("revision"), where, findings, context)


def _check_totals(
    cells: dict[str, InputField], sums: Counter[str], where: str, context: Context
) -> Iterator[BadRecord]:
    findings = Findings()
    counts = tuple(declared for declared in FIELDS if declared.name in _COUNTS)
    told = {name: cell for name, cell in cells.items() if cell.text and name in _COUNTS}
    loose = tuple(field(declared.name, declared.sources[0], WHOLE) for declared in counts)
    for name, value in read_fields(loose, told, findings, context).items():
        if value != sums[name]:
            findings.refuse(
                name,
                "control_total",
                "dòng tổng khác tổng các dòng; có dòng bị mất hoặc bị sửa",
                "the total differs from the sum of the rows; rows were lost or changed",
                f"{value - sums[name]:+d}",
            )
    if findings.reasons:
        yield BadRecord(where, tuple(findings.reasons))


FORMAT = Format(
    name="lodging_daily_table",
    feeds=(FEED,),
    title_vi="báo cáo ngày của cơ sở lưu trú: CSV, XLSX",
    title_en="daily report of lodging establishments: CSV, XLSX",
    carriers=flat_carriers(_MAP, "report_date, rooms_available, rooms_sold")[:1],
    fields=FIELDS,
    read=_read,
    notes_vi=("Dòng Tổng cộng (nếu có) được đối chiếu với tổng các dòng.",),
    notes_en=("A row of totals, where there is one, is compared with the sum of the rows.",),
)
