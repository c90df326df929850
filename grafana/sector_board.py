"""The boards of the sectors: which there are is data, what stands on them comes from the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana.board import Folder, default_board, simulation_notice
from grafana.breakdown import breakdowns
from grafana.panel import default_row
from grafana.sector_panel import (
    Scope,
    area_table,
    breakdown_bargauge,
    breakdown_timeseries,
    chosen_bargauge,
    chosen_timeseries,
    indicator_stat,
    indicator_table,
    indicator_timeseries,
    latest_day_stat,
)
from grafana.text import Language, Text, breakdown_name
from grafana.variable import area_variable, indicator_variable, level_variable, period_variable
from ioc.catalogue import Catalogue, Indicator


@dataclass(frozen=True)
class SectorBoard:
    """A board: the catalogue's sectors on it, and the indicators that stand at its head, in order.

    An indicator with a target is shown at the head too, whether it is named or not; one that the catalogue of
    the province does not hold is left out.
    """

    key: str
    folder: Folder
    title: Text
    sectors: tuple[str, ...]
    heads: tuple[str, ...]


SECTOR_BOARDS = (
    SectorBoard(
        key="tourism",
        folder=Folder("ioc-folder-tourism", Text("IOC - Du lịch", "IOC - Tourism")),
        title=Text("Du lịch: khách và cơ sở lưu trú", "Tourism: lodging guests and establishments"),
        sectors=("lodging",),
        heads=(
            "lodging.guests.total",
            "lodging.guests.international",
            "lodging.in_house.total",
            "lodging.nights.total",
            "lodging.occupancy.total",
            "lodging.revenue.total",
            "lodging.avg_stay.total",
            "lodging.declared_on_time_rate",
        ),
    ),
    SectorBoard(
        key="tax",
        folder=Folder("ioc-folder-tax", Text("IOC - Thuế", "IOC - Tax")),
        title=Text("Thuế: hóa đơn điện tử và bán lẻ xăng dầu", "Tax: e-invoices and petrol retail"),
        sectors=("einvoice", "petrol"),
        heads=(
            "einvoice.invoices.total",
            "einvoice.value.total",
            "einvoice.vat.total",
            "einvoice.issuers.total",
            "petrol.volume.total",
            "petrol.revenue.total",
            "petrol.shops_einvoice",
            "petrol.einvoice_rate",
        ),
    ),
)


def board_of(sector: str) -> SectorBoard | None:
    """Return the board that shows a sector of the catalogue."""
    return next((board for board in SECTOR_BOARDS if sector in board.sectors), None)


def boards_of(catalogue: Catalogue) -> list[SectorBoard]:
    """Return the boards that have something to show: a province's catalogue may lack whole sectors."""
    return [board for board in SECTOR_BOARDS if any(catalogue.of_sector(sector) for sector in board.sectors)]


def head_indicators(board: SectorBoard, catalogue: Catalogue) -> list[Indicator]:
    """Return the indicators at a board's head: the named ones, then others with a target."""
    named = [catalogue.indicators[code] for code in board.heads if code in catalogue.indicators]
    return named + [found for found in _shown(board, catalogue) if found.target and found.code not in board.heads]


def sector_board(
    board: SectorBoard, catalogue: Catalogue, timezone: str, language: Language, notice: Text
) -> Dashboard:
    """Compose the board of a sector in one language."""
    scope = Scope(language, timezone, board.sectors, catalogue)
    heads = head_indicators(board, catalogue)
    built = (
        default_board(board.key, board.title, language, timezone)
        .with_variable(level_variable(language))
        .with_variable(area_variable(language, board.sectors, timezone))
        .with_variable(period_variable(language))
        .with_variable(indicator_variable(language, board.sectors))
        .with_panel(simulation_notice(notice, language))
        .with_panel(latest_day_stat(scope))
    )
    _add_overview(built, scope, heads)
    _add_areas(built, scope, heads)
    _add_chosen(built, scope)
    _add_breakdowns(built, scope, _shown(board, catalogue))
    all_row = default_row("all", Text("Tất cả chỉ tiêu", "All indicators").of(language))
    return built.with_row(all_row.with_panel(indicator_table(scope)))


def _shown(board: SectorBoard, catalogue: Catalogue) -> Sequence[Indicator]:
    return [found for sector in board.sectors for found in catalogue.of_sector(sector)]


def _add_overview(built: Dashboard, scope: Scope, heads: Sequence[Indicator]) -> None:
    built.with_row(default_row("overview", Text("Tổng quan", "Overview").of(scope.language)))
    for indicator in heads:
        built.with_panel(indicator_stat(scope, indicator))
    built.with_row(default_row("trend", Text("Diễn biến", "Trend").of(scope.language)))
    for indicator in heads:
        built.with_panel(indicator_timeseries(scope, indicator))


def _add_areas(built: Dashboard, scope: Scope, heads: Sequence[Indicator]) -> None:
    built.with_row(default_row("areas", Text("Theo địa bàn", "By area").of(scope.language)))
    built.with_panel(area_table(scope, heads))


def _add_chosen(built: Dashboard, scope: Scope) -> None:
    built.with_row(default_row("chosen", Text("Chỉ tiêu đang chọn", "Chosen indicator").of(scope.language)))
    built.with_panel(chosen_timeseries(scope)).with_panel(chosen_bargauge(scope))


def _add_breakdowns(built: Dashboard, scope: Scope, indicators: Sequence[Indicator]) -> None:
    """Add a folded row a dimension: Grafana asks for its panels only once it is opened."""
    for dimension, found in breakdowns(indicators).items():
        name = breakdown_name(dimension)
        title = Text(f"Phân tổ: {name.vi.lower()}", f"Breakdown: {name.en.lower()}").of(scope.language)
        row = default_row(f"by/{dimension}", title)
        for breakdown in found:
            row.with_panel(breakdown_bargauge(scope, breakdown)).with_panel(breakdown_timeseries(scope, breakdown))
        built.with_row(row)
