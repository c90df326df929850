"""The same suite against the strict stand-in, and against a real Grafana where `GRAFANA_URL` names one.

The real one is taken over: its policy, and whatever bears the project's names. Its address holds user and password
(`http://admin:admin@127.0.0.1:3000`), or `GRAFANA_TOKEN` holds a token.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from pydantic import SecretStr
from testbed.mailbox import Mailbox, running_mailbox
from testbed.standing import put_standing

from grafana.bundle import Bundle, datasource_model, load_bundle
from grafana.checking.run import last_days
from grafana.provisioning.push import make_plan, push_bundle, read_state
from grafana.provisioning.server import GrafanaServer, ObjectKind
from grafana.query.binding import DATASOURCE_UID
from grafana.query.macros import expand
from grafana.standin.alerts import Alerting
from grafana.standin.api import Standin, running_standin
from ioc.database.connection import connect
from ioc.settings import Settings

# Read at import: the tests' own settings see none of the shell's variables.
REAL = os.environ.get("GRAFANA_URL", "")
TOKEN = os.environ.get("GRAFANA_TOKEN", "")
_PATIENCE = 120.0  # seconds; a real server evaluates every 30 s and waits 10 s before it tells


@dataclass
class Tried:
    """A server under test. look: has the rules evaluated and returns what has arrived so far, by (title, incident)."""

    server: GrafanaServer
    settings: Settings
    look: Callable[[], Counter[tuple[str, str]]]
    health: Callable[[], dict[str, str]]
    real: bool


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with running_mailbox() as box:
        yield box


@pytest.fixture(params=["standin", pytest.param("real", marks=pytest.mark.skipif(not REAL, reason="no GRAFANA_URL"))])
def tried(request: pytest.FixtureRequest, settings: Settings, mailbox: Mailbox) -> Iterator[Tried]:
    addressed = settings.model_copy(update={"alert_webhook_url": mailbox.webhook_url, "alert_email": ""})
    if request.param == "real":
        told = {"grafana_url": REAL, "grafana_token": SecretStr(TOKEN)}
        own = addressed.model_copy(update=told)
        yield Tried(GrafanaServer(own), own, lambda: arrived(mailbox.hooks), real_health, real=True)
        let_go(own)
        return
    with running_standin() as standin, connect(settings, "grafana", autocommit=True) as connection:
        own = addressed.model_copy(update={"grafana_url": standin.url, "grafana_token": SecretStr(standin.token)})
        alerting = Alerting(standin.store, lambda sql: ask(connection, sql))
        yield Tried(GrafanaServer(own), own, evaluated(standin, alerting), lambda: alerting.health, real=False)


@pytest.fixture
def bundle(tried: Tried) -> Bundle:
    """A few boards, and everything else."""
    whole = load_bundle(tried.settings, ["vi"])
    return replace(whole, boards=whole.boards[:8])


def let_go(settings: Settings) -> None:
    """Have the real server leave the test's database, which is dropped next."""
    GrafanaServer(settings).update(
        ObjectKind.DATASOURCE,
        DATASOURCE_UID,
        {**datasource_model(settings), "database": "gone", "jsonData": {"database": "gone"}},
    )
    with connect(settings, "grafana", autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()"
        )


def evaluated(standin: Standin, alerting: Alerting) -> Callable[[], Counter[tuple[str, str]]]:
    sent: Counter[tuple[str, str]] = Counter()
    start = datetime.now(UTC)

    def look() -> Counter[tuple[str, str]]:
        looks = standin.requests.count(("LOOK", ""))
        standin.requests.append(("LOOK", ""))
        for message in alerting.evaluate(start + timedelta(seconds=30 * looks)):
            group = dict(message.group)
            sent[group["alertname"], group.get("incident", "")] += 1
        return sent

    return look


