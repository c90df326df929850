"""The peer: Kafka Connect with Debezium's JDBC sink, which upserts flat rows and does nothing else.

It reads the same records as the worker, already flat, with as many columns as the worker's record table, and upserts
them by record key into one plain table. JSON with its schema inside is the format: it is the only one with types that
Connect brings along and that needs no further server.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import httpx
import polars as pl
import psycopg
from psycopg import sql
from psycopg.rows import scalar_row

from bench.drain import cumulated, program, rate_of, running, wait_for
from bench.site import free_ports
from bench.workload import Load, as_fetched
from deploy.local.files import CONNECT_JARS, CONNECT_PLUGINS
from deploy.local.process import end_of
from ioc.database.connection import connect
from ioc.errors import FatalError
from ioc.feeds.record_table import RECORD_COLUMNS
from ioc.messaging.record import OutgoingRecord
from ioc.settings import Settings
from sql import load_queries
from streams.rules.parse import BatchParser

TABLE = "peer_row"
DEBEZIUM = "3.2.0.Final"
_POLL_RECORDS = 5000

_CONNECT: Mapping[pl.DataType, tuple[str, str | None, str]] = {
    # Polars type: Connect's type, its logical name, PostgreSQL's type
    pl.String(): ("string", None, "text"),
    pl.Int64(): ("int64", None, "bigint"),
    pl.Int32(): ("int32", None, "integer"),
    pl.Float64(): ("double", None, "double precision"),
    pl.Boolean(): ("boolean", None, "boolean"),
    pl.Date(): ("int32", "org.apache.kafka.connect.data.Date", "date"),
    pl.Datetime("us", "UTC"): ("int64", "org.apache.kafka.connect.data.Timestamp", "timestamp"),
}


def columns_of(parser: BatchParser) -> list[str]:
    """Return the names of all columns of the worker's record table."""
    return [*RECORD_COLUMNS, *(column.name for column in parser.feed.columns)]


def make_rows(parser: BatchParser, load: Load, columns: Sequence[str], *, now: datetime) -> Iterator[OutgoingRecord]:
    """Yield the load's events as flat rows; what is null is left out, which spares the peer some reading."""
    fetched = as_fetched(load.batches, at=now)
    schema = b""
    for start in range(0, len(fetched), 200):
        frame = parser.parse("", 0, fetched[start : start + 200], now=now).events.select(columns)
        schema = schema or json.dumps(_schema_of(frame), separators=(",", ":")).encode()
        plain = frame.with_columns(_plain(name, dtype) for name, dtype in frame.schema.items())
        for row in plain.iter_rows(named=True):
            payload = json.dumps({k: v for k, v in row.items() if v is not None}, separators=(",", ":"))
            value = b'{"schema":' + schema + b',"payload":' + payload.encode() + b"}"
            yield OutgoingRecord("", row["record_key"].encode(), value)


def _schema_of(frame: pl.DataFrame) -> dict[str, object]:
    fields = []
    for name, dtype in frame.schema.items():
        kind, logical, _ = _CONNECT[dtype]
        field: dict[str, object] = {"type": kind, "optional": True, "field": name}
        fields.append(field | ({"name": logical, "version": 1} if logical else {}))
    return {"type": "struct", "fields": fields}


def _plain(name: str, dtype: pl.DataType) -> pl.Expr:
    """Return dates as days and times as milliseconds since 1970, as Connect's logical types want them."""
    if dtype == pl.Date():
        return pl.col(name).cast(pl.Int32)
    return pl.col(name).dt.timestamp("ms") if dtype.is_temporal() else pl.col(name)


