"""What people do about an incident: acknowledge, silence, assign. Every act is entered in its history."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import psycopg
from psycopg.rows import dict_row

from ioc.audit.entry import AuditEntry, add_entry
from ioc.errors import QuestionError
from sql import load_queries

Through = Literal["command", "API", "link"]
What = Literal["acknowledge", "silence", "assign"]
LONGEST_SILENCE = timedelta(days=30)


@dataclass(frozen=True)
class Actor:
    """Who acts (a post or a name), and through what."""

    by: str
    through: Through


class IncidentActs:
    """Acts over a connection of a role that may act; each act is a transaction of its own. The clock is passed in."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._queries = load_queries("incident")

    def perform(
        self, what: What, incident_id: int, actor: Actor, now: datetime, *, hours: float, to: str, note: str
    ) -> None:
        """Do what was asked. hours: of a silence, 0 ends it; to: whom it is assigned to. Raises as each act does."""
        if what == "acknowledge":
            self.acknowledge(incident_id, actor, now, note)
        elif what == "silence":
            self.silence(incident_id, actor, now, now + timedelta(hours=hours), note)
        else:
            self.assign(incident_id, actor, now, to, note)

    def acknowledge(self, incident_id: int, actor: Actor, now: datetime, note: str = "") -> None:
        """Say that somebody has taken it on; the ladder waits. Raises QuestionError for one that is not open."""
        with self._connection.transaction():
            before = self._lock(incident_id)
            self._connection.execute(
                self._queries["acknowledge"], {"incident_id": incident_id, "by": actor.by, "now": now}
            )
            self._enter(incident_id, "acknowledged", actor, now, note, before)

    def silence(self, incident_id: int, actor: Actor, now: datetime, until: datetime, reason: str) -> None:
        """Send no messages until a moment, at most 30 days ahead; a moment in the past ends the silence.

        Raises QuestionError for one that is not open, for a longer silence, or where no reason is given.
        """
        ends = until <= now
        if not ends and until - now > LONGEST_SILENCE:
            raise QuestionError(
                f"an incident is silenced for at most {LONGEST_SILENCE.days} days; give an earlier moment",
                f"chỉ được tạm dừng báo tối đa {LONGEST_SILENCE.days} ngày; hãy chọn thời điểm sớm hơn",
            )
        if not ends and not reason.strip():
            raise QuestionError("say why it is silenced", "hãy ghi lý do tạm dừng báo")
        with self._connection.transaction():
            before = self._lock(incident_id)
            parameters = {"incident_id": incident_id, "by": actor.by, "now": now, "note": reason}
            self._connection.execute(self._queries["silence"], {**parameters, "until": None if ends else until})
            self._enter(incident_id, "unsilenced" if ends else "silenced", actor, now, reason, before)

    def assign(self, incident_id: int, actor: Actor, now: datetime, to: str, note: str = "") -> None:
        """Assign it to a person. Raises QuestionError if it is not open, or if no person is named."""
        if not to.strip():
            raise QuestionError("say to whom it is assigned", "hãy ghi người được giao xử lý")
        with self._connection.transaction():
            before = self._lock(incident_id)
            parameters = {"incident_id": incident_id, "to": to.strip(), "now": now}
            self._connection.execute(self._queries["assign"], parameters)
            self._enter(incident_id, "assigned", actor, now, f"{to.strip()}. {note}".strip(), before)

    def _lock(self, incident_id: int) -> Mapping[str, Any]:
        row = self._connection.cursor(row_factory=dict_row).execute(self._queries["lock"], [incident_id]).fetchone()
        if row is None:
            raise QuestionError(
                f"there is no incident {incident_id}; `ioc incident list` shows them",
                f"không có sự cố số {incident_id}",
            )
        if row["closed_at"] is not None:
            raise QuestionError(
                f"incident {incident_id} was closed at {row['closed_at']:%Y-%m-%d %H:%MZ}; "
                "nothing is left to do about it",
                f"sự cố số {incident_id} đã kết thúc",
            )
        return row

    def _enter(
        self, incident_id: int, what: str, actor: Actor, now: datetime, note: str, before: Mapping[str, Any]
    ) -> None:
        self._connection.execute(
            self._queries["insert_change"],
            {
                "incident_id": incident_id,
                "now": now,
                "what": what,
                "by": actor.by,
                "through": actor.through,
                "note": note,
            },
        )
        entry = AuditEntry(
            actor=actor.by,
            host=socket.gethostname(),
            through=actor.through,
            act=f"incident {what}",
            subject=str(incident_id),
            before={name: before[name] for name in ("acknowledged_by", "assigned_to", "silenced_until")},
            after={"note": note},
        )
        add_entry(self._connection, entry)
