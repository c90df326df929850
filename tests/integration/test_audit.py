"""The audit log over a real database: commands and acts are entered, nobody changes an entry, and an edit is seen."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

import psycopg
import pytest
from psycopg import errors as pg_errors
from psycopg.rows import dict_row
from testbed.feed_event import NOW
from typer.testing import CliRunner

from deploy.cli import app
from ioc.audit.chain import read_chain, verify_chain
from ioc.audit.entry import AuditEntry, add_entry
from ioc.audit.journal import Journal
from ioc.database.connection import connect
from ioc.incident.acting import Actor, IncidentActs
from ioc.settings import Settings


def run(settings: Settings, *arguments: str, status: int = 0) -> str:
    """Run a command as an operator does, with the settings in its environment."""
    environment = {name: value for name, value in settings.to_environment().items() if name.startswith("IOC_")}
    result = CliRunner().invoke(app, arguments, env=environment)
    assert result.exit_code == status, result.output
    return result.output


def entries(db: psycopg.Connection) -> list[dict[str, Any]]:
    """All entries, oldest first."""
    return db.cursor(row_factory=dict_row).execute("SELECT * FROM audit_entry ORDER BY audit_id").fetchall()


def test_acts_are_entered_with_who_when_what_before_and_after(settings: Settings, db: psycopg.Connection) -> None:
    target = ("target", "set", "lodging.guests.total", "--source", "123/QD-UBND", "--area", "77")
    run(settings, *target, ">=1000")
    run(settings, *target, ">=1200")
    made = json.loads(run(settings, "token", "create", "PMS", "--feed", "tourism.stay", "--reporter", "77-*", "--json"))
    run(settings, "token", "rotate", made["id"])
    run(settings, "token", "revoke", made["id"])
    run(settings, "target", "end", "999999", status=2)  # fails
    run(settings, "retention", "--dry-run")  # changes nothing
    run(settings, "target", "list")
    found = [row for row in entries(db) if row["outcome"] != "begun"]
    assert [(row["act"], row["outcome"]) for row in found] == [
        ("target set", "done"),
        ("target set", "done"),
        ("token create", "done"),
        ("token rotate", "done"),
        ("token revoke", "done"),
        ("target end", "failed"),
    ]
    second = found[1]
    assert second["subject"] == "lodging.guests.total"
    assert ">=1000" in json.dumps(second["before"]).replace(" ", "") or "1000" in json.dumps(second["before"])
    assert "1200" in json.dumps(second["after"])
    assert second["actor"]
    assert second["db_role"] == "ioc_writer"
    assert abs((second["written_at"] - second["told_at"]).total_seconds()) < 120
    assert found[3]["before"]["id"] == found[3]["after"]["id"] == made["id"] == found[3]["subject"]
    assert "revoked_at" in found[4]["after"]
    assert "999999" in json.dumps(found[5]["after"])
    told = json.dumps([{**row, "previous": "", "hash": ""} for row in entries(db)], default=str)
    assert made["secret"] not in told
    assert "sha256" not in told
    listed = json.loads(run(settings, "audit", "list", "--act", "token", "--json"))
    assert [row["act"] for row in listed] == ["token revoke", "token rotate", "token create"]
    verified = json.loads(run(settings, "audit", "verify", "--json"))[0]
    assert verified["entries"] == 12
    assert verified["faults"] == []
    run(settings, "audit", "verify", "--head", verified["head"])
    run(settings, "audit", "verify", "--head", "3:00", status=1)


def test_acts_on_incidents_are_entered_whatever_they_come_through(settings: Settings, db: psycopg.Connection) -> None:
    columns = {
        "cause": "c",
        "kind": "feed_silent",
        "severity": "warning",
        "owner": "o",
        "title_vi": "t",
        "title_en": "t",
    }
    number = insert_incident(db, columns)
    with connect(settings, "writer", autocommit=True) as connection:
        acts = IncidentActs(connection)
        for through in ("command", "API", "link"):
            acts.perform("assign", number, Actor("Chị Lan", through), NOW, hours=0, to=f"Tổ {through}", note="gấp")
    found = entries(db)
    assert [(row["through"], row["actor"], row["act"]) for row in found] == [
        ("command", "Chị Lan", "incident assigned"),
        ("API", "Chị Lan", "incident assigned"),
        ("link", "Chị Lan", "incident assigned"),
    ]
    assert [row["before"]["assigned_to"] for row in found] == [None, "Tổ command", "Tổ API"]
    assert "Tổ link" in found[2]["after"]["note"]
    assert verify_chain(read_chain(db)).faults == ()


def insert_incident(db: psycopg.Connection, values: Mapping[str, str]) -> int:
    """An open incident, with whatever else its table demands."""
    demanded = db.execute(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'incident' "
        "AND is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO' AND column_name <> ALL (%s)",
        [list(values)],
    ).fetchall()
    blank = {"text": "''", "jsonb": "'{}'", "timestamp with time zone": "now()", "boolean": "false"}
    names = [*values, *(name for name, _ in demanded)]
    filled = [*("%s" for _ in values), *(blank.get(kind, "0") for _, kind in demanded)]
    row = db.execute(
        f"INSERT INTO incident ({', '.join(names)}) VALUES ({', '.join(filled)}) RETURNING incident_id",  # type: ignore[arg-type]
        list(values.values()),
    ).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("role", ["owner", "writer", "api", "worker", "rollup", "scheduler", "reader", "grafana"])
def test_no_role_changes_or_removes_an_entry(settings: Settings, db: psycopg.Connection, role: Any) -> None:
    add_entry(db, AuditEntry(actor="lan", act="target set"))
    with connect(settings, role, autocommit=True) as connection:
        for statement in (
            "UPDATE audit_entry SET actor = 'x'",
            "DELETE FROM audit_entry",
            "TRUNCATE audit_entry",
            "INSERT INTO audit_entry (audit_id, written_at, told_at, db_role, actor, host, through, act, "
            "subject, outcome, "
            "previous, hash) VALUES (9, now(), now(), 'x', 'x', 'x', 'API', 'x', 'x', 'done', '', '')",
            "SET ioc.retention = 'on'; DELETE FROM audit_entry",
        ):
            if role == "owner" and statement.startswith("INSERT"):
                continue  # the trigger gives it its own number, role and hash
            with pytest.raises(pg_errors.InsufficientPrivilege):
                connection.execute(statement)
        if role not in ("owner", "writer", "api"):
            with pytest.raises(pg_errors.InsufficientPrivilege):
                connection.execute("SELECT actor FROM audit_entry")
            with pytest.raises(pg_errors.InsufficientPrivilege):
                add_entry(connection, AuditEntry(actor="x", act="x"))
        if role == "writer":
            for statement in (
                "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
                "DROP TABLE audit_entry",
                "CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE sql AS 'SELECT NULL'",
            ):
                with pytest.raises(psycopg.Error):
                    connection.execute(statement)
    assert [row["actor"] for row in entries(db)] == ["lan"]


def test_an_edit_by_whoever_may_switch_the_trigger_off_is_seen(db: psycopg.Connection) -> None:
    for number in range(5):
        add_entry(
            db,
            AuditEntry(actor="lan", act="target set", subject=f"chỉ tiêu {number}", after={"trị": number, "x": 1e9}),
        )
    whole = verify_chain(read_chain(db))
    assert (whole.entries, whole.faults) == (5, ())
    db.execute("ALTER TABLE audit_entry DISABLE TRIGGER ALL")
    for statement in (
        "UPDATE audit_entry SET after = '{\"trị\": 7}' WHERE audit_id = 2",
        "UPDATE audit_entry SET actor = 'minh' WHERE audit_id = 3",
        "UPDATE audit_entry SET told_at = told_at - interval '1 microsecond' WHERE audit_id = 5",
        "DELETE FROM audit_entry WHERE audit_id = 3",
        "DELETE FROM audit_entry WHERE audit_id = 5",
        "UPDATE audit_entry e SET actor = 'minh', hash = sha256(audit_text(ROW(e.audit_id, e.written_at, "
        "e.told_at, e.db_role, "
        "'minh', e.host, e.through, e.act, e.subject, e.outcome, e.begun_id, e.arguments, e.before, e.after, "
        "e.previous, "
        "e.hash)::audit_entry)) WHERE audit_id = 4",
    ):
        with db.transaction(force_rollback=True):
            db.execute(statement)
            assert verify_chain(read_chain(db), whole.head).faults, statement
    assert verify_chain(read_chain(db), whole.head).faults == ()


def test_entries_of_many_at_once_are_one_chain(settings: Settings, db: psycopg.Connection) -> None:
    def write(who: str) -> None:
        with connect(settings, "writer", autocommit=True) as connection:
            for number in range(10):
                add_entry(connection, AuditEntry(actor=who, act="x", subject=str(number)))

    threads = [threading.Thread(target=write, args=(f"w{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = verify_chain(read_chain(db))
    assert (found.entries, found.faults) == (60, ())


def test_what_is_done_while_the_database_is_away_is_entered_later(settings: Settings, db: psycopg.Connection) -> None:
    own = settings.model_copy(update={"state_dir": settings.token_file.parent})
    away = own.model_copy(update={"db_port": 1})
    made = json.loads(run(away, "token", "create", "Portal", "--reader", "--json"))
    waiting = Journal(own).waiting_file
    assert waiting.stat().st_mode & 0o077 == 0
    assert made["secret"] not in waiting.read_text()
    assert entries(db) == []
    run(own, "token", "revoke", made["id"])
    assert [(row["act"], row["outcome"]) for row in entries(db)] == [
        ("token create", "begun"),
        ("token create", "done"),
        ("token revoke", "begun"),
        ("token revoke", "done"),
    ]
    assert waiting.read_text() == ""
    # Half a line of a process that was killed is entered as it is, and holds nothing up.
    waiting.write_bytes(b'{"told_at": "2026-11-28T05:0\xff')
    run(away, "token", "create", "Other", "--reader")
    run(own, "token", "revoke", made["id"])
    told = [(row["act"], row["outcome"]) for row in entries(db)][4:]
    assert told[:3] == [("unreadable entry", "failed"), ("token create", "begun"), ("token create", "done")]
    assert waiting.read_text() == ""
    assert verify_chain(read_chain(db)).faults == ()
