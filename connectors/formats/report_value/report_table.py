"""Reported values as CSV, XLSX or JSON rows, and as SDMX-CSV, whose columns are the same under their own names."""

from __future__ import annotations

from connectors.formats.flat import RecordMap, flat_format
from connectors.formats.report_value.report import FEED, FIELDS, POINTED, build_value

FORMAT = flat_format(
    "report_table",
    RecordMap(FEED, FIELDS, ("indicator", "area", "value"), build_value, POINTED),
    title_vi="số liệu báo cáo: CSV, XLSX, JSON, SDMX-CSV",
    title_en="reported values: CSV, XLSX, JSON, SDMX-CSV",
    versions=("SDMX-CSV 1.0", "SDMX-CSV 2.0"),
    notes_vi=(
        "Số viết 1234,5 hoặc 1.234,5 hoặc 1234.5; 1.234 có hai cách hiểu nên bị từ chối.",
        "Kỳ từ ngày 15 đến ngày 14 (NĐ 09/2019) được tính vào tháng, quý, năm của ngày cuối.",
        "Ô giá trị trống, OBS_STATUS = M hoặc ACTION = D rút số đã báo cáo.",
    ),
    notes_en=(
        "Numbers as 1234.5, 1234,5 or 1.234,5; 1.234 can be read in two ways and is refused.",
        "A period from the 15th to the 14th (NĐ 09/2019) counts in the month, quarter or year of its last day.",
        "An empty value, OBS_STATUS = M or ACTION = D takes the number back.",
    ),
)
