"""`ioc retention`: what is older than its table's setting goes, what is younger stays, and nothing else is touched."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import sql
from typer.testing import CliRunner

from ioc.database.retention import TABLES, Pruned, prune
from ioc.database.retention_cli import app
from ioc.settings import Settings

NOW = datetime(2024, 10, 22, 12, tzinfo=UTC)
DAYS = 400
# Beyond the longest chunk: whole chunks go, so that a row may stay as long as its chunk spans beyond its days.
OLD = NOW - timedelta(days=DAYS + 91)
EDGE = NOW - timedelta(days=DAYS - 1)
ROWS = {
    "rejected_event": "(recorded_at, feed_id, topic, partition, record_offset, position, rule, reasons) "
    "SELECT %(at)s, feed_id, 't', 0, %(n)s, 0, 'missing', '[]' FROM feed WHERE key = 'tourism.stay'",
    "stream_batch": "(committed_at, feed_id, topic, partition, first_offset, next_offset, consumed, accepted, "
    "rejected, duplicate, corrected, voided, superseded, oldest_received_at, newest_received_at) "
    "SELECT %(at)s, feed_id, 't', 0, %(n)s, %(n)s + 1, 1, 1, 0, 0, 0, 0, 0, %(at)s, %(at)s "
    "FROM feed WHERE key = 'tourism.stay'",
    "stream_gap": "(topic, partition, from_offset, to_offset, found_at) VALUES ('t', 0, %(n)s, %(n)s + 1, %(at)s)",
    "record_revision": "(key, revision, feed_id, content_hash, recorded_at) "
    "SELECT gen_random_uuid(), %(n)s, feed_id, gen_random_uuid(), %(at)s FROM feed WHERE key = 'tourism.stay'",
    "indicator_status_change": "(changed_at, code, area_id, status, period, unusual) "
    "VALUES (%(at)s, 'dossier.reuse_rate', %(n)s, 'lagging', 'day', false)",
    "figure_snapshot": "(taken_at, sector, period, area_id, bucket, figures, updated_at) "
    "VALUES (%(at)s, 'lodging', 'day', %(n)s, '2024-10-05', '{1}', %(at)s)",
    "quality_snapshot": "(taken_at, day, measure, feed, sector, area_id, numerator, denominator) "
    "VALUES (%(at)s, '2024-10-05', 'clean', 'tourism.stay', 'lodging', %(n)s, 1, 1)",
}


@pytest.fixture
def kept(settings: Settings, db: psycopg.Connection) -> Settings:
    """Two rows of each table that are too old, and two that are not: one just within its days, one of today."""
    assert set(ROWS) == set(TABLES)
    for table, text in ROWS.items():
        for number, at in enumerate((OLD, OLD, EDGE, NOW)):
            statement = sql.SQL("INSERT INTO {} ").format(sql.Identifier(table)) + sql.SQL(text)  # type: ignore[arg-type]
            db.execute(statement, {"at": at, "n": number})
    days = {f"retention_{table}_days": DAYS for table in TABLES if table != "record_revision"}
    return settings.model_copy(update=days)


def numbers(db: psycopg.Connection) -> dict[str, int]:
    counted = {}
    for table in (*TABLES, "feed", "area", "indicator", "reporter"):
        row = db.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
        assert row is not None
        counted[table] = row[0]
    return counted


def test_what_is_too_old_goes_and_all_else_stays(kept: Settings, db: psycopg.Connection) -> None:
    before = numbers(db)
    planned = prune(kept, now=NOW, dry_run=True)
    assert numbers(db) == before, "a dry run removes nothing"
    done = prune(kept, now=NOW)
    assert done == planned, "a dry run tells what a run does"
    pruned = {one.table: one.rows for one in done}
    assert pruned == {table: 0 if table == "record_revision" else 2 for table in TABLES}
    assert next(one for one in done if one.table == "record_revision") == Pruned("record_revision", 0, None, 0)
    assert numbers(db) == {table: count - pruned.get(table, 0) for table, count in before.items()}
    for table, way in TABLES.items():
        if table != "record_revision":
            query = sql.SQL("SELECT min({}) FROM {}").format(sql.Identifier(way.column), sql.Identifier(table))
            assert db.execute(query).fetchone() == (EDGE,), table
    after = numbers(db)
    assert [one.rows for one in prune(kept, now=NOW)] == [0] * len(TABLES), "run again, it finds nothing"
    assert numbers(db) == after
    # Revisions go where a setting says so, and only then.
    asked = kept.model_copy(update={"retention_record_revision_days": DAYS})
    assert {one.table: one.rows for one in prune(asked, now=NOW) if one.rows} == {"record_revision": 2}
    assert numbers(db)["record_revision"] == 2


def test_a_row_stays_until_the_whole_chunk_is_too_old(settings: Settings, db: psycopg.Connection) -> None:
    text = sql.SQL("INSERT INTO rejected_event ") + sql.SQL(ROWS["rejected_event"])  # type: ignore[arg-type]
    db.execute(text, {"at": NOW, "n": 0})
    row = db.execute(
        "SELECT range_end FROM timescaledb_information.chunks WHERE hypertable_name = 'rejected_event'"
    ).fetchone()
    assert row is not None
    days = timedelta(days=settings.retention_rejected_event_days)
    early, late = row[0] + days - timedelta(seconds=1), row[0] + days
    for moment, rows in ((early, 0), (late, 1)):
        for dry_run in (True, False):
            (pruned,) = [one for one in prune(settings, now=moment, dry_run=dry_run) if one.table == "rejected_event"]
            assert pruned.rows == rows


def test_the_command_tells_what_it_did(kept: Settings, db: psycopg.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in kept.to_environment().items():
        monkeypatch.setenv(name, value)
    before = numbers(db)
    for arguments, changes in ((["--dry-run", "--json"], False), (["--json"], True)):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
        told = {row["table"]: row["rows"] for row in json.loads(result.output)}
        assert set(told) == set(TABLES)
        assert told["stream_gap"] > 0
        assert (numbers(db) != before) is changes
