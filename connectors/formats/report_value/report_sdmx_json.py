"""Reported values as an SDMX-JSON data message (1.0 and 2.0): observations keyed by position.

Dimensions and attributes are told by their ids: INDICATOR, REF_AREA, TIME_PERIOD and, where the message names it, the
agency (REF_AGENCY, REPORTER or AGENCY). Attributes may hold for the whole data set, a series or one observation; of two
the nearest to the observation counts. UNIT_MULT and OBS_STATUS are most often attributes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.formats.carrier import json_where
from connectors.formats.findings import refused
from connectors.formats.flat import RecordMap, flat_record
from connectors.formats.format import BadRecord, Context, Format, Item, attempt
from connectors.formats.readers.cell import InputField
from connectors.formats.readers.json import JsonFile
from connectors.formats.report_value.report import FEED, FIELDS, POINTED, build_value
from connectors.formats.sdmx import is_dimension, is_total, part_of_total
from ioc.errors import RejectedError

# Key under which an observation's values hold the names of the dimensions that no field is for.
_DIMENSIONS = " dimensions"
_MAP = RecordMap(FEED, FIELDS, ("indicator", "area", "value"), build_value, POINTED)


def _read(document: JsonFile, context: Context) -> Iterator[Item]:
    found = False
    for place, message in document.items():
        where = f"{context.file}{place}"
        if isinstance(message, RejectedError):
            yield BadRecord(where, message.reasons)
            continue
        for key, values in _observations(message):
            found = True
            spot = f"{where} {key}"
            parts = [name for name in values.pop(_DIMENSIONS).split() if not is_total(values[name])]
            if parts:
                yield BadRecord(spot, part_of_total(parts[0]).reasons)
                continue
            yield from attempt(spot, flat_record(_cells(values), _MAP, spot, context))
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
        structure = _dict(structure)
        levels, attributes = _dict(structure.get("dimensions")), _dict(structure.get("attributes"))
        measures = _list(_dict(structure.get("measures")).get("observation"))
        fixed = {"ACTION": str(data_set.get("action", "Information"))}
        fixed |= _named(levels.get("dataSet"), ":".join("0" for _ in _list(levels.get("dataSet"))), "dataSet")
        fixed |= _attributes(attributes.get("dataSet"), data_set.get("attributes"), "dataSet")
        fixed[_DIMENSIONS] = " ".join(_unread(levels))
        declared = _Observations(levels.get("observation"), attributes.get("observation"), max(1, len(measures)))
        yield from declared.read(data_set.get("observations"), fixed, "")
        for key, series in _dict(data_set.get("series")).items():
            if isinstance(series, dict):
                known = fixed | _named(levels.get("series"), key, f"series {key}")
                known |= _attributes(attributes.get("series"), series.get("attributes"), f"series {key}")
                yield from declared.read(series.get("observations"), known, f"{key}/")


def _unread(levels: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ids of the dimensions of a structure that no field is for."""
    known = {spelling for _, spellings in _MAP.columns for spelling in spellings}
    for level in ("dataSet", "series", "observation"):
        for dimension in _list(levels.get(level)):
            name = str(dimension.get("id", "")) if isinstance(dimension, dict) else ""
            if name not in known and is_dimension(name):
                yield name


@dataclass(frozen=True)
class _Observations:
    """What is declared of observations: dimensions, attributes, and how many measures stand before the attributes."""

    dimensions: Any
    attributes: Any
    measures: int

    def read(self, observations: Any, fixed: Mapping[str, str], prefix: str) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield (key, id -> value) of each observation; `fixed` is what holds for all of them."""
        for key, told in _dict(observations).items():
            place = f"{prefix}{key}"
            values = dict(fixed) | _named(self.dimensions, key, f"observation {place}")
            if not isinstance(told, list) or not told:
                raise _bad_observation(place)
            parts = told
            values |= _attributes(self.attributes, parts[self.measures :], f"observation {place}")
            value = parts[0]
            values["OBS_VALUE"] = "" if value is None or isinstance(value, bool | list | dict) else str(value)
            yield place, values


def _attributes(declared: Any, told: Any, where: str) -> dict[str, str]:
    """Return the attributes that are told: each by its position among the declared values, or as a value itself."""
    values: dict[str, str] = {}
    for attribute, given in zip(_list(declared), _list(told), strict=False):
        known = _list(attribute.get("values")) if isinstance(attribute, dict) else []
        if given is None or not isinstance(attribute, dict) or isinstance(given, list | dict | bool):
            continue
        if known and isinstance(given, int):
            if not 0 <= given < len(known):
                raise _bad_key(where)
            value = known[given]
        else:
            value = given
        told_value = value.get("id", value.get("value", "")) if isinstance(value, dict) else value
        values[str(attribute.get("id", ""))] = str(told_value)
    return values


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
        name: InputField(spelling, values[spelling], "number" if spelling in POINTED else "text")
        for name, spellings in _MAP.columns
        for spelling in spellings
        if spelling in values
    }


def _bad_observation(where: str) -> RejectedError:
    return refused(
        f"observation {where}",
        "sdmx_observation",
        "quan sát phải là một mảng bắt đầu bằng giá trị (null nếu rút số)",
        "an observation must be an array that begins with the value (null to take it back)",
    )


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
