"""Strict loading: all files are read together; each mistake is reported with file, row, column and what to do."""

from __future__ import annotations

import fnmatch
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ioc.catalogue.formula import parse_formula
from ioc.catalogue.formula_check import check_functions, check_spans
from ioc.catalogue.indicator import COLUMNS, OPTIONAL_COLUMNS, Catalogue, Indicator, Sector
from ioc.catalogue.limit import read_limits
from ioc.catalogue.row import RowReader
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from ioc.table import Problems, Row, is_there, read_rows

_Found = dict[str, tuple[Row, Indicator]]
_REQUIRED = tuple(column for column in COLUMNS if column not in OPTIONAL_COLUMNS)


class SmallCellFile(BaseModel):
    """The part `[small_cells]` of `catalogue.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sectors: tuple[str, ...] = ()
    units: tuple[str, ...] = ()


class CatalogueFile(BaseModel):
    """What `catalogue.toml` holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name_vi: str
    name_en: str
    statement_vi: str
    statement_en: str
    sectors: dict[str, Sector]
    small_cells: SmallCellFile = SmallCellFile()


class ExportFile(BaseModel):
    """What is read of `ioc catalogue export --json`."""

    indicators: list[dict[str, str]]


def load_catalogue(directory: Path, feeds: Mapping[str, Feed]) -> Catalogue:
    """Read `catalogue.toml`, `units.csv`, `owners.csv`, `limits.csv` and a file for each sector that the first names.

    Raises ConfigError listing every mistake of every file.
    """
    head = _read_head(directory / "catalogue.toml")
    problems = Problems()
    units = _read_names(directory / "units.csv", "unit", problems)
    owners = _read_names(directory / "owners.csv", "owner", problems)
    known = {"units", "owners", "limits", *head.sectors}
    for path in sorted(directory.glob("*.csv")):
        if path.stem not in known:
            problems.add(
                path.name,
                "không phải là ngành; khai báo dưới [sectors] trong catalogue.toml"
                " · is not a sector; name it under [sectors] in catalogue.toml",
            )
    for kind, names, there in (
        ("sectors", head.small_cells.sectors, head.sectors.keys()),
        ("units", head.small_cells.units, units.keys()),
    ):
        for name in sorted({*names} - {*there}):
            problems.add("catalogue.toml", f"[small_cells] {kind}: {name} không có · there is no {name}")
    reader = RowReader(feeds, units, owners)
    found: _Found = {}
    for sector in head.sectors:
        for row in read_rows(directory / f"{sector}.csv", _REQUIRED, problems, optional=OPTIONAL_COLUMNS):
            indicator = reader.read(row, sector)
            if indicator.code in found:
                row.complain(
                    "code",
                    f"{indicator.code} đã có ở dòng khác"
                    f" · {indicator.code} is there already, at {found[indicator.code][0].at('code')}",
                )
            else:
                found[indicator.code] = (row, indicator)
    _check_names(found)
    _check_formulas(found, feeds)
    problems.raise_if_any()
    _check_limits(directory, units, found)
    return Catalogue(
        name_vi=head.name_vi,
        name_en=head.name_en,
        statement_vi=head.statement_vi,
        statement_en=head.statement_en,
        sectors=head.sectors,
        units=units,
        owners=owners,
        indicators={code: indicator for code, (_, indicator) in found.items()},
        guarded_sectors=head.small_cells.sectors,
        guarded_units=head.small_cells.units,
    )


def read_sectors(directory: Path) -> Mapping[str, Sector]:
    """Return the sectors' names, without reading the indicators; raises ConfigError for a broken `catalogue.toml`."""
    return _read_head(directory / "catalogue.toml").sectors


def read_english_names(directory: Path) -> Mapping[str, str]:
    """Return the English names of units and owners, by the Vietnamese ones; raises ConfigError."""
    problems = Problems()
    names = {
        **_read_names(directory / "units.csv", "unit", problems),
        **_read_names(directory / "owners.csv", "owner", problems),
    }
    problems.raise_if_any()
    return names


def read_definitions(
    definitions: Iterable[Mapping[str, str]], feeds: Mapping[str, Feed]
) -> tuple[dict[str, Indicator], Problems]:
    """Return indicators by code from rows that were checked once, and what no longer reads, which is left out.

    definitions: rows as `Indicator.definition` holds them, from the database or from `ioc catalogue export`; units
                 and owners are taken as they stand there.
    """
    rows = [{column: row.get(column, "") for column in COLUMNS} for row in definitions]
    units = {row["unit"]: row["unit"] for row in rows}
    owners = {name.strip(): name.strip() for row in rows for name in row["owner"].split(";")}
    reader = RowReader(feeds, units, owners)
    found: dict[str, Indicator] = {}
    problems = Problems()
    for values in rows:
        own = Problems()
        indicator = reader.read(Row(Path(values["code"]), 1, values, own), values["sector"])
        if not own.found:
            found[indicator.code] = indicator
        problems.found += own.found
    return found, problems


