"""One transaction a batch: the position's protocol, every outcome, and what is left when it fails half way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest
from testbed.feed_event import HOTEL, INN, batch, place, record, records, stay, void_of, void_stay
from testbed.pipeline import Pipeline

from deploy.local.process import wait_until
from ioc.errors import ConcurrentWriteError, DatabaseUnavailableError, FatalError, PositionGapError
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.settings import Settings
from streams.rules.span import BatchCounts
from streams.worker.agent import Writer
from streams.worker.store import whole_log

FEED = "tourism.stay"


def position(pipeline: Pipeline, partition: int = 0) -> object:
    found = pipeline.rows(
        "SELECT next_offset FROM stream_position WHERE topic = %s AND partition = %s", [pipeline.topic(FEED), partition]
    )
    return found[0][0]


def count(pipeline: Pipeline, table: str) -> object:
    return pipeline.rows(f"SELECT count(*) FROM {table}")[0][0]


@pytest.fixture
def rival(settings: Settings, feeds: dict[str, Feed], profile: Profile) -> Iterator[Pipeline]:
    """Another worker on the same database."""
    driven = Pipeline(settings, feeds, profile)
    yield driven
    driven.close()


def test_every_outcome(pipeline: Pipeline) -> None:
    made = stay()
    assert pipeline.send(FEED, [made]) == BatchCounts(consumed=1, accepted=1)
    assert pipeline.send(FEED, [made]) == BatchCounts(consumed=1, duplicate=1)
    assert pipeline.send(FEED, [stay(age_years=50)]) == BatchCounts(consumed=1, rejected=1)
    assert pipeline.send(FEED, [stay(revision=3)]) == BatchCounts(consumed=1, accepted=1, corrected=1)
    assert pipeline.send(FEED, [stay(revision=2)]) == BatchCounts(consumed=1, accepted=1, superseded=1)
    assert pipeline.send(FEED, [stay(revision=2)]) == BatchCounts(consumed=1, duplicate=1)
    assert pipeline.send(FEED, [stay(revision=2, age_years=9)]) == BatchCounts(consumed=1, rejected=1)
    assert pipeline.send(FEED, [void_stay(revision=4)]) == BatchCounts(consumed=1, accepted=1, voided=1)
    assert pipeline.send(FEED, [stay(revision=5)]) == BatchCounts(consumed=1, accepted=1, corrected=1)
    assert pipeline.send(FEED, [stay("99-999-9999")]) == BatchCounts(consumed=1, rejected=1)
    assert pipeline.rows("SELECT revision FROM tourism_stay") == [(5,)]
    assert pipeline.rows("SELECT revision, record IS NULL FROM record_revision ORDER BY 1") == [
        (1, False),
        (2, False),
        (3, False),
        (4, True),
    ]
    assert pipeline.rows("SELECT rule, reporter FROM rejected_event ORDER BY record_offset") == [
        ("conflict", HOTEL),
        ("conflict", HOTEL),
        ("unknown_reporter", "99-999-9999"),
    ]
    assert pipeline.rows("SELECT revision, effective_at IS NULL FROM record_identity") == [(5, False)]
    assert position(pipeline) == 10


def test_a_void_before_its_record_keeps_it_away(pipeline: Pipeline) -> None:
    pipeline.send(FEED, [void_stay(revision=2)])
    assert pipeline.rows("SELECT effective_at FROM record_identity") == [(None,)]
    assert pipeline.send(FEED, [stay(revision=1)]) == BatchCounts(consumed=1, accepted=1, superseded=1)
    assert count(pipeline, "tourism_stay") == 0
    assert count(pipeline, "measure_delta") == 0


def test_a_batch_below_the_position_is_dropped(pipeline: Pipeline) -> None:
    pipeline.apply(FEED, records([stay(guest=n) for n in range(4)]))
    again = pipeline.apply(FEED, records([stay(guest=n) for n in range(4)]))
    assert again == BatchCounts()
    assert count(pipeline, "stream_batch") == 1
    assert count(pipeline, "rejected_event") == 0
    assert position(pipeline) == 4


def test_of_an_overlap_only_what_is_new_is_written(pipeline: Pipeline) -> None:
    bad = record(1, b"{")
    fetch = [record(0, stay(guest=0)), bad, batch(2, [stay(guest=2), stay("99-999-9999")]), record(3, stay(guest=3))]
    assert pipeline.apply(FEED, fetch[:2]) == BatchCounts(consumed=2, accepted=1, rejected=1)
    assert pipeline.apply(FEED, fetch) == BatchCounts(consumed=3, accepted=2, rejected=1)
    assert pipeline.rows("SELECT first_offset, next_offset FROM stream_batch ORDER BY 1") == [(0, 2), (2, 4)]
    assert pipeline.rows("SELECT record_offset, position FROM rejected_event ORDER BY 1") == [(1, 0), (2, 1)]


def test_a_gap_is_refused_and_nothing_is_written(pipeline: Pipeline) -> None:
    pipeline.apply(FEED, records([stay(guest=0)]))
    with pytest.raises(PositionGapError, match="starts at 5, the database expects 1"):
        pipeline.apply(FEED, records([stay(guest=5)], start=5))
    assert (position(pipeline), count(pipeline, "tourism_stay"), count(pipeline, "stream_gap")) == (1, 1, 0)


def test_what_was_read_of_a_topic_that_was_made_again_is_not_written(pipeline: Pipeline) -> None:
    """A batch may have been read just before, and its offsets fit: they mean other events now."""
    ours, other = UUID(int=1), UUID(int=2)
    store = pipeline.store(FEED, topic_id=lambda _: ours)
    fetched = pipeline.parse(FEED, records([stay(guest=0)]))
    for known, written in ((other, False), (ours, True), (None, True)):
        pipeline.rows("UPDATE stream_position SET topic_id = %s, next_offset = 0 RETURNING 1", [known])
        if written:
            store.apply(pipeline.connection, [fetched])
        else:
            with pytest.raises(PositionGapError, match="made again"):
                store.apply(pipeline.connection, [fetched])
        assert position(pipeline) == int(written)
    assert count(pipeline, "tourism_stay") == 1


def test_a_gap_that_kafka_made_is_recorded_and_skipped(pipeline: Pipeline) -> None:
    pipeline.apply(FEED, records([stay(guest=0)]))
    pipeline.apply(FEED, records([stay(guest=5)], start=5), known_gap=True)
    assert pipeline.rows("SELECT partition, from_offset, to_offset FROM stream_gap") == [(0, 1, 5)]
    assert pipeline.rows("SELECT first_offset, next_offset FROM stream_batch ORDER BY 1") == [(0, 1), (5, 6)]
    assert position(pipeline) == 6


def test_without_a_position_nothing_is_written(pipeline: Pipeline) -> None:
    parsed = pipeline.parse(FEED, records([stay()]))
    pipeline.rows("DELETE FROM stream_position RETURNING 1")
    with pytest.raises(FatalError, match="restart the worker"):
        pipeline.stores[FEED].apply(pipeline.connection, [parsed])
    assert count(pipeline, "tourism_stay") == 0


def test_partitions_share_a_transaction_and_keep_their_own_account(pipeline: Pipeline) -> None:
    counts = pipeline.apply_all(
        FEED,
        [
            (1, records([stay(INN, 1), stay(INN, 1)])),
            (0, records([stay(HOTEL, 1)])),
            (1, [record(2, stay(INN, 2)), record(3, b"{")]),
        ],
    )
    assert counts == BatchCounts(consumed=5, accepted=3, rejected=1, duplicate=1)
    assert pipeline.rows(
        "SELECT partition, first_offset, next_offset, consumed, accepted, rejected, duplicate "
        "FROM stream_batch ORDER BY 1"
    ) == [(0, 0, 1, 1, 1, 0, 0), (1, 0, 4, 4, 2, 1, 1)]
    assert (position(pipeline, 0), position(pipeline, 1)) == (1, 4)


@pytest.mark.parametrize("point", ["after_copy", "before_commit"])
def test_a_batch_that_fails_before_its_commit_leaves_nothing(pipeline: Pipeline, rival: Pipeline, point: str) -> None:
    """The connection is cut by the server in the middle; the next try, on a new one, writes the batch once."""

    def cut(here: str) -> None:
        if here == point:
            rival.rows("SELECT pg_terminate_backend(%s, 5000)", [pipeline.connection.info.backend_pid])

    store = pipeline.store(FEED, fault=cut)
    parsed = pipeline.parse(FEED, records([stay(), stay("99-999-9999")]))
    with pytest.raises(DatabaseUnavailableError):
        store.apply(pipeline.connection, [parsed])
    pipeline.reconnect()
    tables = ("tourism_stay", "record_identity", "measure_delta", "rejected_event", "stream_batch")
    assert [count(pipeline, table) for table in tables] == [0] * len(tables)
    assert position(pipeline) == 0
    assert pipeline.stores[FEED].apply(pipeline.connection, [parsed]) == BatchCounts(consumed=2, accepted=1, rejected=1)


def test_a_lost_connection_is_replaced_and_the_batch_applied_once(pipeline: Pipeline) -> None:
    """As the agent's writer does it: the commit got through, its answer did not."""
    opened: list[psycopg.Connection] = []

    def connect() -> psycopg.Connection:
        pipeline.reconnect()
        opened.append(pipeline.connection)
        return pipeline.connection

    def lose(here: str) -> None:
        if here == "after_commit" and len(opened) == 1:
            raise DatabaseUnavailableError("the answer was lost")

    writer = Writer(connect)
    store = pipeline.store(FEED, fault=lose)
    parsed = pipeline.parse(FEED, records([stay()]))
    with pytest.raises(DatabaseUnavailableError):
        writer.apply(store, [parsed], log_start=whole_log)
    assert opened[0].closed
    assert writer.apply(store, [parsed], log_start=whole_log) == BatchCounts()
    assert (len(opened), count(pipeline, "tourism_stay"), count(pipeline, "stream_batch")) == (2, 1, 1)


