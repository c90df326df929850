"""The outbox: a message is written once, in the transaction of its cause, and then sent until it is accepted.

After a crash between the sending and its entry the message is sent again with the same key: the same `Message-ID` of
an e-mail, the same `Idempotency-Key` of a webhook, by which the receiver drops it. Telegram and Zalo know no such key;
there a reader may see it twice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
import structlog
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from ioc.errors import DeliveryError, UndeliverableError
from ioc.notification.channel import ChannelMessage, ChannelName, MessageChannel
from sql import load_queries

_log = structlog.get_logger(__name__)

_LEASE = timedelta(minutes=2)  # longer than any channel takes to say that it failed
_FIRST_WAIT, _LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=30)
_GIVES_UP = timedelta(hours=20)  # after that, the next digest has the news
_MOST_ERROR = 300

# (channel, recipient) -> address; None where the recipient has none any more.
FindAddress = Callable[[ChannelName, str], str | None]
# (path, name) -> the signed address that opens the page for the person.
Sign = Callable[[str, str], str]


@dataclass(frozen=True)
class OutgoingMessage:
    """A message to be sent. `opens`: path of the page that its link opens, such as `/morning`; '' = none."""

    key: str
    channel: ChannelName
    recipient: str
    recipient_name: str
    subject: str
    text: str
    opens: str = ""
    incident_id: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ClaimedMessage:
    """A row of the outbox that this process has taken."""

    notification_id: int
    key: str
    channel: ChannelName
    recipient: str
    recipient_name: str
    subject: str
    body: Mapping[str, Any]
    opens: str
    incident_id: int | None
    created_at: datetime
    attempts: int


@dataclass
class SentCount:
    """How many messages a run sent, put off, and gave up."""

    sent: int = 0
    put_off: int = 0
    given_up: int = 0


def put_message(connection: psycopg.Connection, message: OutgoingMessage, now: datetime) -> bool:
    """Write a message in the caller's transaction; return whether it is a new one."""
    parameters = {
        **{name: getattr(message, name) for name in ("key", "channel", "recipient", "recipient_name", "subject")},
        "body": Jsonb({"text": message.text, "detail": dict(message.detail)}),
        "opens": message.opens,
        "incident_id": message.incident_id,
        "now": now,
    }
    return connection.execute(load_queries("outbox")["put"].encode(), parameters).rowcount == 1


class OutboxSender:
    """Sends what waits, over a connection in autocommit mode; the clock is passed in.

    Several may run at once: a message is taken by one of them.
    """

    def __init__(
        self,
        connection: psycopg.Connection,
        channels: Mapping[ChannelName, MessageChannel],
        address: FindAddress,
        sign: Sign,
        *,
        reached: Callable[[str], None] = lambda _: None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        """
        reached: called at the points at which tests kill the process.
        """
        self._connection = connection
        self._channels = channels
        self._address = address
        self._sign = sign
        self._reached = reached
        self._jitter = jitter
        self._queries = load_queries("outbox")

    def run(self, clock: Callable[[], datetime]) -> SentCount:
        """Send all that is due; a channel that fails is left alone until the next run."""
        count = SentCount()
        open_channels = dict(self._channels)
        while open_channels and (claimed := self._claim(list(open_channels), clock())) is not None:
            try:
                remote = self._send(open_channels[claimed.channel], claimed)
            except UndeliverableError as error:
                self._fail(claimed, clock(), str(error), None)
                count.given_up += 1
                continue
            except DeliveryError as error:
                del open_channels[claimed.channel]
                now = clock()
                over = now - claimed.created_at > _GIVES_UP
                self._fail(claimed, now, str(error), None if over else now + self._wait(claimed, error.retry_after))
                count.given_up += over
                count.put_off += not over
                continue
            except Exception as error:
                # An address that no library takes, say: this message waits, those of others go on.
                now = clock()
                over = now - claimed.created_at > _GIVES_UP
                self._fail(
                    claimed, now, f"fails: {type(error).__name__}", None if over else now + self._wait(claimed, 0)
                )
                count.given_up += over
                count.put_off += not over
                continue
            self._reached("after_send")
            self._enter(claimed, clock(), remote)
            count.sent += 1
        return count

    def _claim(self, channels: list[ChannelName], now: datetime) -> ClaimedMessage | None:
        parameters = {"channels": channels, "now": now, "until": now + _LEASE}
        cursor = self._connection.cursor(row_factory=class_row(ClaimedMessage))
        return cursor.execute(self._queries["claim"].encode(), parameters).fetchone()

    def _send(self, channel: MessageChannel, claimed: ClaimedMessage) -> str:
        address = self._address(claimed.channel, claimed.recipient)
        if not address:
            raise UndeliverableError(f"{claimed.recipient} has no address for {claimed.channel} any more")
        # Not kept anywhere: who can read the table must not be able to open the page in the recipient's name.
        link = self._sign(claimed.opens, claimed.recipient_name) if claimed.opens else ""
        body = claimed.body
        message = ChannelMessage(
            claimed.key, claimed.recipient, claimed.subject, body["text"], link, body.get("detail", {})
        )
        return channel.send(address, message)

    def _enter(self, claimed: ClaimedMessage, now: datetime, remote: str) -> None:
        """Enter that it was sent, with its receipt, in one transaction."""
        with self._connection.transaction():
            self._connection.execute(
                self._queries["mark_sent"], {"notification_id": claimed.notification_id, "now": now}
            )
            receipt = {
                "key": f"outbox:{claimed.notification_id}",
                "incident_id": claimed.incident_id,
                "step": None,
                "notification_id": claimed.notification_id,
                "sender": "platform",
                "channel": claimed.channel,
                "recipient": claimed.recipient_name or claimed.recipient,
                "sent_at": now,
                "subject": claimed.subject,
                "detail": Jsonb({"remote_id": remote, "attempts": claimed.attempts}),
            }
            self._connection.execute(self._queries["put_receipt"].encode(), receipt)

    def _fail(self, claimed: ClaimedMessage, now: datetime, error: str, due_at: datetime | None) -> None:
        """Put a message off until `due_at`, or give it up."""
        parameters = {
            "notification_id": claimed.notification_id,
            "due_at": due_at or now,
            "error": error.replace("\0", "?")[:_MOST_ERROR],  # the other side's words
            "given_up_at": now if due_at is None else None,
        }
        self._connection.execute(self._queries["mark_failed"], parameters)
        what = "a message is given up" if due_at is None else "a message is sent again later"
        _log.warning(what, key=claimed.key, channel=claimed.channel, attempts=claimed.attempts, error=error)

    def _wait(self, claimed: ClaimedMessage, retry_after: float | None) -> timedelta:
        """Return how long until the next try: twice as long each time, with jitter, and no less than was asked for."""
        plain = min(_FIRST_WAIT * int(2 ** min(claimed.attempts - 1, 10)), _LONGEST_WAIT)
        own = plain * (0.5 + 0.5 * self._jitter())
        return max(own, timedelta(seconds=min(retry_after or 0.0, 86_400.0)))
