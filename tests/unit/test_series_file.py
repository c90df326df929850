"""A series as a file: CSV, Parquet and SDMX-CSV say the same, and what is provisional or missing."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date

import polars as pl
import pytest

from ioc.reading.series import AreaSeries, Point, Series
from ioc.reading.series_file import time_period, written

TODAY = date(2024, 11, 15)
SERIES = Series(
    code="lodging.guests.total",
    version=2,
    name_vi="Tổng lượt khách",
    name_en="Guests",
    unit="lượt",
    kind="flow",
    period="month",
    first=date(2024, 9, 1),
    last=date(2024, 11, 1),
    units_on=None,
    areas=(
        AreaSeries(
            area_id=1,
            area_code="747",
            name_vi="Thành phố Vũng Tàu",
            name_en="Vũng Tàu",
            level="district",
            points=(
                Point(bucket=date(2024, 9, 1), value=None, note='chưa biết, "cũ"'),
                Point(bucket=date(2024, 10, 1), value=1234.5),
                Point(bucket=date(2024, 11, 1), value=7),
            ),
        ),
    ),
)


def test_sdmx_csv_names_observations_by_the_concepts_of_the_standard() -> None:
    text = written(SERIES, "sdmx-csv", TODAY).decode()
    assert text.endswith("\r\n")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["TIME_PERIOD"], row["OBS_VALUE"], row["OBS_STATUS"]) for row in rows] == [
        ("2024-09", "", "M"),
        ("2024-10", "1234.5", "A"),
        ("2024-11", "7.0", "P"),
    ]
    assert {(row["STRUCTURE"], row["ACTION"], row["FREQ"], row["INDICATOR"], row["REF_AREA"]) for row in rows} == {
        ("dataflow", "I", "M", "lodging.guests.total", "747")
    }
    assert rows[0]["COMMENT_OBS"] == 'chưa biết, "cũ"'


def test_sdmx_json_says_the_same_by_pointing_into_its_structure() -> None:
    message = json.loads(written(SERIES, "sdmx-json", TODAY))
    (structure,), (dataset,) = message["data"]["structures"], message["data"]["dataSets"]
    dimensions = [*structure["dimensions"]["series"], *structure["dimensions"]["observation"]]
    assert [one["keyPosition"] for one in dimensions] == [0, 1, 2, 3]
    times = [value["value"] for value in structure["dimensions"]["observation"][0]["values"]]
    statuses = [value["id"] for value in structure["attributes"]["observation"][0]["values"]]
    said = []
    for key, one in dataset["series"].items():
        places = [structure["dimensions"]["series"][at]["values"][int(n)] for at, n in enumerate(key.split(":"))]
        assert [place.get("id") or place["value"] for place in places] == ["M", "lodging.guests.total", "747"]
        said += [
            (times[int(at)], value, statuses[status], note) for at, (value, status, note) in one["observations"].items()
        ]
    assert said == [
        ("2024-09", None, "M", 'chưa biết, "cũ"'),
        ("2024-10", 1234.5, "A", None),
        ("2024-11", 7.0, "P", None),
    ]
    assert re.fullmatch("[A-Za-z0-9_@$-]+", message["meta"]["id"])  # what the standard lets an id be
    assert message == json.loads(written(SERIES, "sdmx-json", TODAY))


def test_what_was_signed_off_and_changed_since_is_revised() -> None:
    (area,) = SERIES.areas
    points = (area.points[1].model_copy(update={"approval": "revised"}), area.points[1])
    series = SERIES.model_copy(update={"areas": (area.model_copy(update={"points": points}),)})
    assert pl.read_parquet(io.BytesIO(written(series, "parquet", TODAY)))["status"].to_list() == ["R", "A"]


def test_csv_and_parquet_hold_the_same() -> None:
    text = written(SERIES, "csv", TODAY).decode()
    table = pl.read_parquet(io.BytesIO(written(SERIES, "parquet", TODAY)))
    assert table.schema["bucket"] == pl.Date() and table.schema["value"] == pl.Float64()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0]) == table.columns
    assert [row["status"] for row in rows] == table["status"].to_list() == ["M", "A", "P"]
    assert [float(row["value"]) if row["value"] else None for row in rows] == table["value"].to_list()
    assert {row["area_name"] for row in rows} == {"Thành phố Vũng Tàu"}


def test_a_series_without_areas_is_a_header() -> None:
    empty = SERIES.model_copy(update={"areas": ()})
    assert len(written(empty, "csv", TODAY).splitlines()) == 1
    assert len(written(empty, "sdmx-csv", TODAY).splitlines()) == 1
    assert pl.read_parquet(io.BytesIO(written(empty, "parquet", TODAY))).is_empty()
    assert json.loads(written(empty, "sdmx-json", TODAY))["data"] == {"structures": [], "dataSets": []}


@pytest.mark.parametrize(
    ("period", "bucket", "named"),
    [
        ("day", date(2024, 10, 7), "2024-10-07"),
        ("week", date(2024, 12, 30), "2025-W01"),
        ("week", date(2024, 10, 7), "2024-W41"),
        ("month", date(2024, 1, 1), "2024-01"),
        ("quarter", date(2024, 1, 1), "2024-Q1"),
        ("quarter", date(2024, 10, 1), "2024-Q4"),
        ("year", date(2024, 1, 1), "2024"),
    ],
)
def test_periods_are_named_as_sdmx_names_them(period: str, bucket: date, named: str) -> None:
    assert time_period(period, bucket) == named
