"""The clients of the gateway's benchmark, against the empty handler on a real port."""

from __future__ import annotations

import asyncio

import pytest
from testbed.serving import serving

from bench.closed_loop import ClosedLoop, Task, send
from bench.empty_gateway import create_empty_app
from connectors.gateway.producer import InMemoryEventProducer
from ioc.errors import FatalError


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
    with serving(create_empty_app("t", producer)) as port:
        sent = asyncio.run(send(task(port)))
    assert sent.requests == len(sent.latencies) == len(producer.records) > 0
    assert {record.value for record in producer.records} <= {b"[1]", b"[2]", b"[3]"}
    assert sent.latencies == sorted(sent.latencies)


def test_a_pace_gives_as_many_requests_as_are_due() -> None:
    producer = InMemoryEventProducer()
    with serving(create_empty_app("t", producer)) as port:
        sent: ClosedLoop = asyncio.run(send(task(port, rate=40.0)))
    assert sent.requests == 40 == len(producer.records), "each at its moment, or late, and none left out"


def test_a_refusal_ends_the_measurement() -> None:
    with serving(create_empty_app("t", InMemoryEventProducer())) as port, pytest.raises(ExceptionGroup) as refused:
        asyncio.run(send(task(port, path="/nowhere")))
    assert refused.group_contains(FatalError, match="404")
