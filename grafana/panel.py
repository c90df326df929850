"""Panels as every board shows them: one look for each kind, ids that do not move, units and colours."""

from __future__ import annotations

import zlib
from typing import Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import bargauge, common, stat, table, text, timeseries
from grafana_foundation_sdk.builders.dashboard import FieldColor, Row, ThresholdsConfig
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
    MatcherConfig,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.text import TextMode

from grafana.query import datasource
from grafana.text import Language, Text
from ioc.catalogue import Indicator

GREEN, YELLOW, RED, BLUE = "green", "yellow", "red", "blue"
# From this share of the target on, an indicator that misses it is shown yellow instead of red.
NEAR_TARGET = 0.95


class _Overridable(Protocol):
    def with_override(self, matcher: MatcherConfig, properties: list[DynamicConfigValue]) -> Self: ...


P = TypeVar("P", bound=_Overridable)


def panel_id(key: str) -> int:
    """Return an id made of the panel's own name, so that a new panel does not renumber its neighbours."""
    return 1 + zlib.crc32(key.encode()) % 1_000_000_000


def default_row(key: str, title: str) -> Row:
    """A row heading."""
    return Row(title).id(panel_id(f"row/{key}"))


def default_stat(key: str, title: str) -> stat.Panel:
    """One number, large; a quarter of the board's width."""
    return (
        stat.Panel()
        .id(panel_id(key))
        .title(title)
        .datasource(datasource())
        .span(6)
        .height(4)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(look.BigValueGraphMode.NONE)
        .color_mode(look.BigValueColorMode.VALUE)
        .thresholds(thresholds((None, BLUE)))
        .no_value("–")
    )


def default_timeseries(key: str, title: str) -> timeseries.Panel:
    """Lines over time; a third of the board's width."""
    return (
        timeseries.Panel()
        .id(panel_id(key))
        .title(title)
        .datasource(datasource())
        .span(8)
        .height(8)
        .line_width(2)
        .fill_opacity(10)
        .show_points(look.VisibilityMode.AUTO)
        .legend(
            common.VizLegendOptions()
            .display_mode(look.LegendDisplayMode.LIST)
            .placement(look.LegendPlacement.BOTTOM)
            .show_legend(True)
        )
        .tooltip(common.VizTooltipOptions().mode(look.TooltipDisplayMode.MULTI).sort(look.SortOrder.DESCENDING))
    )


def default_bargauge(key: str, title: str) -> bargauge.Panel:
    """One horizontal bar a row of the result, in the result's order; a third of the board's width."""
    return (
        bargauge.Panel()
        .id(panel_id(key))
        .title(title)
        .datasource(datasource())
        .span(8)
        .height(8)
        .orientation(look.VizOrientation.HORIZONTAL)
        .display_mode(look.BarGaugeDisplayMode.BASIC)
        .value_mode(look.BarGaugeValueMode.COLOR)
        .reduce_options(common.ReduceDataOptions().values(True).limit(100))
        .thresholds(thresholds((None, BLUE)))
        .min(0)
    )


def default_table(key: str, title: str) -> table.Panel:
    """A table over the whole width, with a filter on each column."""
    return (
        table.Panel()
        .id(panel_id(key))
        .title(title)
        .datasource(datasource())
        .span(24)
        .height(9)
        .cell_height(look.TableCellHeight.SM)
        .thresholds(thresholds((None, "text")))
        .with_override(MatcherConfig("byRegexp", ".*"), [DynamicConfigValue("custom.filterable", True)])
    )


def notice_text(key: str, markdown: str) -> text.Panel:
    """A line of text."""
    return text.Panel().id(panel_id(key)).mode(TextMode.MARKDOWN).content(markdown).transparent(True).span(18).height(3)


def thresholds(*steps: tuple[float | None, str]) -> ThresholdsConfig:
    """Return colours from each value on; the first step's value is None."""
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(value, color) for value, color in steps])


def target_thresholds(indicator: Indicator) -> ThresholdsConfig:
    """Return green where the target is met, yellow near it, red beyond; blue where there is no target."""
    target = indicator.target
    if target is None:
        return thresholds((None, BLUE))
    if target.op == ">=":
        near = target.value * NEAR_TARGET if target.value > 0 else target.value
        return thresholds((None, RED), (near, YELLOW), (target.value, GREEN))
    # A step colours from its value on, and the target itself is still met: the next begins just above it.
    above = target.value + max(abs(target.value), 1.0) * 1e-9
    return thresholds((None, GREEN), (above, YELLOW), (max(above, target.value / NEAR_TARGET), RED))


def fixed_color(color: str) -> FieldColor:
    """Return one colour for a field."""
    return FieldColor().mode(FieldColorModeId.FIXED).fixed_color(color)


def grafana_unit(unit: str) -> str:
    """Return Grafana's unit for a catalogue unit: percent, scaled for money, digits grouped for all else."""
    if unit == "%":
        return "percent"
    return "short" if unit.partition("/")[0] == "đồng" else "locale"


def named(panel: P, field: str, name: Text, language: Language, unit: str | None = None, **properties: object) -> P:
    """Show a column of the result under a name people read, with a unit and other field properties."""
    values = [DynamicConfigValue("displayName", name.of(language))]
    if unit is not None:
        values.append(DynamicConfigValue("unit", unit))
    values += [DynamicConfigValue(key, value) for key, value in properties.items()]
    return panel.with_override(MatcherConfig("byName", field), values)
