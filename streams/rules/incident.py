"""Incidents: one for each cause, from what is found at a moment; when they open, change, come back and close. Pure.

A finding that is not found any more closes its incident only after a while, and one that comes back soon opens no
second one. What cannot be judged (its feed is silent, the pipeline is stopped) neither opens nor closes anything:
unknown is not good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from ioc.province.calendar import BusinessCalendar
from ioc.province.duty import Ladder

Severity = Literal["info", "warning", "critical"]
PLATFORM = "platform"
Touch = tuple[str, int]

# How long a cause must be found before it opens: longer than a restart, or a fold that is late, takes.
_HOLD: Mapping[str, timedelta] = {
    "pipeline_stopped": timedelta(seconds=60),
    "feed_silent": timedelta(minutes=2),
}
# How long it must be gone before it closes; four times as long each time it has come back.
_CLEAR: Mapping[str, timedelta] = {
    "pipeline_stopped": timedelta(minutes=3),
    "feed_silent": timedelta(minutes=10),
    "rejections_up": timedelta(hours=1),
    "lagging": timedelta(hours=1),
}
_CLEAR_OTHER = timedelta(minutes=10)
_LONGEST_CLEAR = timedelta(days=3)
# Within this time after its end a cause that comes back is the same incident.
_SAME: Mapping[str, timedelta] = {"lagging": timedelta(days=7), "reporter_missing": timedelta(days=2)}
_SAME_OTHER = timedelta(hours=12)
_FACTOR = 4
_LASTING = 3  # acknowledged, it goes up all the same after three times the hours of its step


@dataclass(frozen=True)
class Finding:
    """A cause that is there now, with its evidence and what it touches.

    cause:   names it, so that the same cause found again is the same incident: `feed_silent:tourism.stay`.
    touches: (indicator, area) of every figure that it makes wrong, unknown or bad.
    area_id: the unit that is worst off.
    """

    cause: str
    kind: str
    severity: Severity
    sector: str
    owner: str
    title_vi: str
    title_en: str
    summary_vi: str
    summary_en: str
    since: datetime
    evidence: Mapping[str, Any] = field(default_factory=dict)
    touches: frozenset[Touch] = frozenset()
    feed: str | None = None
    code: str | None = None
    area_id: int | None = None
    period: str | None = None
    bucket: date | None = None
    value: float | None = None
    expected: float | None = None
    lag: float | None = None
    unit: str | None = None
    forecast: float | None = None
    link: Mapping[str, Any] = field(default_factory=dict)

    @property
    def core(self) -> tuple[object, ...]:
        """What a change of tells people something new; the rest is kept current silently."""
        return (self.severity, self.area_id, self.touches)


@dataclass(frozen=True)
class Incident:
    """What is stored of one that is open, or has closed lately."""

    incident_id: int
    cause: str
    kind: str
    severity: Severity
    sector: str
    opened_at: datetime
    seen_at: datetime
    closed_at: datetime | None
    reopened: int
    step: int
    step_at: datetime
    acknowledged_at: datetime | None
    silenced_until: datetime | None
    area_id: int | None = None
    touches: frozenset[Touch] = frozenset()

    @property
    def clear_after(self) -> timedelta:
        """How long its cause must be gone."""
        plain = _CLEAR.get(self.kind, _CLEAR_OTHER)
        return min(plain * int(_FACTOR ** min(self.reopened, 6)), _LONGEST_CLEAR)


@dataclass(frozen=True)
class IncidentMove:
    """What becomes of an incident: `opened`, `seen`, `changed`, `reopened` or `closed`; `incident_id` of an old one."""

    what: Literal["opened", "seen", "changed", "reopened", "closed"]
    finding: Finding | None = None
    incident_id: int | None = None


class CauseWatch:
    """Since when each cause is found that has no incident yet; lives as long as the process."""

    def __init__(self) -> None:
        self._first: dict[str, datetime] = {}

    def advance(
        self,
        incidents: Sequence[Incident],
        findings: Iterable[Finding],
        now: datetime,
        is_unknown: Callable[[Incident], bool] = lambda _: False,
    ) -> list[IncidentMove]:
        """Return what becomes of each incident, and what opens.

        incidents: those that are open, and those that closed lately, newest first.
        """
        found = {finding.cause: finding for finding in findings}
        steps: list[IncidentMove] = []
        by_cause: dict[str, Incident] = {}
        for incident in incidents:
            by_cause.setdefault(incident.cause, incident)
        for incident in incidents:
            if incident.closed_at is None and incident.cause not in found:
                gone = now - incident.seen_at
                if not is_unknown(incident) and gone >= incident.clear_after:
                    steps.append(IncidentMove("closed", None, incident.incident_id))
        for cause, finding in found.items():
            before = by_cause.get(cause)
            if before is not None and before.closed_at is None:
                what: Literal["seen", "changed"] = "changed" if _differs(before, finding) else "seen"
                steps.append(IncidentMove(what, finding, before.incident_id))
                continue
            since = self._first.setdefault(cause, now)
            if now - since < _HOLD.get(finding.kind, timedelta()):
                continue
            if before is not None and before.closed_at is not None and now - before.closed_at <= _same(finding.kind):
                steps.append(IncidentMove("reopened", finding, before.incident_id))
            else:
                steps.append(IncidentMove("opened", finding))
        self._first = {cause: since for cause, since in self._first.items() if cause in found}
        return steps


def _differs(before: Incident, finding: Finding) -> bool:
    return (before.severity, before.area_id, before.touches) != finding.core


def _same(kind: str) -> timedelta:
    return _SAME.get(kind, _SAME_OTHER)


def longest_memory() -> timedelta:
    """Return for how long a closed incident can still come back."""
    return max(_SAME_OTHER, *_SAME.values())


def next_step(
    incident: Incident, ladder: Ladder, calendar: BusinessCalendar, now: datetime, zone: ZoneInfo
) -> int | None:
    """Return the step of the duty ladder that gets a message now; None while the step does not change.

    A critical one waits by the clock, others by office hours. Acknowledging holds it for three times as long; silencing
    holds it until the silence ends.
    """
    if incident.closed_at is not None or incident.severity == "info":
        return None
    if incident.silenced_until is not None and incident.silenced_until > now:
        return None
    rung = ladder.rung(incident.sector, incident.step)
    above = ladder.next_step(incident.sector, incident.step)
    if rung is None or above is None:
        return above
    hours = rung.after_hours
    since = incident.step_at
    if incident.acknowledged_at is not None and incident.acknowledged_at >= incident.step_at:
        since, hours = incident.acknowledged_at, hours * _LASTING
    waited = now - since if incident.severity == "critical" else calendar.worked_between(since, now, zone)
    return above if waited >= timedelta(hours=hours) else None
