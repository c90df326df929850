"""Digests and receipts: what is written once, sent once, and entered; over the real database."""

from __future__ import annotations

import itertools
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from testbed.chat_server import ChatServer, running_chat_server
from testbed.mailbox import Mailbox, running_mailbox
from testbed.province_day import LOCAL, ProvinceDay, local

from ioc.database.connection import connect
from ioc.errors import DeliveryError, UndeliverableError
from ioc.feeds.feed import Feed
from ioc.incident.acting import Actor, IncidentActs
from ioc.incident.reading import show_incident
from ioc.notification.address_book import AddressBook
from ioc.notification.channel import ChannelMessage, ChannelName, MessageChannel
from ioc.notification.digest_run import ComposedDigest, DigestRun
from ioc.notification.mail import MailChannel
from ioc.notification.outbox import OutboxSender, OutgoingMessage, put_message
from ioc.notification.receipt import GrafanaNotification, enter_notification
from ioc.notification.webhook import WebhookChannel
from ioc.province.contact import Contact
from ioc.province.duty import Absence, Ladder, load_ladder
from ioc.province.profile import Profile, load_sectors
from ioc.settings import Settings
from ioc.web.signing import Signing
from streams.status.digest_job import DigestJob

RATE = "dossier.reuse_rate"
CHAIR = "ubnd.pho-chu-tich"
BOTH: tuple[ChannelName, ...] = ("email", "webhook")


@pytest.fixture
def province(settings: Settings, db: psycopg.Connection, profile: Profile, feeds: Mapping[str, Feed]) -> ProvinceDay:
    return ProvinceDay(settings, db, profile, feeds)


@pytest.fixture
def book(settings: Settings, province: ProvinceDay) -> AddressBook:
    sectors = tuple(province.overseer.status.editions.live.slots)
    ladder = load_ladder(settings.profile, sectors)
    contacts = {CHAIR: Contact("http://127.0.0.1:9/hook", ("chu-tich@example.invalid",))}
    return AddressBook(ladder, contacts, sectors)


def put_rates(province: ProvinceDay, day: date, whole: float, low: float) -> None:
    """Give three districts of eight, and the province, a rate of reused results; 20 % is asked of each."""
    for n, area in enumerate(province.profile.areas.units(day, "district")):
        province.figure(RATE, area.code, "day", day, low if n < 3 else 31.5)
    province.figure(RATE, "77", "day", day, whole)


def rows(db: psycopg.Connection, table: str) -> list[dict[str, Any]]:
    return db.cursor(row_factory=dict_row).execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()


# ---------------------------------------------------------------------------------------------- what a digest tells
def of_chair(run: DigestRun, now: datetime) -> ComposedDigest:
    (found,) = [one for one in run.compose("daily", now, now.astimezone(LOCAL).date()) if one.reader.post == CHAIR]
    return found


