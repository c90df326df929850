"""Targets: what documents ask of indicators. Many an indicator: by year, area and date.

The catalogue's own columns `target`, `target_on`, `target_source` hold what is asked everywhere; a profile's
`targets.csv` sets what is asked of the province, in their place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path

from ioc.catalogue.formula import parse_formula
from ioc.catalogue.indicator import Catalogue, Indicator, Target
from ioc.catalogue.row import read_target
from ioc.table import Problems, Row, is_there, read_rows

# As cells of dates and numbers read: no week dates, no 1_000, no digits of other scripts.
_STEP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) *= *(-?[0-9]{1,15}(?:\.[0-9]{1,15})?)")
PACES = ("at_once", "linear", "seasonal", "steps")
COLUMNS = ("code", "area", "year", "target", "target_on", "baseline", "baseline_on", "pace", "steps", "target_source")
YEARS = (1990, 2100)
_REQUIRED = ("code", "target", "target_on", "target_source")


@dataclass(frozen=True)
class TargetInForce:
    """One target, as it is in force. `op` is >= or <=; without `due_on` it holds at once and always (of figures that
    grow with the year: by the end of each year, see `of_year`).

    area:     code of the area it is for; '' = of every area where the indicator is a rate, else of the province.
    year:     the year it is for.
    baseline: the value from which the pace runs, on `baseline_on`; none = the first known value.
    pace:     at_once, linear, seasonal (last year's own curve, straight where there is no such year), or steps.
    steps:    (day, value that must stand by then), ascending.
    """

    code: str
    op: str
    value: float
    due_on: date | None
    source: str
    area: str = ""
    year: int | None = None
    baseline: float | None = None
    baseline_on: date | None = None
    pace: str = "linear"
    steps: tuple[tuple[date, float], ...] = ()
    origin: str = "profile"
    target_id: int = 0
    area_id: int | None = None

    def is_met(self, value: float) -> bool:
        """Whether a value reaches the target."""
        return value >= self.value if self.op == ">=" else value <= self.value

    @property
    def key(self) -> tuple[str, str, date | None]:
        """Of targets with the same key only one can be in force."""
        return (self.code, self.area, self.due_on)


def is_rate(indicator: Indicator) -> bool:
    """Whether a target makes sense in every area alike: a share or a mean does not grow with its area, a count does."""
    return indicator.unit == "%" or indicator.kind in ("ratio", "average") or indicator.value in ("ratio", "score")


def grows_with_the_year(indicator: Indicator) -> bool:
    """Whether its figures begin anew on 1 January and grow until 31 December: a quotient of `ytd`."""
    return (
        any(one.function == "ytd" for one in parse_formula(indicator.formula).references)
        if indicator.formula
        else False
    )


def of_year(target: TargetInForce, year: int) -> TargetInForce:
    """Return what a target without a date asks for by 31 December of a year, in even steps from 0 on 1 January."""
    return replace(
        target, due_on=date(year, 12, 31), baseline=0.0, baseline_on=date(year - 1, 12, 31), pace="linear", year=year
    )


def from_new_year(target: TargetInForce) -> TargetInForce:
    """Return a dated target of figures that begin anew each year: without a baseline of its own it starts from 0 on
    1 January of its year, and not from the first figure of some year before.
    """
    if target.due_on is None or target.baseline_on is not None or target.pace == "steps":
        return target
    return replace(target, baseline=0.0, baseline_on=date(target.due_on.year - 1, 12, 31))


def with_targets(catalogue: Catalogue, path: Path) -> Catalogue:
    """Return the catalogue with the targets of a file in place of its own; an empty target takes one away.

    An indicator shows the target of the file that is due last of those of the whole province. Raises ConfigError naming
    file, row and column for an unknown code, a target of another form, one given twice, or a row without source.
    """
    problems = Problems()
    changed: dict[str, Indicator] = {}
    for row, target in _read(path, catalogue, problems):
        indicator = catalogue.indicators.get(row.text("code"))
        if indicator is None or row.values.get("area"):
            continue
        before = changed.get(indicator.code)
        if before is not None and before.target is not None and target is not None and not _is_later(target, before):
            continue
        definition = {**indicator.definition, **{name: row.text(name) for name in _REQUIRED[1:]}}
        shown = None if target is None else Target(target.op, target.value, target.due_on, target.source)
        changed[indicator.code] = replace(indicator, target=shown, definition=definition)
    problems.raise_if_any()
    return replace(catalogue, indicators={**catalogue.indicators, **changed})


def load_targets(catalogue: Catalogue, path: Path) -> tuple[TargetInForce, ...]:
    """Return all targets: those of the catalogue's rows, and those of a file in their place.

    catalogue: as `with_targets` returns it. Raises ConfigError as that does.
    """
    problems = Problems()
    own = [target for _, target in _read(path, catalogue, problems) if target is not None] if is_there(path) else []
    problems.raise_if_any()
    named = {target.code for target in own if not target.area}
    general = [
        TargetInForce(
            code,
            indicator.target.op,
            indicator.target.value,
            indicator.target.on,
            indicator.target.source,
            pace="at_once" if indicator.target.on is None else "linear",
            origin="catalogue",
        )
        for code, indicator in catalogue.indicators.items()
        if indicator.target is not None and code not in named
    ]
    return (*general, *own)


def read_targets(path: Path, catalogue: Catalogue, *, origin: str) -> tuple[TargetInForce, ...]:
    """Return the targets of a file alone; raises ConfigError as `with_targets` does."""
    problems = Problems()
    found = [replace(target, origin=origin) for _, target in _read(path, catalogue, problems) if target is not None]
    problems.raise_if_any()
    return tuple(found)


def _is_later(target: TargetInForce, shown: Indicator) -> bool:
    assert shown.target is not None
    return (target.due_on or date.max) > (shown.target.on or date.max)


def _read(path: Path, catalogue: Catalogue, problems: Problems) -> Iterable[tuple[Row, TargetInForce | None]]:
    """Yield each row with its target; None where it takes the catalogue's away, or was complained about."""
    seen: dict[tuple[str, str, date | None], str] = {}
    for row in read_rows(path, _REQUIRED, problems, extra=True):
        code = row.required("code")
        unknown = sorted(row.values.keys() - set(COLUMNS))
        if unknown:
            row.complain(
                unknown[0], f"không phải cột của tệp này; có {', '.join(COLUMNS)} · is no column of targets; see those"
            )
            return
        if code not in catalogue.indicators:
            row.complain(
                "code",
                f"{code!r} không có trong danh mục; `ioc catalogue list` hiện mọi mã"
                f" · {code!r} is not in the catalogue; `ioc catalogue list` shows all codes",
            )
            continue
        row.required("target_source")
        target = _target(row)
        key = (code, row.values.get("area", ""), target.due_on if target else None)
        if key in seen:
            row.complain(
                "code",
                f"{code} có hai dòng cùng địa bàn và hạn ({seen[key]}); chỉ giữ một"
                f" · {code} is there twice with this area and date; keep one row",
            )
            continue
        seen[key] = row.at("code")
        yield row, target


def _target(row: Row) -> TargetInForce | None:
    plain = read_target(row)
    full = Row(row.path, row.number, {name: row.values.get(name, "") for name in COLUMNS}, row.problems)
    if plain is None:
        return None
    pace = full.text("pace") or ("at_once" if plain.on is None else "steps" if full.text("steps") else "linear")
    if pace not in PACES:
        full.complain("pace", f"{pace!r} phải là một trong {', '.join(PACES)} · {pace!r} is not one of them")
        return None
    if (plain.on is None) != (pace == "at_once"):
        full.complain(
            "pace",
            "chỉ và luôn là at_once khi không có target_on · must be at_once where target_on is empty, only there",
        )
        return None
    baseline, baseline_on = full.number_of("baseline"), full.day("baseline_on")
    if (baseline is None) != (baseline_on is None):
        full.complain(
            "baseline_on", "đi cùng baseline: điền cả hai hoặc bỏ cả hai · goes with baseline; fill both or neither"
        )
        return None
    if baseline_on is not None and (plain.on is None or baseline_on >= plain.on):
        full.complain("baseline_on", "phải trước target_on · must lie before target_on")
        return None
    steps = read_steps(full.text("steps"))
    if steps is None or (pace == "steps") != bool(steps) or (steps and plain.on and steps[-1][0] > plain.on):
        full.complain(
            "steps",
            "viết 2025-03-31=5;2025-06-30=12, tăng dần, không sau target_on, chỉ khi pace là steps"
            " · must read so, ascending, none after target_on, for pace steps only",
        )
        return None
    year = full.integer("year")
    if year is not None and not _is_year_of(year, plain.on):
        full.complain(
            "year",
            f"{year} phải là năm của target_on hoặc năm trước đó; không có target_on thì từ {YEARS[0]} đến {YEARS[1]}"
            f" · {year} must be the year of target_on or the one before; without target_on, {YEARS[0]} to {YEARS[1]}",
        )
        return None
    return TargetInForce(
        code=full.text("code"),
        op=plain.op,
        value=plain.value,
        due_on=plain.on,
        source=plain.source,
        area=full.text("area"),
        year=year or (plain.on.year if plain.on else None),
        baseline=baseline,
        baseline_on=baseline_on,
        pace=pace,
        steps=steps,
    )


def _is_year_of(year: int, due_on: date | None) -> bool:
    """Whether a target can be that of a year: a plan of 2025 may be due on 31 January 2026."""
    if due_on is None:
        return YEARS[0] <= year <= YEARS[1]
    return year in (due_on.year, due_on.year - 1)


def read_steps(text: str) -> tuple[tuple[date, float], ...] | None:
    """Return steps from `2025-03-31=5;2025-06-30=12`; None where they do not read so, or do not ascend."""
    steps: list[tuple[date, float]] = []
    for part in filter(None, (piece.strip() for piece in text.split(";"))):
        found = _STEP.fullmatch(part)
        try:
            if found is None:
                return None
            steps.append((date.fromisoformat(found[1]), float(found[2])))
        except ValueError:
            return None
    days = [day for day, _ in steps]
    return tuple(steps) if days == sorted(set(days)) else None


def write_steps(steps: Iterable[tuple[date, float]]) -> str:
    """Return steps as `read_steps` reads them."""
    return ";".join(f"{day}={write_number(value)}" for day, value in steps)


def write_number(value: float) -> str:
    """Return a number with all its digits, as a cell of a file holds it: 12345678, 11080.04; never 1.23457e+07."""
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def fields_of(target: TargetInForce) -> Mapping[str, object]:
    """Return a target as people and programs read it, by the names of the file's columns."""
    return {
        "code": target.code,
        "area": target.area,
        "year": target.year,
        "target": f"{target.op}{write_number(target.value)}",
        "target_on": target.due_on,
        "baseline": target.baseline,
        "baseline_on": target.baseline_on,
        "pace": target.pace,
        "steps": write_steps(target.steps),
        "target_source": target.source,
    }
