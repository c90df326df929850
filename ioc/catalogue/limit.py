"""What one report of an indicator may plausibly say, by its unit: `limits.csv` of the catalogue.

Wide enough for every province, and narrow enough that a slip of the unit is told: a share of 10^12 %, residents in
đồng. A row without a code holds for a unit, `*` for every unit without a row; a row with a code, or with the code of a
family (`economy.iip.*`), for these indicators alone. A catalogue without the file has the limits of the catalogue that
comes with the project; one whose file has no row has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from ioc.table import Problems, Row, is_there, read_rows

FILE = "limits.csv"
DEFAULT = Path(__file__).with_name("data") / FILE
_ANY = "*"
_COLUMNS = ("unit", "code", "least", "most", "note")


@dataclass(frozen=True)
class ReportLimit:
    """The lowest and the highest value of one report, in the indicator's unit."""

    least: float
    most: float
    unit: str = ""


@dataclass(frozen=True)
class ReportLimits:
    """Limits by unit, and by code or family of codes."""

    by_unit: Mapping[str, ReportLimit]
    by_code: Mapping[str, ReportLimit]

    def of(self, code: str, unit: str) -> ReportLimit | None:
        """Return the limit of an indicator; None where there is none."""
        own = next((limit for family, limit in self.by_code.items() if fnmatchcase(code, family)), None)
        found = own or self.by_unit.get(unit) or self.by_unit.get(_ANY)
        return None if found is None else replace(found, unit=unit)


def read_limits(directory: Path) -> ReportLimits:
    """Read a catalogue's limits; raises ConfigError telling every mistake."""
    problems = Problems()
    found: tuple[dict[str, ReportLimit], dict[str, ReportLimit]] = ({}, {})
    path = directory / FILE
    for row in read_rows(path if is_there(path) else DEFAULT, _COLUMNS, problems):
        limits, key = (found[1], row.text("code")) if row.text("code") else (found[0], row.required("unit"))
        least, most = _number(row, "least"), _number(row, "most")
        if key in limits:
            row.complain("code", f"{key} có hai dòng; chỉ giữ một · {key} is there twice; keep one row")
        elif least > most:
            row.complain("most", "nhỏ hơn least · is below least")
        else:
            limits[key] = ReportLimit(least, most)
    problems.raise_if_any()
    return ReportLimits(*found)


def _number(row: Row, column: str) -> float:
    try:
        number = float(row.required(column))
    except ValueError:
        number = float("nan")
    if number - number != 0:
        row.complain(column, "phải là một số · must be a number")
        return 0.0
    return number
