"""Contributions that cannot be folded: kept with the records that they come from, and tried again from time to time.

The usual cause is a sum that would overflow. A later correction or void that subtracts the amount is folded as usual
and makes room. Then the contribution that was set aside fits, and sums and records agree again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import psycopg
import structlog
from psycopg import sql as pg
from psycopg.rows import dict_row, scalar_row

from ioc.catalogue import StoredMeasure
from sql import load_queries
from streams.rollup.waiting import Contribution, Delta, MemberDelta, Waiting
from streams.rules.fault import told

log = structlog.get_logger(__name__)

_RECORDS = 20
RETRIED = 100


class SetAside:
    """Keeps contributions apart, within the fold's transaction."""

    def __init__(self, measures: Sequence[StoredMeasure], feed_ids: Mapping[str, int]) -> None:
        self._queries = load_queries("rollup")
        self._feed_ids = feed_ids
        self._days: dict[str, list[str]] = {
            feed: sorted(
                {
                    column
                    for stored in measures
                    if stored.measure.feed == feed
                    for column in (stored.measure.at, stored.measure.until)
                    if column
                }
            )
            for feed in feed_ids
        }

    def put(self, connection: psycopg.Connection, feed: str, one: Contribution, error: BaseException) -> None:
        """Keep a contribution of a feed, and say so."""
        records = self._records(connection, feed, one)
        log.error(
            "a contribution cannot be folded and is set aside; the figures lack it",
            feed=feed,
            area=one.area_id,
            bucket=str(one.bucket),
            records=len(records),
            error=told(error),
        )
        member = one if isinstance(one, MemberDelta) else None
        connection.execute(
            self._queries["insert_set_aside"],
            {
                "feed_id": self._feed_ids[feed],
                "area_id": one.area_id,
                "bucket": one.bucket,
                "sums": one.sums if isinstance(one, Delta) else None,
                "measure_id": member and member.measure_id,
                "member": member and member.member,
                "n": member and member.n,
                "placed": one.placed,
                "appended_at": one.appended_at,
                "records": records,
                "fault": told(error),
            },
        )

    def take(self, connection: psycopg.Connection) -> Iterator[Waiting]:
        """Take some of those set aside, each to be tried by itself."""
        cursor = connection.cursor(row_factory=dict_row)
        for row in cursor.execute(self._queries["take_set_aside"], [RETRIED]).fetchall():
            if row["sums"] is not None:
                yield Waiting([Delta(**{name: row[name] for name in Delta._fields})], [])
            else:
                yield Waiting([], [MemberDelta(**{name: row[name] for name in MemberDelta._fields})])

    def count(self, connection: psycopg.Connection) -> int:
        """Return how many are set aside."""
        return connection.cursor(row_factory=scalar_row).execute(self._queries["count_set_aside"]).fetchone() or 0

    def _records(self, connection: psycopg.Connection, feed: str, one: Contribution) -> list[str]:
        """Return keys of the records that it comes from: they were written in the same transaction as it was."""
        if not self._days[feed]:
            return []
        counted = pg.SQL(" OR ").join(pg.SQL("{} = %(day)s").format(pg.Identifier(day)) for day in self._days[feed])
        query = pg.SQL(
            "SELECT record_key FROM {} WHERE recorded_at = %(at)s AND area_id = %(area)s AND ({}) "
            "ORDER BY record_key LIMIT %(most)s"
        ).format(pg.Identifier(feed.replace(".", "_")), counted)
        where = {"at": one.appended_at, "area": one.area_id, "day": one.bucket, "most": _RECORDS}
        found = [key for (key,) in connection.execute(query, where).fetchall()]
        if found:
            return found
        # It takes back what was replaced: those are in the history, by their hash.
        where = {"at": one.appended_at, "feed_id": self._feed_ids[feed], "most": _RECORDS}
        return [key for (key,) in connection.execute(self._queries["select_replaced"], where).fetchall()]
