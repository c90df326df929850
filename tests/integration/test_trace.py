"""A traced request can be followed from the gateway to the figures, over real servers and processes; nothing waits
for the collector, and nothing of an event is in a span."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import httpx
import psycopg
import pytest
from testbed.collector import Collector, SeenSpan, running_collector
from testbed.feed_event import HOTEL, guest_id, stay
from testbed.server import free_ports
from testbed.service import kafka_records, running_services, wait_until_settled

from deploy.local.process import wait_until
from deploy.local.service import Service
from ioc.feeds.feed import Feed
from ioc.settings import Settings
from ioc.web.tokens import TokenFile

WAY = ("POST", "send", "process", "commit", "fold", "figures")
CALLER = "00f067aa0ba902b7"
SECONDS = 120.0  # a bound on two full cores, not a measure


def traceparent(number: int, flags: str = "01") -> str:
    """What a sector system's request says; as in the examples of Trace Context."""
    return f"00-{number:032x}-{CALLER}-{flags}"


class Sender:
    """A sector system that publishes stays."""

    def __init__(self, settings: Settings) -> None:
        _, secret = TokenFile(settings.token_file).create(
            "PMS khách sạn Sao Biển", feeds=["tourism.stay"], reporters=["*"]
        )
        self._headers = {"authorization": f"Bearer {secret}", "content-type": "application/cloudevents-batch+json"}
        self._url = f"{settings.gateway_address}/v1/events"

    def publish(self, *guests: int, headers: Mapping[str, str] | None = None) -> int:
        body = [stay(HOTEL, guest) | {"traceparent": traceparent(99), "caller": "0908715243"} for guest in guests]
        answer = httpx.post(
            self._url, content=json.dumps(body), headers={**self._headers, **(headers or {})}, timeout=60
        )
        assert answer.status_code == 202, answer.text
        return len(guests)


def way_of(collector: Collector, trace: int) -> list[SeenSpan]:
    """A trace's spans in their order, once all have come."""
    name = f"{trace:032x}"
    assert wait_until(lambda: set(WAY) <= set(collector.of_trace(name)), SECONDS, poll=0.1), [
        (one.service, one.name) for one in collector.spans if one.trace == name
    ]
    found = collector.of_trace(name)
    return [found[step] for step in WAY]


def told_of_traces(services: Mapping[str, Service], name: str) -> int:
    return services[name].log.read_text(encoding="utf-8").count("traces cannot be sent")


@pytest.fixture
def traced(settings: Settings) -> Settings:
    """Nothing but what asks for it is traced."""
    return settings.model_copy(update={"trace_sample": 0.0})


def test_one_trace_leads_from_the_gateway_to_the_figures(
    traced: Settings, kafka_topics: list[str], feeds: dict[str, Feed], db: psycopg.Connection, tmp_path: Path
) -> None:
    with running_collector() as collector:
        own = traced.model_copy(update={"trace_url": collector.url})
        with running_services(own, tmp_path / "log") as services:
            sender = Sender(own)
            sender.publish(1, 2, headers={"traceparent": traceparent(7), "tracestate": "caller=0908715243"})
            way = way_of(collector, 7)
            # What asks for no trace, what forbids it, and what cannot be read: none of them has one.
            sender.publish(3)
            sender.publish(4, headers={"traceparent": traceparent(8, "00")})
            sender.publish(5, headers={"traceparent": "00-0908715243-x-01"})
            sender.publish(6, headers={"traceparent": traceparent(9)})
            way_of(collector, 9)
            wait_until_settled(own, feeds, services)
            assert db.execute("SELECT count(*) FROM contribution_trace").fetchone() == (0,)
            logged = services["gateway"].log.read_text(encoding="utf-8")
            assert f"{7:032x}" in logged, "the access log names the trace"
        # Each belongs to the one before, and begins no earlier; the first to what the sender said.
        assert [one.parent for one in way] == [CALLER, *(one.span for one in way[:-1])]
        assert [one.service for one in way] == ["ioc-gateway"] * 2 + ["ioc-worker"] * 2 + ["ioc-rollup"] * 2
        assert [one.begun_ns for one in way] == sorted(one.begun_ns for one in way)
        assert all(one.begun_ns <= one.ended_ns and not one.failed for one in way)
        post, send, process, commit, fold, _ = way
        assert (post.name, post.kind, send.kind, process.kind) == ("POST /v1/events", 2, 4, 5)
        assert (post.attributes["http.route"], post.attributes["http.response.status_code"]) == ("/v1/events", "202")
        assert (post.attributes["ioc.events.accepted"], commit.attributes["ioc.events"]) == ("2", "2")
        topic = feeds["tourism.stay"].topic(own.topic_prefix)
        assert process.name == f"process {topic}"
        assert (
            send.attributes["messaging.destination.name"] == process.attributes["messaging.destination.name"] == topic
        )
        assert int(fold.attributes["ioc.contributions"]) > 0
        assert {one.trace for one in collector.spans} == {f"{7:032x}", f"{9:032x}"}
        # Nothing of an event, its reporter or its sender.
        bodies = b"".join(collector.bodies)
        for planted in ("0908715243", HOTEL, guest_id(1), "PMS khách sạn", "127.0.0.1"):
            assert planted.encode() not in bodies
    headers = [dict(record.headers) for record in kafka_records(own, [topic])]
    assert sorted("traceparent" in one for one in headers) == [False] * 3 + [True] * 2


def test_nothing_waits_for_a_collector_that_is_away(
    traced: Settings, kafka_topics: list[str], feeds: dict[str, Feed], tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    own = traced.model_copy(update={"trace_url": f"http://127.0.0.1:{port}", "trace_sample": 1.0})
    with running_services(own, tmp_path / "log") as services:
        sender = Sender(own)
        for guest in range(30):
            sender.publish(guest)
        wait_until_settled(own, feeds, services)
        for name in ("gateway", "worker", "rollup"):
            assert wait_until(lambda name=name: told_of_traces(services, name) > 0, SECONDS, poll=0.1), name  # type: ignore[misc]
        for guest in range(30, 60):
            sender.publish(guest)
        wait_until_settled(own, feeds, services)
    for name in ("gateway", "worker", "rollup"):
        assert told_of_traces(services, name) == 1, name
        assert "Traceback" not in services[name].log.read_text(encoding="utf-8")
