"""`ioc catalogue check|list|show|export`."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic_core import to_json
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from ioc.catalogue.compilation import Compiled, IndicatorPlan, compile_measures
from ioc.catalogue.formula import formula_sql
from ioc.catalogue.indicator import COLUMNS, DATA, KINDS, Catalogue, Indicator
from ioc.catalogue.loading import load_catalogue
from ioc.catalogue.measure import Measure, contribution_sql, member_sql
from ioc.errors import ConfigError
from ioc.feed import load_feeds

app = typer.Typer(help="The catalogue of indicators.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Directory = Annotated[Path, typer.Option("--directory", help="Directory of the catalogue's files.")]


@app.command("check")
def check_command(directory: Directory = DATA, as_json: AsJson = False) -> None:
    """Read the whole catalogue; every mistake is shown with file, row, column and what to do."""
    catalogue, compiled = _read(directory)
    counts = {key: Counter(indicator.kind for indicator in catalogue.of_sector(key)) for key in catalogue.sectors}
    if as_json:
        _print_json(
            {
                "statement_vi": catalogue.statement_vi,
                "statement_en": catalogue.statement_en,
                "indicators": len(catalogue.indicators),
                "measures": len(compiled.measures),
                "sectors": counts,
            }
        )
        return
    table = Table("sector", "name", *KINDS, "all", title=catalogue.name_en, caption=catalogue.statement_en)
    for key, kinds in counts.items():
        cells = (str(kinds[kind]) for kind in KINDS)
        table.add_row(key, catalogue.sectors[key].name_vi, *cells, str(kinds.total()))
    Console().print(table)
    typer.echo(f"{len(catalogue.indicators)} indicators rest on {len(compiled.measures)} measures; no mistakes.")


@app.command("list")
def list_command(
    sector: Annotated[str | None, typer.Option(help="Only this sector.")] = None,
    kind: Annotated[str | None, typer.Option(help=f"Only this kind: {', '.join(KINDS)}.")] = None,
    feed: Annotated[str | None, typer.Option(help="Only those that rest on this feed.")] = None,
    directory: Directory = DATA,
    as_json: AsJson = False,
) -> None:
    """List the indicators."""
    catalogue, compiled = _read(directory)
    _check_choice("--sector", sector, catalogue.sectors)
    _check_choice("--kind", kind, KINDS)
    _check_choice("--feed", feed, load_feeds())
    chosen = [
        indicator
        for indicator in catalogue.indicators.values()
        if sector in (None, indicator.sector)
        and kind in (None, indicator.kind)
        and (feed is None or feed in compiled.feeds(indicator.code))
    ]
    if as_json:
        _print_json([dict(indicator.definition) for indicator in chosen])
        return
    table = Table(Column("code", no_wrap=True), "name", "unit", "kind", "cadence", "target")
    for indicator in chosen:
        target = str(indicator.definition["target"])
        table.add_row(indicator.code, indicator.name_vi, indicator.unit, indicator.kind, indicator.cadence, target)
    Console().print(table)
    typer.echo(f"{len(chosen)} indicators")


@app.command("show")
def show_command(
    code: Annotated[str, typer.Argument(help="The indicator's code, such as lodging.guests.total.")],
    directory: Directory = DATA,
    as_json: AsJson = False,
) -> None:
    """Show one indicator: its definition, what is counted for it, and what rests on it."""
    catalogue, compiled = _read(directory)
    if code not in catalogue.indicators:
        raise ConfigError(f"no indicator has the code {code}; `ioc catalogue list` shows all")
    indicator = catalogue.indicators[code]
    plan = compiled.plans[code]
    facts = {
        "method": plan.method,
        "scale": plan.scale,
        "inputs": plan.inputs,
        "feeds": compiled.feeds(code),
        "dependents": sorted(compiled.dependents(code)),
        "sql": _sql(plan),
    }
    if as_json:
        _print_json({**indicator.definition, **facts})
        return
    _print_sheet(indicator, facts)


@app.command("export")
def export_command(
    file: Annotated[Path | None, typer.Argument(help="File to write; without it, the standard output.")] = None,
    directory: Directory = DATA,
    as_json: AsJson = False,
) -> None:
    """Write the whole catalogue as one CSV file (or as JSON, with its statement of origin)."""
    catalogue, _ = _read(directory)
    text = _as_json(catalogue) if as_json else _as_csv(catalogue)
    if file is None:
        typer.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")
        typer.echo(f"{len(catalogue.indicators)} indicators written to {file}", err=True)


def _read(directory: Path) -> tuple[Catalogue, Compiled]:
    catalogue = load_catalogue(directory, load_feeds())
    return catalogue, compile_measures(catalogue)


def _check_choice(option: str, value: str | None, allowed: Any) -> None:
    if value is not None and value not in allowed:
        raise typer.BadParameter(f"{value} is not one of {', '.join(allowed)}", param_hint=option)


def _sql(plan: IndicatorPlan) -> list[str]:
    """Return what PostgreSQL evaluates: per record for each measure, or once over the inputs' figures."""
    if plan.formula:
        return [formula_sql(plan.formula)]
    return [_measure_sql(measure) for measure in plan.measures]


def _measure_sql(measure: Measure) -> str:
    if measure.kind == "distinct":
        return f"count(DISTINCT {member_sql(measure)})"
    return f"sum({contribution_sql(measure)})"


def _print_sheet(indicator: Indicator, facts: dict[str, Any]) -> None:
    table = Table(show_header=False, box=None, title=indicator.name_vi, title_justify="left")
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in {**indicator.definition, **facts}.items():
        shown = "\n".join(value) if isinstance(value, list | tuple) else str(value)
        if shown:
            # Text, not markup: expressions may hold brackets.
            table.add_row(name, Text(shown))
    Console().print(table)


def _print_json(value: Any) -> None:
    typer.echo(to_json(value, indent=2))


def _as_csv(catalogue: Catalogue) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(indicator.definition for indicator in catalogue.indicators.values())
    return out.getvalue()


def _as_json(catalogue: Catalogue) -> str:
    content = {
        "name_vi": catalogue.name_vi,
        "name_en": catalogue.name_en,
        "statement_vi": catalogue.statement_vi,
        "statement_en": catalogue.statement_en,
        "indicators": [dict(indicator.definition) for indicator in catalogue.indicators.values()],
    }
    return to_json(content, indent=2).decode() + "\n"
