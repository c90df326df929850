"""The same suite against the strict stand-in, and against a real Grafana where `GRAFANA_URL` names one.

The real one is taken over: its policy, and whatever bears the project's names. Its address holds user and password
(`http://admin:admin@127.0.0.1:3000`), or `GRAFANA_TOKEN` holds a token. `GRAFANA_SMTP_PORT` is the port of this machine
to which it sends e-mails (`GF_SMTP_HOST`); with it, those are counted too.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from typing import Any

import httpx
import psycopg
import pytest
from pydantic import SecretStr
from testbed.assessed import put_assessed
from testbed.mailbox import Mailbox, running_mailbox
from testbed.province_day import ProvinceDay, local

from grafana.bundle import Bundle, datasource_model, load_bundle
from grafana.checking.run import last_days
from grafana.provisioning.push import make_plan, push_bundle, read_state
from grafana.provisioning.server import GrafanaServer, ObjectKind
from grafana.query.binding import DATASOURCE_UID
from grafana.query.macros import expand
from grafana.standin.alerts import Alerting
from grafana.standin.api import Standin, running_standin
from grafana.uid import stable_uid
from ioc.database.connection import connect
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.settings import Settings
from streams.rules.wording import Bilingual
from streams.status.outage import Outage
from streams.status.quality_job import QualityJob

# Read at import: the tests' own settings see none of the shell's variables.
REAL = os.environ.get("GRAFANA_URL", "")
TOKEN = os.environ.get("GRAFANA_TOKEN", "")
SMTP_PORT = int(os.environ.get("GRAFANA_SMTP_PORT", "0"))
_PATIENCE = 240.0  # seconds; a real server evaluates every 30 s, waits 10 s, and reads a policy once a minute
OPENED, CLOSED = "Sự việc đang mở", "Sự việc đã kết thúc"
# Messages by (rule, incident, step).
Counted = Counter[tuple[str, str, str]]


@dataclass
class Tried:
    """A server under test.

    look: has the rules evaluated and returns what has arrived so far. leave, back: take the database from the server,
    and give it back; a push gives a real server its own again.
    """

    server: GrafanaServer
    settings: Settings
    look: Callable[[], Counted]
    health: Callable[[], dict[str, str]]
    leave: Callable[[], object]
    real: bool
    back: Callable[[], None] = lambda: None


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with running_mailbox(smtp_port=SMTP_PORT) as box:
        yield box


@pytest.fixture(params=["standin", pytest.param("real", marks=pytest.mark.skipif(not REAL, reason="no GRAFANA_URL"))])
def tried(request: pytest.FixtureRequest, settings: Settings, mailbox: Mailbox) -> Iterator[Tried]:
    addressed = settings.model_copy(update={"alert_webhook_url": mailbox.webhook_url, "alert_email": ""})
    if request.param == "real":
        told = {"grafana_url": REAL, "grafana_token": SecretStr(TOKEN)}
        own = addressed.model_copy(update=told)
        yield Tried(GrafanaServer(own), own, lambda: arrived(mailbox.hooks), real_health, lambda: leave(own), real=True)
        let_go(own)
        return
    with running_standin() as standin, connect(settings, "grafana", autocommit=True) as connection:
        own = addressed.model_copy(update={"grafana_url": standin.url, "grafana_token": SecretStr(standin.token)})
        away: list[bool] = []
        alerting = Alerting(standin.store, lambda sql: ask(connection, "SELECT 1/0" if away else sql))
        look, health = evaluated(standin, alerting), lambda: alerting.health
        yield Tried(GrafanaServer(own), own, look, health, lambda: away.append(True), real=False, back=away.clear)


@pytest.fixture(autouse=True)
def unseen(db: psycopg.Connection) -> None:
    """Incidents with numbers of this test's own: a real server keeps for days what it has told of a number."""
    db.execute("SELECT setval('incident_incident_id_seq', %s)", [time.time_ns() // 10**6])


@pytest.fixture
def bundle(tried: Tried) -> Bundle:
    """A few boards, and everything else; each post of the duty ladders has a webhook."""
    whole = load_bundle(tried.settings, ["vi"])
    mailed = [point for point in whole.contact_points if point["type"] == "email"]
    hooks = [heard(point, tried.settings.alert_webhook_url) for point in mailed]
    kept = [point for point in whole.contact_points if point["type"] == "webhook" or (tried.real and SMTP_PORT)]
    return replace(whole, boards=whole.boards[:8], contact_points=(*kept, *hooks))


def heard(point: dict[str, Any], url: str) -> dict[str, Any]:
    """The same recipient by webhook."""
    return point | {"uid": stable_uid("hook", point["name"]), "type": "webhook", "settings": {"url": url}}


def let_go(settings: Settings) -> None:
    """Have the real server leave the test's database, which is dropped next, and end the rules that ask it.

    With the next test's rules begins what a new installation sees. Rules that change while the server reads new
    contact points may fall silent for a group's interval: it drops the old alerts, flushes a group without any, and
    puts the new ones into that group.
    """
    server = GrafanaServer(settings)
    for uid in server.read(()).objects[ObjectKind.RULE]:
        server.delete(ObjectKind.RULE, uid)
    leave(settings)


def leave(settings: Settings) -> None:
    """Point the real server to a database that does not exist, and end its connections to the test's."""
    model = datasource_model(settings)
    gone = {**model, "database": "gone", "jsonData": {**model["jsonData"], "database": "gone"}}
    GrafanaServer(settings).update(ObjectKind.DATASOURCE, DATASOURCE_UID, gone)
    with connect(settings, "grafana", autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()"
        )


def evaluated(standin: Standin, alerting: Alerting) -> Callable[[], Counted]:
    sent: Counted = Counter()
    start = datetime.now(UTC)

    def look() -> Counter[tuple[str, str]]:
        looks = standin.requests.count(("LOOK", ""))
        standin.requests.append(("LOOK", ""))
        for message in alerting.evaluate(start + timedelta(seconds=30 * looks)):
            group = dict(message.group)
            sent[group["alertname"], group.get("incident", ""), group.get("step", "")] += 1
        return sent

    return look


def ask(connection: psycopg.Connection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    cursor = connection.execute(expand(sql, last_days(1)).encode())
    return [column.name for column in cursor.description or ()], cursor.fetchall()


def arrived(hooks: list[dict[str, Any]]) -> Counted:
    # That the scheduler runs again is a message of its own; one from the test before may come as late as in this one.
    told = [hook for hook in hooks if (hook.get("status"), hook["groupLabels"].get("incident")) != ("resolved", None)]
    groups = [hook["groupLabels"] for hook in told]
    return Counter((group["alertname"], group.get("incident", ""), group.get("step", "")) for group in groups)


def real_health() -> dict[str, str]:
    headers = {"Authorization": f"Bearer {TOKEN}"} if TOKEN else {}
    answer = httpx.get(f"{REAL}/api/prometheus/grafana/api/v1/rules", headers=headers, timeout=10).json()
    return {rule["name"]: rule["health"] for group in answer["data"]["groups"] for rule in group["rules"]}


def until(tried: Tried, holds: Callable[[Counted], bool]) -> Counted:
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
    put_figures(db)
    put_assessed(db)
    push_bundle(bundle, tried.server, tried.settings.db_grafana_password, replace_policy=True)
    found = until(tried, lambda sent: sum(n for (title, *_), n in sent.items() if title == OPENED) >= 5)
    assert sorted(n for (title, *_), n in found.items() if title == OPENED) == [1] * 5
    assert set(tried.health().values()) == {"ok"}
    (first, second) = sorted(incident for title, incident, _ in found if title == OPENED)[:2]
    db.execute("UPDATE incident SET summary_vi = 'số liệu mới', value = 1 WHERE closed_at IS NULL")
    db.execute("UPDATE incident SET acknowledged_at = now(), acknowledged_by = 'x' WHERE incident_id = %s", [first])
    db.execute("UPDATE incident SET closed_at = now() WHERE incident_id = %s", [second])
    found = until(tried, lambda sent: (CLOSED, second) in {key[:2] for key in sent})
    if tried.real:
        time.sleep(45)  # a further evaluation and its wait: nothing more may come
    found = tried.look()
    assert set(found.values()) == {1}, found


def test_a_database_that_is_away_repeats_no_message(tried: Tried, bundle: Bundle, db: psycopg.Connection) -> None:
    """Some evaluations fail, the database comes back: what was told of an open incident is not told again."""
    put_figures(db)
    put_assessed(db)
    push_bundle(bundle, tried.server, tried.settings.db_grafana_password, replace_policy=True)
    found = until(tried, lambda sent: sum(n for (title, *_), n in sent.items() if title == OPENED) >= 5)
    opened = {key for key in found if key[0] == OPENED}
    tried.leave()
    until(tried, lambda _: set(tried.health().values()) == {"error"})
    for _ in range(8):  # longer than two evaluations, after which a server forgets what it has not seen
        tried.look()
        time.sleep(20 if tried.real else 0)
    tried.back()
    push_bundle(bundle, tried.server, tried.settings.db_grafana_password)
    until(tried, lambda _: set(tried.health().values()) == {"ok"})
    for _ in range(6):
        tried.look()
        time.sleep(20 if tried.real else 0)
    told = {key: n for key, n in tried.look().items() if key[0] == OPENED}
    assert told == dict.fromkeys(opened, 1)


def test_every_scenario_is_one_message_a_cause_and_step(
    tried: Tried, bundle: Bundle, mailbox: Mailbox, db: psycopg.Connection, profile: Profile, feeds: Mapping[str, Feed]
) -> None:
    """Tết, three of eight districts behind, a feed silent for two days, a jump of rejections, totals that differ, late
    reports, an outage: what they open is told once a step, and once more where the next step is told."""
    province = ProvinceDay(tried.settings, db, profile, feeds)
    open_everything(province)
    push_bundle(bundle, tried.server, tried.settings.db_grafana_password, replace_policy=True)
    kinds = {row["kind"] for row in province.incidents()}
    assert kinds == {"lagging", "feed_silent", "rejections_up", "control_total", "reporter_missing", "pipeline_stopped"}
    first = awaited(db)
    found = until(tried, lambda sent: first <= set(sent))
    assert push_bundle(bundle, tried.server, tried.settings.db_grafana_password) == []
    # The next morning nobody has acknowledged anything: the deputies are told.
    later = local("2024-10-24", 15)
    province.alive(later, speaking(province))
    province.look(later)
    second = awaited(db)
    assert any(step == "1" for _, _, step in second)
    until(tried, lambda sent: second <= set(sent))
    if tried.real:
        time.sleep(45)
    found = tried.look()
    assert set(found.values()) == {1}, found
    assert {key for key in found if key[0] == OPENED} == first | second
    if tried.real and SMTP_PORT:
        mails = Counter((str(mail["To"]), str(mail["Subject"])) for mail in mailbox.mails)
        assert set(mails.values()) == {1}, mails
        assert all(part_of(mail, "text/html") for mail in mailbox.mails)


def awaited(db: psycopg.Connection) -> set[tuple[str, str, str]]:
    told = "SELECT incident_id::text, step::text FROM incident WHERE closed_at IS NULL AND severity <> 'info'"
    return {(OPENED, incident, step) for incident, step in db.execute(told).fetchall()}


def part_of(mail: EmailMessage, kind: str) -> bool:
    return any(part.get_content_type() == kind for part in mail.walk())


def speaking(province: ProvinceDay) -> list[str]:
    return [feed for feed in province.feeds if feed != "feedback.ticket"]


def open_everything(province: ProvinceDay) -> None:
    """Bring the province to the noon of 2024-10-23, with all that has gone wrong by then."""
    minute = timedelta(minutes=1)
    day, noon = date(2024, 10, 22), local("2024-10-23")
    # Tết: feeds of business days are silent, and nobody is told.
    province.alive(local("2024-02-07"))
    tet = local("2024-02-11")
    province.alive(tet, [key for key, feed in province.feeds.items() if feed.cadence <= timedelta(hours=2)])
    province.look(tet)
    for n, area in enumerate(area.code for area in province.profile.areas.units(day, "district")):
        province.figure("dossier.reuse_rate", area, "day", day, 12.0 if n < 3 else 31.5)
    province.figure("dossier.reuse_rate", "77", "day", day, 25.0)
    province.alive(noon - timedelta(days=2, hours=6))
    province.batch("tax.einvoice", noon - timedelta(hours=30), accepted=297, rejected=3, rule="bad_total")
    province.batch("tax.einvoice", noon - 30 * minute, accepted=60, rejected=40, rule="unknown_code")
    province.db.execute(
        "INSERT INTO control_total (feed, reporter, first_on, last_on, records, told_at)"
        " VALUES ('tourism.daily_report', '77-747-0001', %s, %s, 5, %s)",
        [day, day, noon],
    )
    province.absent = ["77-747-0002", "77-747-0003"]
    job = QualityJob(province.db, province.settings, province.overseer.status, province.feeds)
    province.alive(noon, speaking(province))
    province.look(noon)
    job.run(noon, {})
    outage = Outage("rollup", Bilingual("tổng hợp không chạy", "the roll-up does not run"), noon)
    for minutes in (1, 2, 8, 40):
        province.alive(noon + minutes * minute, speaking(province))
        province.look(noon + minutes * minute, measured=job.findings(noon), outages=[outage] if minutes > 2 else [])


def put_figures(db: psycopg.Connection) -> None:
    db.execute(
        "INSERT INTO indicator_cell (sector, period, area_id, bucket, figures)"
        " SELECT i.sector, 'day', 771, d::date, array_agg(i.slot::float8 ORDER BY i.slot)"
        " FROM indicator i, generate_series('2024-10-01'::date, '2024-10-31', '1 day') AS d GROUP BY 1, 4"
    )
