"""What a team of Python would build instead, on the same events: a plain consumer, and Quix Streams.

Both validate with the product's own model, upsert flat rows, and keep ten of the feed's indicators by reporter and day.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from psycopg import sql
from pydantic_core import from_json

from bench.bed import BULK, Bed
from bench.drain import cumulated, program, rate_of, running, wait_for
from bench.peer import inserted, make_table, types_of
from bench.python_peer.row import COLUMNS, FIGURES, SUMS
from bench.site import free_ports
from deploy.local.files import PEER_PYTHON
from ioc.database.connection import connect
from ioc.errors import FatalError
from sql import load_queries


class PlainConsumer:
    """Events a second of confluent-kafka, pydantic, COPY and upsert."""

    name = "plain"
    title = "Plain consumer: confluent-kafka, pydantic, COPY and upsert, ten sums"
    every_round = True
    module = "bench.python_peer.plain"
    measured = "plain_events_s"

    def __init__(self) -> None:
        self._keys = 0

    def prepare(self, bed: Bed) -> None:
        if not PEER_PYTHON.exists():
            raise FatalError("The peers in Python are not installed: run `ioc stack setup --peer`.")
        bed.site.preload(BULK, bed.load.batches)
        self._keys = len({from_json(record.value or b"")["subject"] for record in bed.load.singles})

    def measure(self, bed: Bed) -> Mapping[str, float]:
        with (
            bed.site.fresh(topic_prefix=BULK) as settings,
            connect(settings, "owner", autocommit=True) as owner,
        ):
            owner.execute(make_table(types_of(bed.parser, COLUMNS)))
            owner.execute(_figures())
            shutil.rmtree(settings.state_dir / "quix", ignore_errors=True)
            argv: list[str | Path] = [PEER_PYTHON, "-m", self.module, bed.site.feed.topic(BULK)]
            with running([program(self.name, argv, free_ports(1)[0])], settings) as started:
                wait_for(started[self.name], lambda: inserted(owner) >= self._keys, timeout=900.0, poll=0.5)
            curve = cumulated(owner.execute(load_queries("bench")["peer_curve"]).fetchall())
        # The curve knows when a row came first; the updates lie between.
        return {self.measured: rate_of(curve) * bed.load.events / curve[-1][1]}


class QuixStreams(PlainConsumer):
    """Events a second of Quix Streams with its PostgreSQL sink."""

    name = "quix"
    title = "Quix Streams with its PostgreSQL sink, ten sums from its state"
    module = "bench.python_peer.quix"
    measured = "quix_events_s"


def _figures() -> sql.Composed:
    return sql.SQL("CREATE TABLE {} (reporter text, day date, {}, PRIMARY KEY (reporter, day))").format(
        sql.Identifier(FIGURES),
        sql.SQL(", ").join(sql.SQL("{} double precision").format(sql.Identifier(name)) for name in SUMS),
    )
