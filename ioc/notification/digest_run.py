"""Digests of all leaders: composed, and written to the outbox."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import psycopg

from ioc.notification.address_book import AddressBook, DigestReader
from ioc.notification.channel import ChannelName
from ioc.notification.digest import Digest, DigestFrame, Kind, compose, due_moment, read_facts
from ioc.notification.outbox import OutgoingMessage, put_message
from ioc.province.profile import Profile

PAGE = "/morning"


@dataclass(frozen=True)
class ComposedDigest:
    """A reader's digest, and the channels by which it goes; none: the reader has no address."""

    reader: DigestReader
    digest: Digest
    channels: tuple[ChannelName, ...]


class DigestRun:
    """Composes and writes over a connection that the caller keeps; the clock is passed in."""

    def __init__(
        self, connection: psycopg.Connection, profile: Profile, book: AddressBook, channels: Collection[ChannelName]
    ) -> None:
        self._connection = connection
        self._profile = profile
        self._book = book
        self._channels = channels

    def compose(self, kind: Kind, now: datetime, today: date, day: date | None = None) -> Iterator[ComposedDigest]:
        """Yield the digest of each leader.

        today: the business day on which figures are judged; day: that of the digest, where it is to be sent.
        """
        roots = self._profile.areas.roots(today)
        if not roots:
            return
        zone = ZoneInfo(self._profile.timezone)
        due_at = None if day is None else due_moment(day, zone)
        frame = DigestFrame(kind, now, today, zone, self._profile.name_vi, self._profile.note_vi, due_at)
        for reader in self._book.readers(now.astimezone(zone).date()):
            facts = read_facts(self._connection, reader, frame, roots[0].area_id)
            channels = tuple(self._book.channels(reader.post, self._channels))
            yield ComposedDigest(reader, compose(reader, frame, facts), channels)

    def put(self, kind: Kind, day: date, now: datetime, today: date) -> int:
        """Write the digests of a day, all of them or none; return how many messages are new."""
        with self._connection.transaction():
            return sum(
                put_message(self._connection, _message(composed, channel, day), now)
                for composed in self.compose(kind, now, today, day)
                for channel in composed.channels
            )


def _message(composed: ComposedDigest, channel: ChannelName, day: date) -> OutgoingMessage:
    digest, reader = composed.digest, composed.reader
    return OutgoingMessage(
        key=f"digest:{digest.kind}:{day.isoformat()}:{reader.post}:{channel}",
        channel=channel,
        recipient=reader.post,
        recipient_name=reader.name,
        subject=digest.subject,
        text=digest.text,
        opens=PAGE,
        detail={"kind": f"digest_{digest.kind}", "day": day.isoformat(), "counts": dict(digest.counts)},
    )
