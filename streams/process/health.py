"""Liveness, readiness and metrics of a process, served from a thread so that a busy event loop still answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from ioc.errors import ConfigError


class HealthServer:
    """Answers `/live`, `/ready` (503 until `is_ready()`) and `/metrics` on 127.0.0.1; port 0 takes any free one."""

    def __init__(self, port: int, registry: CollectorRegistry, is_ready: Callable[[], bool]) -> None:
        def answer(path: str) -> tuple[int, str, bytes]:
            if path == "/metrics":
                return 200, CONTENT_TYPE_LATEST, generate_latest(registry)
            if path == "/live":
                return 200, "application/json", b'{"live": true}'
            if path == "/ready":
                ready = is_ready()
                return (200 if ready else 503), "application/json", json.dumps({"ready": ready}).encode()
            return 404, "application/json", b'{"error": "there are /live, /ready and /metrics"}'

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, content_type, body = answer(self.path)
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: probes come every second."""

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise ConfigError(
                f"port {port} is in use; set IOC_WORKER_PORT, IOC_ROLLUP_PORT or IOC_SCHEDULER_PORT to a free one"
            ) from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """End; returns when no request is being answered."""
        self._server.shutdown()
        self._server.server_close()
