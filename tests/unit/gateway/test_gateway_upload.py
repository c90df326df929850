"""Files of the sectors' own formats at the gateway: answers by place, dry runs, bounds, and receipts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from testbed.event import stay
from testbed.gateway import BATCH, START, GatewayBed

from connectors.gateway.producer import InMemoryEventProducer
from ioc.errors import RejectedError
from ioc.feeds.feed import load_feeds
from ioc.messaging.record import OutgoingRecord, RecordOffset
from ioc.reading.receipt import MAX_RECORDS, receipt_id, record_offsets_of

SAMPLES = Path(__file__).parents[2] / "samples" / "formats"
INVOICES = (SAMPLES / "einvoice_xml" / "message_200_with_a_bad_neighbour.xml").read_bytes()
DAYS = (SAMPLES / "lodging_daily_json" / "days.json").read_bytes()
XML = {"content-type": "application/xml"}
FEEDS = load_feeds()


@pytest.fixture
def secret(gateway: GatewayBed) -> str:
    return gateway.tokens.create("All", list(FEEDS), ["*"])[1]


def send(
    gateway: GatewayBed,
    secret: str,
    body: bytes | AsyncIterator[bytes],
    feed: str = "tax.einvoice",
    query: str = "",
    **headers: str,
) -> httpx.Response:
    named = {"authorization": f"Bearer {secret}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return gateway.request("POST", f"/v1/feeds/{feed}{query}", content=body, headers=XML | named)


def written(gateway: GatewayBed) -> list[dict[str, Any]]:
    """All events that were written."""
    values = [json.loads(record.value) for record in gateway.memory.records]
    return [event for value in values for event in (value if isinstance(value, list) else [value])]


def test_a_file_is_taken_as_it_is_and_each_mistake_has_its_place(gateway: GatewayBed, secret: str) -> None:
    response = send(gateway, secret, INVOICES)
    answer = response.json()
    assert response.status_code == 207, response.text
    assert (answer["format"], answer["accepted"]) == ("einvoice_xml", len(written(gateway)))
    assert answer["accepted"] and answer["refused"]
    assert sum(answer["error_counts"].values()) == len(answer["errors"])
    for error in answer["errors"]:
        assert error["place"] and error["rule"] and error["message"]
    assert len(answer["receipts"]) == 1


@pytest.mark.parametrize(
    ("wished", "language"),
    [("", "vi"), ("en", "en"), ("en-GB,vi;q=0.8", "en"), ("vi,en", "vi"), ("fr", "vi"), ("en;q=0.1,vi", "vi"),
     ("en;q=x", "en"), ("*;q=" + "9" * 5000, "vi")],
)  # fmt: skip
def test_messages_are_in_the_language_that_is_wished(
    gateway: GatewayBed, secret: str, wished: str, language: str
) -> None:
    (error, *_) = send(gateway, secret, b"<x/>", accept_language=wished).json()["errors"]
    assert error["message"].startswith("không nhận ra" if language == "vi" else "the file is")


def test_a_dry_run_says_the_same_and_writes_nothing(gateway: GatewayBed, secret: str) -> None:
    tried = send(gateway, secret, INVOICES, query="?dry_run=true").json()
    assert written(gateway) == [] and tried["receipts"] == []
    real = send(gateway, secret, INVOICES).json()
    assert {k: v for k, v in tried.items() if k not in ("dry_run", "receipts")} == {
        k: v for k, v in real.items() if k not in ("dry_run", "receipts")
    }
    event = gateway.request(
        "POST",
        "/v1/events?dry_run=true",
        content=json.dumps([stay(), stay(sex="?")]),
        headers=BATCH | {"authorization": f"Bearer {secret}"},
    )
    assert (event.status_code, event.json()["accepted"]) == (207, 1)
    assert "location" not in event.headers


def test_the_content_says_which_format_it_is(gateway: GatewayBed, secret: str) -> None:
    response = send(gateway, secret, DAYS, "tourism.daily_report", content_type="application/octet-stream")
    assert response.json()["format"] == "lodging_daily_json"
    assert response.json()["accepted"] > 0


def test_the_encoding_of_a_text_is_the_one_that_content_type_declares(gateway: GatewayBed, secret: str) -> None:
    """TCVN3 in a column that nobody reads (`tại chỗ`): nothing of the file is taken undeclared."""
    head = b"agency;registry;place_id;area_code;opened_on;remark\r\n"
    content = head + b"cuc-thue;tax;3590000012;26566;2024-01-05;t\xb9i ch\xe7\r\n"
    answers = {
        charset: send(gateway, secret, content, "registry.reporter", content_type=f"text/csv{charset}").json()
        for charset in ("", "; charset=TCVN3", '; charset="viscii"')
    }
    assert [answer["accepted"] for answer in answers.values()] == [0, 1, 1]
    assert answers[""]["error_counts"] == {"encoding": 1}, "two words show no encoding"


def test_records_of_another_feed_are_refused(gateway: GatewayBed, secret: str) -> None:
    answer = send(gateway, secret, DAYS, "tax.einvoice").json()
    assert answer["accepted"] == 0 and "other_feed" in answer["error_counts"]
    assert written(gateway) == []


def test_reporters_of_others_are_refused(gateway: GatewayBed) -> None:
    _, narrow = gateway.tokens.create("narrow", ["tax.einvoice"], ["0*"])
    answer = send(gateway, narrow, INVOICES).json()
    assert answer["accepted"] == 0
    assert "reporter_forbidden" in answer["error_counts"]


@pytest.mark.parametrize(
    ("feed", "headers", "status", "rule"),
    [
        ("no.feed", {}, 404, "feed_unknown"),
        ("tax.einvoice", {"content_type": "multipart/form-data; boundary=x"}, 415, "unsupported_media_type"),
        ("tax.einvoice", {"content_encoding": "gzip"}, 415, "unsupported_media_type"),
        ("tax.einvoice", {"authorization": "Bearer x"}, 401, "token_unknown"),
    ],
)
def test_what_cannot_be_read_is_refused_in_the_one_shape(
    gateway: GatewayBed, secret: str, feed: str, headers: Mapping[str, str], status: int, rule: str
) -> None:
    response = send(gateway, secret, INVOICES, feed, **headers)
    assert (response.status_code, [reason["rule"] for reason in response.json()["reasons"]]) == (status, [rule])


def test_a_token_publishes_files_of_its_feeds_only(gateway: GatewayBed) -> None:
    response = send(gateway, gateway.secret, INVOICES)
    assert (response.status_code, response.json()["reasons"][0]["rule"]) == (403, "feed_forbidden")


def test_a_file_beyond_the_limit_is_413_as_it_grows(tmp_path: Path) -> None:
    gateway = GatewayBed(tmp_path, gateway_max_file=10_000)
    _, secret = gateway.tokens.create("All", list(FEEDS), ["*"])
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 1000
            yield b" " * 1000

    assert send(gateway, secret, chunks()).status_code == 413
    assert sent < 30_000


def test_without_a_key_for_pseudonyms_no_file_is_taken(tmp_path: Path) -> None:
    gateway = GatewayBed(tmp_path, pseudonym_key=SecretStr(""))
    _, secret = gateway.tokens.create("All", list(FEEDS), ["*"])
    response = send(gateway, secret, INVOICES)
    assert (response.status_code, response.json()["reasons"][0]["rule"]) == (503, "files_unavailable")


def test_kafka_away_in_the_middle_is_503(gateway: GatewayBed, secret: str) -> None:
    gateway.memory.available = False
    assert send(gateway, secret, INVOICES).status_code == 503
    gateway.memory.available = True
    assert send(gateway, secret, INVOICES).status_code == 207


@pytest.mark.parametrize(
    "body", [b"", b"<", b"PK\x03\x04", b"\x00" * 5000, b"{" * 5000, b"a,b\n1,2\n", b"\xff\xfe<\x00"]
)
def test_rubbish_is_422_and_never_500(gateway: GatewayBed, secret: str, body: bytes) -> None:
    response = send(gateway, secret, body)
    assert response.status_code == 422
    assert response.json()["errors"]


PLACES = st.lists(
    st.builds(
        RecordOffset,
        st.sampled_from([feed.topic("ioc") for feed in FEEDS.values()]),
        st.integers(0, 99),
        st.integers(0, 2**59),
    ),
    min_size=1,
    max_size=50,
)


@given(PLACES)
def test_a_receipt_holds_its_records_offsets(record_offsets: list[RecordOffset]) -> None:
    coded = receipt_id(record_offsets, "ioc")
    assert coded is not None and coded.replace("-", "").replace("_", "").isalnum()
    assert sorted(record_offsets_of(coded, "ioc", [record_offset.topic for record_offset in record_offsets])) == sorted(
        record_offsets
    )


@given(st.text(max_size=200))
def test_what_is_no_receipt_is_refused(text: str) -> None:
    with pytest.raises(RejectedError):
        record_offsets_of(text, "ioc", ["ioc.tourism.stay.v1"])


def test_a_receipt_of_too_much_is_none() -> None:
    many = [RecordOffset("ioc.tourism.stay.v1", 0, number * 7919) for number in range(20 * MAX_RECORDS)]
    assert receipt_id(many, "ioc") is None
    assert receipt_id([], "ioc") is None


def test_nothing_accepted_has_no_receipt(gateway: GatewayBed) -> None:
    assert "location" not in gateway.post(stay(sex="?")).headers


def test_few_files_are_read_at_once(gateway: GatewayBed, secret: str) -> None:
    async def many() -> list[int]:
        gate = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield b"<x/>"
            await gate.wait()

        transport = httpx.ASGITransport(gateway.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as client:
            headers = XML | {"authorization": f"Bearer {secret}"}
            tasks = [
                asyncio.create_task(client.post("/v1/feeds/tax.einvoice", content=slow(), headers=headers))
                for _ in range(4)
            ]
            await asyncio.sleep(0.1)
            fifth = await client.post("/v1/feeds/tax.einvoice", content=b"<x/>", headers=headers)
            gate.set()
            return [fifth.status_code, *[(await task).status_code for task in tasks]]

    assert asyncio.run(many()) == [503, 422, 422, 422, 422]


class RevokingProducer(InMemoryEventProducer):
    """Ends the token while the first part of a file is written."""

    def __init__(self, end: Callable[[], object]) -> None:
        super().__init__()
        self._end = end

    async def publish(self, records: Sequence[OutgoingRecord]) -> list[RecordOffset | None]:
        written = await super().publish(records)
        self._end()
        return written


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_a_token_that_ends_while_a_file_is_read_ends_the_file(how: str, tmp_path: Path) -> None:
    def end() -> None:
        if how == "revoked":
            gateway.tokens.revoke(token.id)
        else:
            gateway.seconds += 3_600

    producer = RevokingProducer(end)
    gateway = GatewayBed(tmp_path, producer)
    token, secret = gateway.tokens.create("Ends", list(FEEDS), ["*"], START + timedelta(minutes=30))
    (day, *_) = json.loads(DAYS)
    days = [day | {"report_date": f"{date(2023, 1, 1) + timedelta(days=number)}"} for number in range(620)]
    response = send(gateway, secret, json.dumps(days).encode(), "tourism.daily_report", content_type="application/json")
    (reason,) = response.json()["reasons"]
    assert (response.status_code, reason["rule"]) == (401, "token_ended")
    assert sum(len(json.loads(record.value or b"")) for record in producer.records) == 500
    assert send(gateway, secret, DAYS, "tourism.daily_report").status_code == 401
