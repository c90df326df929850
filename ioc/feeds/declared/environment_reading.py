"""Readings of monitoring stations: one value of one parameter, of an hour, a day or a sample.

The reporter is the station. A later revision corrects a reading, for example when an hour's delayed five-minute values
come in. Only the status `measuring` (00) counts in averages.
Source: TT 10/2021/TT-BTNMT (data files and status codes); VN_AQI after QĐ 1459/QĐ-TCMT, VN_WQI after QĐ 1460/QĐ-TCMT.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from ioc.feeds.bounds import Moment
from ioc.feeds.event import Record
from ioc.feeds.feed import Feed
from ioc.feeds.rule import RecordRule, Term, joined, named

PARAMS: Mapping[str, frozenset[str]] = {
    "air": frozenset({"pm25", "pm10", "tsp", "so2", "no2", "co", "o3", "aqi", "aqi_max"}),
    "surface_water": frozenset({"ph", "do", "bod5", "cod", "tss", "nh4", "coliform", "temperature", "wqi"}),
    "sea_water": frozenset({"ph", "do", "tss", "nh4", "coliform", "oil", "temperature"}),
    "wastewater": frozenset({"flow", "ph", "cod", "tss", "nh4", "temperature"}),
    "stack": frozenset({"dust", "so2", "nox", "co", "flow", "temperature"}),
    "weather": frozenset({"rain", "temperature", "wind_max", "water_level", "tide_max"}),
}
BELOW_ZERO = frozenset({"temperature", "water_level", "tide_max"})
MAX_PH = 14
_EXAMPLE: dict[str, JsonValue] = {
    "medium": "air",
    "param": "pm25",
    "measured_at": "2024-10-07T08:00:00+07:00",
    "value": 23.4,
}


class EnvironmentReading(Record):
    """A reading.

    measured_at: begin of the hour, or of the day for `rain`, `aqi_max`, `wind_max` and `tide_max`; time of a sample.
    value:       the mean over the hour; the day's total of rain; the day's highest hourly value of `*_max`. Units: air
                 µg/Nm³, stack mg/Nm³ (flow m³/h), water mg/L (coliform MPN/100 mL, flow m³/h), pH and the indices
                 without, rain mm, temperature °C, wind m/s, levels cm.
    exceeded:    above the limit that applies to it, by regulation or permit, as the monitoring system judges.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    medium: Literal["air", "surface_water", "sea_water", "wastewater", "stack", "weather"]
    param: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,15}$")]
    measured_at: Moment
    status: Literal["measuring", "calibrating", "fault"] = "measuring"
    value: Annotated[float, Field(ge=-100_000, le=10**9, allow_inf_nan=False)] | None = None
    exceeded: bool = False

    KEY: ClassVar[Term] = joined(named("medium"), "/", named("param"), "/", named("measured_at").utc_text())
    RULES: ClassVar[tuple[RecordRule, ...]] = (
        RecordRule(
            ~joined(named("medium"), "/", named("param")).is_in(
                [f"{medium}/{param}" for medium, params in PARAMS.items() for param in params]
            ),
            "param is none that is measured in {medium}",
            "{medium} không đo thông số này",
        ),
        RecordRule(
            named("status").equals("measuring") & ~named("value").is_set(),
            "a station that measures gives a value",
            "trạm đang đo phải có value",
        ),
        RecordRule(
            named("exceeded").is_true() & ~named("status").equals("measuring"),
            "only what was measured can exceed a limit",
            "chỉ giá trị đo được mới có thể vượt ngưỡng",
        ),
        RecordRule(
            (named("value") < 0) & ~named("param").is_in(BELOW_ZERO),
            "{param} is not negative",
            "{param} không được âm",
        ),
        RecordRule(
            named("param").equals("ph") & (named("value") > MAX_PH),
            "pH lies between 0 and 14",
            "pH phải từ 0 đến 14",
        ),
    )


_AQI = pl.col("value")

FEED = Feed(
    key="environment.reading",
    model=EnvironmentReading,
    effective="measured_at",
    cadence=timedelta(minutes=90),
    name_vi="Số liệu quan trắc môi trường và khí tượng thủy văn",
    name_en="Environmental and hydrometeorological readings",
    quality_source="env_reading",
    enrich={"station_type": ("type", pl.String())},
    derive={
        "aqi_band": (
            pl.String(),
            pl.when((pl.col("param") != "aqi") | (pl.col("status") != "measuring"))
            .then(None)
            .when(_AQI <= 50)
            .then(pl.lit("good"))
            .when(_AQI <= 100)
            .then(pl.lit("moderate"))
            .when(_AQI <= 150)
            .then(pl.lit("poor"))
            .when(_AQI <= 200)
            .then(pl.lit("bad"))
            .when(_AQI <= 300)
            .then(pl.lit("very_bad"))
            .otherwise(pl.lit("hazardous")),
        ),
    },
)
