"""One answer of each kind, as the OpenAPI document shows it; tests hold them to the models. All figures are made up."""

from __future__ import annotations

from typing import Any

_SUMMARY: dict[str, Any] = {
    "code": "lodging.international_share",
    "sector": "lodging",
    "name_vi": "Tỷ lệ khách lưu trú quốc tế",
    "name_en": "Share of international guests",
    "unit": "%",
    "kind": "ratio",
    "cadence": "daily",
    "direction": "higher",
    "levels": ["province", "district", "commune"],
    "owners": ["Sở Du lịch"],
    "target": None,
}
_VERSION: dict[str, Any] = {
    "version": 1,
    "state": "live",
    "created_at": "2024-09-30T17:00:00Z",
    "retired_at": None,
    "definition": {
        "code": "lodging.international_share",
        "formula": "100 * lodging.guests.international / lodging.guests.total",
    },
}
_POINTS = [
    {"bucket": "2024-10-01", "value": 20.5, "note": None},
    {"bucket": "2024-11-01", "value": None, "note": None},
]
_SERIES: dict[str, Any] = {
    "code": "lodging.international_share",
    "version": 1,
    "name_vi": "Tỷ lệ khách lưu trú quốc tế",
    "name_en": "Share of international guests",
    "unit": "%",
    "kind": "ratio",
    "period": "month",
    "first": "2024-10-01",
    "last": "2024-11-01",
    "units_on": None,
    "areas": [
        {
            "area_id": 7471,
            "area_code": "747",
            "name_vi": "Thành phố Vũng Tàu",
            "name_en": "Vũng Tàu City",
            "level": "district",
            "points": _POINTS,
        }
    ],
}
_RECORD = {
    "feed": "tourism.stay",
    "reporter": "77-747-0001",
    "record": "77-747-0001/k1:a1a1a1a1…/2024-10-05",
    "revision": 2,
    "received_at": "2024-10-05T09:00:00Z",
}
_EXPLANATION: dict[str, Any] = {
    "code": "lodging.international_share",
    "version": 1,
    "name_vi": "Tỷ lệ khách lưu trú quốc tế",
    "name_en": "Share of international guests",
    "unit": "%",
    "kind": "ratio",
    "definition": _VERSION["definition"],
    "versions": [_VERSION],
    "area_code": "747",
    "area_name": "Thành phố Vũng Tàu",
    "period": "day",
    "start": "2024-10-05",
    "end": "2024-10-05",
    "value": 50.0,
    "updated_at": "2024-10-05T09:00:01Z",
    "made_of": {
        "code": "lodging.international_share",
        "what": "100 * lodging.guests.international / lodging.guests.total",
        "value": 50.0,
        "inputs": [
            {"code": "lodging.guests.international", "what": "...", "value": 1.0, "inputs": []},
            {"code": "lodging.guests.total", "what": "...", "value": 2.0, "inputs": []},
        ],
    },
    "fraction": {
        "numerator": "100 * lodging.guests.international",
        "numerator_value": 100.0,
        "denominator": "lodging.guests.total",
        "denominator_value": 2.0,
    },
    "records": [{**_RECORD, "counts_on": "2024-10-05", "adds": 1.0, "adds_to": "lodging.guests.international"}],
    "records_total": 2,
    "excluded": [],
    "excluded_total": 0,
    "corrections": [{"day": "2024-10-05", "feed": "tourism.stay", "revisions": 1, "late": 0, "voided": 0}],
    "changes": [
        {
            "feed": "tourism.stay",
            "reporter": "77-747-0001",
            "record": _RECORD["record"],
            "revision": 1,
            "recorded_at": "2024-10-05T09:00:00Z",
            "late": False,
            "effects": [{"adds_to": "lodging.guests.international", "before": 0.0, "after": 1.0}],
        }
    ],
    "changes_total": 1,
    "rejections": [
        {
            "feed": "tourism.stay",
            "rule": "literal_error",
            "field": "data.sex",
            "message_vi": "giá trị phải là một trong: 'male' hoặc 'female'",
            "message_en": "Input should be 'male' or 'female'",
            "events": 1,
            "last_at": "2024-10-05T08:00:00Z",
        }
    ],
    "completeness": [
        {
            "feed": "tourism.stay",
            "indicator": None,
            "expected": 2,
            "reported": 1,
            "missing": [{"code": "77-747-0002", "name": "Khách sạn Bình Bảo"}],
        }
    ],
    "freshness": [{"feed": "tourism.stay", "newest_received_at": "2024-10-05T09:00:00Z", "waiting": 0}],
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "/v1/indicators": {"total": 1298, "offset": 0, "indicators": [_SUMMARY]},
    "/v1/indicators/{code}": {
        **_SUMMARY,
        "version": 1,
        "definition": _VERSION["definition"],
        "inputs": ["lodging.guests.international", "lodging.guests.total"],
        "dependents": ["lodging.international_share"],
        "feeds": ["tourism.stay"],
        "versions": [_VERSION],
    },
    "/v1/indicators/{code}/series": _SERIES,
    "/v1/indicators/{code}/explain": _EXPLANATION,
}
