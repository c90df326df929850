"""The drop-downs above a board. Each has its name as its id: without one Grafana takes all for the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders.dashboard import CustomVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh

from grafana.query import bind, datasource
from grafana.text import LEVELS, PERIODS, Language, Text


def level_variable(language: Language) -> CustomVariable:
    """`level`: province, district or commune."""
    return _choice("level", Text("Cấp", "Level"), LEVELS, "province", language)


def period_variable(language: Language) -> CustomVariable:
    """`period`: day, week, month, quarter or year."""
    return _choice("period", Text("Kỳ", "Period"), PERIODS, "day", language)


def area_variable(language: Language, sectors: Sequence[str], timezone: str) -> QueryVariable:
    """`area`: the `area_id` of a unit of the chosen level that stood on the newest day with data."""
    sql = bind("board", "area_choice", language=language, sectors=sectors, timezone=timezone)
    return _query("area", Text("Địa bàn", "Area"), sql, language)


def indicator_variable(language: Language, sectors: Sequence[str]) -> QueryVariable:
    """`indicator`: the code of any live indicator of the sectors, read from the database."""
    sql = bind("board", "indicator_choice", language=language, sectors=sectors)
    return _query("indicator", Text("Chỉ tiêu", "Indicator"), sql, language)


def feed_variable(language: Language) -> QueryVariable:
    """`feed`: the keys of one or more feeds."""
    variable = _query("feed", Text("Nguồn dữ liệu", "Feed"), bind("board", "feed_choice", language=language), language)
    everything = Text("Tất cả", "All").of(language)
    return variable.multi(True).include_all(True).current(VariableOption(True, [everything], ["$__all"]))


def _choice(name: str, label: Text, values: Mapping[str, Text], chosen: str, language: Language) -> CustomVariable:
    # A comma separates the choices, so one within a choice is escaped.
    texts = {value: text.of(language) for value, text in values.items()}
    query = ", ".join(f"{text.replace(',', chr(92) + ',')} : {value}" for value, text in texts.items())
    options = [VariableOption(value == chosen, text, value) for value, text in texts.items()]
    current = VariableOption(True, texts[chosen], chosen)
    return CustomVariable(name).id(name).label(label.of(language)).values(query).options(options).current(current)


def _query(name: str, label: Text, sql: str, language: Language) -> QueryVariable:
    return (
        QueryVariable(name)
        .id(name)
        .label(label.of(language))
        .datasource(datasource())
        .query(sql)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    )
