"""Takes control totals from their topic into their table, each once, with the position in the same transaction."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import structlog
from kafka import KafkaConsumer, TopicPartition
from psycopg import Connection, DataError, IntegrityError
from psycopg.rows import scalar_row
from pydantic import ValidationError

from ioc.database.connection import Role, connect, translated_errors
from ioc.feeds.control_total import ToldControlTotal
from ioc.messaging.client import client_options
from ioc.messaging.client import translated_errors as kafka_errors
from ioc.messaging.topic import control_total_topic
from ioc.settings import Settings
from sql import load_queries
from streams.rules.raw import received_ms

_SECONDS = 10.0
_LONGEST = 15.0  # of one partition in one run; statuses wait meanwhile
_log = structlog.get_logger(__name__)


def take_control_totals(settings: Settings, role: Role = "writer") -> int:
    """Take all that lies in the topic now, as a role of the database; return how many totals were taken.

    Raises KafkaUnavailableError, DatabaseUnavailableError; what was taken before stays taken.
    """
    topic = control_total_topic(settings.topic_prefix)
    taken = 0
    with kafka_errors(settings):
        consumer = KafkaConsumer(
            **client_options(settings, _SECONDS),
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        try:
            with connect(settings, role, autocommit=True) as connection:
                for number in sorted(consumer.partitions_for_topic(topic) or ()):
                    taken += _take_partition(consumer, TopicPartition(topic, number), connection)
        finally:
            consumer.close(autocommit=False)
    return taken


def _take_partition(consumer: KafkaConsumer, partition: TopicPartition, connection: Connection) -> int:
    queries = load_queries("control_total")
    taken = 0
    consumer.assign([partition])
    end = consumer.end_offsets([partition])[partition]
    until = time.monotonic() + _LONGEST
    with translated_errors():
        connection.execute(queries["ensure_position"], list(partition))
        position = end + 1
        while time.monotonic() < until:  # what is left then is taken by the next run
            with connection.transaction():
                cursor = connection.cursor(row_factory=scalar_row)
                stored = cursor.execute(queries["lock_position"], list(partition)).fetchone()
                assert stored is not None, "the position was made above"
                if stored > end:
                    # The topic was made again. Words that are read twice change nothing.
                    _log.error("the topic of control totals is shorter than what was read of it", end=end, read=stored)
                    stored = 0
                    connection.execute(queries["move_position"], [stored, *partition])
                if stored == end:
                    return taken
                if stored != position:  # the first round, or another process has moved it
                    consumer.seek(partition, stored)
                records = consumer.poll(timeout_ms=1000).get(partition, [])
                for record in records:
                    taken += _take(connection, record)
                position = consumer.position(partition)
                connection.execute(queries["move_position"], [position, *partition])
    return taken


def _take(connection: Connection, record: Any) -> int:
    """Take one message, and return how many totals it held; what is none, or cannot be stored, is logged and passed."""
    try:
        told = ToldControlTotal.model_validate_json(record.value or b"")
        with connection.transaction():
            _put(connection, told, record)
    except (ValidationError, DataError, IntegrityError, ArithmeticError) as error:
        _log.error("no control total", offset=record.offset, error=type(error).__name__)
        return 0
    return 1


def _put(connection: Connection, told: ToldControlTotal, record: Any) -> None:
    """Write a message's totals: the count, and a row for each sum.

    The last word stands, so that none is from after its record: a clock that is ahead would keep later words out.
    """
    now_ms = int(time.time() * 1000)
    received = datetime.fromtimestamp(received_ms(record, now_ms) / 1000, UTC)
    shared = told.model_dump(exclude={"sums"}) | {"told_at": min(told.told_at, received)}
    query = load_queries("control_total")["put_total"]
    connection.execute(query, shared | {"summed": "", "total": None})
    for name, total in told.sums.items():
        connection.execute(query, shared | {"summed": name, "total": total})
