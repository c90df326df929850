"""Reported values as an SDMX-JSON data message (1.0 and 2.0): observations keyed by position.

Dimensions are told by their ids: INDICATOR, REF_AREA, TIME_PERIOD and, where the message names it, the agency
(REF_AGENCY, REPORTER or AGENCY).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from connectors.formats.carrier import json_where
from connectors.formats.findings import refused
from connectors.formats.flat import RecordMap, flat_record
from connectors.formats.format import BadRecord, Context, Format, Item, attempt
from connectors.formats.readers.cell import InputField
from connectors.formats.readers.json import JsonFile
from connectors.formats.report_value.report import FEED, FIELDS, build_value
from ioc.errors import RejectedError

_MAP = RecordMap(FEED, FIELDS, ("indicator", "area", "value"), build_value)


def _read(document: JsonFile, context: Context) -> Iterator[Item]:
    found = False
    for place, message in document.items():
        where = f"{context.file}{place}"
        if isinstance(message, RejectedError):
            yield BadRecord(where, message.reasons)
            continue
        for key, values in _observations(message):
            found = True
            at = f"{where} {key}"
            yield from attempt(at, flat_record(_cells(values), _MAP, at, context))
    if not found:
        raise refused("dataSets", "empty", "thông điệp không có quan sát nào", "the message holds no observations")


def _observations(message: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (key by position, dimension's id -> value) of each observation; raises RejectedError where keys lie."""
    data = message.get("data", message) if isinstance(message, dict) else {}
    data = data if isinstance(data, dict) else {}
    structures = data.get("structures") or [data.get("structure", message.get("structure"))]
    for data_set in _list(data.get("dataSets")):
        if not isinstance(data_set, dict):
            continue
        index = data_set.get("structure", 0)
        structure = structures[index] if isinstance(index, int) and 0 <= index < len(structures) else structures[0]
        dimensions = structure.get("dimensions") if isinstance(structure, dict) else None
        levels = dimensions if isinstance(dimensions, dict) else {}
        fixed = {"ACTION": str(data_set.get("action", "Information"))}
        fixed |= _named(levels.get("dataSet"), ":".join("0" for _ in _list(levels.get("dataSet"))), "dataSet")
        yield from _of_level(data_set.get("observations"), levels, fixed, "")
        for key, series in _dict(data_set.get("series")).items():
            if isinstance(series, dict):
                known = fixed | _named(levels.get("series"), key, f"series {key}")
                yield from _of_level(series.get("observations"), levels, known, f"{key}/")


def _of_level(
    observations: Any, levels: Mapping[str, Any], fixed: Mapping[str, str], prefix: str
) -> Iterator[tuple[str, dict[str, str]]]:
    for key, told in _dict(observations).items():
        place = f"{prefix}{key}"
        values = dict(fixed) | _named(levels.get("observation"), key, f"observation {place}")
        value = told[0] if isinstance(told, list) and told else None
        values["OBS_VALUE"] = "" if value is None or isinstance(value, bool | list | dict) else str(value)
        yield place, values


def _named(dimensions: Any, key: str, where: str) -> dict[str, str]:
    positions = key.split(":") if key else []
    declared = _list(dimensions)
    if len(positions) != len(declared):
        raise _bad_key(where)
    values: dict[str, str] = {}
    for position, dimension in zip(positions, declared, strict=True):
        known = _list(dimension.get("values")) if isinstance(dimension, dict) else []
        if not position.isdigit() or len(position) > 9 or int(position) >= len(known):
            raise _bad_key(where)
        value = known[int(position)]
        values[str(dimension.get("id", ""))] = str(value.get("id", "") if isinstance(value, dict) else value)
    return values


def _cells(values: Mapping[str, str]) -> dict[str, InputField]:
    return {
        name: InputField(spelling, values[spelling])
        for name, spellings in _MAP.columns
        for spelling in spellings
        if spelling in values
    }


def _bad_key(where: str) -> RejectedError:
    return refused(
        where,
        "sdmx_key",
        "khóa vị trí không khớp các chiều đã khai trong structure",
        "the key by position does not fit the dimensions of the structure",
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_message(first: Mapping[str, Any]) -> bool:
    data = first.get("data")
    return "dataSets" in first or (isinstance(data, dict) and "dataSets" in data)


FORMAT = Format(
    name="report_sdmx_json",
    feeds=(FEED,),
    title_vi="số liệu báo cáo SDMX-JSON",
    title_en="reported values, SDMX-JSON",
    carriers=(json_where("with dataSets", _is_message),),
    versions=("SDMX-JSON 1.0", "SDMX-JSON 2.0"),
    fields=FIELDS,
    read=_read,
)
