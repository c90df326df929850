"""A webhook and a mailbox on this machine that count what arrives."""

from __future__ import annotations

import email
import email.policy
import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast


@dataclass
class Mailbox:
    """What arrived. hooks: bodies of webhooks; mails: e-mails, in the order of arrival."""

    webhook_url: str = ""
    smtp_port: int = 0
    hooks: list[dict[str, Any]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)


@contextmanager
def running_mailbox(webhook_port: int = 0, smtp_port: int = 0) -> Iterator[Mailbox]:
    """Receive on both until the end; a port of 0 is any free one."""
    box = Mailbox()

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            box.hooks.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    class Smtp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self._say("220 test")
            while line := self.rfile.readline():
                command = line[:4].upper().strip()
                if command == b"DATA":
                    self._say("354 go on")
                    self._receive()
                elif command == b"QUIT":
                    self._say("221 bye")
                    return
                else:
                    self._say("250 ok")

        def _receive(self) -> None:
            lines: list[bytes] = []
            while (line := self.rfile.readline()).rstrip(b"\r\n") != b".":
                lines.append(line)
            message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
            box.mails.append(cast(EmailMessage, message))
            self._say("250 ok")

        def _say(self, text: str) -> None:
            self.wfile.write(text.encode() + b"\r\n")

    class SmtpServer(socketserver.ThreadingTCPServer):
        # A server that starts sends what is open all at once: with five waiting, as usual, the others are refused.
        request_queue_size = 256

    http = ThreadingHTTPServer(("127.0.0.1", webhook_port), Hook)
    smtp = SmtpServer(("127.0.0.1", smtp_port), Smtp)
    smtp.daemon_threads = True
    box.webhook_url = f"http://127.0.0.1:{http.server_address[1]}/"
    box.smtp_port = int(smtp.server_address[1])
    threads = [threading.Thread(target=server.serve_forever, daemon=True) for server in (http, smtp)]
    for thread in threads:
        thread.start()
    try:
        yield box
    finally:
        for server in (http, smtp):
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join(5)
