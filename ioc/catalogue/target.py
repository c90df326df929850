"""A province's own targets: `targets.csv` of a profile sets them, beside those that hold everywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from ioc.catalogue.indicator import Catalogue, Indicator
from ioc.catalogue.row import read_target
from ioc.table import Problems, Row, read_rows

_COLUMNS = ("code", "target", "target_on", "target_source")


def with_targets(catalogue: Catalogue, path: Path) -> Catalogue:
    """Return the catalogue with the targets of a file in place of its own; an empty target takes one away.

    Raises ConfigError naming file, row and column for an unknown code, a target of another form, a code given twice, or
    a row that names no source.
    """
    problems = Problems()
    changed: dict[str, Indicator] = {}
    for row in read_rows(path, _COLUMNS, problems):
        code = row.required("code")
        if code not in catalogue.indicators:
            row.complain(
                "code",
                f"{code!r} không có trong danh mục; `ioc catalogue list` hiện mọi mã"
                f" · {code!r} is not in the catalogue; `ioc catalogue list` shows all codes",
            )
        elif code in changed:
            row.complain("code", f"{code} có hai dòng; chỉ giữ một · {code} is there twice; keep one row")
        else:
            changed[code] = _with_target(catalogue.indicators[code], row)
    problems.raise_if_any()
    return replace(catalogue, indicators={**catalogue.indicators, **changed})


def _with_target(indicator: Indicator, row: Row) -> Indicator:
    row.required("target_source")
    definition = {**indicator.definition, **{name: row.text(name) for name in _COLUMNS[1:]}}
    return replace(indicator, target=read_target(row), definition=definition)
