"""A series as a file that other systems read: CSV, Parquet, SDMX-CSV and SDMX-JSON, each figure with its status.

SDMX-CSV is what statistical offices exchange (SDMX 3.0, SDMX-CSV 2.0): one row an observation, named by the concepts
of the standard. Observation status is from SDMX's code list CL_OBS_STATUS: `A` a figure, `P` provisional, because its
period is not over, `R` revised since somebody signed the period off, `Q` suppressed,
because it is a small count of persons or would give one away, `M` missing, because it cannot be known in these
units, or nobody has reported.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Literal

import polars as pl

from ioc.period import end_of
from ioc.reading.series import Point, Series
from ioc.reading.series_sdmx_json import sdmx_json

SeriesFormat = Literal["csv", "parquet", "sdmx-csv", "sdmx-json"]
FORMATS: Mapping[SeriesFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "sdmx-csv": "application/vnd.sdmx.data+csv;version=2.0.0;charset=utf-8",
    "sdmx-json": "application/vnd.sdmx.data+json;version=2.0.0",
}
# What a file's name ends with.
SUFFIXES: Mapping[SeriesFormat, str] = {"csv": "csv", "parquet": "parquet", "sdmx-csv": "csv", "sdmx-json": "json"}
_STRUCTURE = "VN_IOC:INDICATORS(1.0)"
_FREQUENCY = {"day": "D", "week": "W", "month": "M", "quarter": "Q", "year": "A"}
_COLUMNS: dict[str, pl.DataType] = {
    "indicator": pl.String(),
    "version": pl.Int64(),
    "unit": pl.String(),
    "area_code": pl.String(),
    "area_name": pl.String(),
    "level": pl.String(),
    "period": pl.String(),
    "bucket": pl.Date(),
    "value": pl.Float64(),
    "status": pl.String(),
    "note": pl.String(),
}


def written(series: Series, form: SeriesFormat, today: date) -> bytes:
    """Return the series as a file; `today` (local) tells which periods are not over."""
    if form == "parquet":
        target = io.BytesIO()
        pl.DataFrame(
            [{name: row[name] for name in _COLUMNS} for row in _rows(series, today)], schema=_COLUMNS
        ).write_parquet(target)
        return target.getvalue()
    if form == "sdmx-json":
        rows_of = [row | {"time": time_period(row["period"], row["bucket"])} for row in _rows(series, today)]
        times = sorted({row["time"] for row in rows_of})
        return sdmx_json(series, rows_of, _FREQUENCY[series.period], _STRUCTURE, times, today)
    text = io.StringIO()
    if form == "csv":
        rows = csv.DictWriter(text, list(_COLUMNS), extrasaction="ignore", lineterminator="\n")
        rows.writeheader()
        rows.writerows(_rows(series, today))
    else:
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(_SDMX)
        writer.writerows(_sdmx_row(row) for row in _rows(series, today))
    return text.getvalue().encode()


def time_period(period: str, bucket: date) -> str:
    """Return a bucket as SDMX names it.

    >>> [time_period(period, date(2024, 10, 7)) for period in ("day", "week")]
    ['2024-10-07', '2024-W41']
    >>> [time_period(period, date(2024, 10, 1)) for period in ("month", "quarter", "year")]
    ['2024-10', '2024-Q4', '2024']
    """
    if period == "day":
        return bucket.isoformat()
    if period == "week":
        year, week, _ = bucket.isocalendar()
        return f"{year}-W{week:02}"
    if period == "month":
        return f"{bucket:%Y-%m}"
    return f"{bucket.year}-Q{(bucket.month + 2) // 3}" if period == "quarter" else str(bucket.year)


def _rows(series: Series, today: date) -> Iterator[dict[str, Any]]:
    for area in series.areas:
        for point in area.points:
            over = end_of(series.period, point.bucket) < today
            yield {
                "indicator": series.code,
                "version": series.version,
                "unit": series.unit,
                "area_id": area.area_id,
                "area_code": area.area_code,
                "area_name": area.name_vi,
                "level": area.level,
                "period": series.period,
                "bucket": point.bucket,
                "value": point.value,
                "status": _status(point, over=over),
                "note": point.note,
            }


def _status(point: Point, *, over: bool) -> str:
    if point.value is None:
        return "Q" if point.suppressed else "M"
    return "R" if point.approval == "revised" else "A" if over else "P"


_SDMX = (
    "STRUCTURE",
    "STRUCTURE_ID",
    "ACTION",
    "FREQ",
    "INDICATOR",
    "REF_AREA",
    "TIME_PERIOD",
    "OBS_VALUE",
    "OBS_STATUS",
    "UNIT_MEASURE",
    "COMMENT_OBS",
)


def _sdmx_row(row: Mapping[str, Any]) -> tuple[Any, ...]:
    value = row["value"]
    return (
        "dataflow",
        _STRUCTURE,
        "I",
        _FREQUENCY[row["period"]],
        row["indicator"],
        row["area_code"],
        time_period(row["period"], row["bucket"]),
        "" if value is None else repr(float(value)),
        row["status"],
        row["unit"],
        row["note"] or "",
    )
