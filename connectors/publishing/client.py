"""A client of the HTTP gateway: sends events in batches and returns an answer for each.

Sending an event again is harmless, so the client sends again whatever may have been lost: after connection errors,
time-outs, 429 (when Retry-After says) and 503.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from ioc.errors import ConfigError, FatalError, Reason, RetryableError
from ioc.feeds.event import CONTENT_TYPE_BATCH
from ioc.reading.receipt import Receipt
from ioc.settings import Settings

MAX_EVENTS = 500
MAX_BYTES = 1024 * 1024
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_ATTEMPTS = 8
_LONGEST_WAIT = 30.0
_RECEIPTS = "/v1/receipts/"

EnvelopeJson = Mapping[str, Any]


@dataclass(frozen=True)
class DeliveryReport:
    """What the gateway says of one event; `reasons` is empty where it was accepted."""

    id: str
    accepted: bool
    reasons: tuple[Reason, ...] = ()


class _GatewayResult(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str | None = None
    status: str
    reasons: tuple[Reason, ...] = ()


class _Body(BaseModel):
    model_config = ConfigDict(extra="ignore")

    results: tuple[_GatewayResult, ...] = ()
    reasons: tuple[Reason, ...] = ()


class _BusyError(RetryableError):
    """The gateway asks to come back later; `retry_after` in seconds, where it says when."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class GatewayClient:
    """Posts events to `<url>/v1/events`; a context manager that closes its connections.

    `notice` is told why and how long it waits before it tries again. `transport` and `sleep` are for tests: a
    gateway of their own, and no waiting.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        notice: Callable[[str], object] = lambda _: None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not url.startswith(("http://", "https://")):
            raise ConfigError(f"{url!r} is no address of a gateway; give one like http://127.0.0.1:18080.")
        self._url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=self._url,
            headers={"authorization": f"Bearer {token}", "content-type": CONTENT_TYPE_BATCH},
            timeout=_TIMEOUT,
            transport=transport,
            trust_env=False,  # a proxy of the shell has no business between a sector system and its gateway
        )
        self._heard: Callable[[str, int], object] = lambda receipt, events: None
        self._notice = notice
        self._backoff = wait_random_exponential(multiplier=0.5, max=_LONGEST_WAIT)
        self._retrying = Retrying(
            retry=retry_if_exception_type(_BusyError),
            wait=self._wait,
            stop=stop_after_attempt(_ATTEMPTS),
            before_sleep=self._tell,
            sleep=sleep,
            reraise=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    @property
    def url(self) -> str:
        """Address of the gateway."""
        return self._url

    def publish(self, events: Sequence[EnvelopeJson]) -> Iterator[list[DeliveryReport]]:
        """Yield the answers of each batch, in the order of `events`.

        Raises FatalError where the token is refused or the address is not a gateway's, RetryableError where
        the gateway stays away; what was answered before stays published.
        """
        for batch in _batches(events):
            yield self._send(batch)

    def tell_receipts(self, heard: Callable[[str, int], object]) -> None:
        """Tell from now on each request's receipt, "" where it has none, and how many of its events were accepted."""
        self._heard = heard

    def ask(self, receipt: str) -> Receipt:
        """Return what became of a request's events by now, once: who waits asks again.

        Raises RetryableError where that cannot be told now, FatalError where it will never be told.
        """
        response = self._once(lambda: self._http.get(f"{_RECEIPTS}{quote(receipt, safe='')}"))
        try:
            return Receipt.model_validate_json(response.content)
        except ValidationError:
            raise FatalError(self._complaint(response, _body(response))) from None

    def _send(self, batch: Sequence[bytes]) -> list[DeliveryReport]:
        response = self._retrying(self._post, b"[" + b",".join(batch) + b"]")
        if response.status_code == 413 and len(batch) > 1:
            half = len(batch) // 2
            return self._send(batch[:half]) + self._send(batch[half:])
        ids = [json.loads(event)["id"] for event in batch]
        if response.status_code == 413:
            return [DeliveryReport(ids[0], accepted=False, reasons=(_TOO_LARGE,))]
        body = _body(response)
        if len(body.results) != len(batch):
            raise FatalError(self._complaint(response, body))
        accepted = sum(result.status == "accepted" for result in body.results)
        if accepted:
            self._heard(response.headers.get("location", "").rpartition(_RECEIPTS)[2], accepted)
        return [
            DeliveryReport(event_id, result.status == "accepted", result.reasons)
            for event_id, result in zip(ids, body.results, strict=True)
        ]

    def _post(self, content: bytes) -> httpx.Response:
        return self._once(lambda: self._http.post("/v1/events", content=content))

    def _once(self, request: Callable[[], httpx.Response]) -> httpx.Response:
        try:
            response = request()
        except httpx.TransportError as error:
            raise _BusyError(
                f"The gateway at {self._url} does not answer ({type(error).__name__}); check that it runs."
            ) from error
        if response.status_code in (429, 502, 503, 504):
            raise _BusyError(
                f"The gateway at {self._url} is busy or away (HTTP {response.status_code}); try later.",
                _seconds(response.headers.get("retry-after", "")),
            )
        if response.status_code == 401:
            raise FatalError(f"The gateway at {self._url} does not know this token; ask for a valid one.")
        return response

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked = error.retry_after if isinstance(error, _BusyError) else None
        backoff = float(self._backoff(state))
        return backoff if asked is None else min(asked, _LONGEST_WAIT) + backoff / 10

    def _tell(self, state: RetryCallState) -> None:
        assert state.outcome and state.next_action, "tenacity sets both before it sleeps"
        self._notice(f"{state.outcome.exception()} Trying again in {state.next_action.sleep:.1f} s.")

    def _complaint(self, response: httpx.Response, body: _Body) -> str:
        said = "; ".join(reason.message_en for reason in body.reasons)
        if response.status_code == 403:
            return f"The token may not publish these events at {self._url} ({said}); ask for one that may."
        return f"{self._url} answered HTTP {response.status_code} ({said or 'no reason'}); check the address."


def token_of(settings: Settings, token: str, token_file: Path | None) -> str:
    """Return the token: given, from a file, or from the settings; raises ConfigError without one."""
    if token_file is not None:
        try:
            token = token or token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"The token file {token_file} cannot be read; check --token-file.") from error
    token = token or settings.publish_token.get_secret_value()
    if not token.isascii() or not token.isprintable():
        raise ConfigError("The token holds signs that no token has; check the file or IOC_PUBLISH_TOKEN.")
    if not token:
        raise ConfigError("No token: give --token-file FILE or set IOC_PUBLISH_TOKEN.")
    return token


_TOO_LARGE = Reason(
    field="",
    rule="too_large",
    message_vi="sự kiện lớn hơn giới hạn của cổng tiếp nhận",
    message_en="the event is larger than the gateway takes",
)


def _batches(events: Sequence[EnvelopeJson]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for event in events:
        encoded = json.dumps(event, ensure_ascii=False).encode()
        if batch and (len(batch) == MAX_EVENTS or size + len(encoded) > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(encoded)
        size += len(encoded)
    if batch:
        yield batch


def _body(response: httpx.Response) -> _Body:
    """Return the gateway's answer, an empty one where the response is none."""
    try:
        return _Body.model_validate_json(response.content)
    except ValidationError:
        return _Body()


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() else None
