"""The rehearsal of a restore: the database is set back, Kafka gives again what it holds, and what is gone is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kafka import TopicPartition
from psycopg import sql
from pydantic import SecretStr
from testbed.run import Run
from typer.testing import CliRunner

from deploy.backup.dump import Administrator, back_up, restore
from deploy.backup.heal import heal, survey
from deploy.cli import app
from deploy.local.stack import Stack
from ioc.database.connection import connect
from ioc.errors import ConfigError
from ioc.messaging.client import admin_client
from ioc.settings import Settings

TOPIC = "tourism.stay"


def figures(settings: Settings) -> dict[tuple[object, ...], object]:
    """Every figure that is shown."""
    with connect(settings, "owner", autocommit=True) as connection:
        rows = connection.execute("SELECT code, area_code, period, bucket, value FROM indicator_value").fetchall()
    return {row[:4]: row[4] for row in rows}


def next_numbers(settings: Settings) -> dict[str, int]:
    """The next number of whatever is known outside by its number."""
    with connect(settings, "owner", autocommit=True) as connection:
        names = (
            "figure_revision",
            "incident_incident_id_seq",
            "notification_outbox_notification_id_seq",
            "approval_approval_id_seq",
        )
        return {name: connection.execute("SELECT nextval(%s::regclass)", [name]).fetchall()[0][0] for name in names}


def settle(run: Run) -> None:
    """Let a worker and a roll-up take everything, and end them."""
    worker, rollup = run.worker(), run.rollup()
    run.wait_drained()
    run.wait_for(lambda: run.waiting() == 0, "everything is folded")
    worker.stop()
    rollup.stop()


def test_a_database_that_is_set_back_heals_and_what_is_gone_is_named(
    run: Run, infrastructure: Stack, tmp_path: Path
) -> None:
    settings, name = run.settings, run.settings.db_name
    superuser = Administrator("postgres", SecretStr((infrastructure.postgres.home / "superuser").read_text()))
    run.publish(400)
    settle(run)
    manifest = back_up(settings, tmp_path / "backup")
    assert {(one.topic, one.partition): one.next_offset for one in manifest.positions if one.next_offset} == (
        run.stored_positions()
    )
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "backup").iterdir()} == {0}
    set_back = dict(run.stored_positions())
    run.publish(400)
    settle(run)
    wanted, ends = figures(settings), run.log_ends()
    assert ends != set_back
    given_out = next_numbers(settings)

    with pytest.raises(ConfigError, match="exists already"):
        back_up(settings, tmp_path / "backup")
    with pytest.raises(ConfigError, match="exists already"):
        restore(settings, tmp_path / "backup", name, superuser)
    try:
        restore(settings, tmp_path / "backup", f"{name}_a", superuser)
        run.settings = settings.model_copy(update={"db_name": f"{name}_a"})
        assert run.stored_positions() == set_back
        restored = next_numbers(run.settings)
        assert all(number > given_out[name] for name, number in restored.items()), (restored, given_out)
        found = survey(run.settings, run.feeds)
        assert (found.waiting, found.missing) == (sum(ends.values()) - sum(set_back.values()), ())
        assert figures(run.settings) != wanted
        settle(run)
        healed = heal(run.settings, run.feeds, seconds=60)
        assert healed.missing == ()
        assert healed.proof is not None
        assert (healed.proof.waiting, healed.proof.differences) == (0, ())
        assert figures(run.settings) == wanted

        # Set back once more; meanwhile Kafka has deleted some of what would be read again.
        restore(settings, tmp_path / "backup", f"{name}_b", superuser)
        run.settings = settings.model_copy(update={"db_name": f"{name}_b"})
        topic = run.feeds[TOPIC].topic(settings.topic_prefix)
        gone = {
            (topic, partition): (set_back.get((topic, partition), 0), end - 1)
            for (there, partition), end in ends.items()
            if there == topic and end - set_back.get((there, partition), 0) > 1
        }
        assert gone
        with admin_client(settings) as admin:
            admin.delete_records({TopicPartition(*place): span[1] for place, span in gone.items()})
        found = survey(run.settings, run.feeds)
        assert {(one.topic, one.partition): (one.from_offset, one.to_offset) for one in found.missing} == gone
        for one in found.missing:
            assert (one.feed, one.passed, one.records) == (TOPIC, False, one.to_offset - one.from_offset)
            assert one.until is not None
            assert one.after is None or one.after <= one.until
        settle(run)
        healed = heal(run.settings, run.feeds, seconds=60)
        assert {(one.topic, one.partition): (one.from_offset, one.to_offset) for one in healed.missing} == gone
        assert all(one.passed for one in healed.missing)
        assert healed.proof is not None
        assert healed.proof.differences == ()  # what there is is right; what is gone is named
        environment = {key: value for key, value in run.settings.to_environment().items() if key.startswith("IOC_")}
        told = CliRunner().invoke(app, ["heal", "--json"], env=environment)
        assert told.exit_code == 1
        assert len(json.loads(told.stdout)["missing"]) == len(gone)

        dump = tmp_path / "backup" / "database.dump"
        content = bytearray(dump.read_bytes())
        content[len(content) // 2] ^= 1
        dump.write_bytes(content)
        with pytest.raises(ConfigError, match="not what was backed up"):
            restore(settings, tmp_path / "backup", f"{name}_c", superuser)
    finally:
        run.settings = settings
        with connect(settings, "owner", autocommit=True, database="postgres") as connection:
            for letter in "abc":
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(f"{name}_{letter}")))