def test_a_worker_that_lost_its_partition_waits_and_then_writes_nothing(pipeline: Pipeline, rival: Pipeline) -> None:
    """Both hold the same fetch; the second one to come finds the position moved."""
    parsed = pipeline.parse(FEED, records([stay()]))
    with rival.connection.transaction():
        assert rival.stores[FEED].apply(rival.connection, [parsed]).accepted == 1
        pipeline.connection.execute("SET lock_timeout = '300ms'")
        with pytest.raises(DatabaseUnavailableError, match="lock timeout"):
            pipeline.stores[FEED].apply(pipeline.connection, [parsed])
    assert pipeline.stores[FEED].apply(pipeline.connection, [parsed]) == BatchCounts()
    assert count(pipeline, "stream_batch") == 1


def test_of_two_writers_of_one_record_the_second_tries_again(pipeline: Pipeline, rival: Pipeline) -> None:
    """A record that came in two partitions at once: the second finds it written when it tries again."""
    first = pipeline.parse(FEED, records([stay()]))
    second = pipeline.parse(FEED, records([stay()]), partition=1)
    with ThreadPoolExecutor(1) as pool:
        with rival.connection.transaction():
            rival.stores[FEED].apply(rival.connection, [first])
            blocked = pool.submit(pipeline.stores[FEED].apply, pipeline.connection, [second])
            waiting = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
            assert wait_until(lambda: rival.rows(waiting) == [(True,)], 10)
        with pytest.raises(ConcurrentWriteError):
            blocked.result(10)
    assert pipeline.stores[FEED].apply(pipeline.connection, [second]) == BatchCounts(consumed=1, duplicate=1)
    assert count(pipeline, "tourism_stay") == 1


