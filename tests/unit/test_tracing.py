"""Traces: off by default and then not even imported; sampled as asked; bounded, and never in the way."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from structlog.testing import capture_logs

from deploy.local.process import wait_until
from ioc.settings import Settings
from ioc.tracing import MOST_LINKS, NO_SPAN, NO_TRACING, Tracing, enclosing, open_tracing
from streams.rules.batch import Fetched
from streams.worker.trace import begin_batches, carried

SENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
UNSAMPLED = SENT[:-2] + "00"


@dataclass
class Kept(SpanExporter):
    """Keeps spans; `answer` is what it says of them, or does."""

    spans: list[ReadableSpan] = field(default_factory=list)
    answer: Callable[[], SpanExportResult] = lambda: SpanExportResult.SUCCESS

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans += spans
        return self.answer()

    def shutdown(self) -> None:
        pass

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


@contextmanager
def opened(kept: Kept, sample: float = 1.0) -> Iterator[Tracing]:
    settings = Settings(_env_file=None, trace_url="http://127.0.0.1:4318", trace_sample=sample)
    tracing = open_tracing(settings, "ioc-test", kept)
    try:
        yield tracing
    finally:
        tracing.close()


def names(kept: Kept) -> list[str]:
    return [span.name for span in kept.spans]


def test_without_a_collector_nothing_is_imported_or_kept() -> None:
    assert open_tracing(Settings(_env_file=None), "ioc-test") is NO_TRACING
    with NO_TRACING.span("fold", [SENT]) as span, NO_TRACING.within(span):
        assert span is NO_SPAN
        assert enclosing() == ""
    assert NO_TRACING.begin("commit", "internal", [SENT], {}) is NO_TRACING.begin_request("GET", SENT, {}) is NO_SPAN
    code = (
        "import sys; import connectors.gateway.app, streams.rollup.service, streams.worker.agent;"
        "print([name for name in sys.modules if name.startswith('opentelemetry.sdk') or '.otlp' in name])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("parent", "sample", "traced"),
    [("", 1.0, True), ("", 0.0, False), (SENT, 0.0, True), (UNSAMPLED, 1.0, False)],
    ids=["all", "none", "the sender asks for it", "the sender asks for none"],
)
def test_what_is_traced(parent: str, sample: float, traced: bool) -> None:
    kept = Kept()
    with opened(kept, sample) as tracing:
        span = tracing.begin_request("POST", parent, {})
        assert bool(span.traceparent) == traced
        with tracing.within(span), tracing.span("inner", ()) as inner:
            assert enclosing() == inner.traceparent
        span.end()
    assert names(kept) == (["inner", "POST"] if traced else [])
    if parent and traced:
        assert span.traceparent[3:35] == SENT[3:35] and span.traceparent[36:52] != SENT[36:52]


@pytest.mark.parametrize(
    "header",
    [
        "", "-", "00", "00-0-0-01", SENT.upper().replace("-01", "-zz"), f"ff{SENT[2:]}", f"00-{'0' * 32}-{'1' * 16}-01",
        f"00-{'1' * 32}-{'0' * 16}-01", f"{SENT}-more", SENT * 100, "\x00" * 55, "\ud800", "é" * 55, UNSAMPLED,
    ],
)  # fmt: skip
def test_what_cannot_be_read_or_is_not_sampled_begins_nothing(header: str) -> None:
    kept = Kept()
    with opened(kept) as tracing:
        assert tracing.begin("process", "consumer", [header], {}) is NO_SPAN
        with tracing.span("fold", [header]) as span:
            assert span is NO_SPAN
        assert tracing.begin("process", "consumer", [header, SENT], {}).traceparent[3:35] == SENT[3:35]


def test_a_failed_block_is_told_by_the_class_of_its_error_alone() -> None:
    kept = Kept()
    with opened(kept) as tracing, pytest.raises(ValueError, match="Nguyễn"), tracing.span("fold", [SENT]):
        raise ValueError("Nguyễn Văn A, 0908715243")
    (span,) = kept.spans
    assert span.attributes is not None and span.attributes["error.type"] == "ValueError"
    assert not span.status.is_ok and "Nguyễn" not in span.to_json() and span.events == ()


def test_while_the_collector_is_away_nothing_waits_and_the_log_says_so_once() -> None:
    gate, failing = threading.Event(), [True]

    def answer() -> SpanExportResult:
        gate.wait(60)
        return SpanExportResult.FAILURE if failing[0] else SpanExportResult.SUCCESS

    kept = Kept(answer=answer)
    with capture_logs() as logs:
        with opened(kept) as tracing:
            begun = time.thread_time()
            for _ in range(20_000):  # ten times what the queue holds, while the exporter hangs
                tracing.begin("commit", "internal", [SENT], {"ioc.events": 1}).end()
            spent = time.thread_time() - begun
            gate.set()
            assert wait_until(lambda: logs != [], 60.0)
        assert len(kept.spans) < 6_000, "the queue is bounded"
        assert spent < 20
        with opened(kept) as tracing:
            for failing[0] in (True, True, False):
                tracing.begin("commit", "internal", [SENT], {}).end()
                tracing._provider.force_flush(60_000)  # type: ignore[attr-defined]  # no wait for the time of sending
    told = [entry["event"] for entry in logs]
    assert told[0].startswith("traces cannot be sent")
    assert told[-1] == "traces are sent again"
    # Once of each of the two that were opened, however many times it failed.
    assert len(told) == 3, told


def test_closing_does_not_wait_for_a_collector_that_hangs() -> None:
    gate = threading.Event()

    def answer() -> SpanExportResult:
        gate.wait(60)
        return SpanExportResult.SUCCESS

    with opened(Kept(answer=answer)) as tracing:
        tracing.begin("commit", "internal", [SENT], {}).end()
        begun = time.monotonic()
        tracing.close()
        assert time.monotonic() - begun < 30, "bounded by 2 s, on an idle machine"
        gate.set()


def test_a_fetch_belongs_to_its_first_traced_request_and_is_linked_with_the_others() -> None:
    def record(*headers: tuple[str, bytes | None]) -> Any:
        return SimpleNamespace(offset=3, headers=headers)

    many = [f"00-{number:032x}-{'1' * 16}-01".encode() for number in range(1, 2 * MOST_LINKS)]
    records = [
        record(("content-type", b"x")),
        record(("traceparent", b"\xff\xfe")),
        record(("traceparent", None)),
        record(("ce_traceparent", SENT.encode())),
        *(record(("traceparent", one)) for one in (*many, *many)),
    ]
    assert carried(records[:1]) == []
    assert len(carried(records)) == MOST_LINKS + 1
    kept = Kept()
    with opened(kept) as tracing:
        fetches = [Fetched("t", 0, records), Fetched("t", 1, records[:3])]
        traced, untraced = begin_batches(tracing, "tourism.stay", fetches, time.time_ns())
        assert untraced is NO_SPAN
        traced.end()
    (span,) = kept.spans
    assert span.parent is not None and f"{span.parent.trace_id:032x}" == SENT[3:35]
    assert 0 < len(span.links) <= MOST_LINKS