def test_a_digest_tells_what_got_worse_and_better_what_is_due_and_what_is_not_known(
    province: ProvinceDay, db: psycopg.Connection, book: AddressBook
) -> None:
    monday, tuesday = date(2024, 10, 21), date(2024, 10, 22)
    run = DigestRun(db, province.profile, book, BOTH)
    put_rates(province, monday, whole=26.0, low=22.0)
    before = local(tuesday)
    province.alive(before)
    province.look(before)
    put_rates(province, tuesday, whole=15.0, low=12.0)
    at = local("2024-10-23")
    province.alive(at)
    province.look(at)
    seven = local("2024-10-24", 7)
    db.execute("INSERT INTO scheduler_job (job, finished_at) VALUES ('status', %s)", [seven])
    worse = of_chair(run, seven)
    assert worse.digest.subject.startswith("Bản tin ngày 24/10/2024: 1 xấu đi, ")
    assert worse.digest.counts["worse"] == 1
    assert worse.channels == BOTH
    text = worse.digest.text
    assert "Xấu đi trong 24 giờ qua (1):" in text
    line = next(line for line in text.splitlines() if line.startswith("- ") and "trước đó" in line)
    assert "chậm tiến độ, trước đó đúng tiến độ; ngày 22/10/2024 đạt 15 %, đến nay cần 20 %, chậm 5 điểm %" in line
    assert line.endswith("; chậm nhất: Thành phố Vũng Tàu, Thành phố Bà Rịa, Huyện Châu Đức")
    assert "Tốt lên trong 24 giờ qua: không có." in text
    assert "Sự cố đang mở (1):" in text
    assert "chưa ai nhận xử lý" in text
    assert text.splitlines()[-1].startswith("English: 1 worse, 0 better, ")
    assert "hệ thống không đánh giá được" not in text
    # Taken on, and better the next day; a feed that falls silent makes its figures not known, and not better.
    (incident,) = [row for row in province.incidents() if row["kind"] == "lagging"]
    IncidentActs(db).acknowledge(incident["incident_id"], Actor("Văn phòng UBND", "command"), at)
    assert "Văn phòng UBND đã nhận xử lý" in of_chair(run, seven).digest.text
    put_rates(province, date(2024, 10, 23), whole=26.0, low=22.0)
    later = local("2024-10-24")
    province.alive(later, [feed for feed in province.feeds if feed != "tax.einvoice"])
    province.look(later)
    better = of_chair(run, local("2024-10-25", 7))
    assert (better.digest.counts["worse"], better.digest.counts["better"]) == (0, 1)
    assert "đúng tiến độ, trước đó chậm tiến độ; ngày 23/10/2024 đạt 26 %" in better.digest.text
    assert "Sự cố đang mở: không có." in better.digest.text
    assert "Sự cố đã kết thúc trong 24 giờ qua (1):" in better.digest.text
    assert "vì nguồn" in better.digest.text
    # Nobody has looked for a day: the digest does not call what stands in the tables the present.
    assert "hệ thống không đánh giá được từ 07:00 24/10/2024" in better.digest.text


def test_one_who_heads_several_sectors_gets_one_digest_and_a_stand_in_that_of_who_is_away(settings: Settings) -> None:
    ladder = load_ladder(settings.profile, load_sectors(settings.profile))
    sectors = ("health_visit", "health_system", "lodging")
    readers = AddressBook(ladder, {}, sectors).readers(date(2024, 10, 22))
    by_post = {reader.post: reader.sectors for reader in readers}
    assert by_post[CHAIR] == (*sectors, "platform")
    contacts = {post.post: Contact(emails=(post.email,)) for post in ladder.posts}
    merged = AddressBook(ladder, contacts, sectors).readers(date(2024, 10, 22))
    director = [reader for reader in merged if reader.name == "Giám đốc Sở Y tế"]
    assert [reader.sectors for reader in director] == [("health_visit", "health_system")]
    away = Ladder(ladder.posts, [Absence(CHAIR, date(2024, 10, 20), date(2024, 10, 25), "ioc.truong")])
    assert CHAIR not in {reader.post for reader in AddressBook(away, contacts, sectors).readers(date(2024, 10, 22))}
    assert CHAIR in {reader.post for reader in AddressBook(away, contacts, sectors).readers(date(2024, 10, 26))}


