"""A worker that is stopped in the middle of a COPY holds its positions; the next that connects frees them."""

from __future__ import annotations

import psycopg
import pytest
from testbed.feed_event import stay
from testbed.pipeline import Pipeline

from ioc.database.connection import connect
from ioc.settings import Settings
from sql import load_queries

END = load_queries("stream")["end_stalled_writers"]


def test_a_copy_without_data_is_ended_and_its_lock_with_it(pipeline: Pipeline, settings: Settings) -> None:
    pipeline.send("tourism.stay", [stay()])
    at_once = END.replace("15 s", "0 s")
    with connect(settings, "writer") as stopped, connect(settings, "writer", autocommit=True) as successor:
        stopped.execute("SELECT FROM stream_position FOR UPDATE")
        with (
            pytest.raises(psycopg.OperationalError),
            stopped.cursor().copy("COPY measure_delta (feed_id, area_id, bucket, sums) FROM STDIN") as copy,
        ):
            successor.execute("SET lock_timeout = '300ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                successor.execute("SELECT FROM stream_position FOR UPDATE")
            assert successor.execute(END).fetchall() == []  # it may still be at work
            assert successor.execute(at_once).fetchall() == [(True,)]
            successor.execute("SET lock_timeout = '10s'")
            assert successor.execute("SELECT count(*) FROM (SELECT FROM stream_position FOR UPDATE) p").fetchone()
            copy.write(b"x")
