"""Clients that wear a service out, at the real server: gateway and API go on answering everybody else."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from testbed.event import encoded, stay
from testbed.gateway import BATCH, AsgiTransport, GatewayBed
from testbed.http_server import HttpServer, ImpatientConnection, http_server, read_all

from ioc.api.app import create_app
from ioc.api.problem import refuse
from ioc.errors import UnstorableError
from ioc.settings import Settings
from ioc.web.guard import RequestGuard
from ioc.web.tokens import TokenFile

LIVE = b"GET /live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
MANY = ImpatientConnection.most_connections


class NoReading:
    """Answers nothing: these requests do not come so far."""

    def is_ready(self) -> bool:
        return True


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> GatewayBed:
    return GatewayBed(tmp_path_factory.mktemp("gateway"))


@pytest.fixture(scope="module")
def gateway_server(gateway: GatewayBed) -> Iterator[HttpServer]:
    with http_server(gateway.app) as running:
        yield running


@pytest.fixture(scope="module")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    with http_server(api(tmp_path_factory.mktemp("api"))) as running:
        yield running


@pytest.fixture(params=["gateway", "api"])
def server(request: pytest.FixtureRequest) -> HttpServer:
    """Each of the two services."""
    running: HttpServer = request.getfixturevalue(f"{request.param}_server")
    return running


def api(directory: Path) -> FastAPI:
    """The API over nothing."""
    return create_app(Settings(_env_file=None), TokenFile(directory / "tokens.json"), NoReading())  # type: ignore[arg-type]


def publish(gateway: GatewayBed, body: bytes, *headers: str, length: bool = True) -> bytes:
    """A request to publish, as bytes."""
    lines = [
        "POST /v1/events HTTP/1.1",
        "Host: evil.example",
        "Connection: close",
        f"Authorization: Bearer {gateway.secret}",
        *([f"Content-Length: {len(body)}"] if length else []),
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


STRUCTURED = "Content-Type: application/cloudevents+json"


def test_silent_connections_shut_nobody_out(server: HttpServer) -> None:
    with ExitStack() as stack:
        silent = [stack.enter_context(server.connect()) for _ in range(3 * MANY)]
        begun = time.monotonic()
        assert [server.get("/live") for _ in range(5)] == [200] * 5
        assert server.get("/ready") == 200
        assert time.monotonic() - begun < 5
        assert [client.recv(1) for client in silent[-5:]] == [b""] * 5  # given up, without a word


def test_a_head_that_never_ends_is_given_up(server: HttpServer) -> None:
    with server.connect() as client:
        client.sendall(b"GET /live HTTP/1.1\r\n")
        begun = time.monotonic()
        stop = threading.Event()

        def trickle() -> None:
            while not stop.wait(0.05):
                try:
                    client.sendall(b"x: y\r\n")
                except OSError:
                    return

        sender = threading.Thread(target=trickle)
        sender.start()
        answer = read_all(client)
        stop.set()
        sender.join()
        assert time.monotonic() - begun < 5
    assert answer == b"" or answer.startswith(b"HTTP/1.1 408")


def test_the_next_head_of_a_connection_is_given_up_too(server: HttpServer) -> None:
    with server.connect() as client:
        client.sendall(LIVE.replace(b"Connection: close\r\n", b"") + b"GET /li")
        answer = read_all(client)
    assert answer.startswith(b"HTTP/1.1 200") and b"HTTP/1.1 408" in answer


def test_the_rest_of_a_body_that_was_answered_is_not_waited_for(server: HttpServer) -> None:
    with server.connect() as client:
        client.sendall(b"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{")
        begun = time.monotonic()
        assert read_all(client).split(b" ", 2)[1] in (b"401", b"404")
        assert time.monotonic() - begun < 5


def test_an_answer_that_nobody_reads_is_given_up() -> None:
    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await Response(b"x" * 50_000_000)(scope, receive, send)

    with http_server(large) as running, running.connect() as client:
        client.sendall(LIVE)
        time.sleep(2)
        assert len(read_all(client)) < 50_000_000


def test_a_used_connection_goes_on(server: HttpServer) -> None:
    """What bounds the waiting does not cut a client that keeps to it."""
    with server.connect() as client:
        for _ in range(6):
            client.sendall(LIVE.replace(b"Connection: close\r\n", b""))
            assert client.recv(65536).startswith(b"HTTP/1.1 200")
            time.sleep(0.2)


def test_two_lengths_are_refused_and_the_connection_ends(server: HttpServer) -> None:
    smuggled = b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n"
    for headers in (
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5",
    ):
        for path in (b"/v1/events", b"/live", b"/nowhere"):
            request = b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n\r\n0\r\n\r\n" + smuggled
            answer = server.exchange(request)
            assert answer.startswith(b"HTTP/1.1 400"), answer
            assert answer.count(b"HTTP/1.1") == 1
            assert b"connection: close" in answer.lower()
            assert b"two_lengths" in answer


@pytest.mark.parametrize("path", ["/v1/events/", "/v1/schemas/", "/v1/indicators/", "/live/", "//live", "/v1//events"])
def test_no_redirect_is_made_of_the_clients_host(server: HttpServer, path: str) -> None:
    answer = server.exchange(f"GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode())
    assert b"evil.example" not in answer and b"location" not in answer.lower()
    assert 400 <= int(answer.split(b" ", 2)[1]) < 500


@pytest.mark.parametrize(
    "target", ["/v1/events?dry_run=%00", "/v1/indicators/%00", "/v1/indicators?search=a%00b", "/%00", "/live?%00=1"]
)
def test_no_nul_comes_through_an_address(server: HttpServer, target: str) -> None:
    """PostgreSQL's text cannot hold it: it was a fault of the service wherever a text was looked up."""
    answer = server.exchange(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 400") and b"nul_character" in answer


@pytest.mark.parametrize(
    "body",
    [
        b'{"data":' * 30_000 + b"1" + b"}" * 30_000,
        b"[" * 60_000,
        encoded(stay() | {"nested": [[[]] * 10] * 500}),
        encoded(stay() | {f"a{n}": 1 for n in range(3000)}),
        encoded(stay(**{f"a{n}": 1 for n in range(3000)})),
        encoded(stay(age_years=int("9" * 4000))),
        encoded(stay(declared_at="0001-01-01T00:00:00+07:00")),
        encoded(stay(declared_at="9999-12-31T17:00:00Z")),
        encoded(stay(check_in_on="0001-01-01")),
        encoded(stay(check_out_on="9999-12-31")),
        encoded(stay() | {"time": "0001-01-01T00:00:00+23:59"}),
        encoded(stay() | {"time": "9999-12-31T23:59:59-23:59"}),
        b"9" * 60_000,
        b"\xff\xfe{}",
    ],
    ids=range(14),
)
def test_hostile_bodies_are_4xx_and_quick(gateway: GatewayBed, gateway_server: HttpServer, body: bytes) -> None:
    begun = time.monotonic()
    status = gateway_server.status(publish(gateway, body, STRUCTURED))
    assert status in (400, 413, 422)
    assert time.monotonic() - begun < 2
    assert gateway_server.status(LIVE) == 200


def test_a_batch_of_unknown_fields_costs_the_rate_what_its_bytes_cost(gateway: GatewayBed, tmp_path: Path) -> None:
    fields = {f"k{number}": number for number in range(300_000)}
    for event in (stay() | fields, stay(**fields)):
        response = gateway.post([event], BATCH)
        assert response.status_code in (400, 413, 422), response.text
        assert len(response.content) < 5000
    # Two such bodies are worth thousands of events, and a bucket of a hundred is empty after the first.
    poor = GatewayBed(tmp_path, gateway_rate=1.0, gateway_burst=100.0)
    statuses = [poor.post([stay(**dict(list(fields.items())[:50_000]))], BATCH).status_code for _ in range(3)]
    assert statuses == [422, 429, 429]


def test_arrays_in_arrays_are_refused_before_they_are_read(gateway: GatewayBed) -> None:
    response = gateway.post(b"[" + b",".join([b"[" * 150 + b"]" * 150] * 13_000) + b"]", BATCH)
    assert (response.status_code, response.json()["reasons"][0]["rule"]) == (400, "json_invalid")
    full = [stay(f"77-{number}", id=str(number)) for number in range(1000)]
    assert gateway.post(full, BATCH).status_code == 202


@pytest.mark.parametrize("parameter", ["charset*" + "9" * 5000 + "=x", "charset=" + "9" * 5000, "q=" + "9" * 5000])
def test_a_content_type_of_digits_is_4xx(gateway: GatewayBed, gateway_server: HttpServer, parameter: str) -> None:
    status = gateway_server.status(publish(gateway, encoded(stay()), f"{STRUCTURED}; {parameter}"))
    assert status in (202, 415)


@pytest.mark.parametrize("length", ["-1", "abc", "9" * 30, "1, 2", "1\r\nContent-Length: 2", ""])
def test_lengths_that_are_none_are_4xx(gateway: GatewayBed, gateway_server: HttpServer, length: str) -> None:
    request = publish(gateway, b"{}", STRUCTURED, f"Content-Length: {length}", length=False)
    assert 400 <= gateway_server.status(request) < 500
    assert gateway_server.status(LIVE) == 200


def test_more_requests_than_can_be_done_are_503_in_the_services_shape_and_live_goes_on() -> None:
    entered, leave = threading.Semaphore(0), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["path"] != "/live":
            loops.append(asyncio.get_running_loop())
            entered.release()
            await leave.wait()
        await Response(b"done")(scope, receive, send)

    with http_server(RequestGuard(slow, refuse=refuse, most=4)) as running:
        threads = [threading.Thread(target=running.get, args=("/x",)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert entered.acquire(timeout=10)
        assert [running.get("/live") for _ in range(3)] == [200] * 3
        head, _, body = running.exchange(LIVE.replace(b"/live", b"/x")).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 503") and b"retry-after: 1" in head.lower()
        assert json.loads(body)["rule"] == "busy"
        loops[0].call_soon_threadsafe(leave.set)
        for thread in threads:
            thread.join(10)
        assert running.get("/x") == 200


def test_the_gateway_says_it_is_busy_in_its_own_shape(tmp_path: Path) -> None:
    busy = GatewayBed(tmp_path, http_requests=0)
    response = busy.post(stay())
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert [reason["rule"] for reason in response.json()["reasons"]] == ["busy"]
    assert busy.get("/live").status_code == 200


def test_a_value_that_no_column_holds_is_4xx(tmp_path: Path) -> None:
    class Refusing(NoReading):
        def __getattr__(self, name: str) -> object:
            def refuse_value(*_: object, **__: object) -> object:
                raise UnstorableError("PostgreSQL text fields cannot contain NUL (0x00) bytes")

            return refuse_value

    tokens = TokenFile(tmp_path / "tokens.json")
    _, secret = tokens.create("Reader", (), (), reads=True, acts=True)
    refusing: Any = Refusing()
    app = create_app(Settings(_env_file=None), tokens, refusing, assessment=refusing)
    client = httpx.Client(
        transport=AsgiTransport(app), base_url="http://api", headers={"authorization": f"Bearer {secret}"}
    )
    answers = [
        client.get("/v1/indicators", params={"search": "x"}),
        client.get("/v1/status"),
        client.post("/v1/incidents/1/acts", json={"act": "acknowledge", "note": "\0"}),
    ]
    assert [answer.status_code for answer in answers] == [422] * 3
    assert "NUL" in answers[0].json()["detail"] and "PostgreSQL" not in answers[0].text


def test_500_is_documented(gateway: GatewayBed, tmp_path: Path) -> None:
    documents = (gateway.get("/openapi.json").json(), api(tmp_path).openapi())
    for document in documents:
        for path, operations in document["paths"].items():
            for operation in operations.values():
                if "security" in operation or path.startswith("/v1/indicators"):
                    assert {"500", "503"} <= set(operation["responses"]), path
