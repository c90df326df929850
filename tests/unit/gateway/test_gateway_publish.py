"""What a sender is answered: every status, the three modes, batches of good and bad."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from testbed.event import STAY_TYPE, encoded, stay, void
from testbed.gateway import BATCH, EVENT, BrokenProducer, GatewayBed


def rules(response: httpx.Response) -> list[str]:
    """The rules of a request refused as a whole."""
    return [reason["rule"] for reason in response.json()["reasons"]]


def test_an_event_is_accepted_and_written(gateway: GatewayBed) -> None:
    response = gateway.post(stay())
    assert response.status_code == 202
    result = {"index": 0, "id": "e1", "status": "accepted", "code": 202, "reasons": []}
    assert response.json() == {"accepted": 1, "refused": 0, "results": [result], "reasons": []}
    (record,) = gateway.memory.records
    assert (record.topic, record.key) == ("ioc.tourism.stay.v1", b"77-0001")
    assert dict(record.headers) == {
        "content-type": b"application/cloudevents+json",
        "ioc-token": gateway.token.id.encode(),
    }
    assert json.loads(record.value) == stay()


def test_attributes_that_no_feed_declares_stay_behind(gateway: GatewayBed) -> None:
    assert gateway.post({**stay(), "guestname": "Nguyễn Văn A"}).status_code == 202
    assert "guestname" not in gateway.memory.records[0].value.decode()


def test_a_void_is_accepted(gateway: GatewayBed) -> None:
    assert gateway.post(void(stay())).status_code == 202
    assert json.loads(gateway.memory.records[0].value) == void(stay())


def test_the_same_event_again_is_harmless(gateway: GatewayBed) -> None:
    first, second = gateway.post(stay()), gateway.post(stay())
    assert first.json() == second.json()
    assert gateway.memory.records[0] == gateway.memory.records[1]


def test_binary_mode_decodes_its_headers(gateway: GatewayBed) -> None:
    event = stay(id="đơn %1")
    attributes = {name: str(value) for name, value in event.items() if name != "data"}
    headers = {f"ce-{name}": value for name, value in attributes.items()}
    headers |= {"ce-id": '"%C4%91%C6%A1n \\%251"', "content-type": "application/json; charset=utf-8"}
    response = gateway.post(event["data"], headers)
    assert response.status_code == 202, response.text
    assert response.json()["results"][0]["id"] == "đơn %1"
    assert json.loads(gateway.memory.records[0].value) == event


def test_binary_mode_voids_with_an_empty_body(gateway: GatewayBed) -> None:
    headers = {f"ce-{name}": str(value) for name, value in void(stay()).items()}
    response = gateway.post(b"", headers)
    assert response.status_code == 202, response.text
    assert json.loads(gateway.memory.records[0].value) == void(stay())


@pytest.mark.parametrize(
    ("header", "value"), [("ce-id", "%ff"), ("ce-", "x"), ("ce-data", "{}"), ("ce-not_a_name", "x")]
)
def test_binary_mode_refuses_broken_headers(gateway: GatewayBed, header: str, value: str) -> None:
    headers = {"ce-specversion": "1.0", "ce-id": "1", "content-type": "application/json", header: value}
    assert gateway.post(stay()["data"], headers).status_code == 400


def test_a_batch_is_answered_event_by_event_in_order(gateway: GatewayBed) -> None:
    events = [
        stay(id="good"),
        stay(id="data", sex="x"),
        {**stay(id="envelope"), "specversion": "0.3"},
        stay("79-1", id="reporter"),
        {**stay(id="feed"), "type": "vn.ioc.tax.einvoice.v1"},
        {**stay(id="type"), "type": "vn.ioc.unknown.v1"},
        {**stay(id="subject"), "subject": "77-0002/x"},
        "not an object",
        void(stay(id="good again")),
    ]
    response = gateway.post(events, BATCH)
    assert response.status_code == 207
    answer = response.json()
    assert (answer["accepted"], answer["refused"]) == (2, 7)
    results = answer["results"]
    assert [result["index"] for result in results] == list(range(9))
    assert [result["code"] for result in results] == [202, 422, 400, 403, 403, 400, 400, 400, 202]
    assert [result["reasons"][0]["rule"] for result in results if result["reasons"]] == [
        "literal_error",
        "literal_error",
        "reporter_forbidden",
        "feed_forbidden",
        "unknown_type",
        "subject_mismatch",
        "model_type",
    ]
    assert [result["reasons"][0]["field"] for result in results[1:3]] == ["data.sex", "specversion"]
    (record,) = gateway.memory.records
    assert [event["id"] for event in json.loads(record.value)] == ["good", "good again-void"]


def test_an_empty_batch_is_no_mistake(gateway: GatewayBed) -> None:
    response = gateway.post([], BATCH)
    assert response.status_code == 202
    assert response.json()["results"] == []


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([stay(sex="x"), stay(age_years=200)], 422),
        ([{**stay(), "id": ""}], 400),
        ([stay("79-1")], 403),
        ([stay("79-1"), stay(sex="x")], 422),
        ([{**void(stay()), "data": stay()["data"]}], 422),
        ([{name: value for name, value in stay().items() if name != "data"}], 422),
        ([{**void(stay()), "subject": "77-0002/x"}], 400),
        ([{**void(stay()), "subject": "77-0001/"}], 400),
    ],
)
def test_a_wholly_refused_request_has_their_status(
    gateway: GatewayBed, events: Sequence[dict[str, Any]], status: int
) -> None:
    response = gateway.post(events, BATCH)
    assert response.status_code == status, response.text
    assert response.json()["refused"] == len(events)
    assert gateway.memory.records == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe", b"[1]x", b"NaN", b'"\\ud800"', b"[" * 5000, b'{"a":' + b"[" * 5000]
)
def test_what_is_not_json_is_400(gateway: GatewayBed, body: bytes) -> None:
    response = gateway.post(body)
    assert response.status_code == 400
    assert rules(response) == ["json_invalid"]


def test_a_batch_must_be_an_array(gateway: GatewayBed) -> None:
    response = gateway.post(stay(), BATCH)
    assert response.status_code == 400
    assert rules(response) == ["list_type"]


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "text/plain"},
        {"content-type": "application/json"},
        {"content-type": "application/cloudevents+json; charset=utf-16"},
        {"content-type": ";;;"},
        {**EVENT, "content-encoding": "gzip"},
        {"content-type": "text/xml", "ce-specversion": "1.0"},
    ],
)
def test_other_content_is_415(gateway: GatewayBed, headers: dict[str, str]) -> None:
    assert gateway.post(stay(), headers).status_code == 415


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer nonsense", "Basic eDp5", "Bearer ioc_x_y", "bearer é"])
def test_without_a_token_it_is_401(gateway: GatewayBed, authorization: str) -> None:
    headers = {**EVENT, "authorization": authorization.encode("latin-1")}
    response = gateway.request("POST", "/v1/events", content=encoded(stay()), headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"].startswith("Bearer")
    assert gateway.memory.records == []


def test_expired_and_revoked_tokens_are_401(gateway: GatewayBed) -> None:
    _, expiring = gateway.tokens.create(
        "short", ["tourism.stay"], ["*"], expires_at=gateway.token.created_at.replace(hour=9)
    )
    assert gateway.post(stay(), secret=expiring).status_code == 202
    gateway.seconds = 3600.0
    assert rules(gateway.post(stay(), secret=expiring)) == ["token_expired"]
    gateway.tokens.revoke(gateway.token.id)
    assert rules(gateway.post(stay())) == ["token_revoked"]


def test_a_large_body_is_413_before_it_is_read(tmp_path: Path) -> None:
    gateway = GatewayBed(tmp_path, gateway_max_body=1000)
    response = gateway.post(b" " * 1001)
    assert response.status_code == 413
    assert "1,000" in response.json()["reasons"][0]["message_en"]


def test_a_body_of_unknown_length_is_413_as_it_grows(tmp_path: Path) -> None:
    gateway = GatewayBed(tmp_path, gateway_max_body=1000)
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 300
            yield b" " * 300

    assert gateway.post(chunks()).status_code == 413
    assert sent < 2000


def test_too_many_events_are_413(tmp_path: Path) -> None:
    gateway = GatewayBed(tmp_path, gateway_max_events=2)
    assert gateway.post([stay(), stay()], BATCH).status_code == 202
    assert gateway.post([stay(), stay(), stay()], BATCH).status_code == 413


def test_too_fast_is_429_until_the_bucket_fills(tmp_path: Path) -> None:
    gateway = GatewayBed(tmp_path, gateway_rate=2.0, gateway_burst=10.0)
    assert gateway.post([stay()] * 9, BATCH).status_code == 202
    response = gateway.post([stay()] * 4, BATCH)
    assert response.status_code == 429
    assert response.headers["retry-after"] == "2"
    _, other = gateway.tokens.create("other", ["tourism.stay"], ["*"])
    assert gateway.post(stay(), secret=other).status_code == 202
    gateway.seconds += 2
    assert gateway.post([stay()] * 4, BATCH).status_code == 202
    assert sum(record.value.count(b"specversion") for record in gateway.memory.records) == 14


def test_broken_requests_count_against_the_rate(tmp_path: Path) -> None:
    gateway = GatewayBed(tmp_path, gateway_rate=1.0, gateway_burst=3.0)
    statuses = [gateway.post(b"{").status_code for _ in range(4)]
    assert statuses == [400, 400, 400, 429]


def test_a_batch_above_the_burst_passes_when_the_bucket_is_full(tmp_path: Path) -> None:
    gateway = GatewayBed(tmp_path, gateway_rate=1.0, gateway_burst=3.0)
    assert gateway.post([stay()] * 5, BATCH).status_code == 202
    assert gateway.post(stay()).headers["retry-after"] == "3"


def test_kafka_away_is_503_and_confirms_nothing(gateway: GatewayBed) -> None:
    gateway.memory.available = False
    response = gateway.post([stay(id="1"), stay(id="2", sex="x")], BATCH)
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    answer = response.json()
    assert (answer["accepted"], answer["results"]) == (0, [])
    assert "none of these events is confirmed; sending again is harmless" in answer["reasons"][0]["message_en"]
    assert gateway.get("/ready").status_code == 503
    gateway.memory.available = True
    assert gateway.get("/ready").status_code == 200
    assert gateway.post(stay()).status_code == 202


def test_kafka_away_does_not_hide_that_all_events_are_wrong(gateway: GatewayBed) -> None:
    gateway.memory.available = False
    assert gateway.post(stay(sex="x")).status_code == 422


def test_a_mistake_in_the_code_is_500(tmp_path: Path) -> None:
    gateway = GatewayBed(tmp_path, BrokenProducer())
    response = gateway.post(stay())
    assert response.status_code == 500
    assert rules(response) == ["internal_error"]
    assert "x-request-id" in response.headers


def test_event_types_have_schemas(gateway: GatewayBed) -> None:
    listed = gateway.get("/v1/schemas").json()
    schema = gateway.get(listed[STAY_TYPE])
    assert schema.headers["content-type"] == "application/schema+json"
    assert schema.json()["properties"]["type"]["const"] == STAY_TYPE
    assert "guest_id" in schema.json()["$defs"]["TourismStay"]["required"]
    assert gateway.get("/v1/schemas/nope").status_code == 404


def test_the_page_is_bilingual_and_needs_nothing_from_elsewhere(gateway: GatewayBed) -> None:
    page = gateway.get("/")
    assert 'lang="vi"' in page.text and 'lang="en"' in page.text
    assert STAY_TYPE in page.text
    assert "http://…/v1/events" in page.text
    assert "src=" not in page.text and "https://" not in page.text
    assert gateway.get("/live").text == "live\n"


def test_metrics_count_requests_and_events(gateway: GatewayBed) -> None:
    gateway.post([stay(), stay(sex="x"), "?"], BATCH)
    metrics = gateway.get("/metrics").text
    assert 'ioc_gateway_requests_total{route="/v1/events",status="207"} 1.0' in metrics
    assert 'ioc_gateway_events_total{feed="tourism.stay",outcome="accepted"} 1.0' in metrics
    assert 'ioc_gateway_events_total{feed="tourism.stay",outcome="refused"} 1.0' in metrics
    assert 'ioc_gateway_events_total{feed="unknown",outcome="refused"} 1.0' in metrics
    assert "ioc_gateway_acknowledgement_seconds_count 1.0" in metrics


def test_a_token_that_reads_publishes_nothing(gateway: GatewayBed) -> None:
    _, secret = gateway.tokens.create("portal", (), (), reads=True)
    answer = gateway.post(stay(), secret=secret)
    assert (answer.status_code, answer.json()["reasons"][0]["rule"]) == (403, "token_reads")
    assert gateway.memory.records == []


def test_an_event_too_large_for_its_topic_does_not_fail_its_neighbours(gateway: GatewayBed) -> None:
    """Told per event; events that are only together too large are written one by one."""
    gateway.memory.largest = len(encoded(stay()))
    large = stay(id="x" * 120, revision=2)
    response = gateway.post([stay(id="1"), large, stay(id="3", revision=3)], BATCH)
    assert response.status_code == 207
    assert [(one["code"], [r["rule"] for r in one["reasons"]]) for one in response.json()["results"]] == [
        (202, []),
        (413, ["record_too_large"]),
        (202, []),
    ]
    assert [json.loads(record.value)["id"] for record in gateway.memory.records] == ["1", "3"]
    assert gateway.post(large).status_code == 413
