"""What an alert rule is, and how it becomes Grafana's; the queries are in `sql/queries/alert.sql`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from grafana_foundation_sdk.builders.alerting import Query, Rule, RuleGroup
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.alerting import RelativeTimeRange

from grafana.boards.board import Folder
from grafana.query.binding import DATASOURCE_UID, SqlTarget
from grafana.text import Text
from grafana.uid import stable_uid

ALERT_FOLDER = Folder("ioc-folder-alerts", Text("IOC - Luật cảnh báo", "IOC - Alert rules"))
OPERATOR = "Đơn vị vận hành IOC"
_EXPRESSION = "__expr__"
# Every rule asks one question, and compares the answer here.
_QUESTION, _FIRING = "A", "FIRING"


class _Math(Dataquery, Builder[Dataquery]):
    """A server-side expression over the question: 1 where the alert fires."""

    def __init__(self, expression: str) -> None:
        self._expression = expression

    def build(self) -> Dataquery:
        return self

    def to_json(self) -> dict[str, object]:
        return {
            "datasource": {"type": _EXPRESSION, "uid": _EXPRESSION},
            "expression": self._expression,
            "refId": _FIRING,
            "type": "math",
        }


@dataclass(frozen=True)
class AlertRule:
    """One rule: the rows of `sql` for which `firing` (over `$A`) holds, for at least `hold`.

    The rule turns to Error where its query fails: an answer that did not come is no good news.
    """

    key: tuple[str, ...]
    title: str
    sql: str
    firing: str
    hold: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    no_data: Literal["OK", "Alerting"] = "OK"

    @property
    def uid(self) -> str:
        """Its identity in Grafana: made of the key, so it survives a new title."""
        return stable_uid(*self.key)

    def build(self, group: str) -> Rule:
        """Return the SDK's rule. It names no board and panel: at a server's first start rules are evaluated before
        boards are there, and each alert would be an error in the log. The message has a link."""
        return (
            Rule(self.title[:190])
            .uid(self.uid)
            .folder_uid(ALERT_FOLDER.uid)
            .rule_group(group)
            .condition(_FIRING)
            .for_val(self.hold)
            .no_data_state(self.no_data)
            .exec_err_state("Error")
            .labels({"managed_by": "ioc", **self.labels})
            .annotations(dict(self.annotations))
            .with_query(
                Query(_QUESTION)
                .datasource_uid(DATASOURCE_UID)
                .relative_time_range(RelativeTimeRange(600, 0))
                .model(SqlTarget(self.sql, "table", _QUESTION))
            )
            .with_query(
                Query(_FIRING)
                .datasource_uid(_EXPRESSION)
                .relative_time_range(RelativeTimeRange(0, 0))
                .model(_Math(self.firing))
            )
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
