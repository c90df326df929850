"""A REST interface is read page by page, gently, and goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors.poller.declaration import RestPoller
from connectors.poller.rest import RestSource, retry_after
from connectors.poller.source import SourcePage, SourceUnavailableError

URL = "https://sector.example.vn/reports"
SINCE = {"parameter": "updated_since", "at": "/at", "start": "2024-10-01T00:00:00Z"}
ITEMS = [{"id": number, "at": f"2024-10-0{1 + number // 3}T00:00:00Z"} for number in range(8)]


class Bed:
    """A source over a handler; what it slept is kept, and no time passes otherwise."""

    def __init__(self, directory: Path, handler: Callable[[httpx.Request], httpx.Response], **declared: Any) -> None:
        self.slept: list[float] = []
        self.requests: list[httpx.Request] = []
        self.now = 0.0
        (directory / "key").write_text("s3cret\n")

        def answer(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return handler(request)

        made = RestPoller.model_validate({"name": "pms", "feed": "tourism.daily_report", "url": URL, **declared})
        self.source = RestSource(
            made, directory, transport=httpx.MockTransport(answer), sleep=self.sleep, clock=lambda: self.now
        )

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def run(self, cursor: dict[str, Any] | None = None) -> list[SourcePage]:
        return list(self.source.pages(cursor or {}))


def ids(pages: list[SourcePage]) -> list[int]:
    return [item["id"] for page in pages if page.body for item in json.loads(page.body)]


def sliced(request: httpx.Request) -> tuple[list[dict[str, Any]], int]:
    """Items from the asked time on, from the asked offset; and that offset."""
    since = request.url.params.get("updated_since", "")
    begin = int(request.url.params.get("offset", request.url.params.get("cursor", "0")))
    return [item for item in ITEMS if str(item["at"]) >= since], begin


def by_offset(request: httpx.Request) -> httpx.Response:
    found, begin = sliced(request)
    return httpx.Response(200, json={"data": found[begin : begin + int(request.url.params["limit"])]})


def by_cursor(request: httpx.Request) -> httpx.Response:
    found, begin = sliced(request)
    more = str(begin + 3) if begin + 3 < len(found) else None
    return httpx.Response(200, json={"data": found[begin : begin + 3], "meta": {"next": more}})


def by_link(request: httpx.Request) -> httpx.Response:
    found, begin = sliced(request)
    query = httpx.QueryParams(dict(request.url.params) | {"offset": str(begin + 3)})
    link = {"link": f'</reports?{query}>; rel="next"'} if begin + 3 < len(found) else {}
    return httpx.Response(200, json={"data": found[begin : begin + 3]}, headers=link)


PAGINGS = {
    "offset": (by_offset, {"kind": "offset", "parameter": "offset", "limit_parameter": "limit", "size": 3}),
    "cursor": (by_cursor, {"kind": "cursor", "parameter": "cursor", "at": "/meta/next"}),
    "link": (by_link, {"kind": "link"}),
}


@pytest.mark.parametrize("kind", PAGINGS)
def test_every_item_comes_once_and_later_runs_bring_what_is_new(kind: str, tmp_path: Path) -> None:
    handler, paging = PAGINGS[kind]
    bed = Bed(tmp_path, handler, items="/data", paging=paging, since=SINCE)
    pages = bed.run()
    assert ids(pages) == list(range(8))
    assert bed.requests[0].url.params["updated_since"] == SINCE["start"]
    # The interface answers "from then on": what was seen at the watermark is passed over.
    cursor = dict(pages[-1].cursor)
    again = bed.run(cursor)
    assert ids(again) == []
    assert bed.requests[-1].url.params["updated_since"] == "2024-10-03T00:00:00Z"
    ITEMS.append({"id": 8, "at": "2024-10-03T00:00:00Z"})
    try:
        assert ids(bed.run(dict(again[-1].cursor))) == [8]
    finally:
        ITEMS.pop()


@pytest.mark.parametrize("kind", PAGINGS)
@pytest.mark.parametrize("taken", [1, 2])
def test_an_interrupted_run_goes_on_behind_the_last_page_that_was_taken(kind: str, taken: int, tmp_path: Path) -> None:
    handler, paging = PAGINGS[kind]
    bed = Bed(tmp_path, handler, items="/data", paging=paging, since=SINCE)
    first = bed.run()[:taken]
    rest = bed.run(json.loads(json.dumps(first[-1].cursor)))
    assert ids([*first, *rest]) == list(range(8))


def test_a_page_that_is_gone_begins_the_run_again(tmp_path: Path) -> None:
    gone = [httpx.Response(410)]

    def forgetful(request: httpx.Request) -> httpx.Response:
        return gone.pop() if gone and "cursor" in request.url.params else by_cursor(request)

    bed = Bed(tmp_path, forgetful, items="/data", paging=PAGINGS["cursor"][1], since=SINCE)
    pages = bed.source.pages({})
    first = next(pages)
    with pytest.raises(SourceUnavailableError, match="gone"):
        next(pages)
    gone.append(httpx.Response(410))
    # What was taken at the watermark is passed over, all else comes.
    assert ids(bed.run(dict(first.cursor))) == [3, 4, 5, 6, 7]


def test_without_items_the_body_is_read_whole(tmp_path: Path) -> None:
    bed = Bed(tmp_path, lambda _: httpx.Response(200, content=b"<HSDLTT/>"))
    assert [(page.body, page.records) for page in bed.run()] == [(b"<HSDLTT/>", 1)]


def test_what_passes_is_tried_again_and_retry_after_is_honoured(tmp_path: Path) -> None:
    answers = iter(
        [
            httpx.Response(503),
            httpx.Response(429, headers={"retry-after": "7"}),
            httpx.Response(200, json=[]),
        ]
    )
    bed = Bed(tmp_path, lambda _: next(answers), items="", requests_per_second=1000)
    assert len(bed.run()) == 1
    waited = [slept for slept in bed.slept if slept > 0.01]
    assert 7 <= waited[1] <= 7.2

    def broken(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route to 10.0.0.1 with s3cret")

    bed = Bed(tmp_path, broken, items="")
    with pytest.raises(SourceUnavailableError, match="ConnectError") as told:
        bed.run()
    assert "s3cret" not in str(told.value)
    assert len(bed.requests) == 6
    assert len({round(slept, 6) for slept in bed.slept}) > 3  # with jitter


def test_retry_after_may_be_a_date() -> None:
    now = datetime(2024, 10, 5, 8, 0, 0, tzinfo=UTC)
    assert retry_after("Sat, 05 Oct 2024 08:00:30 GMT", lambda: now) == 30
    assert retry_after("Sat, 05 Oct 2024 07:00:00 GMT", lambda: now) == 0
    assert retry_after("soon") is None


def test_requests_keep_to_their_rate(tmp_path: Path) -> None:
    bed = Bed(tmp_path, by_cursor, items="/data", paging=PAGINGS["cursor"][1], requests_per_second=2)
    bed.run()
    assert len(bed.requests) == 3
    assert bed.now == pytest.approx(1.0)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 301])
def test_what_does_not_pass_is_told_at_once(status: int, tmp_path: Path) -> None:
    bed = Bed(tmp_path, lambda _: httpx.Response(status, headers={"location": "https://evil.example"}), items="")
    with pytest.raises(SourceUnavailableError, match=f"HTTP {status}"):
        bed.run()
    assert len(bed.requests) == 1


def test_a_key_goes_where_it_was_declared_and_nowhere_else(tmp_path: Path) -> None:
    evil = {"link": '<https://evil.example/reports?page=2>; rel="next"'}
    auth = {"kind": "api_key", "secret": "key", "header": "X-API-Key"}
    bed = Bed(
        tmp_path, lambda _: httpx.Response(200, json=[], headers=evil), items="", paging={"kind": "link"}, auth=auth
    )
    with pytest.raises(SourceUnavailableError, match=r"evil\.example"):
        bed.run()
    assert [request.headers["x-api-key"] for request in bed.requests] == ["s3cret"]
    auth = {"kind": "api_key", "secret": "key", "parameter": "token"}
    bed = Bed(tmp_path, lambda _: httpx.Response(200, json=[]), items="", auth=auth)
    bed.run()
    assert bed.requests[0].url.params["token"] == "s3cret"


def test_client_credentials_are_fetched_kept_and_fetched_anew(tmp_path: Path) -> None:
    given = iter(["one", "two"])
    valid = {"one"}

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            assert b"grant_type=client_credentials" in request.content
            assert request.headers["authorization"].startswith("Basic ")
            return httpx.Response(200, json={"access_token": next(given), "token_type": "Bearer", "expires_in": 3600})
        known = request.headers["authorization"].removeprefix("Bearer ") in valid
        return httpx.Response(200 if known else 401, json=[])

    auth = {"kind": "oauth2", "secret": "key", "client_id": "ioc", "token_url": "https://sector.example.vn/token"}
    bed = Bed(tmp_path, handler, items="", auth=auth)
    bed.run()
    bed.run()
    assert [request.url.path for request in bed.requests] == ["/token", "/reports", "/reports"]
    valid.clear()
    valid.add("two")
    bed.run()
    assert [request.url.path for request in bed.requests[3:]] == ["/reports", "/token", "/reports"]


def test_an_endless_page_is_refused(tmp_path: Path) -> None:
    def same(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": [], "meta": {"next": "x"}})

    bed = Bed(tmp_path, same, items="/data", paging=PAGINGS["cursor"][1])
    with pytest.raises(SourceUnavailableError, match="itself"):
        bed.run()
