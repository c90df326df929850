"""A series as an SDMX-JSON 2.0 data message (SDMX 3.0): structure first, then observations that point into it.

Source: the standard's schema `sdmx-json-data-schema.json` 2.0.0. Ids of values may hold no dot there, so that codes of
indicators are plain values.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic_core import to_json

from ioc.reading.series import Series

_SCHEMA = (
    "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/data-message/tools/schemas/2.0.0/"
    "sdmx-json-data-schema.json"
)
STATUS_NAMES: Mapping[str, str] = {
    "A": "Normal value",
    "P": "Provisional value",
    "R": "Seriously revised value",
    "Q": "Missing value; suppressed",
    "M": "Missing value; data cannot exist",
}


def sdmx_json(
    series: Series, rows: Sequence[Mapping[str, Any]], frequency: str, structure: str, times: Sequence[str], today: date
) -> bytes:
    """Return the message.

    rows:      one an observation, with `area_code`, `area_name`, `time`, `value`, `status`, `note`.
    frequency: of SDMX's code list CL_FREQ. structure: the dataflow's reference. times: all periods, in order.
    """
    areas = list(dict.fromkeys((row["area_id"], row["area_code"], row["area_name"]) for row in rows))
    at_area = {area: index for index, area in enumerate(areas)}
    at_time = {time: index for index, time in enumerate(times)}
    statuses = sorted({row["status"] for row in rows})
    found: dict[str, dict[str, list[Any]]] = {}
    for row in rows:
        key = f"0:0:{at_area[row['area_id'], row['area_code'], row['area_name']]}"
        observation = [row["value"], statuses.index(row["status"]), row["note"]]
        found.setdefault(key, {})[str(at_time[row["time"]])] = observation
    dimensions = {
        "dataSet": [],
        "series": [
            _dimension("FREQ", 0, [{"id": frequency, "name": series.period}]),
            _dimension("INDICATOR", 1, [{"value": series.code, "name": series.name_en}]),
            _dimension("REF_AREA", 2, [{"value": code, "name": name} for _, code, name in areas]),
        ],
        "observation": [_dimension("TIME_PERIOD", 3, [{"value": time} for time in times])],
    }
    attributes = {
        "series": [
            {
                "id": "UNIT_MEASURE",
                "relationship": {"dimensions": ["INDICATOR"]},
                "values": [{"value": series.unit}],
            }
        ],
        "observation": [
            {
                "id": "OBS_STATUS",
                "relationship": {"observation": {}},
                "values": [{"id": status, "name": STATUS_NAMES[status]} for status in statuses],
            },
            {"id": "COMMENT_OBS", "relationship": {"observation": {}}, "format": {"dataType": "String"}},
        ],
    }
    link = {"rel": "dataflow", "urn": f"urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow={structure}"}
    data = {
        "structures": [
            {
                "dataSets": [0],
                "links": [link],
                "dimensions": dimensions,
                "measures": {"observation": [{"id": "OBS_VALUE", "format": {"dataType": "Double"}}]},
                "attributes": attributes,
            }
        ],
        "dataSets": [
            {
                "structure": 0,
                "action": "Information",
                "links": [link],
                "series": {key: {"attributes": [0], "observations": values} for key, values in found.items()},
            }
        ],
    }
    if not rows:
        data = {"structures": [], "dataSets": []}  # the standard knows no dimension without a value
    content = to_json(data)
    meta = {
        "schema": _SCHEMA,
        "id": hashlib.sha256(content).hexdigest()[:32],
        "test": False,
        # The day alone: the same figures asked for again are the same message.
        "prepared": f"{today}T00:00:00Z",
        "contentLanguages": ["vi", "en"],
        "sender": {"id": "VN_IOC"},
    }
    return b'{"meta":' + to_json(meta) + b',"data":' + content + b"}"


def _dimension(name: str, place: int, values: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": name, "keyPosition": place, "values": values}
