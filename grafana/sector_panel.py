"""Panels of the sector boards; each function makes one panel from the catalogue's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import bargauge, common, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.models import common as look
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig

from grafana.breakdown import Breakdown
from grafana.panel import (
    BLUE,
    RED,
    default_bargauge,
    default_stat,
    default_table,
    default_timeseries,
    fixed_color,
    grafana_unit,
    named,
    target_thresholds,
)
from grafana.query import SqlTarget, Value, Variable, bind
from grafana.text import Language, Text, breakdown_name, short_labels
from ioc.catalogue import Catalogue, Indicator

VALUE = Text("Giá trị", "Value")
AREA = Text("Địa bàn", "Area")
_CHOSEN = Variable("indicator")


@dataclass(frozen=True)
class Scope:
    """What all panels of one board share."""

    language: Language
    timezone: str
    sectors: tuple[str, ...]
    catalogue: Catalogue

    def name(self, indicator: Indicator) -> str:
        """Return an indicator's name."""
        return Text(indicator.name_vi, indicator.name_en).of(self.language)

    def title(self, indicator: Indicator) -> str:
        """Return its name with the unit."""
        return f"{self.name(indicator)} ({self.unit(indicator)})"

    def unit(self, indicator: Indicator) -> str:
        """Return its unit as people read it."""
        return Text(indicator.unit, self.catalogue.units[indicator.unit]).of(self.language)

    def target(self, query: str, output: str = "table", ref_id: str = "A", **values: Value) -> SqlTarget:
        """Return a target with one of the board's queries."""
        if output == "time_series":
            return SqlTarget(self.sql(query, **values), "time_series", ref_id)
        return SqlTarget(self.sql(query, **values), "table", ref_id)

    def sql(self, query: str, **values: Value) -> str:
        """Return one of the board's queries, bound."""
        shared: dict[str, Value] = {
            "language": self.language,
            "timezone": self.timezone,
            "sectors": self.sectors,
        }
        return bind("board", query, **(shared | values))


def latest_day_stat(scope: Scope) -> stat.Panel:
    """The newest business day that has data, with a link that moves the board's time range to it."""
    title = Text("Ngày số liệu mới nhất", "Newest day with data").of(scope.language)
    link = (
        DashboardLink(Text("Xem 30 ngày đến ngày này", "Show the 30 days up to it").of(scope.language))
        # The variables come along in the link, so that the choice of area is not lost.
        .url("${__url.path}?from=${__data.fields.from_ms}&to=${__data.fields.to_ms}&${__all_variables}")
    )
    return (
        default_stat("latest_day", title)
        .height(3)
        .with_target(scope.target("latest_day"))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("/^day$/"))
        .data_links([link])
    )


def indicator_stat(scope: Scope, indicator: Indicator) -> stat.Panel:
    """The latest value with the one of the period before it and the change."""
    points = indicator.unit == "%"
    panel = (
        default_stat(f"stat/{indicator.code}", scope.title(indicator))
        .description(_description(scope, indicator))
        .unit(grafana_unit(indicator.unit))
        .orientation(look.VizOrientation.VERTICAL)
        .text_mode(look.BigValueTextMode.VALUE_AND_NAME)
        .thresholds(target_thresholds(indicator))
        .with_target(scope.target("indicator_latest", code=indicator.code))
        # Fields of one row, not one number: current, previous, change.
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("/.*/"))
    )
    panel = named(panel, "value", Text("Kỳ này", "Now"), scope.language)
    panel = named(panel, "previous", Text("Kỳ trước", "Before"), scope.language, color=_plain_color())
    name = Text("Tăng, giảm (điểm %)", "Change (points)") if points else Text("Tăng, giảm", "Change")
    return named(
        panel,
        "change",
        name,
        scope.language,
        unit="none" if points else "percent",
        decimals=1,
        color=_plain_color(),
    )


def indicator_timeseries(scope: Scope, indicator: Indicator) -> timeseries.Panel:
    """One indicator over time, with its target as a line where it has one."""
    panel = (
        default_timeseries(f"series/{indicator.code}", scope.title(indicator))
        .description(_description(scope, indicator))
        .unit(grafana_unit(indicator.unit))
        .with_target(scope.target("indicator_series", "time_series", code=indicator.code))
    )
    panel = named(panel, "value", VALUE, scope.language, color=fixed_color(BLUE).build())
    if indicator.target is None:
        return panel
    return _with_target_line(scope, panel, indicator.code)


def chosen_timeseries(scope: Scope) -> timeseries.Panel:
    """The indicator chosen above, over time."""
    panel = (
        default_timeseries("chosen/series", "${indicator:text}")
        .span(12)
        .unit("locale")
        .with_target(scope.target("indicator_series", "time_series", code=_CHOSEN))
    )
    return _with_target_line(scope, named(panel, "value", VALUE, scope.language), _CHOSEN)


