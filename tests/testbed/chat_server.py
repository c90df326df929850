"""Telegram's and Zalo's servers on this machine, with the answers that the real ones give."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

# Status, body, and further headers of an answer; the body of the request and its headers are passed.
Answer = tuple[int, Any]
Respond = Callable[["ChatRequest"], Answer]


@dataclass(frozen=True)
class ChatRequest:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class ChatServer:
    """Answers by `respond`, and keeps what came."""

    url: str = ""
    respond: Respond = lambda request: (200, {})
    requests: list[ChatRequest] = field(default_factory=list)


@contextmanager
def running_chat_server() -> Iterator[ChatServer]:
    """Serve until the end, on a free port."""
    chat = ChatServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            form = "x-www-form-urlencoded" in self.headers.get("Content-Type", "")
            body = {name: values[0] for name, values in parse_qs(raw).items()} if form else json.loads(raw or "null")
            request = ChatRequest(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            chat.requests.append(request)
            status, answer = chat.respond(request)
            content = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    chat.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
