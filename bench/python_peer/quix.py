"""Quix Streams with its PostgreSQL sink: rows upserted by key, and ten running sums by reporter and day from its state.

`python -m bench.python_peer.quix TOPIC`; it reads until it is stopped.
"""

from __future__ import annotations

import sys
from typing import Any

from quixstreams import Application, State
from quixstreams.sinks.community.postgresql import PostgreSQLSink

from bench.python_peer.row import FIGURES, SUMS, TABLE, amounts_of, rows_of
from ioc.settings import Settings


def run(settings: Settings, topic_name: str) -> None:
    """Store what comes, for ever."""
    application = Application(
        broker_address=settings.kafka_bootstrap,
        consumer_group=settings.consumer_group,
        auto_offset_reset="earliest",
        commit_every=10_000,
        state_dir=settings.state_dir / "quix",
        loglevel="WARNING",
    )
    topic = application.topic(topic_name, value_deserializer="bytes", key_deserializer="bytes")
    rows = application.dataframe(topic).apply(rows_of, expand=True)
    rows.sink(_sink(settings, TABLE, ["record_key"]))
    rows.apply(_added, stateful=True).sink(_sink(settings, FIGURES, ["reporter", "day"]))
    application.run()


def _added(row: dict[str, Any], state: State) -> dict[str, Any]:
    """Return the sums of the row's reporter and day with the row in them."""
    day = row["issued_on"].isoformat()
    known = state.get(day) or [0.0] * len(SUMS)
    sums = [mine + amount for mine, amount in zip(known, amounts_of(row), strict=True)]
    state.set(day, sums)
    return {"reporter": row["reporter"], "day": row["issued_on"], **dict(zip(SUMS, sums, strict=True))}


def _sink(settings: Settings, table: str, keys: list[str]) -> PostgreSQLSink:
    return PostgreSQLSink(
        host=settings.db_host,
        port=settings.db_port,
        dbname=settings.db_name,
        user=settings.db_owner_user,
        password=settings.db_owner_password.get_secret_value(),
        table_name=table,
        schema_auto_update=False,
        primary_key_columns=keys,
        upsert_on_primary_key=True,
        include_metadata=False,
    )


if __name__ == "__main__":
    run(Settings(), sys.argv[1])
