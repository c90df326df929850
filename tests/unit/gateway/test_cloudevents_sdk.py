"""Events as the public CloudEvents SDK for Python writes them: structured, binary, and in a batch."""

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
