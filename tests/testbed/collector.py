"""A collector of OpenTelemetry in the test's process: takes OTLP over HTTP, as the protocol says, and keeps the spans.

Source: OTLP specification 1.x, OTLP/HTTP: POST /v1/traces, `application/x-protobuf`, the body an
`ExportTraceServiceRequest`, answered by an `ExportTraceServiceResponse`.
"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)


@dataclass(frozen=True)
class SeenSpan:
    """A span as the collector got it; ids in hexadecimal, `parent` empty where it has none."""

    service: str
    name: str
    kind: int
    trace: str
    span: str
    parent: str
    links: tuple[str, ...]
    begun_ns: int
    ended_ns: int
    failed: bool
    attributes: Mapping[str, str]


@dataclass
class Collector:
    """What was received; `url` is what IOC_TRACE_URL says, `bodies` every request as it came."""

    url: str
    spans: list[SeenSpan] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def of_trace(self, trace: str) -> dict[str, SeenSpan]:
        """A trace's spans, by the names that they have without their topic or address; the last of each."""
        return {one.name.partition(" ")[0]: one for one in self.spans if one.trace == trace}

    def take(self, body: bytes) -> None:
        """Keep what a request holds."""
        self.bodies.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            told = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                self.spans += [
                    SeenSpan(
                        service=told["service.name"],
                        name=one.name,
                        kind=one.kind,
                        trace=one.trace_id.hex(),
                        span=one.span_id.hex(),
                        parent=one.parent_span_id.hex(),
                        links=tuple(link.trace_id.hex() for link in one.links),
                        begun_ns=one.start_time_unix_nano,
                        ended_ns=one.end_time_unix_nano,
                        failed=one.status.code == one.status.STATUS_CODE_ERROR,
                        attributes={
                            found.key: str(getattr(found.value, found.value.WhichOneof("value") or "string_value"))
                            for found in one.attributes
                        },
                    )
                    for one in scope.spans
                ]


@contextmanager
def running_collector() -> Iterator[Collector]:
    """Listen on a port of this machine until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            known = self.path == "/v1/traces" and self.headers["content-type"] == "application/x-protobuf"
            if known:
                collector.take(body)
            self.send_response(200 if known else 404)
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    collector = Collector(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
