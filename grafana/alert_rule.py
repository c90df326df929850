"""What an alert rule is, and how it becomes Grafana's; the queries are in `sql/queries/alert.sql`.

One cause, one alert: a silent feed keeps its indicators' lag rules quiet, and a silent pipeline keeps the
feeds' rules quiet (both in SQL). While the database is away all rules but one fall silent, and that one
fires.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from grafana_foundation_sdk.builders.alerting import Query, Rule, RuleGroup
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.alerting import RelativeTimeRange

from grafana.board import Folder, board_uid
from grafana.pipeline_board import PIPELINE
from grafana.query import DATASOURCE_UID, SqlTarget
from grafana.text import Text
from grafana.uid import stable_uid

ALERT_FOLDER = Folder("ioc-folder-alerts", Text("IOC - Cảnh báo", "IOC - Alerts"))
OPERATOR = "Đơn vị vận hành IOC"
_EXPRESSION = "__expr__"

Severity = Literal["warning", "critical"]
RuleKind = Literal["lag", "stale", "pipeline", "datasource"]


class _Math(Dataquery, Builder[Dataquery]):
    """A server-side expression over the other queries: 1 where the alert fires."""

    def __init__(self, expression: str) -> None:
        self._expression = expression

    def build(self) -> Dataquery:
        return self

    def to_json(self) -> dict[str, object]:
        return {
            "datasource": {"type": _EXPRESSION, "uid": _EXPRESSION},
            "expression": self._expression,
            "refId": "FIRING",
            "type": "math",
        }


@dataclass(frozen=True)
class AlertRule:
    """One rule. `queries`: name -> SQL, one number each, `A` the one that is compared with `firing`."""

    key: tuple[str, ...]
    title: str
    kind: RuleKind
    severity: Severity
    sector: str
    owner: str
    queries: Mapping[str, str]
    firing: str
    hold: str
    messages: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    board: str = PIPELINE
    on_error: Literal["OK", "Alerting"] = "OK"

    @property
    def uid(self) -> str:
        """Its identity in Grafana: made of the key, so it survives a new title."""
        return stable_uid(*self.key)

    def build(self, group: str) -> Rule:
        """Return the SDK's rule; it is silent without data, because the rules of feeds tell of silence."""
        rule = (
            Rule(self.title[:190])
            .uid(self.uid)
            .folder_uid(ALERT_FOLDER.uid)
            .rule_group(group)
            .condition("FIRING")
            .for_val(self.hold)
            .no_data_state("OK" if self.on_error == "OK" else "Alerting")
            .exec_err_state(self.on_error)
            .is_paused(False)
            .labels(
                {
                    "kind": self.kind,
                    "managed_by": "ioc",
                    "owner": self.owner,
                    "sector": self.sector,
                    "severity": self.severity,
                    **self.labels,
                }
            )
            .annotations({**self.messages, "__dashboardUid__": board_uid(self.board, "vi")})
        )
        for ref_id, raw_sql in self.queries.items():
            rule.with_query(
                Query(ref_id)
                .datasource_uid(DATASOURCE_UID)
                .relative_time_range(RelativeTimeRange(600, 0))
                .model(SqlTarget(raw_sql, "table", ref_id))
            )
        return rule.with_query(
            Query("FIRING")
            .datasource_uid(_EXPRESSION)
            .relative_time_range(RelativeTimeRange(0, 0))
            .model(_Math(self.firing))
        )


@dataclass(frozen=True)
class AlertGroup:
    """Rules evaluated one after another every `interval` seconds."""

    name: str
    interval: int
    rules: tuple[AlertRule, ...]

    def build(self) -> RuleGroup:
        """Return the SDK's group."""
        group = RuleGroup(self.name).folder_uid(ALERT_FOLDER.uid).interval(self.interval)
        return group.rules([rule.build(self.name) for rule in self.rules])


def number(ref_id: str, digits: int = 1) -> str:
    """Return the template of a query's number with a decimal comma, as Vietnamese is written."""
    return f'{{{{ reReplaceAll "[.]" "," (printf "%.{digits}f" $values.{ref_id}.Value) }}}}'


def board_link(board: str, query: str = "") -> str:
    """Return the template of a board's address on whatever server sends the alert."""
    return f'{{{{ reReplaceAll "/+$" "" externalURL }}}}/d/{board_uid(board, "vi")}{query}'
