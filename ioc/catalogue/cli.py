"""`ioc catalogue check|list|show|export|diff`."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic_core import to_json
from rich.console import Console
from rich.table import Column, Table

from ioc.catalogue import (
    Catalogue,
    Compiled,
    Indicator,
    IndicatorPlan,
    Measure,
    compile_measures,
    contribution_sql,
    formula_sql,
    load_catalogue,
    member_sql,
)
from ioc.catalogue.diff import CHANGES, compare_catalogues
from ioc.catalogue.indicator import COLUMNS, KINDS
from ioc.catalogue.loading import read_export
from ioc.catalogue.plan import Computed, Quotient
from ioc.catalogue.store import load_editions
from ioc.command.heading import heading_of
from ioc.command.output import AsJson, show_rows
from ioc.database.connection import connect, translated_errors
from ioc.errors import ConfigError
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile_catalogue
from ioc.settings import Settings

app = typer.Typer(no_args_is_help=True)

Directory = Annotated[
    Path | None,
    typer.Option(
        "--directory", help="Danh mục khác với danh mục của hồ sơ tỉnh · Another catalogue than the profile's."
    ),
]


@app.command("check")
def check_command(directory: Directory = None, as_json: AsJson = False) -> None:
    """Đọc cả danh mục; mỗi lỗi hiện kèm tệp, dòng, cột và cách sửa · Read the whole catalogue; every mistake is
    shown with file, row, column and what to do.
    """
    catalogue, compiled = _read(directory)
    rows = []
    for key, sector in catalogue.sectors.items():
        kinds = Counter(indicator.kind for indicator in catalogue.of_sector(key))
        counts = {kind: kinds[kind] for kind in KINDS}
        rows.append({"sector": key, "name": sector.name_vi, **counts, "all": kinds.total()})
    if as_json:
        _print_json(
            {
                "statement_vi": catalogue.statement_vi,
                "statement_en": catalogue.statement_en,
                "indicators": len(catalogue.indicators),
                "measures": len(compiled.measures),
                "sectors": rows,
            }
        )
        return
    show_rows(rows, as_json=False, title=f"{catalogue.name_vi} · {catalogue.name_en}")
    typer.echo(
        f"{len(catalogue.indicators)} chỉ tiêu tính từ {len(compiled.measures)} số đo, không có lỗi"
        " · indicators, the measures that they are computed from, no mistakes"
    )
    typer.echo(f"{catalogue.statement_vi}\n{catalogue.statement_en}")


@app.command("list")
def list_command(
    sector: Annotated[str | None, typer.Option(help="Chỉ ngành này · Only this sector.")] = None,
    kind: Annotated[str | None, typer.Option(help="Chỉ loại này · Only this kind: flow, stock, ...")] = None,
    feed: Annotated[
        str | None, typer.Option(help="Chỉ những chỉ tiêu tính từ nguồn này · Only those computed from this feed.")
    ] = None,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Liệt kê chỉ tiêu của danh mục; --json cho cả dòng · List the indicators of the catalogue; --json gives their
    whole rows.
    """
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
    table = Table(
        Column(heading_of("code"), no_wrap=True),
        *map(heading_of, ("name", "unit", "kind")),
        title=f"{len(chosen)} chỉ tiêu · indicators",
    )
    for indicator in chosen:
        table.add_row(indicator.code, indicator.name_vi, indicator.unit, indicator.kind)
    Console().print(table)


