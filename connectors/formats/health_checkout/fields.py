"""The fields of the tables XML0 to XML5 by version: kind, greatest length, since when, required, personal or not.

Source: annex of QĐ 130/QĐ-BYT (2023) as amended by QĐ 4750/QĐ-BYT (2023); what becomes of personal data follows NĐ
13/2023/NĐ-CP.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

from connectors.formats.field import TEXT, Field, Personal
from connectors.formats.findings import Findings
from connectors.formats.value import decimal_of
from ioc.feeds.validation import mask

_FILE = Path(__file__).with_name("data") / "fields.csv"
# What the record is made of; the rest is checked and stays here.
_COLUMNS: Mapping[str, str] = {
    "MA_LK": "visit_id",
    "MA_BN": "person_id",
    "SO_CCCD": "person_id",
    "MA_THE_BHYT": "person_id",
    "NGAY_SINH": "age_group",
    "GIOI_TINH": "sex",
    "MA_LOAI_KCB": "visit_type",
    "MA_DOITUONG_KCB": "route",
    "NGAY_VAO": "check_in_on",
    "NGAY_VAO_NOI_TRU": "admitted_on",
    "NGAY_RA": "completed_on",
    "MA_BENH_CHINH": "icd_chapter",
    "MA_TAI_NAN": "injury",
    "KET_QUA_DTRI": "outcome",
    "MA_LOAI_RV": "discharge_type",
    "SO_NGAY_DTRI": "los_days",
    "T_TONGCHI_BV": "cost_total",
    "T_BHTT": "cost_bhyt",
    "T_BNCCT": "cost_copay",
    "T_BNTT": "cost_selfpay",
    "T_NGUONKHAC": "cost_other",
    "T_THUOC": "cost_drug",
    "T_VTYT": "cost_supply",
    "MA_CSKCB": "reporter",
}


@dataclass(frozen=True)
class TableField:
    """One field of one table; `longest` by version, None = without limit."""

    table: str
    name: str
    number: bool
    longest: Mapping[str, int | None]
    since: str
    required: bool
    personal: Personal


@lru_cache(maxsize=1)
def table_fields() -> Mapping[str, Mapping[str, TableField]]:
    """Return table -> name -> field, in the order of the specification."""
    tables: dict[str, dict[str, TableField]] = {}
    with _FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            longest = {version: int(row[f"longest_{version}"] or 0) or None for version in ("130", "4750")}
            declared = TableField(
                row["table"],
                row["field"],
                row["kind"] == "number",
                longest,
                row["since"],
                bool(row["required"]),
                cast("Personal", row["personal"]),
            )
            tables.setdefault(declared.table, {})[declared.name] = declared
    return tables


def version_of(values: Mapping[str, str], table: str) -> str:
    """Return 130 or 4750: a table with any field that QĐ 4750 added is of the later version."""
    return (
        "4750"
        if any(table_fields()[table][name].since == "4750" for name in values if name in table_fields()[table])
        else "130"
    )


def check_fields(values: Mapping[str, str], table: str, findings: Findings) -> None:
    """Warn of what is missing, too long or no number by the table of the record's version."""
    version = version_of(values, table)
    for name, declared in table_fields()[table].items():
        text = values.get(name, "")
        longest = declared.longest[version]
        if not text:
            if declared.required and declared.since <= version:
                findings.warn(name, "field_missing", "trường bắt buộc bị bỏ trống", "a required field is empty")
        elif longest is not None and len(text) > longest:
            findings.warn(
                name,
                "field_length",
                f"dài hơn {longest} ký tự theo QĐ {version}",
                f"longer than the {longest} characters of QĐ {version}",
                mask(text),
            )
        elif declared.number and ";" not in text and not _is_number(text):
            findings.warn(name, "field_number", "phải là số", "must be a number", mask(text))


def documented_fields() -> tuple[Field, ...]:
    """Return the tables XML0, XML1 and XML3 as a field map, for the feed's page and the checks of personal data."""
    tables = table_fields()
    return tuple(
        Field(
            "" if declared.personal == "dropped" else _COLUMNS.get(declared.name, ""),
            (f"{table}.{declared.name}",),
            None if declared.personal == "dropped" else TEXT,
            declared.required,
            declared.personal,
            "" if declared.since == "130" else "since QĐ 4750",
        )
        for table in ("XML0", "XML1", "XML3")
        for declared in tables[table].values()
    )


def _is_number(text: str) -> bool:
    try:
        decimal_of(text)
    except ValueError:
        return False
    return True