def ask(connection: psycopg.Connection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    cursor = connection.execute(expand(sql, last_days(1)).encode())
    return [column.name for column in cursor.description or ()], cursor.fetchall()


def arrived(hooks: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    return Counter((hook["groupLabels"]["alertname"], hook["groupLabels"].get("incident", "")) for hook in hooks)


def real_health() -> dict[str, str]:
    headers = {"Authorization": f"Bearer {TOKEN}"} if TOKEN else {}
    answer = httpx.get(f"{REAL}/api/prometheus/grafana/api/v1/rules", headers=headers, timeout=10).json()
    return {rule["name"]: rule["health"] for group in answer["data"]["groups"] for rule in group["rules"]}


def until(tried: Tried, holds: Callable[[Counter[tuple[str, str]]], bool]) -> Counter[tuple[str, str]]:
    """Look until it holds; a real server takes its time."""
    deadline = time.monotonic() + (_PATIENCE if tried.real else 0)
    while not holds(found := tried.look()):
        assert time.monotonic() < deadline, found
        time.sleep(2)
    return found


def test_push_and_push_again(tried: Tried, bundle: Bundle) -> None:
    """Everything arrives, every board answers under its uid, a second push changes nothing, drift by hand is put
    right."""
    push_bundle(bundle, tried.server, tried.settings.db_grafana_password, replace_policy=True)
    assert push_bundle(bundle, tried.server, tried.settings.db_grafana_password) == []
    state = read_state(bundle, tried.server)
    assert set(state.objects[ObjectKind.BOARD]) == {board.uid for board in bundle.boards}
    assert set(state.objects[ObjectKind.RULE]) == set(bundle.rules)
    changed = state.objects[ObjectKind.BOARD]["ioc-overview"]
    changed["dashboard"]["panels"][2]["targets"][0]["hide"] = True
    tried.server.update(ObjectKind.BOARD, "ioc-overview", changed)
    rule = state.objects[ObjectKind.RULE]["ioc-incident-open"]
    tried.server.update(ObjectKind.RULE, "ioc-incident-open", {**rule, "title": "đổi bằng tay"})
    plan = make_plan(bundle, read_state(bundle, tried.server))
    assert [(c.action, c.uid) for c in plan] == [
        ("change", "ioc-overview"),
        ("change", "ioc-incident-open"),
        ("change", "ioc-incident"),
    ]
    push_bundle(bundle, tried.server, tried.settings.db_grafana_password)
    assert push_bundle(bundle, tried.server, tried.settings.db_grafana_password) == []


def test_what_is_no_longer_built_goes(tried: Tried, bundle: Bundle) -> None:
    push_bundle(bundle, tried.server, tried.settings.db_grafana_password, replace_policy=True)
    fewer = replace(bundle, boards=bundle.boards[:6], rule_groups=bundle.rule_groups[:1])
    gone = push_bundle(fewer, tried.server, tried.settings.db_grafana_password)
    assert {c.uid for c in gone if c.action == "delete"} == {"ioc-watch-scheduler", *(b.uid for b in bundle.boards[6:])}
    assert push_bundle(fewer, tried.server, tried.settings.db_grafana_password) == []


def test_from_the_incident_to_the_message(tried: Tried, bundle: Bundle, db: psycopg.Connection) -> None:
    """Fire, change, acknowledge, end: one message a cause and one for its end; every rule evaluates."""
    opened, closed = "Sự việc đang mở", "Sự việc đã kết thúc"
    put_figures(db)
    put_standing(db)
    push_bundle(bundle, tried.server, tried.settings.db_grafana_password, replace_policy=True)
    found = until(tried, lambda sent: sum(n for (title, _), n in sent.items() if title == opened) >= 5)
    assert sorted(n for (title, _), n in found.items() if title == opened) == [1] * 5
    assert set(tried.health().values()) == {"ok"}
    (first, second) = sorted(incident for title, incident in found if title == opened)[:2]
    db.execute("UPDATE incident SET summary_vi = 'số liệu mới', value = 1 WHERE closed_at IS NULL")
    db.execute("UPDATE incident SET acknowledged_at = now(), acknowledged_by = 'x' WHERE incident_id = %s", [first])
    db.execute("UPDATE incident SET closed_at = now() WHERE incident_id = %s", [second])
    found = until(tried, lambda sent: (closed, second) in sent)
    if tried.real:
        time.sleep(45)  # a further evaluation and its wait: nothing more may come
    found = tried.look()
    assert set(found.values()) == {1}, found


def put_figures(db: psycopg.Connection) -> None:
    db.execute(
        "INSERT INTO indicator_cell (sector, period, area_id, bucket, figures)"
        " SELECT i.sector, 'day', 771, d::date, array_agg(i.slot::float8 ORDER BY i.slot)"
        " FROM indicator i, generate_series('2024-10-01'::date, '2024-10-31', '1 day') AS d GROUP BY 1, 4"
    )
