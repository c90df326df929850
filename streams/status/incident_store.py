"""Incidents in the database: opened, kept current, closed, and passed to the next step of the ladder."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from ioc.province.calendar import BusinessCalendar
from ioc.province.duty import Ladder
from sql import load_queries
from streams.rules.incident import CauseWatch, Finding, Incident, Touch, longest_memory, next_step


@dataclass(frozen=True)
class Moved:
    """How many incidents a pass opened, changed, reopened, closed, and told to the next step."""

    opened: int = 0
    changed: int = 0
    reopened: int = 0
    closed: int = 0
    escalated: int = 0


class IncidentStore:
    """Writes in one transaction a pass; the clock is passed in."""

    def __init__(
        self,
        connection: psycopg.Connection,
        ladder: Ladder,
        calendar: BusinessCalendar,
        zone: ZoneInfo,
    ) -> None:
        self._connection = connection
        self._ladder = ladder
        self._calendar = calendar
        self._zone = zone
        self._watch = CauseWatch()
        self._queries = load_queries("incident")

    def apply(
        self,
        findings: Iterable[Finding],
        now: datetime,
        is_unknown: Callable[[Incident], bool] = lambda _: False,
    ) -> Moved:
        """Bring the incidents to what was found."""
        moved = Moved()
        with self._connection.transaction():
            for step in self._watch.advance(self.current(now), findings, now, is_unknown):
                incident_id = step.incident_id
                if step.what == "closed":
                    assert incident_id is not None
                    self._execute("close", incident_id=incident_id, now=now)
                    self._touch(incident_id, frozenset(), now)
                    self._enter(incident_id, "closed", now)
                    moved = replace(moved, closed=moved.closed + 1)
                    continue
                finding = step.finding
                assert finding is not None
                if step.what == "opened":
                    incident_id = self._open(finding, now)
                    self._touch(incident_id, finding.touches, now)
                    self._enter(incident_id, "opened", now)
                    moved = replace(moved, opened=moved.opened + 1)
                    continue
                assert incident_id is not None
                if step.what == "reopened":
                    told = self._told(finding.sector, 0, now)
                    self._execute("reopen", incident_id=incident_id, now=now, told=told)
                    moved = replace(moved, reopened=moved.reopened + 1)
                changed = step.what != "seen"
                self._execute("refresh", **_columns(finding), incident_id=incident_id, now=now, changed=changed)
                if changed:
                    self._touch(incident_id, finding.touches, now)
                    self._enter(incident_id, step.what, now)
                if step.what == "changed":
                    moved = replace(moved, changed=moved.changed + 1)
        return replace(moved, escalated=self.escalate(now))

    def escalate(self, now: datetime) -> int:
        """Tell the next step of the ladder where it is time; return of how many incidents."""
        escalated = 0
        with self._connection.transaction():
            for incident in self.current(now):
                step = next_step(incident, self._ladder, self._calendar, now, self._zone)
                if step is not None:
                    told = self._told(incident.sector, step, now)
                    self._execute("step_up", incident_id=incident.incident_id, now=now, step=step, told=told)
                    self._enter(incident.incident_id, "escalated", now, note=told)
                    escalated += 1
        return escalated

    def current(self, now: datetime) -> list[Incident]:
        """Return what is open, and what closed so lately that it can come back."""
        cursor = self._connection.cursor(row_factory=class_row(Incident))
        statement = self._queries["select_current"].encode()
        incidents = cursor.execute(statement, {"since": now - longest_memory()}).fetchall()
        touches: dict[int, set[Touch]] = {}
        ids = [incident.incident_id for incident in incidents]
        for touch in self._connection.cursor(row_factory=dict_row).execute(self._queries["select_touches"], [ids]):
            touches.setdefault(touch["incident_id"], set()).add((touch["code"], touch["area_id"]))
        return [replace(one, touches=frozenset(touches.get(one.incident_id, ()))) for one in incidents]

    def _open(self, finding: Finding, now: datetime) -> int:
        told = self._told(finding.sector, 0, now)
        row = self._execute("insert", **_columns(finding), now=now, told=told).fetchone()
        assert row is not None
        (incident_id,) = row
        return int(incident_id)

    def _touch(self, incident_id: int, touches: frozenset[Touch], now: datetime) -> None:
        ordered = sorted(touches)
        pairs = {"codes": [code for code, _ in ordered], "areas": [area_id for _, area_id in ordered]}
        self._execute("end_touches", incident_id=incident_id, now=now, **pairs)
        self._execute("insert_touches", incident_id=incident_id, now=now, **pairs)

    def _enter(self, incident_id: int, what: str, now: datetime, note: str = "") -> None:
        self._execute("insert_change", incident_id=incident_id, now=now, what=what, by="", through="", note=note)

    def _told(self, sector: str, step: int, now: datetime) -> str:
        post = self._ladder.on_duty(sector, step, now.astimezone(self._zone).date())
        return post.post if post is not None else ""

    def _execute(self, query: str, **parameters: Any) -> psycopg.Cursor:
        return self._connection.execute(self._queries[query].encode(), parameters)


def _columns(finding: Finding) -> dict[str, Any]:
    names = (
        "cause kind severity sector feed code owner title_vi title_en summary_vi summary_en area_id period bucket "
        "value expected lag unit forecast since"
    )
    return {
        **{name: getattr(finding, name) for name in names.split()},
        "evidence": Jsonb(dict(finding.evidence)),
        "link": Jsonb(dict(finding.link)),
        "indicators": len({code for code, _ in finding.touches}),
        "areas": len({area_id for _, area_id in finding.touches}),
    }
