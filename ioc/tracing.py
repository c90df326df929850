"""Traces: how long one request took at each station from the gateway to the figures, for a collector of OpenTelemetry.

Off unless `trace_url` is set; then the SDK is not even imported. What ties the stations together is a `traceparent`
(W3C Trace Context, level 1): in the request's header, in the header of its Kafka record, and in the database beside the
contributions. Only what is sampled is handed on. `tracestate` is not: other systems write what they like in it.

Spans are sent by a thread of their own from a bounded queue. While the collector is away what does not fit is dropped:
nothing waits for it, and the log says so once. Attributes are names, counts and codes, never content.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, Literal, Protocol

import structlog

import ioc
from ioc.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
    from opentelemetry.trace import Link, SpanContext, Tracer

log = structlog.get_logger(__name__)

HEADER: Final = "traceparent"
Kind = Literal["server", "producer", "consumer", "internal"]
Value = str | int | float | bool
# Links of one span: a batch may hold events of thousands of requests.
MOST_LINKS = 64
_QUEUE = 2048
_SEND_SECONDS = 2.0
_TIMEOUT_SECONDS = 5
_CLOSE_SECONDS = 2.0

# The `traceparent` of the span within which this task works; empty where there is none.
_within: ContextVar[str] = ContextVar("traceparent", default="")


class TraceSpan(Protocol):
    """A step of a trace that has begun; `traceparent` is empty where it is not sampled."""

    @property
    def traceparent(self) -> str:
        """What later steps name as their parent."""

    def tell(self, attributes: Mapping[str, Value], name: str = "") -> None:
        """Add attributes, and give it another name."""

    def end(self, error: BaseException | None = None) -> None:
        """End it; of an error only its class is told."""


class _NoSpan:
    traceparent = ""

    def tell(self, attributes: Mapping[str, Value], name: str = "") -> None:
        """Keep nothing."""

    def end(self, error: BaseException | None = None) -> None:
        """Do nothing."""


NO_SPAN: Final[TraceSpan] = _NoSpan()


class Tracing:
    """Spans of one process."""

    is_on = False

    def begin(
        self, name: str, kind: Kind, parents: Sequence[str], attributes: Mapping[str, Value], at_ns: int | None = None
    ) -> TraceSpan:
        """Begin a span; the caller ends it.

        parents: `traceparent` of what it belongs to, as they came. The first that can be read is the parent, the others
                 are linked. Where none can be read and sampled, nothing is kept.
        at_ns:   when it has begun, in nanoseconds of the clock; None = now.
        """
        return NO_SPAN

    def begin_request(self, name: str, parent: str, attributes: Mapping[str, Value]) -> TraceSpan:
        """Begin the span of a request; `parent` is what its header says. Without one the sample decides."""
        return NO_SPAN

    @contextmanager
    def span(
        self, name: str, parents: Sequence[str], attributes: Mapping[str, Value] | None = None
    ) -> Iterator[TraceSpan]:
        """A span around a block; without `parents` it belongs to the span around it."""
        yield NO_SPAN

    @contextmanager
    def within(self, span: TraceSpan) -> Iterator[None]:
        """Let spans of the block belong to a span that was begun."""
        yield

    def close(self) -> None:
        """Send what waits, within a bounded time."""


NO_TRACING: Final = Tracing()


def enclosing() -> str:
    """Return the `traceparent` of the span around this task, empty where there is none."""
    return _within.get()


def open_tracing(settings: Settings, service: str, exporter: SpanExporter | None = None) -> Tracing:
    """Return the traces of a process, which the caller closes; `service` is its name, such as `ioc-gateway`.

    exporter: takes the spans in place of the collector that the settings name.
    """
    if not settings.trace_url:
        return NO_TRACING
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    # They tell of every attempt, with a traceback.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    target = f"{settings.trace_url}/v1/traces"
    return _OpenTracing(
        service, settings.trace_sample, exporter or OTLPSpanExporter(target, timeout=_TIMEOUT_SECONDS), target
    )


class _OpenSpan:
    def __init__(self, span: object, traceparent: str) -> None:
        from opentelemetry.sdk.trace import Span as SdkSpan  # noqa: PLC0415

        assert isinstance(span, SdkSpan)
        self._span = span
        self.traceparent = traceparent

    def tell(self, attributes: Mapping[str, Value], name: str = "") -> None:
        """Add attributes, and give it another name."""
        self._span.set_attributes(dict(attributes))
        if name:
            self._span.update_name(name)

    def end(self, error: BaseException | None = None) -> None:
        """End it; of an error only its class is told."""
        from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

        if error is not None:
            self._span.set_attribute("error.type", type(error).__name__)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end()


class _OpenTracing(Tracing):
    is_on = True

    def __init__(self, service: str, sample: float, exporter: SpanExporter, target: str) -> None:
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased  # noqa: PLC0415

        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(sample)),
            resource=Resource({"service.name": service, "service.version": ioc.__version__}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                _told_once(exporter, target),
                max_queue_size=_QUEUE,
                schedule_delay_millis=_SEND_SECONDS * 1000,
                export_timeout_millis=_TIMEOUT_SECONDS * 1000,
            )
        )
        self._tracer: Tracer = self._provider.get_tracer("ioc", ioc.__version__)

    def begin(
        self, name: str, kind: Kind, parents: Sequence[str], attributes: Mapping[str, Value], at_ns: int | None = None
    ) -> TraceSpan:
        """Begin a span, as `Tracing.begin`."""
        known = [found for one in dict.fromkeys(parents) if (found := _context_of(one)) and found.trace_flags.sampled]
        return self._begin(name, kind, known, attributes, at_ns) if known else NO_SPAN

    def begin_request(self, name: str, parent: str, attributes: Mapping[str, Value]) -> TraceSpan:
        """Begin the span of a request, as `Tracing.begin_request`."""
        known = _context_of(parent)
        return self._begin(name, "server", [known] if known else [], attributes, None)

    def _begin(
        self,
        name: str,
        kind: Kind,
        parents: Sequence[SpanContext],
        attributes: Mapping[str, Value],
        at_ns: int | None,
    ) -> TraceSpan:
        from opentelemetry.context import Context  # noqa: PLC0415
        from opentelemetry.trace import Link, NonRecordingSpan, SpanKind, set_span_in_context  # noqa: PLC0415

        context = set_span_in_context(NonRecordingSpan(parents[0]), Context()) if parents else Context()
        links: list[Link] = [Link(one) for one in parents[1 : MOST_LINKS + 1]]
        span = self._tracer.start_span(
            name, context, SpanKind[kind.upper()], dict(attributes), links=links, start_time=at_ns
        )
        made = span.get_span_context()
        if not span.is_recording():
            return NO_SPAN
        return _OpenSpan(span, f"00-{made.trace_id:032x}-{made.span_id:016x}-{made.trace_flags:02x}")

    @contextmanager
    def span(
        self, name: str, parents: Sequence[str], attributes: Mapping[str, Value] | None = None
    ) -> Iterator[TraceSpan]:
        """A span around a block, as `Tracing.span`."""
        span = self.begin(name, "internal", parents or [enclosing()], attributes or {})
        try:
            with self.within(span):
                yield span
        except BaseException as error:
            span.end(error)
            raise
        span.end()

    @contextmanager
    def within(self, span: TraceSpan) -> Iterator[None]:
        """Let spans of the block belong to a span, as `Tracing.within`."""
        token = _within.set(span.traceparent)
        try:
            yield
        finally:
            _within.reset(token)

    def close(self) -> None:
        """Send what waits, within a bounded time."""
        closing = threading.Thread(target=self._provider.shutdown, name="close-traces", daemon=True)
        closing.start()
        closing.join(_CLOSE_SECONDS)


def _context_of(traceparent: str) -> SpanContext | None:
    """Read a `traceparent`; None for what is none."""
    from opentelemetry.trace import get_current_span  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    found = get_current_span(TraceContextTextMapPropagator().extract({HEADER: traceparent})).get_span_context()
    return found if found.is_valid else None


def _told_once(exporter: SpanExporter, target: str) -> SpanExporter:
    """Return an exporter that says once in the log that spans are lost, and once that they are not any more."""
    from opentelemetry.sdk.trace.export import SpanExporter as Base  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import SpanExportResult as Result  # noqa: PLC0415

    class ToldOnce(Base):
        away = False

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            reason = "refused"
            try:
                outcome = exporter.export(spans)
            except Exception as error:  # whatever it is, the events go on
                outcome, reason = Result.FAILURE, type(error).__name__
            failed = outcome is not Result.SUCCESS
            if failed and not self.away:
                log.warning(
                    "traces cannot be sent and are dropped; nothing else is concerned",
                    collector=target,
                    reason=reason,
                    next_step="see whether it takes OTLP over HTTP there, or set IOC_TRACE_URL= to trace nothing",
                )
            elif self.away and not failed:
                log.info("traces are sent again", collector=target)
            self.away = failed
            return outcome

        def shutdown(self) -> None:
            exporter.shutdown()

        def force_flush(self, timeout_millis: int = 30_000) -> bool:
            return exporter.force_flush(timeout_millis)

    return ToldOnce()
