"""What a page does about an incident: acknowledge, silence, assign. Written with the API's role, and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from psycopg.rows import dict_row

from ioc.api.problem import ProblemError
from ioc.database.connection import connect, translated_errors
from ioc.errors import QuestionError
from ioc.incident.acting import Actor, IncidentActs, What
from ioc.settings import Settings
from sql import load_queries

ACTS: tuple[What, ...] = ("acknowledge", "silence", "assign")


@dataclass(frozen=True)
class PageAct:
    """An act by somebody. hours: of a silence, 0 ends it; to: whom it is assigned to; note: a remark, or the reason."""

    what: What
    by: str
    note: str = ""
    hours: float = 0.0
    to: str = ""


class PageActing(Protocol):
    """Acts on incidents; raises ProblemError where it cannot."""

    def act(self, incident_id: int, act: PageAct) -> None: ...


class DatabaseActing:
    """Acts over a connection of its own each time: acts are rare."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._queries = load_queries("page")

    def act(self, incident_id: int, act: PageAct) -> None:
        """Do something about an open incident. Who took it on first stays: a second acknowledgement changes nothing."""
        if not self._settings.db_api_password.get_secret_value():
            raise ProblemError(
                403,
                "read_only",
                vi=f"trang này chỉ đọc; hãy xử lý bằng lệnh ioc incident {_COMMANDS[act.what]} {incident_id}",
                en="these pages only read (IOC_DB_API_PASSWORD is empty); act by command",
            )
        with translated_errors(), connect(self._settings, "api", autocommit=True) as connection:
            if act.what == "acknowledge":
                cursor = connection.cursor(row_factory=dict_row)
                found = cursor.execute(self._queries["select_acknowledged"].encode(), [incident_id]).fetchone()
                if found is None or found["acknowledged_at"] is not None:
                    return
            acts, actor, now = IncidentActs(connection), Actor(act.by, "link"), self._now()
            try:
                acts.perform(act.what, incident_id, actor, now, hours=act.hours, to=act.to, note=act.note)
            except QuestionError as error:
                raise ProblemError(409, "incident", vi=error.message_vi, en=str(error)) from None


_COMMANDS = {"acknowledge": "ack", "silence": "silence", "assign": "assign"}
