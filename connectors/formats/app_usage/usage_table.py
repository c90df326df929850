"""Visits of apps and questions to assistants as JSON, CSV or XLSX, a row each."""

from __future__ import annotations

from typing import Any

from connectors.formats.field import FLAG, MOMENT, TEXT, choice, dropped, field
from connectors.formats.findings import Findings
from connectors.formats.flat import Built, RecordMap, flat_format, reporter_of
from connectors.formats.format import Context

FEED = "app.usage"
_ASSISTANTS = {
    "citizen": "assistant_citizen",
    "officer": "assistant_officer",
    "Người dân": "assistant_citizen",
    "Cán bộ": "assistant_officer",
}
FIELDS = (
    field("reporter", "operator|system|don_vi_van_hanh", TEXT, note="the operator's code; else --reporter"),
    field(
        "kind",
        "kind|loai",
        choice({"visit": "visit", "question": "question", "Truy cập": "visit", "Câu hỏi": "question"}),
        required=True,
    ),
    field("item", "item_id|session_id|id|ma_phien", TEXT, required=True, personal="keyed HMAC"),
    field("at", "at|occurred_at|time|thoi_diem", MOMENT, required=True),
    field("app", "app|ung_dung", TEXT),
    field("user", "user_id|ma_nguoi_dung", TEXT, personal="keyed HMAC"),
    field("assistant", "assistant|tro_ly", choice(_ASSISTANTS)),
    field("answered", "answered|da_tra_loi", FLAG),
    field("updated_at", "updated_at", MOMENT),
    dropped("phone|dien_thoai"),
    dropped("name|ho_ten"),
    dropped("question|text|noi_dung"),
)


def _build(values: dict[str, Any], findings: Findings, context: Context) -> Built:
    reporter = reporter_of(values, FEED, findings, context)
    day = values["at"].astimezone(context.timezone).date()
    visit = values["kind"] == "visit"
    user = values.get("user")
    fields = {
        "kind": values["kind"],
        "item_id": context.pseudonymise("usage", values["item"], day),
        "occurred_on": day,
        "app": values.get("app") if visit else None,
        "user_id": context.pseudonymise("app_user", user, day) if visit and user else None,
        "assistant": None if visit else values.get("assistant"),
        "answered": None if visit else values.get("answered"),
    }
    return Built(reporter, fields, values.get("updated_at") or values["at"])


FORMAT = flat_format(
    "usage_table",
    RecordMap(FEED, FIELDS, ("kind", "item", "at"), _build),
    title_vi="sử dụng ứng dụng, trợ lý ảo: CSV, XLSX, JSON",
    title_en="use of apps and assistants: CSV, XLSX, JSON",
    notes_vi=("Câu hỏi và tên người dùng không rời đầu nối.",),
    notes_en=("Questions and names of users do not leave the connector.",),
)
