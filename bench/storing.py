"""The load stored without Kafka: parsed and applied as the worker does it, in transactions of 10,000 events."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
from psycopg.rows import scalar_row

from bench.bed import Bed, contributions_of
from bench.workload import EVENTS_A_RECORD, as_fetched
from ioc.catalogue.store import read_epoch
from ioc.database.connection import connect
from ioc.settings import Settings
from sql import load_queries
from streams.rules.contribute import Contributor
from streams.worker.store import RecordStore

_EVENTS_A_BATCH = 10_000
_TOPIC = "replay"


def writer(settings: Settings) -> psycopg.Connection:
    """Open a writer's connection to a database in which the load's topic has a position."""
    connection = connect(settings, "writer", autocommit=True)
    connection.execute(load_queries("stream")["ensure_position"], [_TOPIC, 0])
    return connection


def store_load(bed: Bed, connection: psycopg.Connection, through: psycopg.Connection | None = None) -> None:
    """Store the load; the statements go `through` another object with a connection's methods, if one is given."""
    feed, parser = bed.site.feed, bed.parser
    cursor = connection.cursor(row_factory=scalar_row)
    feed_id = cursor.execute(load_queries("stream")["select_feed_id"], [feed.key]).fetchone()
    assert feed_id is not None
    measures = bed.measures(connection)
    store = RecordStore(feed, feed_id, Contributor(measures), epoch=read_epoch(connection))
    now = datetime.now(UTC)
    fetched = as_fetched(bed.load.batches, at=now)
    size = _EVENTS_A_BATCH // EVENTS_A_RECORD
    for start in range(0, len(fetched), size):
        batch = parser.parse(_TOPIC, 0, fetched[start : start + size], now=now)
        if start == 0 and "measures" not in bed.values:
            bed.keep({"contributions_per_event": contributions_of(batch.events, measures), "measures": len(measures)})
        store.apply(through or connection, [batch])