def test_the_scheduler_writes_each_digest_once_at_seven(
    province: ProvinceDay, db: psycopg.Connection, book: AddressBook
) -> None:
    job = DigestJob(db, province.overseer.status, book, dict.fromkeys(BOTH))  # type: ignore[arg-type]
    province.look(local("2024-10-20", 12))

    def written() -> list[str]:
        return [row["key"] for row in rows(db, "notification_outbox")]

    state = job.run(local("2024-10-20", 6.9), {})  # a Sunday
    assert (state, written()) == ({}, [])
    state = job.run(local("2024-10-20", 7), state)
    assert written() == [f"digest:daily:2024-10-20:{CHAIR}:{channel}" for channel in BOTH]
    for hour in (7.02, 12, 23.9):
        state = job.run(local("2024-10-20", hour), state)
    # What was done is in the table: a state that was lost in a crash makes no second one.
    state = job.run(local("2024-10-20", 8), {})
    assert len(written()) == 2
    state = job.run(local("2024-10-21", 6.9), state)
    assert len(written()) == 2
    state = job.run(local("2024-10-21", 9), state)  # nothing ran at seven
    assert written()[2:] == [
        f"digest:{kind}:2024-10-21:{CHAIR}:{channel}" for kind in ("weekly", "daily") for channel in BOTH
    ]
    assert state == {"daily": "2024-10-21", "weekly": "2024-10-21"}
    for row in rows(db, "notification_outbox"):
        # Nothing in the table opens a page.
        assert row["opens"] == "/morning"
        assert "/link/" not in str(row["body"])


# ---------------------------------------------------------------------------------------------- sent once
class Recording:
    """A channel that keeps what it sends, and fails as it is told."""

    def __init__(self, name: ChannelName, failures: Mapping[str, Exception] = {}) -> None:
        self.name = name
        self.sent: list[tuple[str, ChannelMessage]] = []
        self.failures = dict(failures)

    def send(self, address: str, message: ChannelMessage) -> str:
        if message.key in self.failures:
            raise self.failures[message.key]
        self.sent.append((address, message))
        return f"remote-{len(self.sent)}"


NOW = datetime(2024, 10, 22, 0, 0, tzinfo=UTC)


def message(key: str, channel: ChannelName = "webhook") -> OutgoingMessage:
    return OutgoingMessage(key, channel, CHAIR, "Phó Chủ tịch", f"Tin {key}", "Nội dung", "/morning")


def sender(db: psycopg.Connection, *channels: MessageChannel, **more: Any) -> OutboxSender:
    return OutboxSender(
        db,
        {channel.name: channel for channel in channels},
        lambda channel, post: f"{channel}:{post}",
        lambda path, name: f"https://ioc/link/{path}/{name}",
        jitter=lambda: 1.0,
        **more,
    )


def test_a_message_is_written_once_sent_once_and_entered_with_its_receipt(db: psycopg.Connection) -> None:
    out = Recording("webhook")
    assert [put_message(db, message("a"), NOW), put_message(db, message("a"), NOW)] == [True, False]
    for _ in range(3):
        sender(db, out).run(lambda: NOW)
    ((address, sent),) = out.sent
    assert (address, sent.key, sent.link) == (f"webhook:{CHAIR}", "a", "https://ioc/link//morning/Phó Chủ tịch")
    (receipt,) = rows(db, "notification_receipt")
    assert (receipt["sender"], receipt["channel"], receipt["recipient"]) == ("platform", "webhook", "Phó Chủ tịch")
    assert (receipt["sent_at"], receipt["subject"], receipt["detail"]["remote_id"]) == (NOW, "Tin a", "remote-1")


def test_a_failure_waits_as_long_as_was_asked_and_others_are_sent_meanwhile(db: psycopg.Connection) -> None:
    limited = DeliveryError("Telegram answered 429", 3600)
    refused = UndeliverableError("Telegram answered 403 Forbidden: bot was blocked by the user")
    telegram, hook = Recording("telegram", {"slow": limited, "blocked": refused}), Recording("webhook")
    for key in ("blocked", "slow", "next"):
        put_message(db, message(key, "telegram"), NOW)
    put_message(db, message("hook"), NOW)
    count = sender(db, telegram, hook).run(lambda: NOW)
    assert (count.sent, count.put_off, count.given_up) == (1, 1, 1)
    assert [sent.key for _, sent in hook.sent] == ["hook"]
    by_key = {row["key"]: row for row in rows(db, "notification_outbox")}
    assert by_key["slow"]["due_at"] == NOW + timedelta(hours=1)
    assert by_key["blocked"]["given_up_at"] == NOW
    assert "blocked by the user" in by_key["blocked"]["error"]
    # The channel goes on with the next message later; what it was asked to wait for waits.
    telegram.failures.clear()
    sender(db, telegram, hook).run(lambda: NOW + timedelta(minutes=1))
    sender(db, telegram, hook).run(lambda: NOW + timedelta(minutes=61))
    assert [sent.key for _, sent in telegram.sent] == ["next", "slow"]
    assert len(rows(db, "notification_receipt")) == 3