def test_a_place_that_moves_leaves_no_row_behind(pipeline: Pipeline) -> None:
    """Another day and another commune: another chunk of the table, other cells."""
    pipeline.send("registry.reporter", [place("p", "2024-01-05", rooms=5)])
    pipeline.send("registry.reporter", [place("p", "2022-03-05", 2, rooms=7, area_code="26560")])
    assert pipeline.rows("SELECT opened_on::text, area_code, rooms FROM registry_reporter") == [
        ("2022-03-05", "26560", 7)
    ]
    pipeline.send("registry.reporter", [void_of(place("p", "2022-03-05", 3))])
    pipeline.roll_up()
    assert count(pipeline, "registry_reporter") == 0
    assert pipeline.rows("SELECT count(*) FROM measure_cell WHERE period <> 'closing'") == [(0,)]
    assert pipeline.reconcile().differences == ()


def test_what_the_database_holds_of_a_refused_event(pipeline: Pipeline) -> None:
    pipeline.apply(FEED, [record(0, stay(guest_id="0912345678 An")), record(1, b"\x00\xff", key=b"\x00k")])
    rows = pipeline.rows("SELECT reporter, rule, reasons, payload FROM rejected_event ORDER BY record_offset")
    assert [row[:2] for row in rows] == [(HOTEL, "string_pattern_mismatch"), ("?*", "json_invalid")]
    assert "0912345678" not in str(rows[0][2])
    assert rows[1][3] == b"\x00\xff"


def test_text_that_is_hard_to_copy_arrives_as_it_was(pipeline: Pipeline) -> None:
    """Quotes, backslashes, commas, what COPY reads as null, and letters of every plane."""
    nasty = ('\\N,"“Đ\\.',)
    for number, text in enumerate((*nasty, "\\N", '""', "a\\tb", "🏖", ";\\", "''")):
        pipeline.send(FEED, [stay(guest=number) | {"id": text}])
    found = {row[0] for row in pipeline.rows("SELECT event_id FROM tourism_stay")}
    assert found == {*nasty, "\\N", '""', "a\\tb", "🏖", ";\\", "''"}