@app.command("show")
def show_command(
    code: Annotated[str, typer.Argument(help="Mã chỉ tiêu · The indicator's code, such as lodging.guests.total.")],
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Hiện một chỉ tiêu: dòng danh mục, cách đếm, chỉ tiêu nào dùng nó · Show one indicator: its row, what is
    counted for it, and which indicators use it.
    """
    catalogue, compiled = _read(directory)
    if code not in catalogue.indicators:
        raise ConfigError(f"no indicator has the code {code}; `ioc catalogue list` shows all")
    plan = compiled.plans[code]
    sheet: dict[str, Any] = {
        **catalogue.indicators[code].definition,
        "method": type(plan).__name__,
        "scale": plan.scale if isinstance(plan, Quotient) else "",
        "inputs": list(plan.inputs),
        "feeds": list(compiled.feeds(code)),
        "dependents": sorted(compiled.dependents(code)),
        "sql": _sql(plan),
    }
    if as_json:
        _print_json(sheet)
        return
    shown = [{"what": name, "value": value} for name, value in sheet.items() if value not in ("", [])]
    show_rows(shown, as_json=False, title=catalogue.indicators[code].name_vi)


@app.command("diff")
def diff_command(
    old: Annotated[
        str,
        typer.Argument(
            help=(
                "Thư mục danh mục, tệp đã xuất, hoặc `database` là bản đang dùng"
                " · A catalogue's directory, a file of `ioc catalogue export`, or `database`: what is live."
            )
        ),
    ],
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """So với danh mục khác: chỉ tiêu nào đổi số liệu, dòng nào chỉ đổi lời · List what changes from another
    catalogue to this one: which figures move, and which rows change in wording only.
    """
    new, _ = _read(directory)
    found = compare_catalogues(_indicators_of(old), new.indicators)
    changes = [one for kind in CHANGES for one in found.of(kind)]
    if as_json:
        measures = {"measures_added": found.measures_added, "measures_removed": found.measures_removed}
        _print_json({"changes": changes, **measures})
        return
    rows = []
    for one in changes:
        because = [f"uses {', '.join(one.because)}"] if one.because else []
        told = [f"{cell.column}: {cell.old or '–'} → {cell.new or '–'}" for cell in one.cells]
        rows.append({"code": one.code, "change": one.change, "what": "; ".join(because + told)})
    show_rows(rows, as_json=False, title="Thay đổi · changes", empty="Không có thay đổi · Nothing changes.")
    counts = ", ".join(f"{len(found.of(kind))} {kind}" for kind in CHANGES if found.of(kind))
    if counts:
        added, removed = len(found.measures_added), len(found.measures_removed)
        typer.echo(
            f"{counts}; {added} số đo mới, {removed} không còn cần"
            f" · {added} measures are new, {removed} are needed no more"
        )


def _indicators_of(source: str) -> Mapping[str, Indicator]:
    """Return the indicators of a directory, an exported file, or the database."""
    if source == "database":
        with connect(Settings(), "reader") as connection, translated_errors():
            return load_editions(connection).live.indicators
    path = Path(source)
    if path.is_dir():
        return load_catalogue(path, load_feeds()).indicators
    return read_export(path, load_feeds())


@app.command("export")
def export_command(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="Tệp ghi ra; không nêu thì in ra màn hình · File to write; without it, the standard output."
        ),
    ] = None,
    directory: Directory = None,
    as_json: AsJson = False,
) -> None:
    """Xuất cả danh mục thành một tệp CSV, hoặc JSON kèm ghi chú nguồn gốc · Write the whole catalogue as one CSV
    file, or as JSON with its statement of origin.
    """
    catalogue, _ = _read(directory)
    text = _as_json(catalogue) if as_json else _as_csv(catalogue)
    if file is None:
        typer.echo(text, nl=False)
    else:
        file.write_text(text, encoding="utf-8")
        typer.echo(f"Đã ghi {len(catalogue.indicators)} chỉ tiêu vào {file} · indicators were written", err=True)


def _read(directory: Path | None) -> tuple[Catalogue, Compiled]:
    feeds = load_feeds()
    catalogue = load_catalogue(directory, feeds) if directory else load_profile_catalogue(Settings().profile, feeds)
    return catalogue, compile_measures(catalogue)


def _check_choice(option: str, value: str | None, allowed: Collection[str]) -> None:
    if value is not None and value not in allowed:
        raise typer.BadParameter(f"{value} is not one of {', '.join(allowed)}", param_hint=option)


def _sql(plan: IndicatorPlan) -> list[str]:
    """Return what PostgreSQL evaluates: over the records for each measure, or once over the inputs' figures."""
    if isinstance(plan, Computed):
        return [formula_sql(plan.formula.text)]
    return [_measure_sql(measure) for measure in plan.measures]


def _measure_sql(measure: Measure) -> str:
    if measure.kind == "distinct":
        return f"count(DISTINCT {member_sql(measure)})"
    return f"sum({contribution_sql(measure)})"


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
