"""The gateway's client against gateways that answer, are busy, refuse, and go away."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from rich.console import Console

from connectors.formats.format import Event
from connectors.publishing import client as client_module
from connectors.publishing.client import GatewayClient
from connectors.publishing.receipt import Fates, ReceiptWait
from connectors.publishing.receipt import show as show_receipts
from connectors.publishing.receipt import to_json as receipt_report
from ioc.errors import ConfigError, FatalError, RetryableError

URL = "http://gateway.invalid"
Handler = Callable[[httpx.Request], httpx.Response]


def events(count: int, size: int = 10) -> list[dict[str, Any]]:
    return [{"id": str(number), "data": "x" * size} for number in range(count)]


def accept(request: httpx.Request) -> httpx.Response:
    batch = json.loads(request.content)
    return httpx.Response(202, json={"results": [{"id": e["id"], "status": "accepted"} for e in batch]})


class Gateway:
    """Answers with `handlers` in turn, the last one for good; keeps requests and the client's pauses."""

    def __init__(self, *handlers: Handler) -> None:
        self._handlers = list(handlers)
        self.requests: list[httpx.Request] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        handler = self._handlers.pop(0) if len(self._handlers) > 1 else self._handlers[0]
        return handler(request)

    def client(self) -> GatewayClient:
        return GatewayClient(URL, "secret", transport=httpx.MockTransport(self), sleep=self.pauses.append)

    def batches(self) -> list[int]:
        return [len(json.loads(request.content)) for request in self.requests]


def answer(status: int, headers: dict[str, str] | None = None) -> Handler:
    return lambda request: httpx.Response(status, headers=headers)


