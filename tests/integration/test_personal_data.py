"""No personal data leaves the connectors (NĐ 13/2023/NĐ-CP): planted identifiers are nowhere to be found.

Files of every format, valid and broken, go through `ioc publish` and the real gateway, Kafka, worker and roll-up;
then everything that these keep, log and answer is searched.
"""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from rich.console import Console
from testbed.event import encoded
from testbed.feed_event import stay
from testbed.gateway import BATCH
from testbed.planted import (
    HOTEL,
    OWNER_NUMBER,
    PETROL_SELLER,
    PLANTED,
    SELLER,
    STORE,
    STRANGE_SELLER,
    misplaced,
    write_files,
)
from testbed.service import kafka_records, running_services, wait_until_settled
from testbed.trace import Searcher, Trace, search_tables

from connectors.publishing.client import GatewayClient
from connectors.publishing.publish import FileReader, run
from deploy.local.stack import Stack
from ioc.feeds.feed import Feed
from ioc.province.profile import load_profile, load_profile_catalogue
from ioc.province.store import load_into_database
from ioc.pseudonym import Pseudonymiser
from ioc.settings import Settings
from ioc.web.tokens import TokenFile

ARRIVED = datetime(2024, 10, 5, 11, tzinfo=UTC)
# Senders choose the ids of their events; this one is stored as it comes, and so must be found.
MARKER = "Dấu vết-Vô Hại"
FEEDS = ("tourism.stay", "tourism.daily_report", "tax.einvoice")


class Recorder(httpx.BaseTransport):
    """The way to the gateway; keeps all that goes out and all that comes back."""

    def __init__(self) -> None:
        self._inner = httpx.HTTPTransport(trust_env=False)
        self.sent: list[bytes] = []
        self.answers: list[bytes] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        body = response.read()
        self.sent.append(request.read())
        self.answers.append(body + repr(response.headers).encode())
        return httpx.Response(response.status_code, headers=response.headers, content=body)

    def close(self) -> None:
        self._inner.close()


@dataclass
class Remains:
    """All that a run has left behind, by where it was found."""

    topics: list[Any]
    logs: dict[str, str]
    exchanged: dict[str, list[bytes]]
    printed: str
    connection: psycopg.Connection
    token: str
    statuses: set[int]

    def search(self, *strings: str) -> list[Trace]:
        """Where any of the strings is found."""
        searcher = Searcher(strings)
        traces = search_tables(self.connection, searcher)
        for record in self.topics:
            for part in (record.key, record.value, *(item for header in record.headers for item in header)):
                traces += searcher.search(part or b"", f"topic {record.topic}")
        for name, text in self.logs.items():
            for line in text.splitlines():
                traces += searcher.search(line, f"log {name}")
        for direction, bodies in self.exchanged.items():
            for body in bodies:
                traces += searcher.search(body, direction)
        return traces + searcher.search(self.printed, "terminal")


def with_household(settings: Settings, directory: Path, feeds: dict[str, Feed]) -> Settings:
    """The settings with a profile in which the household business is registered, under its pseudonym."""
    shutil.copytree(settings.profile, directory)
    code = Pseudonymiser(settings.pseudonym_key_id, settings.pseudonym_key)("mst", OWNER_NUMBER).partition(":")[2][:20]
    with (directory / "reporters_einvoice.csv").open("a", encoding="utf-8") as file:
        file.write(f"tax.einvoice,einvoice,p{code},Hộ kinh doanh số 1,26508,seller,household,g,2022-01-01,\n")
    catalogue = load_profile_catalogue(settings.profile, feeds)
    load_into_database(settings, load_profile(directory), catalogue)
    return settings.model_copy(update={"profile": directory, "log_level": "DEBUG"})


def post_carelessly(url: str, secret: str, transport: Recorder) -> set[int]:
    """Be a system that does without the formats; returns the statuses that it is answered."""
    headers = {**BATCH, "authorization": f"Bearer {secret}"}
    events = list(misplaced(stay(HOTEL, 78)))
    with httpx.Client(base_url=url, headers=headers, transport=transport, trust_env=False) as client:
        # Beside what is misplaced one event is as it should be: some of that request are taken, some are not.
        bodies = [[{**stay(HOTEL, 77), "id": MARKER}], [stay(HOTEL, 79), *events], *([event] for event in events)]
        responses = [client.post("/v1/events", content=encoded(body)) for body in bodies]
        responses.append(client.post("/v1/events", content=f"[{PLANTED[0]}"))
        responses.append(client.get(f"/v1/schemas/{PLANTED[0]}?guest={PLANTED[7]}"))
        client.headers["authorization"] = f"Bearer {PLANTED[7]}"
        responses += [client.get("/v1/events"), client.post("/v1/events")]
    return {response.status_code for response in responses}


def ask_the_api(settings: Settings, secret: str) -> list[bytes]:
    """Have figures explained that rest on every record that was sent; returns the answers."""
    headers = {"authorization": f"Bearer {secret}"}
    recorder = Recorder()
    url = f"http://{settings.api_host}:{settings.api_port}/v1/indicators/"
    with httpx.Client(base_url=url, headers=headers, transport=recorder, timeout=30.0) as client:
        for code in (
            "lodging.guests.total",
            "lodging.unique_guests.total",
            "einvoice.invoices.total",
            "petrol.volume.total",
        ):
            asked = {"area": "77", "on": "2024-10-05", "period": "year", "limit": "1000"}
            assert client.get(f"{code}/explain", params=asked).json()["records_total"] > 0, code
        client.get(PLANTED[0])
    return recorder.answers