def chosen_bargauge(scope: Scope) -> bargauge.Panel:
    """The indicator chosen above, the areas below the chosen one beside each other."""
    title = Text("${indicator:text} theo địa bàn", "${indicator:text} by area").of(scope.language)
    return (
        default_bargauge("chosen/areas", title)
        .span(12)
        .unit("locale")
        .with_target(scope.target("area_rank", code=_CHOSEN))
    )


def area_table(scope: Scope, indicators: Sequence[Indicator]) -> table.Panel:
    """The chosen area and those below it, a column for each indicator."""
    title = Text("So sánh các địa bàn, kỳ mới nhất", "Areas side by side, latest period").of(scope.language)
    panel = (
        default_table("areas", title)
        .with_target(scope.target("area_latest", codes=[indicator.code for indicator in indicators]))
        .with_transformation(
            DataTransformerConfig(
                "groupingToMatrix",
                options={
                    "columnField": "code",
                    "rowField": "area",
                    "valueField": "value",
                    "emptyValue": "null",
                },
            )
        )
    )
    panel = named(panel, r"area\code", AREA, scope.language)
    for indicator in indicators:
        title_text = Text(scope.title(indicator), scope.title(indicator))
        panel = named(panel, indicator.code, title_text, scope.language, unit=grafana_unit(indicator.unit))
    return panel


def breakdown_bargauge(scope: Scope, breakdown: Breakdown) -> bargauge.Panel:
    """The parts of a measure in the latest period, largest first."""
    codes, labels = _parts(scope, breakdown)
    return (
        default_bargauge(f"parts/{breakdown.measure}/{breakdown.dimension}", _breakdown_title(scope, breakdown))
        .unit(grafana_unit(breakdown.parts[0].unit))
        .with_target(scope.target("part_latest", codes=codes, labels=labels))
    )


def breakdown_timeseries(scope: Scope, breakdown: Breakdown) -> timeseries.Panel:
    """The parts of a measure over time."""
    codes, labels = _parts(scope, breakdown)
    return (
        default_timeseries(
            f"parts_series/{breakdown.measure}/{breakdown.dimension}", _breakdown_title(scope, breakdown)
        )
        .span(16)
        .unit(grafana_unit(breakdown.parts[0].unit))
        .with_target(scope.target("part_series", "time_series", codes=codes, labels=labels))
    )


def indicator_table(scope: Scope) -> table.Panel:
    """All indicators of the sectors, read from the database: a new one needs no new board."""
    panel = (
        default_table(
            "indicators",
            Text("Tất cả chỉ tiêu, kỳ mới nhất", "All indicators, latest period").of(scope.language),
        )
        .height(14)
        .with_target(scope.target("indicator_table"))
    )
    names = {
        "code": Text("Mã", "Code"),
        "name": Text("Chỉ tiêu", "Indicator"),
        "unit": Text("Đơn vị tính", "Unit"),
        "target": Text("Mục tiêu", "Target"),
        "owner": Text("Cơ quan chủ trì", "Owner"),
        "updated_at": Text("Cập nhật lúc", "Updated"),
    }
    for column, name in names.items():
        panel = named(panel, column, name, scope.language)
    return named(panel, "value", VALUE, scope.language, unit="locale")


def _with_target_line(scope: Scope, panel: timeseries.Panel, code: str | Variable) -> timeseries.Panel:
    panel = panel.with_target(scope.target("target_series", "time_series", "B", code=code))
    dashes = {"fill": "dash", "dash": [10, 10]}
    return named(
        panel,
        "target",
        Text("Mục tiêu", "Target"),
        scope.language,
        None,
        **{"color": fixed_color(RED).build(), "custom.lineStyle": dashes, "custom.fillOpacity": 0},
    )


def _parts(scope: Scope, breakdown: Breakdown) -> tuple[list[str], list[str]]:
    names = [scope.name(part) for part in breakdown.parts]
    return [part.code for part in breakdown.parts], short_labels(names)


def _breakdown_title(scope: Scope, breakdown: Breakdown) -> str:
    dimension = breakdown_name(breakdown.dimension).of(scope.language).lower()
    unit = scope.unit(breakdown.parts[0])
    name = breakdown.name.of(scope.language)
    return Text(f"{name} theo {dimension} ({unit})", f"{name} by {dimension} ({unit})").of(scope.language)


def _description(scope: Scope, indicator: Indicator) -> str:
    owner = Text(f"Chủ trì: {indicator.owner}", f"Owner: {indicator.owner}").of(scope.language)
    lines = [f"`{indicator.code}`", owner]
    if indicator.target is not None:
        target = f"{indicator.target.op} {indicator.target.value:g}"
        due = f" ({indicator.target.on:%d/%m/%Y})" if indicator.target.on else ""
        lines.append(Text(f"Mục tiêu: {target}{due}", f"Target: {target}{due}").of(scope.language))
        lines.append(indicator.target.source)
    return "\n\n".join(lines)


def _plain_color() -> object:
    return fixed_color("text").build()
