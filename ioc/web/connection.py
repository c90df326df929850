"""One HTTP/1.1 connection that gives up on a client which keeps it waiting.

uvicorn waits without end for the first request, for the rest of a head that has begun, for what is left of a body that
was answered already, and for a client that reads no answer; and it refuses all requests, `/live` too, once there are
so many connections, silent ones included. Here a connection is only held while a request is under way or is expected
within seconds, and when there are too many, the one that has been silent longest makes room for the new one.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# A head is one or two packets.
HEAD_SECONDS = 10.0
# If the client does not read the answer, it fills the client's buffers, then ours.
UNREAD_SECONDS = 30.0
# Each costs a file descriptor, of which a process has 1,024 by default, and up to 64 KiB.
MOST_CONNECTIONS = 512


class BoundedConnection(H11Protocol):
    """uvicorn's connection with an end to every wait for the client."""

    head_seconds = HEAD_SECONDS
    unread_seconds = UNREAD_SECONDS
    most_connections = MOST_CONNECTIONS

    _waiting: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _idle_since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a new connection; one that was silent for longest goes if there are too many."""
        super().connection_made(transport)
        if len(self.connections) > self.most_connections:
            self._make_room()
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what the client sends."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for it."""
        super().on_response_complete()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        for timer in (self._waiting, self._unread):
            if timer is not None:
                timer.cancel()

    def pause_writing(self) -> None:
        """Wait for the client to read, but not for ever."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(self.unread_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: the client reads."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    @property
    def is_idle(self) -> bool:
        """Whether no request is under way: the client owes a head, or the rest of a body that was answered already."""
        answered = self.cycle is None or self.cycle.response_complete
        return answered and self.conn.their_state in (h11.IDLE, h11.SEND_BODY)

    def _watch(self) -> None:
        """Start the clock where the client has to go on, whatever it sends meanwhile; stop it at a whole request."""
        if self.transport.is_closing() or not self.is_idle:
            if self._waiting is not None:
                self._waiting.cancel()
                self._waiting = None
        elif self._waiting is None:
            self._idle_since = self.loop.time()
            self._waiting = self.loop.call_later(self.head_seconds, self._give_up)

    def _give_up(self) -> None:
        """End a connection that was silent for too long; one that has begun a head gets an answer first."""
        self._waiting = None
        if self.transport.is_closing():
            return
        if self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]:
            answer = h11.Response(status_code=408, headers=[(b"connection", b"close"), (b"content-length", b"0")])
            self.transport.write((self.conn.send(answer) or b"") + (self.conn.send(h11.EndOfMessage()) or b""))
        self.transport.close()

    def _make_room(self) -> None:
        others = [one for one in self.connections if isinstance(one, BoundedConnection) and one is not self]
        idle = [one for one in others if one.is_idle]
        (min(idle, key=lambda one: one._idle_since) if idle else self).transport.abort()
