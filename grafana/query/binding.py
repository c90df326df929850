"""SQL targets of panels and rules: the project's named queries with the build's values bound.

`%(name)s` in `sql/queries/*.sql` is bound here, once, when a board is built. Grafana's variables
(`${area:sqlstring}`) and macros (`$__timeFilter(...)`) stay in the text, for Grafana to fill in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from psycopg import sql as composed

from sql import load_queries

DATASOURCE_UID = "ioc-timescaledb"
# The name up to Grafana 10; later versions keep it as an alias of grafana-postgresql-datasource.
DATASOURCE_TYPE = "postgres"

ResultFormat = Literal["time_series", "table"]


@dataclass(frozen=True)
class Variable:
    """A board's variable, filled in by Grafana as quoted SQL text whatever it holds."""

    name: str


@dataclass(frozen=True)
class OutputColumn:
    """The name of a column that the query itself makes."""

    name: str


Value = str | Sequence[str] | Variable | OutputColumn


def datasource() -> DataSourceRef:
    """Return the reference to the provisioned data source."""
    return DataSourceRef(type_val=DATASOURCE_TYPE, uid=DATASOURCE_UID)


def bind(file: str, name: str, **values: Value) -> str:
    """Return a query of `sql/queries/<file>.sql` without its comments.

    Raises KeyError where the query or a value that it names is missing.
    """
    lines = load_queries(file)[name].splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("--"))
    return text % {key: _render(value) for key, value in values.items()}


def _render(value: Value) -> str:
    if isinstance(value, Variable):
        return f"${{{value.name}:sqlstring}}"
    if isinstance(value, OutputColumn):
        return composed.Identifier(value.name).as_string(None)
    return composed.Literal(value if isinstance(value, str) else list(value)).as_string(None)


class SqlQuery(Dataquery):
    """The model of a query to the PostgreSQL data source, as boards and rules hold it."""

    def __init__(self, raw_sql: str, output: ResultFormat, ref_id: str) -> None:
        self.raw_sql = raw_sql
        self.output = output
        self.ref_id = ref_id

    def to_json(self) -> dict[str, object]:
        """Return what Grafana stores."""
        return {
            "datasource": datasource(),
            "editorMode": "code",
            "format": self.output,
            "rawQuery": True,
            "rawSql": self.raw_sql,
            "refId": self.ref_id,
        }


class SqlTarget(Builder[Dataquery]):
    """Builder of a SQL target, for `with_target`."""

    def __init__(self, raw_sql: str, output: ResultFormat = "table", ref_id: str = "A") -> None:
        self._query = SqlQuery(raw_sql, output, ref_id)

    def build(self) -> SqlQuery:
        """Return the query's model."""
        return self._query


class AnswerOf(Dataquery, Builder[Dataquery]):
    """What another panel of the same board was answered; Grafana asks no second time."""

    def __init__(self, panel: int) -> None:
        self._panel = panel

    @staticmethod
    def datasource() -> DataSourceRef:
        """Return the reference to Grafana's own source of such answers."""
        return DataSourceRef(type_val="datasource", uid="-- Dashboard --")

    def build(self) -> AnswerOf:
        """Return itself."""
        return self

    def to_json(self) -> dict[str, object]:
        """Return what Grafana stores."""
        return {"datasource": self.datasource(), "panelId": self._panel, "refId": "A"}