def read_export(path: Path, feeds: Mapping[str, Feed]) -> dict[str, Indicator]:
    """Return the indicators of a file that `ioc catalogue export` wrote, CSV or JSON; raises ConfigError."""
    problems = Problems()
    if path.suffix == ".json":
        rows = _json_rows(path)
    else:
        rows = [row.values for row in read_rows(path, _REQUIRED, problems, optional=OPTIONAL_COLUMNS, extra=True)]
    problems.raise_if_any()
    indicators, problems = read_definitions(rows, feeds)
    problems.raise_if_any()
    return indicators


def _json_rows(path: Path) -> list[dict[str, str]]:
    try:
        return ExportFile.model_validate_json(path.read_bytes()).indicators
    except FileNotFoundError:
        raise ConfigError(
            f"{path} does not exist; name a catalogue's directory, a file of `ioc catalogue export`, or `database`"
        ) from None
    except ValidationError as error:
        raise ConfigError(f"{path} is not what `ioc catalogue export --json` writes: {error}") from error


def _read_head(path: Path) -> CatalogueFile:
    try:
        return CatalogueFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist; a catalogue's directory must hold it") from None
    except OSError as error:
        raise ConfigError(f"{str(path)[:200]}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise ConfigError(f"{path}: {error}") from error


def _read_names(path: Path, column: str, problems: Problems) -> dict[str, str]:
    names: dict[str, str] = {}
    for row in read_rows(path, (column, "name_en"), problems):
        if row.required(column) in names:
            row.complain(
                column,
                f"{row.text(column)!r} có hai dòng; chỉ giữ một · {row.text(column)!r} is there twice; keep one row",
            )
        names[row.text(column)] = row.required("name_en")
    return names


def _check_limits(directory: Path, units: Mapping[str, str], found: _Found) -> None:
    if not is_there(directory / "limits.csv"):  # those that come with the project name what other provinces have
        return
    limits = read_limits(directory)
    strange = [unit for unit in limits.by_unit if unit not in units and unit != "*"]
    strange += [family for family in limits.by_code if not fnmatch.filter(found, family)]
    if strange:
        told = ", ".join(map(repr, strange))
        raise ConfigError(
            f"limits.csv: {told} không phải đơn vị trong units.csv, cũng không phải mã chỉ tiêu"
            f" · limits.csv: {told} is no unit of units.csv and no code of an indicator"
        )


def _check_names(found: _Found) -> None:
    for column in ("name_vi", "name_en"):
        first: dict[str, str] = {}
        for code, (row, _) in found.items():
            if not unicodedata.is_normalized("NFC", row.text(column)):
                row.complain(
                    column,
                    "có chữ và dấu tách rời (NFD); lưu lại dạng dựng sẵn (NFC)"
                    " · has letters and accents apart (NFD); save it composed (NFC), as keyboards write it",
                )
            name = " ".join(unicodedata.normalize("NFC", row.text(column)).casefold().split())
            if name in first:
                row.complain(
                    column,
                    f"tên {row.text(column)!r} trùng với {first[name]}; tên phải khác nhau"
                    f" · {row.text(column)!r} is the name of {first[name]} too; names must differ",
                )
            first[name] = code


def _check_formulas(found: _Found, feeds: Mapping[str, Feed]) -> None:
    inputs: dict[str, tuple[str, ...]] = {}
    for code, (row, indicator) in found.items():
        if not indicator.formula:
            continue
        try:
            formula = parse_formula(indicator.formula)
        except ConfigError as error:
            row.complain("formula", str(error))
            continue
        named = formula.inputs
        for source in named:
            if source not in found:
                row.complain(
                    "formula",
                    f"không có chỉ tiêu mang mã {source}; sửa mã hoặc thêm dòng"
                    f" · no indicator has the code {source}; correct the code or add its row",
                )
            else:
                _check_levels(row, indicator, found[source][1])
        inputs[code] = tuple(source for source in named if source in found)
        check_functions(row, indicator, formula, {key: one for key, (_, one) in found.items()}, feeds)
    row_cycles = _cycles(inputs)
    for cycle in row_cycles:
        row = found[cycle[0]][0]
        row.complain(
            "formula",
            "các công thức gọi vòng nhau; tính một trong số đó từ bản ghi"
            f" · goes round in a circle: {' -> '.join(cycle)}; define one of them by records",
        )
    if not row_cycles:
        indicators = {code: indicator for code, (_, indicator) in found.items()}
        for code in inputs:
            check_spans(found[code][0], indicators[code], indicators)


def _check_levels(row: Row, indicator: Indicator, source: Indicator) -> None:
    missing = [level for level in indicator.levels if level not in source.levels]
    if missing:
        row.complain(
            "levels",
            f"{source.code} không có số liệu ở cấp {', '.join(missing)}; bỏ cấp đó ở đây"
            f" · {source.code} has no values for {', '.join(missing)}; leave them out here too",
        )


def _cycles(inputs: dict[str, tuple[str, ...]]) -> list[list[str]]:
    """Return every circle, each once, by breaking one after the other."""
    cycles = []
    while True:
        sorter = TopologicalSorter(inputs)
        try:
            sorter.prepare()
        except CycleError as error:
            cycle: list[str] = error.args[1][::-1]
            cycles.append(cycle)
            inputs = {code: sources for code, sources in inputs.items() if code != cycle[0]}
        else:
            return cycles