def away(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def test_events_go_in_batches_as_cloudevents_with_the_token() -> None:
    gateway = Gateway(accept)
    with gateway.client() as client:
        answers = [answer for batch in client.publish(events(1201)) for answer in batch]
    assert gateway.batches() == [500, 500, 201]
    assert [answer.id for answer in answers] == [str(number) for number in range(1201)]
    assert all(answer.accepted for answer in answers)
    request = gateway.requests[0]
    assert str(request.url) == f"{URL}/v1/events"
    assert request.headers["authorization"] == "Bearer secret"
    assert request.headers["content-type"] == "application/cloudevents-batch+json"


def test_a_batch_is_bounded_in_bytes() -> None:
    gateway = Gateway(accept)
    with gateway.client() as client:
        list(client.publish(events(5, size=400_000)))
    assert gateway.batches() == [2, 2, 1]


def test_each_event_has_its_own_answer() -> None:
    reason = {"field": "data", "rule": "missing", "message_vi": "thiếu", "message_en": "missing"}
    results = [{"id": "0", "status": "accepted"}, {"id": "1", "status": "refused", "reasons": [reason]}]
    gateway = Gateway(lambda request: httpx.Response(207, json={"results": results}))
    with gateway.client() as client:
        ((first, second),) = client.publish(events(2))
    assert (first.accepted, second.accepted) == (True, False)
    assert [r.rule for r in second.reasons] == ["missing"]


@pytest.mark.parametrize("trouble", [away, answer(503), answer(502), answer(429)])
def test_what_may_have_been_lost_is_sent_again(trouble: Handler) -> None:
    gateway = Gateway(trouble, trouble, accept)
    with gateway.client() as client:
        ((only,),) = client.publish(events(1))
    assert only.accepted
    assert len(gateway.requests) == 3
    assert len({request.content for request in gateway.requests}) == 1
    assert len(gateway.pauses) == 2


def test_retry_after_is_waited_for_within_bounds() -> None:
    gateway = Gateway(answer(429, {"retry-after": "7"}), answer(429, {"retry-after": "86400"}), accept)
    with gateway.client() as client:
        list(client.publish(events(1)))
    assert 7 <= gateway.pauses[0] < 11
    assert 30 <= gateway.pauses[1] < 34


def test_a_gateway_that_stays_away_ends_in_an_error_that_says_so() -> None:
    gateway = Gateway(away)
    with gateway.client() as client, pytest.raises(RetryableError, match=r"gateway\.invalid does not answer"):
        list(client.publish(events(1)))
    assert len(gateway.requests) == client_module._ATTEMPTS
    assert all(0 <= pause <= 30 for pause in gateway.pauses)


def test_a_batch_that_is_too_large_is_halved_down_to_the_event_that_is() -> None:
    def small_only(request: httpx.Request) -> httpx.Response:
        return httpx.Response(413) if b'"3"' in request.content else accept(request)

    gateway = Gateway(small_only)
    with gateway.client() as client:
        (answers,) = client.publish(events(8))
    assert [answer.accepted for answer in answers] == [True, True, True, False, True, True, True, True]
    assert answers[3].reasons[0].rule == "too_large"


@pytest.mark.parametrize(
    ("response", "message"),
    [
        (httpx.Response(401), "does not know this token"),
        (httpx.Response(403), "may not publish"),
        (httpx.Response(404, text="no"), "HTTP 404"),
        (httpx.Response(200, text="<html>"), "check the address"),
        (httpx.Response(202, json={"results": []}), "HTTP 202"),
        (httpx.Response(500, json={"reasons": []}), "HTTP 500"),
    ],
)
def test_what_no_retry_mends_is_fatal_at_once(response: httpx.Response, message: str) -> None:
    gateway = Gateway(lambda request: response)
    with gateway.client() as client, pytest.raises(FatalError, match=message):
        list(client.publish(events(1)))
    assert len(gateway.requests) == 1


def test_a_request_refused_as_a_whole_says_why() -> None:
    reason = {"field": "", "rule": "x", "message_vi": "không", "message_en": "content type is wrong"}
    gateway = Gateway(lambda request: httpx.Response(400, json={"results": [], "reasons": [reason]}))
    with gateway.client() as client, pytest.raises(FatalError, match="content type is wrong"):
        list(client.publish(events(1)))


def test_an_address_is_checked_first() -> None:
    with pytest.raises(ConfigError, match="no address"):
        GatewayClient("gateway:80", "secret")


def test_who_waits_is_told_why_and_how_long() -> None:
    gateway = Gateway(answer(429, {"retry-after": "7"}), accept)
    told: list[str] = []
    with GatewayClient(
        URL, "secret", notice=told.append, transport=httpx.MockTransport(gateway), sleep=gateway.pauses.append
    ) as client:
        assert len(list(client.publish(events(1)))) == 1
    (notice,) = told
    assert "HTTP 429" in notice
    assert f"Trying again in {gateway.pauses[0]:.1f} s." in notice


REASON = {"field": "source", "rule": "unknown_reporter", "message_vi": "chưa có", "message_en": "not registered"}


def told(request: httpx.Request) -> httpx.Response:
    """Two events are accepted; asked afterwards, one waits at first, then one is stored and the other rejected."""
    done = accept(request)
    return httpx.Response(202, headers={"location": "/v1/receipts/abc_-"}, content=done.content)


def receipt(*fates: str, complete: bool = True) -> Handler:
    events = [
        {"id": str(at), "feed": "f", "fate": fate, "reasons": [REASON] if fate == "rejected" else []}
        for at, fate in enumerate(fates)
    ]
    return lambda request: httpx.Response(200, json={"complete": complete, "counts": {}, "events": events})


def wait(gateway: Gateway, seconds: float, *, published: int = 2) -> tuple[Fates, list[float]]:
    now, pauses = [0.0], list[float]()

    def sleep(pause: float) -> None:
        pauses.append(pause)
        now[0] += pause

    with gateway.client() as client:
        waiting = ReceiptWait(client, seconds, sleep=sleep, clock=lambda: now[0])
        for event in events(published):
            waiting.note(Event("f", event, f"file: line {event['id']}"))
        list(client.publish(events(published)))
        return waiting.wait(), pauses


def test_a_receipt_is_asked_until_the_fate_of_each_event_is_known() -> None:
    gateway = Gateway(told, receipt("waiting", "waiting", complete=False), answer(503), receipt("stored", "rejected"))
    fates, pauses = wait(gateway, 60)
    assert [request.url.path for request in gateway.requests[1:]] == ["/v1/receipts/abc_-"] * 3
    assert dict(fates.counts) == {"stored": 1, "rejected": 1}
    assert [(one.where, one.reasons[0].rule) for one in fates.rejected] == [("file: line 1", "unknown_reporter")]
    assert (fates.good, fates.untold, len(pauses)) == (False, "", 2)
    assert receipt_report(fates)["complete"] is True
    fates, _ = wait(Gateway(told, receipt("stored", "duplicate")), 60)
    assert fates.good


def test_a_wait_ends_in_time_and_what_is_not_known_is_not_called_good() -> None:
    still = receipt("stored", "waiting", complete=False)
    fates, pauses = wait(Gateway(told, still), 10)
    assert (dict(fates.counts), fates.good) == ({"stored": 1, "waiting": 1}, False)
    assert sum(pauses) == pytest.approx(10)
    fates, pauses = wait(Gateway(told, answer(503)), 3)
    assert dict(fates.counts) == {"unknown": 2}
    assert sum(pauses) == pytest.approx(3)
    assert "503" in fates.untold
    # A request without a receipt: nothing to ask for, and nothing is known.
    none = Gateway(accept)
    fates, pauses = wait(none, 3)
    assert (dict(fates.counts), pauses, len(none.requests)) == ({"unknown": 2}, [], 1)
    out = io.StringIO()
    show_receipts(fates, Console(file=out, width=200))
    assert "2 không rõ (unknown)" in out.getvalue() and "Chưa biết hết" in out.getvalue()
    # Another token's receipt will never be told: an error, and no endless wait.
    with pytest.raises(FatalError, match="404"):
        wait(Gateway(told, answer(404)), 60)
