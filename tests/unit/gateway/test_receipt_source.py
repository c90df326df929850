"""Receipts on their way through both services: the gateway passes the sender's token on, the API answers."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx
import pytest
from testbed.event import stay
from testbed.gateway import BATCH, START, AsgiTransport, GatewayBed

from connectors.gateway.receipt_source import ApiReceiptSource
from ioc.api.app import create_app
from ioc.api.receipt import ReceiptAnswers
from ioc.errors import DatabaseUnavailableError, KafkaUnavailableError
from ioc.feeds.feed import load_feeds
from ioc.messaging.record import RecordOffset
from ioc.reading.receipt import EventFate, Receipt
from ioc.settings import Settings
from ioc.web.tokens import TokenFile

SETTINGS = Settings(_env_file=None)
Handler = Callable[[httpx.Request], httpx.Response]


class KnownFates:
    """Knows of records of one token; `fails` is raised instead."""

    def __init__(self) -> None:
        self.token_id = ""
        self.asked: list[Sequence[RecordOffset]] = []
        self.fails: Exception | None = None

    def read(self, record_offsets: Sequence[RecordOffset], token_id: str) -> Receipt | None:
        self.asked.append(record_offsets)
        if self.fails:
            raise self.fails
        if token_id != self.token_id:
            return None
        fates = [EventFate(id="e1", feed="tourism.stay", fate="stored")]
        return Receipt(complete=True, counts={"stored": 1}, events=fates)


class Both:
    """A gateway and the API that it asks; they share the file of tokens."""

    def __init__(self, directory: Path) -> None:
        self.fates = KnownFates()
        self.seconds = 0.0
        answers = ReceiptAnswers(SETTINGS, load_feeds(), self.fates, lambda: self.seconds)
        tokens = TokenFile(directory / "tokens.json", now=lambda: START)
        self.api = create_app(SETTINGS, tokens, None, receipts=answers)  # type: ignore[arg-type]
        self.gateway = GatewayBed(directory, source=ApiReceiptSource(SETTINGS, httpx.ASGITransport(self.api)))
        self.fates.token_id = self.gateway.token.id
        self.address = self.gateway.post([stay(), stay(id="e2")], BATCH).headers["location"]

    def ask(self, secret: str = "", path: str = "") -> httpx.Response:
        headers = {"authorization": f"Bearer {secret or self.gateway.secret}"}
        return self.gateway.request("GET", path or self.address, headers=headers)

    def ask_api(self, secret: str, path: str = "") -> httpx.Response:
        with httpx.Client(transport=AsgiTransport(self.api), base_url="http://api") as client:
            return client.get(path or self.address, headers={"authorization": f"Bearer {secret}"})


@pytest.fixture
def both(tmp_path: Path) -> Both:
    return Both(tmp_path)


def rule(answer: httpx.Response) -> str:
    """The rule that an answer of the gateway names; it has the shape of all its answers."""
    (reason,) = answer.json()["reasons"]
    assert reason["message_vi"] and reason["message_en"]
    return str(reason["rule"])


def test_the_answer_names_a_receipt_that_only_its_sender_may_ask_for(both: Both) -> None:
    _, other = both.gateway.tokens.create("other", ["tourism.stay"], ["*"])
    assert both.address.startswith("/v1/receipts/")
    answer = both.ask()
    assert (answer.status_code, answer.json()["counts"]) == (200, {"stored": 1})
    assert both.fates.asked == [[RecordOffset("ioc.tourism.stay.v1", 0, 0)]]
    foreign = both.ask(other)
    assert (foreign.status_code, rule(foreign)) == (404, "receipt_foreign")
    assert both.ask("x").status_code == 401
    rubbish = both.ask(path="/v1/receipts/rubbish")
    assert (rubbish.status_code, rule(rubbish)) == (404, "receipt_unknown")


def test_the_api_itself_tells_a_token_nothing_but_its_own(both: Both) -> None:
    _, other = both.gateway.tokens.create("other", ["tourism.stay"], ["*"])
    _, reader = both.gateway.tokens.create("portal", (), (), reads=True)
    own = both.ask_api(both.gateway.secret)
    assert (own.status_code, own.json()["counts"], own.headers["cache-control"]) == (200, {"stored": 1}, "no-store")
    told = {secret: both.ask_api(secret) for secret in (other, reader, "ioc_x_y")}
    assert [(answer.status_code, answer.json()["rule"]) for answer in told.values()] == [
        (404, "receipt_foreign"),
        (403, "token_reads"),
        (401, "token_unknown"),
    ]
    assert both.ask_api(both.gateway.secret, "/v1/receipts/rubbish").json()["rule"] == "receipt_unknown"
    # A token that publishes reads no figures for all that.
    assert both.ask_api(both.gateway.secret, "/v1/indicators").json()["rule"] == "token_publishes"


@pytest.mark.parametrize("error", [DatabaseUnavailableError("away"), KafkaUnavailableError("away")])
def test_what_the_api_cannot_read_is_told_as_such(both: Both, error: Exception) -> None:
    both.fates.fails = error
    away = both.ask()
    assert (away.status_code, away.headers["retry-after"], rule(away)) == (503, "5", "receipts_unavailable")
    both.fates.fails = None
    assert both.ask().status_code == 200


def test_few_receipts_are_granted_by_the_gateway_and_by_the_api(both: Both) -> None:
    statuses = [both.ask().status_code for _ in range(25)]
    assert statuses == [200] * 20 + [429] * 5
    both.gateway.seconds = 100.0  # the gateway grants again, another one has used up what the API grants
    fast = both.ask()
    assert (fast.status_code, fast.headers["retry-after"], rule(fast)) == (429, "1", "too_fast")
    both.seconds = 100.0
    assert both.ask().status_code == 200


def asked_by(directory: Path, handler: Handler, settings: Settings = SETTINGS) -> httpx.Response:
    """The gateway's answer where the API answers as `handler` does."""
    gateway = GatewayBed(directory, source=ApiReceiptSource(settings, httpx.MockTransport(handler)))
    address = gateway.post([stay()], BATCH).headers["location"]
    return gateway.request("GET", address, headers={"authorization": f"Bearer {gateway.secret}"})


