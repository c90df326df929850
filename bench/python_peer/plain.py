"""A plain consumer: confluent-kafka, pydantic, COPY into a staging table and an upsert, ten sums beside it.

`python -m bench.python_peer.plain TOPIC`; it reads until it is stopped. Offsets are committed after the transaction, so
that a crash between them counts a batch twice; a corrected invoice is added to the sums a second time.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import confluent_kafka
import psycopg
from psycopg import sql

from bench.python_peer.row import COLUMNS, FIGURES, SUMS, TABLE, amounts_of, rows_of
from ioc.database.connection import connect
from ioc.settings import Settings

_EVENTS_A_TRANSACTION = 10_000


def run(settings: Settings, topic: str) -> None:
    """Store what comes, for ever."""
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": settings.kafka_bootstrap,
            "group.id": settings.consumer_group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    consumer.subscribe([topic])
    with connect(settings, "owner") as connection:
        connection.execute(
            sql.SQL("CREATE TEMP TABLE staged AS SELECT {} FROM {} LIMIT 0").format(_names(COLUMNS), _name(TABLE))
        )
        connection.commit()
        rows: list[dict[str, Any]] = []
        while True:
            messages = consumer.consume(num_messages=500, timeout=0.2)
            for message in messages:
                rows += rows_of(message.value() or b"")
            if rows and (len(rows) >= _EVENTS_A_TRANSACTION or not messages):
                _store(connection, rows)
                consumer.commit(asynchronous=False)
                rows = []


def _store(connection: psycopg.Connection, rows: Sequence[dict[str, Any]]) -> None:
    last = {row["record_key"]: row for row in rows}
    with connection.cursor().copy(sql.SQL("COPY staged ({}) FROM STDIN").format(_names(COLUMNS))) as copy:
        for row in last.values():
            copy.write_row([row[name] for name in COLUMNS])
    connection.execute(
        sql.SQL(
            "INSERT INTO {table} ({names}) SELECT {names} FROM staged ON CONFLICT (record_key) DO UPDATE SET {set}"
        ).format(
            table=_name(TABLE),
            names=_names(COLUMNS),
            set=sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(_name(one)) for one in COLUMNS),
        )
    )
    connection.execute("TRUNCATE staged")
    sums: defaultdict[tuple[str, Any], list[float]] = defaultdict(lambda: [0.0] * len(SUMS))
    for row in rows:
        mine = sums[row["reporter"], row["issued_on"]]
        for index, amount in enumerate(amounts_of(row)):
            mine[index] += amount
    reporters, days = [reporter for reporter, _ in sums], [day for _, day in sums]
    connection.execute(
        sql.SQL(
            "INSERT INTO {table} AS f (reporter, day, {names}) SELECT * FROM unnest({values}) "
            "ON CONFLICT (reporter, day) DO UPDATE SET {set}"
        ).format(
            table=_name(FIGURES),
            names=_names(SUMS),
            values=sql.SQL("%s::text[], %s::date[], ") + sql.SQL(", ").join([sql.SQL("%s::float8[]")] * len(SUMS)),
            set=sql.SQL(", ").join(sql.SQL("{0} = f.{0} + excluded.{0}").format(_name(one)) for one in SUMS),
        ),
        [reporters, days, *map(list, zip(*sums.values(), strict=True))],
    )
    connection.commit()


def _name(name: str) -> sql.Identifier:
    return sql.Identifier(name)


def _names(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(_name, names))


if __name__ == "__main__":
    run(Settings(), sys.argv[1])