class Peer:
    """Kafka Connect, standalone, with one sink of flat rows; `batch_size`, `reduce` and `tasks` are its tuning."""

    def __init__(
        self, topic: str, columns: Sequence[str], *, batch_size: int = 5000, reduce: bool = True, tasks: int = 1
    ) -> None:
        self._topic = topic
        self._columns = columns
        self._batch_size = batch_size
        self._reduce = reduce
        self._tasks = tasks

    def drain(
        self, settings: Settings, parser: BatchParser, rows: int, records: int, *, timeout: float = 900.0
    ) -> float:
        """Upsert the preloaded rows into a new table of a database; return rows a second, first to last commit.

        records: how many different keys the rows have; the table's statistics tell when all of them have come.
        """
        with connect(settings, "owner", autocommit=True) as owner:
            owner.execute(make_table(types_of(parser, self._columns)))
            port = free_ports(1)[0]
            directory = settings.state_dir / "connect"
            shutil.rmtree(directory, ignore_errors=True)
            directory.mkdir(parents=True)
            worker = _properties(directory / "worker.properties", self._worker(settings, directory, port))
            sink = _properties(directory / "sink.properties", self._sink(settings))
            with running([program("connect", _java(worker, sink), port)], settings) as started:
                status = f"http://127.0.0.1:{port}/connectors/{settings.consumer_group}/status"

                def done() -> bool:
                    _require_running(status, started["connect"].log)
                    return inserted(owner) >= records

                wait_for(started["connect"], done, timeout=timeout, poll=0.5)
                curve = cumulated(owner.execute(load_queries("bench")["peer_curve"]).fetchall())
        # The curve knows when a row came first; the updates lie between.
        return rate_of(curve) * rows / curve[-1][1]

    def _worker(self, settings: Settings, directory: Path, port: int) -> dict[str, object]:
        return {
            "bootstrap.servers": settings.kafka_bootstrap,
            "listeners": f"http://127.0.0.1:{port}",
            "plugin.path": CONNECT_PLUGINS,
            "offset.storage.file.filename": directory / "offsets",
            "key.converter": "org.apache.kafka.connect.storage.StringConverter",
            "value.converter": "org.apache.kafka.connect.json.JsonConverter",
            "value.converter.schemas.enable": "true",
            "consumer.auto.offset.reset": "earliest",
            "consumer.max.poll.records": _POLL_RECORDS,
            "consumer.fetch.min.bytes": 1 << 20,
            "consumer.max.partition.fetch.bytes": 8 << 20,
        }

    def _sink(self, settings: Settings) -> dict[str, object]:
        url = f"jdbc:postgresql://{settings.db_host}:{settings.db_port}/{settings.db_name}"
        return {
            "name": settings.consumer_group,  # also its consumer group
            "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
            "tasks.max": self._tasks,
            "topics": self._topic,
            # One statement of many rows may hold each key once only, which the reduction buffer sees to.
            "connection.url": f"{url}?reWriteBatchedInserts={str(self._reduce).lower()}",
            "connection.username": settings.db_owner_user,
            "connection.password": settings.db_owner_password.get_secret_value(),
            "insert.mode": "upsert",
            "primary.key.mode": "record_value",
            "primary.key.fields": "record_key",
            "schema.evolution": "none",
            "collection.name.format": TABLE,
            "batch.size": self._batch_size,
            "use.reduction.buffer": str(self._reduce).lower(),
        }


def types_of(parser: BatchParser, columns: Sequence[str]) -> dict[str, pl.DataType]:
    """Return the columns with their types, as an empty batch has them."""
    now = datetime.now(UTC)
    frame = parser.parse("", 0, as_fetched([OutgoingRecord("", b"", b"")], at=now), now=now).events
    return {name: frame.schema[name] for name in columns}


def make_table(columns: Mapping[str, pl.DataType]) -> sql.Composed:
    """Return the statement that makes a peer's table of rows."""
    return sql.SQL(
        "CREATE TABLE {} ({}, recorded_at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (record_key))"
    ).format(
        sql.Identifier(TABLE),
        sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(_CONNECT[dtype][2]))
            for name, dtype in columns.items()
        ),
    )


def _require_running(status: str, log: Path) -> None:
    """Connect goes on when its task has failed; raises FatalError then."""
    try:
        answer = httpx.get(status, timeout=5.0, trust_env=False)
    except httpx.HTTPError:
        return  # it has not come up yet
    tasks = answer.json()["tasks"] if answer.status_code == httpx.codes.OK else []
    if any(task["state"] == "FAILED" for task in tasks):
        raise FatalError(f"The peer's task has failed. {end_of(log)}")


def inserted(owner: psycopg.Connection) -> int:
    """Return how many rows have come, by the table's statistics."""
    return int(owner.cursor(row_factory=scalar_row).execute(load_queries("bench")["peer_rows"]).fetchone() or 0)


def _properties(path: Path, values: Mapping[str, object]) -> Path:
    path.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    return path


def _java(worker: Path, sink: Path) -> list[str]:
    java = shutil.which("java")
    if java is None or not CONNECT_JARS.is_dir():
        raise FatalError("The peer is not installed: run `ioc stack setup --peer`.")
    options = ["-Xms512m", "-Xmx1g", "-XX:-UsePerfData", "-cp", f"{CONNECT_JARS}/*"]
    return [java, *options, "org.apache.kafka.connect.cli.ConnectStandalone", str(worker), str(sink)]
