"""What a page does about an incident: it acknowledges it. That is written with the writer's role, and stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from ioc.api.problem import ProblemError
from ioc.database.connection import connect, translated_errors
from ioc.errors import QuestionError
from ioc.incident.acting import Actor, IncidentActs
from ioc.settings import Settings
from sql import load_queries


class PageActing(Protocol):
    """Acts on incidents; raises ProblemError where it cannot."""

    def acknowledge(self, incident_id: int, *, by: str, note: str) -> None: ...


class DatabaseActing:
    """Acts over a connection of its own each time: acts are rare."""

    def __init__(self, settings: Settings, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        self._queries = load_queries("page")

    def acknowledge(self, incident_id: int, *, by: str, note: str) -> None:
        """Enter that somebody has taken an open incident on. Who was first stays; a second time changes nothing."""
        if not self._settings.db_writer_password.get_secret_value():
            raise ProblemError(
                403,
                "read_only",
                vi=f"trang này chỉ đọc; hãy nhận xử lý bằng lệnh ioc incident ack {incident_id}",
                en="these pages only read (IOC_DB_WRITER_PASSWORD is empty); acknowledge it by command",
            )
        with translated_errors(), connect(self._settings, "writer", autocommit=True) as connection:
            found = connection.execute(self._queries["select_acknowledged"].encode(), [incident_id]).fetchone()
            if found is None or found[0] is not None:
                return
            try:
                IncidentActs(connection).acknowledge(incident_id, Actor(by, "link"), self._now(), note)
            except QuestionError as error:
                raise ProblemError(409, "incident", vi=error.message_vi, en=str(error)) from None
