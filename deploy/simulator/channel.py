"""The way of a simulated system to the gateway, and what is certain about each sending."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

import httpx

from connectors.publishing.client import GatewayClient
from deploy.simulator.ledger import Outgoing
from ioc.errors import RetryableError

_TAKES_NOTHING = (413, 429)


@dataclass(frozen=True)
class Delivery:
    """How a sending went.

    taken:    for each event whether the gateway took it (else refused it); None when no answer came.
    doubtful: attempts without an answer before that; each may have arrived or not.
    """

    taken: tuple[bool, ...] | None
    doubtful: int


class Channel(Protocol):
    """Sends events of one system, in order."""

    def send(self, events: Sequence[Outgoing]) -> Delivery:
        """Send and wait for the answer; raises FatalError when it makes no sense to go on."""

    def close(self) -> None:
        """Give connections back."""


class GatewayChannel:
    """A channel over HTTP, by the project's own client with its retries; `transport` and `sleep` as there."""

    def __init__(
        self,
        url: str,
        token: str,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._attempts = _CountedAttempts(transport or httpx.HTTPTransport(trust_env=False))
        self._open = ExitStack()
        self._client = self._open.enter_context(GatewayClient(url, token, transport=self._attempts, sleep=sleep))

    def send(self, events: Sequence[Outgoing]) -> Delivery:
        before = self._attempts.uncertain
        try:
            answers = [answer for batch in self._client.publish([one.event for one in events]) for answer in batch]
        except RetryableError:
            return Delivery(None, self._attempts.uncertain - before)
        # The attempt that was answered was uncertain until then.
        doubtful = max(0, self._attempts.uncertain - before - 1)
        return Delivery(tuple(answer.accepted for answer in answers), doubtful)

    def close(self) -> None:
        self._open.close()


class _CountedAttempts(httpx.BaseTransport):
    """Counts the requests of which the gateway may have taken something."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner
        self.uncertain = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.uncertain += 1
        try:
            response = self._inner.handle_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            self.uncertain -= 1
            raise
        if response.status_code in _TAKES_NOTHING:
            self.uncertain -= 1
        return response

    def close(self) -> None:
        self._inner.close()
