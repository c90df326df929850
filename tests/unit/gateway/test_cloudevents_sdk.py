"""Events as the public CloudEvents SDKs for Python, JavaScript, Go and Java write them, in every mode."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event
from cloudevents.core.v1.event import CloudEvent
from testbed.event import stay
from testbed.gateway import BATCH, GatewayBed


def event(reporter: str = "77-0001", event_id: str = "sdk-1") -> CloudEvent:
    """A stay, made by the SDK from attributes and data."""
    made = stay(reporter, id=event_id)
    attributes: dict[str, Any] = {
        name: made[name] for name in ("specversion", "id", "source", "type", "subject", "revision")
    }
    attributes |= {"time": datetime(2024, 10, 5, 7, 10, 5, tzinfo=UTC), "datacontenttype": "application/json"}
    return CloudEvent(attributes, made["data"])


def headers_and_body(message: HTTPMessage) -> tuple[dict[str, str], bytes]:
    body = message.body if isinstance(message.body, bytes) else str(message.body).encode()
    return dict(message.headers), body


@pytest.mark.parametrize("write", [to_structured_event, to_binary_event])
def test_one_event(write: Any, tmp_path: Path) -> None:
    bed = GatewayBed(tmp_path)
    headers, body = headers_and_body(write(event()))
    answer = bed.post(body, headers)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1), answer.text
    (record,) = bed.memory.records
    # And back: the SDK reads what lies in Kafka.
    read = from_kafka_event(KafkaMessage(dict(record.headers), record.key, record.value))
    assert (read.get_id(), read.get_subject()) == ("sdk-1", event().get_subject())
    assert read.get_data()["guest_id"] == stay()["data"]["guest_id"]


def test_a_batch(tmp_path: Path) -> None:
    bed = GatewayBed(tmp_path)
    bodies = [headers_and_body(to_structured_event(event(event_id=f"sdk-{n}")))[1] for n in range(3)]
    answer = bed.post(b"[" + b",".join(bodies) + b"]", BATCH)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 3), answer.text
    (record,) = bed.memory.records
    assert [one["id"] for one in json.loads(record.value or b"")] == ["sdk-0", "sdk-1", "sdk-2"]


SDKS = Path(__file__).parents[2] / "samples" / "cloudevents_sdk"


@pytest.mark.parametrize("mode", ["structured", "binary", "batch"])
@pytest.mark.parametrize("language", ["javascript", "go", "java"])
def test_what_the_public_sdks_of_other_languages_write(language: str, mode: str, tmp_path: Path) -> None:
    """The requests were recorded from the SDKs, by the programs beside them."""
    recorded = json.loads((SDKS / language / "requests.json").read_text(encoding="utf-8"))
    (request,) = [one for one in recorded["requests"] if one["mode"] == mode]
    given = json.loads((SDKS / "event.json").read_text(encoding="utf-8"))
    bed = GatewayBed(tmp_path)
    answer = bed.post(request["body"].encode(), request["headers"])
    assert (answer.status_code, answer.json()["refused"]) == (202, 0), answer.text
    (record,) = bed.memory.records
    written = json.loads(record.value or b"")
    for one in written if mode == "batch" else [written]:
        assert datetime.fromisoformat(one["time"]) == datetime.fromisoformat(given["time"])
        assert {name: one[name] for name in ("source", "type", "subject", "revision")} == {
            name: given[name] for name in ("source", "type", "subject", "revision")
        }
        assert one["data"] == given["data"]
    assert answer.json()["accepted"] == (2 if mode == "batch" else 1)
