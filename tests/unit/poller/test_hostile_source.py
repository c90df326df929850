"""Sources that answer with anything: a poller ends its run with a reason, or takes what is good, and never dies."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from test_rest_source import PAGINGS, SINCE, URL, Bed, ids
from test_sql_source import declared as sql_declared

from connectors.formats.memory import Memory
from connectors.poller.cli import run_one
from connectors.poller.database import SqlSource, unmarked_statement
from connectors.poller.declaration import RestPoller
from connectors.poller.ledger import PollLedger
from connectors.poller.poll import Poller
from connectors.poller.source import Cursor, SourcePage, SourceUnavailableError
from connectors.publishing.publish import FileReader
from ioc.errors import FatalError
from ioc.settings import Settings

Handler = Callable[[httpx.Request], httpx.Response]
JSON = {"content-type": "application/json"}


def body(content: bytes, **headers: str) -> Handler:
    return lambda _: httpx.Response(200, content=content, headers=JSON | headers)


def following(address: Any) -> Handler:
    return lambda _: httpx.Response(200, json={"data": [{"id": 1}], "next": address})


def turning(request: httpx.Request) -> httpx.Response:
    """Pages that name each other: a, b, c, a ..."""
    after = {"": "a", "a": "b", "b": "c", "c": "a"}[request.url.params.get("cursor", "")]
    return httpx.Response(200, json={"data": [{"id": after}], "meta": {"next": after}})


class Cut(httpx.SyncByteStream):
    """A body whose connection ends in the middle."""

    def __iter__(self) -> Iterator[bytes]:
        yield b'{"data": ['
        raise httpx.RemoteProtocolError("peer closed connection")


LINK = {"paging": {"kind": "link", "at": "/next"}}
CURSOR = {"paging": PAGINGS["cursor"][1]}
OFFSET = {"paging": PAGINGS["offset"][1]}
HOSTILE: dict[str, tuple[Handler, dict[str, Any], str]] = {
    "HTML": (body(b"<html>login</html>"), {}, "no JSON"),
    "half JSON": (body(b'{"data": [{"id": 1}'), {}, "no JSON"),
    "NaN": (body(b'{"data": [{"id": NaN}]}'), {}, "no JSON"),
    "infinity": (body(b'{"data": [{"id": 1, "at": -Infinity}]}'), {}, "no JSON"),
    "deep": (body(b'{"data": ' + b"[" * 100_000), {}, "no JSON"),
    "UTF-16": (body('{"data": []}'.encode("utf-16")), {}, "no JSON"),
    "lone surrogate": (body(b'{"data": ["\\ud800"]}'), {}, "no JSON"),
    "empty body": (body(b""), {}, "no JSON"),
    "the records lie elsewhere now": (body(b'{"results": []}'), {}, "/data is no array"),
    "an error with status 200": (body(b'{"error": "busy"}'), {}, "/data is no array"),
    "a text for the records": (body(b'{"data": "none"}'), {}, "/data is no array"),
    "a list as the body": (body(b"[]"), {}, "/data is no array"),
    "no gzip": (body(b"no gzip at all", **{"content-encoding": "gzip"}), {}, "DecodingError"),
    "gzip cut": (
        body(gzip.compress(b'{"data": []}' * 999)[:40], **{"content-encoding": "gzip"}),
        {},
        "no JSON|DecodingError",
    ),
    "a bomb": (body(gzip.compress(b" " * 70_000_000), **{"content-encoding": "gzip"}), {}, "64 MiB"),
    "ends in the middle": (lambda _: httpx.Response(200, stream=Cut()), {}, "RemoteProtocolError"),
    "no address": (following("https://["), LINK, "no address"),
    "a port of six digits": (following("https://sector.example.vn:999999/"), LINK, "no address"),
    "signs that no address has": (following("/reports?\x00\n"), LINK, "no address"),
    "another scheme": (following("file:///etc/passwd"), LINK, "another server"),
    "a number for an address": (following(7e300), LINK, "itself|circle"),
    "a circle": (turning, CURSOR, "circle"),
    "the parameter is ignored": (
        lambda _: httpx.Response(200, json={"data": [{"id": 1}, {"id": 2}, {"id": 3}]}),
        OFFSET,
        "'offset'",
    ),
    "absurd patience": (lambda _: httpx.Response(429, headers={"retry-after": "9" * 400}), {}, "HTTP 429"),
    "a date beyond all": (
        lambda _: httpx.Response(503, headers={"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}),
        {},
        "HTTP 503",
    ),
    "a date that is none": (
        lambda _: httpx.Response(503, headers={"retry-after": "Fri, 99 Zzz 99999 99:99:99 -9999"}),
        {},
        "HTTP 503",
    ),
    "no content": (lambda _: httpx.Response(204), {}, "HTTP 204"),
    "a part": (lambda _: httpx.Response(206, json={"data": []}), {}, "HTTP 206"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_an_answer_that_cannot_be_used_ends_the_run_with_a_reason(kind: str, tmp_path: Path) -> None:
    handler, options, reason = HOSTILE[kind]
    bed = Bed(tmp_path, handler, items="/data", **options)
    with pytest.raises(SourceUnavailableError, match=reason) as told:
        bed.run()
    assert "pms" in str(told.value)
    # Six attempts, each a minute or less apart, whatever the source asks for.
    assert len(bed.requests) <= 6 and sum(bed.slept) <= 6 * 67


def test_an_answer_that_comes_in_drops_is_given_up(tmp_path: Path) -> None:
    class Drops(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for _ in range(10_000):
                bed.now += 29
                yield b" "

    bed = Bed(tmp_path, lambda _: httpx.Response(200, stream=Drops()), items="/data")
    with pytest.raises(SourceUnavailableError, match="over 300 s"):
        bed.run()
    assert bed.now < 6 * (400 + 66)


@pytest.mark.parametrize(
    "token",
    [b"<html>", b"[]", b'"x"', b"null", b"{}", b'{"access_token": "x", "expires_in": "soon"}', b'{"error": 7}'],
)
def test_a_token_that_is_none_is_told(token: bytes, tmp_path: Path) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            return httpx.Response(200, content=token, headers=JSON)
        return httpx.Response(401)

    auth = {"kind": "oauth2", "secret": "key", "client_id": "ioc", "token_url": "https://sector.example.vn/token"}
    bed = Bed(tmp_path, handler, items="", auth=auth)
    with pytest.raises(SourceUnavailableError, match="pms"):
        bed.run()


@pytest.mark.parametrize("strange", ["9999-12-31T00:00:00Z", "zzzz", "2024-13-45", 7, 1e300, True, [], {}])
def test_a_value_that_is_no_watermark_moves_none_and_is_told(strange: Any, tmp_path: Path) -> None:
    items = [{"id": 1, "at": "2024-10-01T00:00:00Z"}, {"id": 2, "at": strange}]
    bed = Bed(tmp_path, lambda _: httpx.Response(200, json={"data": items}), items="/data", since=SINCE)
    (page,) = bed.run()
    assert ids([page]) == [1, 2]  # both are taken: the gateway judges them
    assert page.cursor["since"] == "2024-10-01T00:00:00Z"
    (remark,) = page.remarks
    assert remark.startswith("/at: nguồn có ") and " · a " in remark


def test_null_in_place_of_the_records_is_no_record(tmp_path: Path) -> None:
    bed = Bed(tmp_path, body(b'{"data": null}'), items="/data")
    assert [page.records for page in bed.run()] == [0]


def rows_of(file: Path, rows: list[tuple[Any, Any]], **options: Any) -> SqlSource:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE row (id, changed)")
        connection.executemany("INSERT INTO row VALUES (?, ?)", rows)
    connection.close()
    return SqlSource(sql_declared(file, **{"query": "SELECT id, changed FROM row", **options}), file.parent)


@pytest.mark.parametrize("strange", [2.5, float("inf"), b"bytes"])
def test_rows_before_one_without_order_are_taken(strange: Any, tmp_path: Path) -> None:
    source = rows_of(tmp_path / "a.db", [(1, 1), (2, 2), (3, 2), (4, 2), (5, strange)], size=3)
    found: list[bytes] = []
    with pytest.raises(SourceUnavailableError, match=f"db: .*type {type(strange).__name__} .*cast it in the query"):
        found.extend(page.body for page in source.pages({}))
    assert found == [b"id,changed\n1,1\n2,2\n3,2\n", b"id,changed\n4,2\n"]


def test_a_row_without_watermark_is_told(tmp_path: Path) -> None:
    source = rows_of(tmp_path / "a.db", [(1, 1), (2, None)])
    told, page = source.pages({})
    assert (told.body, told.cursor) == (b"", {}) and page.body == b"id,changed\n1,1\n"
    assert told.remarks[0].startswith("changed: có dòng để trống cột mốc")
    again = list(source.pages(page.cursor))
    assert [(one.body, one.cursor) for one in again] == [(b"", page.cursor)]


@pytest.mark.parametrize("dialect", ["postgres", "mysql", "oracle", "tsql", "sqlite"])
def test_rows_without_watermark_are_looked_for_in_the_database_s_own_words(dialect: str) -> None:
    text = unmarked_statement(sql_declared("x", dialect=dialect))
    assert "IS NULL" in text and "'%test%'" in text
    assert any(word in text for word in ("LIMIT 1", "FETCH FIRST 1 ROWS ONLY", "TOP 1"))


def test_a_driver_may_fail_with_anything(tmp_path: Path) -> None:
    source = rows_of(tmp_path / "a.db", [(1, 1)], connect={"database": str(tmp_path / "a.db"), "no_such": 1})
    with pytest.raises(SourceUnavailableError, match=r"no connection \(TypeError\)"):
        list(source.pages({}))
    # A cell of another encoding: sqlite3 cannot read it, and quotes it in its message.
    source = rows_of(tmp_path / "b.db", [], query="SELECT id, cast(id AS text) AS changed FROM row", start="")
    with sqlite3.connect(tmp_path / "b.db") as connection:
        connection.execute("INSERT INTO row VALUES (cast(x'314e6775e7' AS text), 1)")
    connection.close()
    with pytest.raises(SourceUnavailableError, match=r"the query failed \(OperationalError\)") as told:
        list(source.pages({}))
    assert "Ngu" not in str(told.value)


class Failing:
    """A source that fails with what no source should."""

    def __init__(self, *failures: BaseException) -> None:
        self.failures = list(failures)

    def pages(self, cursor: Cursor) -> Iterator[SourcePage]:
        if self.failures:
            raise self.failures.pop(0)
        for number in range(1000):
            yield SourcePage(b"", {"next": str(number)}, 0)

    def close(self) -> None:
        """Nothing is open."""


def test_whatever_a_poller_trips_over_is_kept_and_the_next_turn_goes_on(tmp_path: Path) -> None:
    ledger = PollLedger(tmp_path / "ledger.sqlite3", now=lambda: datetime(2026, 11, 2, tzinfo=UTC))
    reader = FileReader(Settings(_env_file=None), memory=Memory())
    made = RestPoller.model_validate({"name": "pms", "feed": "tourism.daily_report", "url": URL})
    failures = [
        TypeError("Nguyễn Văn A"),
        RecursionError("Nguyễn Văn A"),
        FatalError("the token is refused"),
        SourceUnavailableError("pms: away"),
        sqlite3.OperationalError("database or disk is full"),
        MemoryError(),
    ]
    poller = Poller(made, Failing(*failures), reader, None, ledger)  # type: ignore[arg-type]
    told = []
    for _ in failures:
        assert run_one(poller, ledger) is None
        told.append(ledger.find("pms").error)
    assert all(told) and not any("Nguyễn" in one for one in told)
    assert "TypeError (test_hostile_source.py:" in told[0] and told[0].startswith("pms: lỗi khi đọc một trang")
    # A source without end has its turn, and the next one goes on behind it.
    turns = iter([False, False, True])
    result = run_one(poller, ledger, lambda: next(turns))
    assert result is not None and not result.whole and result.pages == 3
    assert json.loads(json.dumps(ledger.find("pms").cursor)) == {"next": "2"}
    ledger.close()
