"""The drop-downs above a board. Each has its name as its id: without one Grafana takes all for the same."""

from __future__ import annotations

from collections.abc import Mapping

from grafana_foundation_sdk.builders.dashboard import CustomVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableHide, VariableOption, VariableRefresh

from grafana.boards.scope import MEASURES, Scope
from grafana.query.binding import datasource
from grafana.text import PERIODS, Text


def area_variable(scope: Scope) -> QueryVariable:
    """`area`: the `area_id` of a unit that stood on the newest day with data; the province first."""
    return _query(scope, "area", Text("Địa bàn", "Area"), scope.sql("area_choice"))


def sector_variable(scope: Scope) -> QueryVariable:
    """`sector`: the key of a sector."""
    return _query(scope, "sector", Text("Ngành", "Sector"), scope.sql("sector_choice"))


def indicator_variable(scope: Scope) -> QueryVariable:
    """`indicator`: the code of any live indicator of the chosen sector, read from the database."""
    return _query(scope, "indicator", Text("Chỉ tiêu", "Indicator"), scope.sql("indicator_choice"))


def head_variable(scope: Scope, sector: str) -> QueryVariable:
    """`head`: the indicators of a sector whose course is shown; chosen by the database, a panel each."""
    variable = _query(scope, "head", Text("Diễn biến", "Trend"), scope.sql("head_choice", sector=sector))
    everything = VariableOption(True, [scope.say("Tất cả", "All")], ["$__all"])
    return variable.multi(True).include_all(True).current(everything).hide(VariableHide.HIDE_VARIABLE)


def period_variable(scope: Scope) -> CustomVariable:
    """`period`: day, week, month, quarter or year; or `total`, the days of the year added up."""
    total = {"total": Text("Lũy kế trong năm", "Year to date")}
    return _choice(scope, "period", Text("Kỳ", "Period"), PERIODS | total, "day")


def as_of_variable(scope: Scope) -> QueryVariable:
    """`as_of`: a day at whose close figures were kept, such as `2025-03-05`; none before the first close."""
    return _query(scope, "as_of", Text("Như đã biết đến hết ngày", "As known at the end of"), scope.sql("as_of_choice"))


def measure_variable(scope: Scope) -> CustomVariable:
    """`measure`: one of the four measures of quality."""
    return _choice(scope, "measure", Text("Thước đo", "Measure"), MEASURES, "complete")


def feed_variable(scope: Scope) -> QueryVariable:
    """`feed`: the keys of one or more feeds; `*` is all of them."""
    everything = VariableOption(True, [scope.say("Tất cả nguồn", "All feeds")], ["*"])
    variable = _query(scope, "feed", Text("Nguồn dữ liệu", "Feed"), scope.sql("feed_choice"))
    return variable.multi(True).current(everything)


def _choice(scope: Scope, name: str, label: Text, values: Mapping[str, Text], chosen: str) -> CustomVariable:
    # A comma separates the choices, so one within a choice is escaped.
    texts = {value: text.of(scope.language) for value, text in values.items()}
    query = ", ".join(f"{text.replace(',', chr(92) + ',')} : {value}" for value, text in texts.items())
    options = [VariableOption(value == chosen, text, value) for value, text in texts.items()]
    current = VariableOption(True, texts[chosen], chosen)
    return CustomVariable(name).id(name).label(label.of(scope.language)).values(query).options(options).current(current)


def _query(scope: Scope, name: str, label: Text, sql: str) -> QueryVariable:
    return (
        QueryVariable(name)
        .id(name)
        .label(label.of(scope.language))
        .datasource(datasource())
        .query(sql)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )
