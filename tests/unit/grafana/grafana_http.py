"""Grafana's HTTP API in small: enough to see that the client asks for the right paths with the right bodies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

PROVISIONING = "/api/v1/provisioning"
# A POST to the path keeps the body below the path that a later GET asks for.
CREATED = {
    "/api/folders": "/api/folders/{uid}",
    "/api/datasources": "/api/datasources/uid/{uid}",
    f"{PROVISIONING}/alert-rules": f"{PROVISIONING}/alert-rules/{{uid}}",
}


class GrafanaHttp(ThreadingHTTPServer):
    """Objects by the path that reads them, and all requests in order. `failures`: how many answers are 503 first."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.objects: dict[str, Any] = {f"{PROVISIONING}/policies": {"receiver": "grafana-default-email"}}
        self.requests: list[tuple[str, str]] = []
        self.failures = 0
        self.token = "Bearer made-up"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def get(self, path: str) -> Any:
        if path in (f"{PROVISIONING}/contact-points", f"{PROVISIONING}/alert-rules"):
            return [body for name, body in self.objects.items() if name.startswith(f"{path}/")]
        return self.objects.get(path)

    def put(self, method: str, path: str, body: Any) -> None:
        if path == "/api/dashboards/db":
            meta = {"folderUid": body["folderUid"]}
            path = f"/api/dashboards/uid/{body['dashboard']['uid']}"
            self.objects[path] = {"dashboard": body["dashboard"], "meta": meta}
        elif method == "POST" and path.endswith("/contact-points"):
            self.objects[f"{path}/{body['uid']}"] = body
        elif method == "POST":
            self.objects[CREATED[path].format(uid=body["uid"])] = body
        else:
            self.objects[path] = body


class _Handler(BaseHTTPRequestHandler):
    server: GrafanaHttp

    def do_GET(self) -> None:
        if self._may_answer():
            found = self.server.get(self.path)
            self._answer(404 if found is None else 200, {"message": "not found"} if found is None else found)

    def do_POST(self) -> None:
        if self._may_answer():
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.server.put(self.command, self.path, body)
            self._answer(200, {"status": "success"})

    def do_PUT(self) -> None:
        self.do_POST()

    def do_DELETE(self) -> None:
        if self._may_answer():
            self.server.objects.pop(self.path, None)
            self._answer(204, None)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the test looks at `requests`."""

    def _may_answer(self) -> bool:
        self.server.requests.append((self.command, self.path))
        if self.server.failures:
            self.server.failures -= 1
            self._answer(503, {"message": "starting"})
            return False
        if self.headers["Authorization"] != self.server.token:
            self._answer(401, {"message": "invalid token"})
            return False
        return True

    def _answer(self, status: int, body: Any) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        # A connection is not kept: an unread body would be taken for the next request.
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def running_grafana() -> Iterator[GrafanaHttp]:
    """Serve until the block ends."""
    with GrafanaHttp() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
