"""The gateway in a closed loop on loopback, beside the same server with an empty handler that only writes to Kafka."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bench.bed import Bed
from bench.closed_loop import ClosedLoop, Task
from bench.drain import running, services
from bench.memory import MemoryTrace
from bench.scenario.latency import quantile
from bench.workload import EVENTS_A_RECORD, make_load
from deploy.local.service import Endpoint, Service, endpoints
from ioc.errors import FatalError
from ioc.settings import Settings
from ioc.web.tokens import TokenFile

_REPORTERS = 8
_EVENTS = 8_000
_CONNECTIONS = 16
_WARM_UP = 2.0
_SAMPLE_SECONDS = 0.25
# Requests a second of one token: in service there is a limit, which must not be what is measured here.
_UNBOUNDED = 1e9


class GatewayLoop:
    """Events a second in batches of 100, beside the empty handler; latency at half of that; memory meanwhile."""

    name = "gateway"
    title = "The gateway in a closed loop"
    every_round = True

    def __init__(self) -> None:
        self._bodies: list[str] = []
        self._round = 0

    def prepare(self, bed: Bed) -> None:
        """Make the requests: batches of 100 events of one reporter each."""
        feed, profile = bed.site.feed, bed.site.profile
        every = [reporter for reporter in profile.reporters if reporter.feed == feed.key]
        reporters = every[:: max(1, len(every) // _REPORTERS)]  # of every kind: petrol shops and others
        load = make_load(replace(profile, reporters=tuple(reporters)), feed, _EVENTS)
        values = [record.value.decode() for record in load.batches if record.value is not None]
        self._bodies = [value for value in values if value.count('"specversion"') == EVENTS_A_RECORD]

    def measure(self, bed: Bed) -> Mapping[str, float]:
        self._round += 1
        prefix = f"gateway{self._round}"
        bed.site.preload(prefix, ())
        seconds = 6.0 if bed.quick else 30.0
        with bed.site.fresh(topic_prefix=prefix) as given:
            settings = given.model_copy(update={"gateway_rate": _UNBOUNDED, "gateway_burst": _UNBOUNDED})
            task = self._task(bed, settings, seconds)
            with _empty(settings, bed.site.feed.topic(prefix)) as empty:
                alone = _send(task, empty, settings)
            trace = MemoryTrace()
            with services(settings, "gateway") as started:
                gateway = started["gateway"]
                with _sampling(trace, gateway):
                    full = _send(task, gateway, settings)
                half = _send(task.model_copy(update={"rate": full.requests / full.seconds / 2}), gateway, settings)
        return {
            "gateway_events_s": full.requests * EVENTS_A_RECORD / full.seconds,
            "gateway_empty_events_s": alone.requests * EVENTS_A_RECORD / alone.seconds,
            "gateway_half_p50_ms": quantile(half.latencies, 0.5) * 1000,
            "gateway_half_p99_ms": quantile(half.latencies, 0.99) * 1000,
            "gateway_rss_mib": trace.peak,
            "gateway_rss_growth": trace.growth,
        }

    def _task(self, bed: Bed, settings: Settings, seconds: float) -> Task:
        _, secret = TokenFile(settings.token_file).create(
            f"bench {self._round}", feeds=[bed.site.feed.key], reporters=["*"]
        )
        return Task(
            host=settings.gateway_host,
            port=settings.gateway_port,
            path="/v1/events",
            headers={"content-type": "application/cloudevents-batch+json", "authorization": f"Bearer {secret}"},
            bodies=self._bodies,
            connections=_CONNECTIONS,
            seconds=seconds,
        )


@contextmanager
def _empty(settings: Settings, topic: str) -> Iterator[Service]:
    known = next(endpoint for endpoint in endpoints(settings) if endpoint.name == "gateway")
    endpoint: Endpoint = replace(known, name="empty", argv=[sys.executable, "-m", "bench.empty_gateway", topic])
    with running([endpoint], settings) as started:
        yield started["empty"]


def _send(task: Task, server: Service, settings: Settings) -> ClosedLoop:
    """Send from a process of its own, after a warm-up; raises FatalError with what the client said."""
    server.wait_ready()
    file = settings.state_dir / "closed_loop.json"
    for one in (task.model_copy(update={"seconds": _WARM_UP, "rate": 0.0}), task):
        file.write_text(one.model_dump_json(), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "bench.closed_loop", str(file)],
            capture_output=True,
            text=True,
            check=False,
            timeout=task.seconds + 120,
            cwd=Path(__file__).parents[2],
        )
        if done.returncode:
            raise FatalError(f"the clients failed: {done.stderr[-2000:]}")
    return ClosedLoop.model_validate_json(done.stdout)


@contextmanager
def _sampling(trace: MemoryTrace, service: Service) -> Iterator[None]:
    """Sample a service's memory while the block runs."""
    ended = threading.Event()

    def sample() -> None:
        while not ended.wait(_SAMPLE_SECONDS):
            if service.pid is not None:
                trace.sample(service.pid)

    thread = threading.Thread(target=sample, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