@pytest.fixture
def remains(
    settings: Settings,
    db: psycopg.Connection,
    kafka_topics: list[str],
    infrastructure: Stack,
    feeds: dict[str, Feed],
    tmp_path: Path,
) -> Iterator[Remains]:
    own = with_household(settings, tmp_path / "profile", feeds)
    logs, files = tmp_path / "log", tmp_path / "files"
    files.mkdir()
    token, secret = TokenFile(own.token_file).create("tests", FEEDS, ["77-*", "35*", "p*"])
    recorder, careless, out = Recorder(), Recorder(), io.StringIO()
    with running_services(own, logs) as services:
        with GatewayClient(own.gateway_address, secret, transport=recorder) as client:
            for path, establishment in write_files(files):
                for as_json in (False, True):  # the second time all is duplicates
                    reader = FileReader(own, establishment=establishment, received_at=ARRIVED)
                    console = Console(file=out, width=80)
                    run([path], reader, client, as_json=as_json, stdout=console, stderr=console)
                    run([path], reader, None, as_json=as_json, stdout=console, stderr=console)
        statuses = post_carelessly(own.gateway_address, secret, careless)
        wait_until_settled(own, feeds, services)
        told = ask_the_api(own, TokenFile(own.token_file).create("portal", (), (), reads=True)[1])
        paths = [service.log for service in services.values()]
    shared = [infrastructure.kafka.log, infrastructure.postgres.log]
    yield Remains(
        topics=kafka_records(own, kafka_topics),
        logs={path.name: path.read_text(errors="replace") for path in (*paths, *shared)},
        exchanged={"sent": recorder.sent, "answers": recorder.answers + careless.answers, "api": told},
        printed=out.getvalue(),
        connection=db,
        token=token.id,
        statuses=statuses,
    )


def count(connection: psycopg.Connection, table: str, where: str = "true") -> int:
    row = connection.execute(f"SELECT count(*) FROM {table} WHERE {where}").fetchone()
    assert row is not None
    return int(row[0])


def test_planted_identifiers_are_nowhere(remains: Remains, db: psycopg.Connection) -> None:
    # All was there that could betray them: records of every feed, refusals by format, gateway and worker.
    stays = db.execute("SELECT doc_type, count(*) FROM tourism_stay WHERE guest_id NOT LIKE 'k1:0000%' GROUP BY 1")
    assert dict(stays.fetchall()) == {"cccd": 1, "other": 2, "passport": 2}
    assert count(db, "tourism_daily_report") == 1
    household = "seller_type = 'household' AND reporter LIKE 'p%'"
    assert count(db, "tax_einvoice", household) == 2, "an invoice, and the cancellation of another"
    assert count(db, "tax_einvoice", f"shop_id = '{PETROL_SELLER}.{STORE}'") == 1
    assert count(db, "rejected_event", "rule = 'unknown_reporter'") > 0
    assert remains.printed.count("mã số thuế") > 1
    assert remains.statuses == {202, 207, 400, 401, 403, 404, 405, 422}

    # The same search finds what is no secret, wherever it looks: one that finds nothing would prove nothing.
    found = {trace.where for trace in remains.search(MARKER, remains.token, HOTEL, SELLER, STRANGE_SELLER)}
    tables = ("tourism_stay", "tax_einvoice", "record_revision", "rejected_event", "reporter")
    topics = ("tourism.stay.v1", "tax.einvoice.v1", "dead-letter.v1")
    assert found >= {"sent", "answers", "api", "terminal", "log gateway.log"}
    assert found >= {f"public.{table}" for table in tables}
    assert {where.partition(".")[2] for where in found if where.startswith("topic")} >= set(topics)

    assert remains.search(*PLANTED) == []


@pytest.mark.parametrize(
    "disguise",
    [
        "Tôn Nữ Hỷ Khương",
        "TÔN NỮ HỶ KHƯƠNG",
        "ton-nu_hy.khuong",
        "To\u0302n Nu\u031b\u0303 Hy\u0309 Khu\u031bo\u031bng",
        r'{"a": "T\u00f4n N\u1eef H\u1ef7 Kh\u01b0\u01a1ng"}',
        "T%C3%B4n%20N%E1%BB%AF%20H%E1%BB%B7%20Kh%C6%B0%C6%A1ng",
        "\\x" + "(Tôn Nữ Hỷ Khương)".encode().hex(),
        "0771 8700 4321",
        "077.187.004.321",
        hashlib.sha256(b"077187004321").hexdigest(),
        hashlib.md5(b"ton nu hy khuong".replace(b" ", b"")).hexdigest(),  # noqa: S324 - as a careless one would
    ],
)
def test_a_disguise_does_not_hide_a_string(disguise: str) -> None:
    searched = Searcher(["Tôn Nữ Hỷ Khương", "077187004321"])
    assert searched.search(f"before {disguise} after", "here")
    assert not searched.search("Tôn Nữ Khương, 077187004320", "here")