def raising(error: type[httpx.TransportError]) -> Handler:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error("no", request=request)

    return answer


@pytest.mark.parametrize(
    "handler",
    [
        *(
            raising(error)
            for error in (httpx.ConnectError, httpx.ConnectTimeout, httpx.ReadTimeout, httpx.RemoteProtocolError)
        ),
        *(
            lambda _, status=status: httpx.Response(status, json={"rule": "x"})
            for status in (204, 400, 401, 403, 404, 422, 429, 500, 502, 503, 504)
        ),
        lambda _: httpx.Response(200, html="<p>another server"),
        lambda _: httpx.Response(404, json=["no problem"]),
        lambda _: httpx.Response(500, content=b"\xff"),
        lambda _: httpx.Response(200, content=b" " * (65 * 1024 * 1024), headers={"content-type": "application/json"}),
    ],
)
def test_whatever_else_the_api_answers_is_a_clear_503(tmp_path: Path, handler: Handler) -> None:
    answer = asked_by(tmp_path, handler)
    assert (answer.status_code, answer.headers["retry-after"], rule(answer)) == (503, "5", "receipts_unavailable")


def test_the_senders_token_goes_to_the_api_and_follows_no_redirect(tmp_path: Path) -> None:
    seen: list[httpx.Request] = []

    def elsewhere(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(307, headers={"location": "http://elsewhere.example/"})

    settings = Settings(_env_file=None, api_url="http://127.0.0.1:9/base")
    assert asked_by(tmp_path, elsewhere, settings).status_code == 503
    (request,) = seen
    assert str(request.url).startswith("http://127.0.0.1:9/base/v1/receipts/")
    assert request.headers["authorization"].startswith("Bearer ioc_")


def test_an_api_that_is_away_or_silent_is_waited_for_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.gateway.receipt_source._READ_SECONDS", -0.9)

    # Connections to it are taken by the system, and nobody answers them.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = Settings(_env_file=None, api_url=address, api_timeout=1)
        for _ in ("silent", "away"):
            gateway = GatewayBed(tmp_path, source=ApiReceiptSource(settings))
            receipt = gateway.post([stay()], BATCH).headers["location"]
            started = time.monotonic()
            answer = gateway.request("GET", receipt, headers={"authorization": f"Bearer {gateway.secret}"})
            assert (answer.status_code, rule(answer)) == (503, "receipts_unavailable")
            assert time.monotonic() - started < 10  # the bound is a tenth of a second; the machine may be busy
            silent.close()


def test_a_gateway_without_an_api_says_so(tmp_path: Path) -> None:
    gateway = GatewayBed(tmp_path)
    address = gateway.post([stay()], BATCH).headers["location"]
    answer = gateway.request("GET", address, headers={"authorization": f"Bearer {gateway.secret}"})
    assert (answer.status_code, rule(answer)) == (503, "receipts_unavailable")


def test_the_api_reads_one_receipt_at_a_time_and_few_wait(tmp_path: Path) -> None:
    both = Both(tmp_path)
    release, running, most = threading.Event(), [0], [0]
    inner = both.fates.read

    def slow(record_offsets: Sequence[RecordOffset], token_id: str) -> Receipt | None:
        running[0] += 1
        most[0] = max(most[0], running[0])
        release.wait(20)
        running[0] -= 1
        return inner(record_offsets, token_id)

    both.fates.read = slow  # type: ignore[method-assign]

    async def ask() -> list[int]:
        headers = {"authorization": f"Bearer {both.gateway.secret}"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(both.api), base_url="http://api") as client:
            asked = [asyncio.create_task(client.get(both.address, headers=headers)) for _ in range(18)]
            done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED, timeout=20)
            early = [task.result().status_code for task in done]
            release.set()
            return early[:1] + sorted([(await task).status_code for task in asked])

    early, *statuses = asyncio.run(ask())
    assert early == 503
    assert (statuses, most[0]) == ([200] * 16 + [503] * 2, 1)
