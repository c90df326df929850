"""Registers of places (establishments, shops, stations) as JSON, CSV or XLSX, a row a place."""

from __future__ import annotations

from typing import Any

from connectors.formats.field import DAY, MOMENT, TEXT, WHOLE, dropped, field
from connectors.formats.findings import Findings
from connectors.formats.flat import Built, RecordMap, flat_format, order_of, reporter_of
from connectors.formats.format import Context

FEED = "registry.reporter"
FIELDS = (
    field(
        "reporter", "agency|co_quan|cơ quan quản lý", TEXT, note="the agency that keeps the register; else --reporter"
    ),
    field("registry", "registry|danh_ba|danh bạ", TEXT, required=True),
    field("place", "place_id|code|ma_co_so|mã cơ sở", TEXT, required=True),
    field("area", "area_code|ma_xa|mã xã", TEXT, required=True),
    field("type", "type|loai_hinh|loại hình", TEXT),
    field("star", "star|hang_sao|hạng sao", WHOLE),
    field("rooms", "rooms|so_buong|số buồng", WHOLE),
    field("beds", "beds|so_giuong|số giường", WHOLE),
    field("opened", "opened_on|ngay_hoat_dong|ngày hoạt động", DAY, required=True),
    field("closed", "closed_on|ngay_dong_cua|ngày đóng cửa", DAY),
    field("updated_at", "updated_at|cap_nhat_luc", MOMENT),
    field("revision", "revision|phien_ban", WHOLE),
    dropped("name|ten_co_so|owner|chu_co_so"),
    dropped("phone|dien_thoai"),
)


def _build(values: dict[str, Any], findings: Findings, context: Context) -> Built:
    reporter = reporter_of(values, FEED, findings, context)
    fields = {
        "registry": values["registry"],
        "place_id": values["place"],
        "area_code": values["area"],
        "type": values.get("type"),
        "star": values.get("star"),
        "rooms": values.get("rooms"),
        "beds": values.get("beds"),
        "opened_on": values["opened"],
        "closed_on": values.get("closed"),
    }
    return Built(reporter, fields, *order_of(values, context))


FORMAT = flat_format(
    "registry_table",
    RecordMap(FEED, FIELDS, ("registry", "place", "area", "opened"), _build),
    title_vi="danh bạ cơ sở: CSV, XLSX, JSON",
    title_en="registers of places: CSV, XLSX, JSON",
)
