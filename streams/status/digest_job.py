"""Digests at their time, and the sending of what waits in the outbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

import psycopg
import structlog

from ioc.database.connection import connect, translated_errors
from ioc.errors import RetryableError
from ioc.faultpoint import fault_from
from ioc.notification.address_book import AddressBook
from ioc.notification.channel import ChannelName, MessageChannel
from ioc.notification.digest import due_kinds
from ioc.notification.digest_run import DigestRun
from ioc.notification.outbox import OutboxSender
from ioc.settings import Settings
from ioc.web.signing import Signing
from streams.status.job import State
from streams.status.service import StatusService
from streams.status.side_thread import SideThread

log = structlog.get_logger(__name__)

_PAUSE = 10.0  # seconds after a failure that a new connection may not mend


class DigestJob:
    """Writes the digests that are due; the state says of which day the last ones were."""

    def __init__(
        self,
        connection: psycopg.Connection,
        status: StatusService,
        book: AddressBook,
        channels: Mapping[ChannelName, MessageChannel],
    ) -> None:
        self._status = status
        self._run = DigestRun(connection, status.profile, book, tuple(channels))

    def run(self, now: datetime, state: State) -> State:
        """Write what is due and was not written."""
        written = dict(state)
        for kind, day in due_kinds(now, self._status.zone):
            if written.get(kind) != day.isoformat():
                today = self._status.business_now(now).astimezone(self._status.zone).date()
                new = self._run.put(kind, day, now, today)
                log.info("digests are written", kind=kind, day=day.isoformat(), messages=new)
                written[kind] = day.isoformat()
        return written


class OutboxThread(SideThread):
    """Sends what waits, over a connection of its own: a mail server that does not answer holds up no status."""

    def __init__(
        self,
        settings: Settings,
        book: AddressBook,
        channels: Mapping[ChannelName, MessageChannel],
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._book = book
        self._channels = channels
        self._clock = clock
        super().__init__("outbox")

    def loop(self) -> None:
        """Send until the thread is stopped; a message that is being sent ends first, within its channel's limits."""
        signing = Signing(self._settings)
        fault = fault_from(self._settings.fault)
        while not self.stopped.is_set():
            try:
                with connect(self._settings, "scheduler", autocommit=True) as connection, translated_errors():
                    sender = OutboxSender(connection, self._channels, self._book.find, signing.link, reached=fault)
                    while not self.stopped.wait(self._settings.scheduler_interval):
                        sender.run(self._clock)
            except RetryableError as error:
                log.warning("the outbox waits for the database", error=str(error))
                self.stopped.wait(self._settings.scheduler_interval)
            except Exception as error:
                # A message that trips the sender must not end the thread: nothing would be sent any more, unseen.
                log.error("the outbox fails", error=type(error).__name__, exc_info=True)
                self.stopped.wait(_PAUSE)
