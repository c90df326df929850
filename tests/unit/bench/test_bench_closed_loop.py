"""The clients of the gateway's benchmark, against the empty handler on a real port."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn

from bench.closed_loop import ClosedLoop, Task, send
from bench.empty_gateway import create_empty_app
from connectors.gateway.producer import InMemoryEventProducer
from ioc.errors import FatalError
from ioc.web.serving import server_config


@contextmanager
def serving(producer: InMemoryEventProducer) -> Iterator[int]:
    """The empty handler on a port of its own."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # so that clients wait for the server instead of being turned away
        port: int = listener.getsockname()[1]
        server = uvicorn.Server(server_config(create_empty_app("t", producer), host="127.0.0.1", port=port, patience=5))
        server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
        thread = threading.Thread(target=lambda: server.run(sockets=[listener]))
        thread.start()
        try:
            yield port
        finally:
            server.should_exit = True
            thread.join(60)


def task(port: int, **changes: object) -> Task:
    return Task.model_validate(
        {
            "host": "127.0.0.1",
            "port": port,
            "path": "/v1/events",
            "headers": {"content-type": "application/json"},
            "bodies": ["[1]", "[2]", "[3]"],
            "connections": 3,
            "seconds": 1.0,
        }
        | changes
    )


def test_every_request_is_answered_and_written() -> None:
    producer = InMemoryEventProducer()
    with serving(producer) as port:
        sent = asyncio.run(send(task(port)))
    assert sent.requests == len(sent.latencies) == len(producer.records) > 0
    assert {record.value for record in producer.records} <= {b"[1]", b"[2]", b"[3]"}
    assert sent.latencies == sorted(sent.latencies)


def test_a_pace_gives_as_many_requests_as_are_due() -> None:
    producer = InMemoryEventProducer()
    with serving(producer) as port:
        sent: ClosedLoop = asyncio.run(send(task(port, rate=40.0)))
    assert sent.requests == 40 == len(producer.records), "each at its moment, or late, and none left out"


def test_a_refusal_ends_the_measurement() -> None:
    with serving(InMemoryEventProducer()) as port, pytest.raises(ExceptionGroup) as refused:
        asyncio.run(send(task(port, path="/nowhere")))
    assert refused.group_contains(FatalError, match="404")
