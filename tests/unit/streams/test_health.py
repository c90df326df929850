"""Liveness, readiness and metrics over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from prometheus_client import CollectorRegistry, Counter

from ioc.errors import ConfigError
from streams.process.health import HealthServer


class Readiness:
    ready = False

    def __call__(self) -> bool:
        return self.ready


@pytest.fixture
def readiness() -> Readiness:
    return Readiness()


@pytest.fixture
def server(readiness: Readiness) -> Iterator[HealthServer]:
    registry = CollectorRegistry()
    Counter("ioc_things_total", "Things", registry=registry).inc(3)
    server = HealthServer(0, registry, readiness)
    server.start()
    yield server
    server.stop()


def get(server: HealthServer, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{server.port}{path}", timeout=5, trust_env=False)


def test_it_is_alive_before_it_is_ready(server: HealthServer, readiness: Readiness) -> None:
    assert get(server, "/live").json() == {"live": True}
    assert get(server, "/ready").status_code == 503
    readiness.ready = True
    assert get(server, "/ready").json() == {"ready": True}


def test_metrics(server: HealthServer) -> None:
    answer = get(server, "/metrics")
    assert "ioc_things_total 3.0" in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


def test_anything_else_is_not_there(server: HealthServer) -> None:
    assert get(server, "/tables").status_code == 404


def test_a_port_in_use_is_said_to_be(server: HealthServer, readiness: Readiness) -> None:
    with pytest.raises(ConfigError, match=f"port {server.port} is in use"):
        HealthServer(server.port, CollectorRegistry(), readiness)
