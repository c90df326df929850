"""What a server's alerting makes of its rules: alerts by label, groups by policy, and the messages that go out.

A row of the query's answer is one alert; a row that is gone resolves it; a query that fails is one
`DatasourceError` alert of the rule, and resolves nothing. A message about a group is sent when it has something
new, at once the first time and then after its interval.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from grafana.boards.board import Json
from grafana.standin.store import Store

Labels = tuple[tuple[str, str], ...]
Answer = tuple[Sequence[str], Sequence[Sequence[object]]]
_COMPARISON = re.compile(r"\$A (>|<) ([\d.]+)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(frozen=True)
class Message:
    """What one contact point was sent: firing or resolved, of one group."""

    receiver: str
    status: str
    group: Labels
    alerts: tuple[Labels, ...]


@dataclass
class _Group:
    told_at: datetime | None = None
    told: frozenset[Labels] = frozenset()


@dataclass
class Alerting:
    """Evaluates a store's rules.

    ask: runs a rule's SQL and returns columns and rows; it raises what it likes where the database is away.
    """

    store: Store
    ask: Callable[[str], Answer]
    health: dict[str, str] = field(default_factory=dict)
    firing: dict[Labels, datetime] = field(default_factory=dict)
    _groups: dict[tuple[str, Labels], _Group] = field(default_factory=dict)

    def evaluate(self, now: datetime) -> list[Message]:
        """Evaluate every rule once and return what goes out."""
        current: set[Labels] = set()
        for uid, rule in self.store.rules.items():
            current |= self._rule(uid, rule)
        self.firing = {labels: self.firing.get(labels, now) for labels in current}
        return self._messages(now)

    def _rule(self, uid: str, rule: Json) -> set[Labels]:
        (question,) = (query["model"] for query in rule["data"] if "rawSql" in query["model"])
        (condition,) = (query["model"] for query in rule["data"] if query["refId"] == rule["condition"])
        comparison = _COMPARISON.fullmatch(condition["expression"])
        fixed = {**rule["labels"], "alertname": rule["title"]}
        if comparison is None:
            self.health[uid] = "error"
            return set()
        try:
            columns, rows = self.ask(question["rawSql"])
        except Exception:
            self.health[uid] = "error"
            kept = {labels for labels in self.firing if dict(labels)["alertname"] == rule["title"]}
            return kept | {_labels({**fixed, "alertname": "DatasourceError", "rulename": rule["title"]})}
        self.health[uid] = "ok"
        found: set[Labels] = set()
        for row in rows:
            texts = {name: str(value) for name, value in zip(columns, row, strict=True) if isinstance(value, str)}
            (number,) = (float(value) for value in row if isinstance(value, int | float))
            limit = float(comparison[2])
            if number > limit if comparison[1] == ">" else number < limit:
                found.add(_labels({**texts, **fixed}))
        return found

    def _messages(self, now: datetime) -> list[Message]:
        gathered: dict[tuple[str, Labels], tuple[Json, set[Labels]]] = {}
        for labels in self.firing:
            route = _route(self.store.policy, dict(labels))
            group = tuple((name, dict(labels).get(name, "")) for name in route["group_by"])
            gathered.setdefault((route["receiver"], group), (route, set()))[1].add(labels)
        for key in self._groups.keys() - gathered.keys():
            gathered[key] = (_route(self.store.policy, dict(key[1])), set())
        sent: list[Message] = []
        for (receiver, group), (route, alerts) in gathered.items():
            known = self._groups.setdefault((receiver, group), _Group())
            fresh = not alerts <= known.told or (bool(known.told) and not alerts)
            interval = _duration(route["group_interval"])
            if not fresh or (known.told_at is not None and now - known.told_at < interval):
                continue
            known.told, known.told_at = frozenset(alerts), now
            status = "firing" if alerts else "resolved"
            for point in self.store.contact_points.values():
                if point["name"] == receiver and (alerts or not point["disableResolveMessage"]):
                    sent.append(Message(receiver, status, group, tuple(sorted(alerts))))
        return sent


def _route(policy: Json, labels: Mapping[str, str]) -> Json:
    inherited = {name: policy[name] for name in ("group_by", "group_interval")}
    for route in policy.get("routes") or []:
        if all(_matches(labels.get(name, ""), operator, value) for name, operator, value in route["object_matchers"]):
            return {**inherited, **route}
    return policy


def _matches(found: str, operator: str, value: str) -> bool:
    equal = bool(re.fullmatch(value, found)) if operator.endswith("~") else found == value
    return equal if operator.startswith("=") else not equal


def _labels(values: Mapping[str, str]) -> Labels:
    return tuple(sorted(values.items()))


def _duration(text: str) -> timedelta:
    return timedelta(seconds=sum(int(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+)([smhdw])", text)))