def test_a_server_that_stays_away_is_asked_less_and_less_often_and_given_up_in_the_end(db: psycopg.Connection) -> None:
    hook = Recording("webhook", {"a": DeliveryError("the webhook is not reached: ConnectError")})
    put_message(db, message("a"), NOW)
    tries: list[float] = []
    now = NOW
    while now < NOW + timedelta(hours=30):
        if sender(db, hook).run(lambda now=now: now).put_off:  # type: ignore[misc]
            tries.append((now - NOW).total_seconds() / 60)
        now += timedelta(seconds=30)
    waits = [after - before for before, after in itertools.pairwise(tries)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (0.5, 30)
    assert len(tries) < 60
    (row,) = rows(db, "notification_outbox")
    assert row["given_up_at"] is not None
    assert rows(db, "notification_receipt") == []


def test_several_senders_at_once_send_each_message_once(settings: Settings, db: psycopg.Connection) -> None:
    out = Recording("webhook")
    for number in range(40):
        put_message(db, message(f"m{number}"), NOW)

    def work() -> None:
        with connect(settings, "scheduler", autocommit=True) as connection:
            sender(connection, out).run(lambda: NOW)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(sent.key for _, sent in out.sent) == sorted(f"m{number}" for number in range(40))
    assert len(rows(db, "notification_receipt")) == 40


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with running_mailbox() as mailbox:
        yield mailbox


@pytest.fixture
def hook() -> Iterator[ChatServer]:
    with running_chat_server() as server:
        server.respond = lambda _: (200, {})
        yield server


_CHILD = """
import os, sys
from datetime import UTC, datetime
from ioc.database.connection import connect
from ioc.notification.mail import MailChannel
from ioc.notification.outbox import OutboxSender
from ioc.notification.webhook import WebhookChannel
from ioc.settings import Settings
from ioc.web.signing import Signing
from ioc.faultpoint import fault_from
settings = Settings()
channels = {"webhook": WebhookChannel(), "email": MailChannel.of(settings)}
addresses = {"webhook": settings.digest_webhook_url, "email": "chu-tich@example.invalid"}
with connect(settings, "scheduler", autocommit=True) as connection:
    OutboxSender(connection, channels, lambda channel, post: addresses[channel], Signing(settings).link,
                 reached=fault_from(settings.fault)).run(lambda: datetime.now(UTC))
"""


def test_a_crash_between_sending_and_entering_neither_loses_nor_doubles(
    settings: Settings, db: psycopg.Connection, box: Mailbox, hook: ChatServer
) -> None:
    """The process is killed right after the other side took the message; the next one sends it with the same key."""
    own = settings.model_copy(
        update={
            "smtp_host": "127.0.0.1", "smtp_port": box.smtp_port, "smtp_security": "none",
            "digest_webhook_url": f"{hook.url}/digest", "fault": "after_send:1",
        }
    )  # fmt: skip
    now = datetime.now(UTC)
    for channel in BOTH:
        put_message(db, message(f"digest:{channel}", channel), now)
    run = [sys.executable, "-c", _CHILD]
    for _ in BOTH:
        killed = subprocess.run(run, env=own.to_environment(), timeout=60, check=False, capture_output=True)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (len(box.mails), len(hook.requests)) == (1, 1)
    assert rows(db, "notification_receipt") == []
    # Its lease holds: nobody else sends it at once; once it is over, it is sent again.
    calm = own.model_copy(update={"fault": ""})
    subprocess.run(run, env=calm.to_environment(), timeout=60, check=True)
    assert (len(box.mails), len(hook.requests)) == (1, 1)
    db.execute("UPDATE notification_outbox SET due_at = now()")  # two minutes later
    for _ in range(2):
        subprocess.run(run, env=calm.to_environment(), timeout=60, check=True)
    assert (len(box.mails), len(hook.requests)) == (2, 2)
    assert len({mail["Message-ID"] for mail in box.mails}) == 1
    assert len({request.headers["idempotency-key"] for request in hook.requests}) == 1
    assert sorted(row["channel"] for row in rows(db, "notification_receipt")) == sorted(BOTH)
    assert all(row["sent_at"] is not None for row in rows(db, "notification_outbox"))


def test_a_digest_opens_the_morning_page_for_its_reader_until_its_time_is_over(
    settings: Settings, db: psycopg.Connection, hook: ChatServer, box: Mailbox
) -> None:
    signing = Signing(settings)
    mail = MailChannel("127.0.0.1", box.smtp_port, "ioc@brvt.example", security="none")
    channels: dict[ChannelName, MessageChannel] = {"webhook": WebhookChannel(), "email": mail}
    addresses = {"webhook": f"{hook.url}/digest", "email": "chu-tich@example.invalid"}
    for channel in BOTH:
        put_message(db, message(f"digest:{channel}", channel), NOW)
    find: Callable[[ChannelName, str], str | None] = lambda channel, _: addresses[channel]  # noqa: E731
    OutboxSender(db, channels, find, signing.link).run(lambda: NOW)
    link = hook.requests[0].body["link"]
    assert link in hook.requests[0].body["link"]
    opened = signing.open_link(link.rpartition("/")[2])
    assert opened is not None
    assert (opened[0], opened[1].name) == ("/morning", "Phó Chủ tịch")
    assert "/link/" in box.mails[0].get_content()
    stored = [str(row) for table in ("notification_outbox", "notification_receipt") for row in rows(db, table)]
    assert not any("/link/" in row for row in stored)


# ---------------------------------------------------------------------------------------------- Grafana's receipts
def told(incident_id: int, step: int = 0, event: str = "open", receiver: str = CHAIR) -> GrafanaNotification:
    labels = {"incident": str(incident_id), "step": str(step), "event": event, "recipient": receiver}
    return GrafanaNotification.model_validate(
        {
            "receiver": f"IOC: {receiver}",
            "status": "firing",
            "groupKey": f"{{}}:{{incident={incident_id}, step={step}}}",
            "title": "[CẢNH BÁO] Tỷ lệ chậm",
            "alerts": [{"status": "firing", "labels": labels, "annotations": {"title": "Tỷ lệ chậm"}}],
        }
    )


def test_what_grafana_tells_is_entered_once_a_step_and_channel(province: ProvinceDay, db: psycopg.Connection) -> None:
    put_rates(province, date(2024, 10, 22), whole=15.0, low=12.0)
    now = local("2024-10-23")
    province.alive(now)
    province.look(now)
    (incident,) = province.incidents()
    number = incident["incident_id"]
    assert "opens" not in incident["link"]
    assert enter_notification(db, told(number), ["email", "webhook"], now) == 2
    # Told again because our answer was lost; the next day's reminder and the next step are others.
    assert enter_notification(db, told(number), ["email", "webhook"], now + timedelta(minutes=5)) == 0
    assert enter_notification(db, told(number), ["email"], now + timedelta(days=1)) == 1
    assert enter_notification(db, told(number, step=1, receiver="so-tttt.pho"), ["email"], now + timedelta(days=1)) == 1
    assert enter_notification(db, told(10**9), ["email"], now) == 1  # an incident of another database
    receipts = show_incident(db, number)["receipts"]
    assert [(one["step"], one["channel"], one["recipient"]) for one in receipts] == [
        (0, "email", CHAIR), (0, "webhook", CHAIR), (0, "email", CHAIR), (1, "email", "so-tttt.pho"),
    ]  # fmt: skip
    assert {one["sender"] for one in receipts} == {"grafana"}
