"""The doctor over real servers: all is well, then each kind of fault is found and its advice mends it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psycopg
from kafka.admin import ConfigResource, ConfigResourceType
from pydantic import SecretStr

from deploy.doctor.examination import examine
from deploy.doctor.finding import CheckResult
from ioc.feeds.feed import Feed
from ioc.messaging.client import admin_client
from ioc.messaging.topic import create_topics, list_topics
from ioc.settings import Settings


def bad(found: Sequence[CheckResult]) -> set[tuple[str, str]]:
    """What is at fault or unknown; the processes do not run in these tests, and so the scheduler has never run."""
    return {(one.part, one.check) for one in found if one.is_bad} - {("scheduler", "jobs"), ("machine", "disk")}


def test_the_doctor_finds_what_was_broken_and_nothing_else(
    settings: Settings, feeds: dict[str, Feed], db: psycopg.Connection
) -> None:
    before = {state.name for state in list_topics(settings, feeds) if state.status != "missing"}
    assert bad(list(examine(settings, probe=False))) == {("kafka", "topics")}
    names = [state.name for state in create_topics(settings, feeds)]
    try:
        found = list(examine(settings))
        assert bad(found) == set(), [one.message for one in found if one.is_bad]
        clocks = {one.part: one.verdict for one in found if one.check == "clock"}
        assert clocks == {"kafka": "good", "database": "good"}  # all on this machine
        assert {one.check for one in found if one.part == "database"} >= {"version", "timescaledb", "role", "rights"}
        with admin_client(settings) as admin:
            assert not [name for name in admin.list_topics() if ".doctor." in name]
            changed = ConfigResource(ConfigResourceType.TOPIC, names[0], configs={"max.message.bytes": "1000"})
            admin.alter_configs([changed], incremental=True)
        db.execute("DELETE FROM schema_migration WHERE number = 7")
        db.execute("GRANT INSERT ON target TO ioc_reader")
        db.execute(
            'UPDATE indicator SET definition = definition || \'{"name_vi": "Khách"}\' WHERE code = '
            "'lodging.guests.total'"
        )
        db.execute("INSERT INTO stream_halt VALUES (%s, 0, 'remade', 5, 0, 0)", [names[0]])
        db.execute("INSERT INTO stream_position (topic, partition, next_offset) VALUES (%s, 0, 5)", [names[0]])
        db.execute("INSERT INTO scheduler_job (job, failed_at, error) VALUES ('statuses', now(), 'no figures')")
        settings.token_file.write_text("[]")
        settings.token_file.chmod(0o644)
        found = list(examine(settings, probe=False))
        assert bad(found) == {
            ("kafka", "topics"),
            ("database", "migrations"),
            ("database", "rights"),
            ("worker", "halts"),
            ("scheduler", "statuses"),
            ("machine", "permissions"),
        }
        assert all(one.advice for one in found if one.is_bad)
        assert any("lodging" in one.message or "1 chỉ tiêu" in one.message for one in found if one.check == "edition")
    finally:
        with admin_client(settings) as admin:
            admin.delete_topics([name for name in names if name not in before])


def test_the_doctor_goes_on_when_a_server_is_away_and_its_exit_status_tells(settings: Settings, tmp_path: Path) -> None:
    away = settings.model_copy(
        update={
            "db_port": 1,
            "kafka_bootstrap": "127.0.0.1:1",
            "state_dir": tmp_path,
            "db_owner_password": SecretStr(""),
        }
    )
    command = [Path(sys.executable).with_name("ioc"), "doctor", "--no-probe"]
    environment = {**away.to_environment(), "PATH": os.environ["PATH"]}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 1, done.stderr
    told = done.stdout
    assert "Kafka at 127.0.0.1:1" in told
    assert "cannot connect to PostgreSQL" in told
    assert "ioc_owner: " not in told  # whose password this process is not told
    assert "Python" in told
    assert "ioc-writer-local" not in told + done.stderr
