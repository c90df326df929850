"""Reported values: a table with periods in words, SDMX-CSV and SDMX-JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

from deploy.simulator.native.file import Desk, NativeFile, ToldRecord
from deploy.simulator.native.table import comma, csv_bytes
from deploy.simulator.record import Life

_ROMAN = ("I", "II", "III", "IV")


def period_label(period: str, start: date) -> str:
    """A period as reports name it."""
    match period:
        case "month":
            return f"Tháng {start.month}/{start.year}"
        case "quarter":
            return f"Quý {_ROMAN[start.month // 3]}/{start.year}"
        case "year":
            return str(start.year)
        case "week":
            return f"{start.isocalendar().year}-W{start.isocalendar().week:02d}"
    return str(start)


def reports(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """Reported values, with decimal commas and periods in words."""
    rows = [
        [
            life.reporter,
            life.data["indicator"],
            life.data["area_code"],
            period_label(life.data["period"], date.fromisoformat(life.data["period_start"])),
            "" if life.is_void else comma(life.data["value"]),
        ]
        for life in lives
    ]
    told = tuple(ToldRecord("report.value", life.reporter, None if life.is_void else life.data) for life in lives)
    head = ["Mã đơn vị báo cáo", "Mã chỉ tiêu", "Mã địa bàn", "Kỳ báo cáo", "Giá trị"]
    return NativeFile("report.csv", csv_bytes(head, rows, delimiter=";"), told)


def sdmx_csv(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """Reported values as SDMX-CSV 2.0."""
    rows = [
        [
            "dataflow",
            "VN:IOC(1.0)",
            "D" if life.is_void else "I",
            life.reporter,
            life.data["indicator"],
            life.data["area_code"],
            sdmx_period(life.data["period"], date.fromisoformat(life.data["period_start"])),
            "" if life.is_void else life.data["value"],
        ]
        for life in lives
    ]
    told = tuple(ToldRecord("report.value", life.reporter, None if life.is_void else life.data) for life in lives)
    head = ["STRUCTURE", "STRUCTURE_ID", "ACTION", "REF_AGENCY", "INDICATOR", "REF_AREA", "TIME_PERIOD", "OBS_VALUE"]
    return NativeFile("sdmx.csv", csv_bytes(head, rows), told)


def sdmx_period(period: str, start: date) -> str:
    """A period as SDMX writes it."""
    match period:
        case "month":
            return f"{start:%Y-%m}"
        case "quarter":
            return f"{start.year}-Q{start.month // 3 + 1}"
    return period_label(period, start)


def sdmx_json(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """Reported values as SDMX-JSON 2.0: values by position in their dimensions."""
    keys = [
        (
            life.reporter,
            life.data["indicator"],
            life.data["area_code"],
            sdmx_period(life.data["period"], date.fromisoformat(life.data["period_start"])),
        )
        for life in lives
    ]
    names = ("REF_AGENCY", "INDICATOR", "REF_AREA", "TIME_PERIOD")
    values = [sorted({key[index] for key in keys}) for index in range(len(names))]
    dimensions = [
        {"id": name, "values": [{"id": one} for one in known]} for name, known in zip(names, values, strict=True)
    ]
    observations = {
        ":".join(str(known.index(part)) for part, known in zip(key, values, strict=True)): [
            None if life.is_void else life.data["value"]
        ]
        for key, life in zip(keys, lives, strict=True)
    }
    message = {
        "data": {
            "structures": [{"dimensions": {"observation": dimensions}}],
            "dataSets": [{"structure": 0, "action": "Replace", "observations": observations}],
        }
    }
    told = tuple(ToldRecord("report.value", life.reporter, None if life.is_void else life.data) for life in lives)
    return NativeFile("report.json", json.dumps(message).encode(), told)
