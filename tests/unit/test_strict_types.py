"""Every field of every feed, and of the envelope, refuses what is not of its JSON type: gateway and agents alike."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from testbed.event import encoded
from testbed.feed_event import NOW, KafkaRecord
from testbed.gateway import BATCH, GatewayBed
from testbed.pipeline import make_parser

from connectors.gateway.openapi import example_event
from ioc.feeds.event import CONTENT_TYPE_BATCH
from ioc.feeds.feed import UTC_TIME, Feed, load_feeds
from ioc.province.profile import Profile

Case = tuple[str, dict[str, Any]]

# What could be read as a value of the type, and is none. Objects and arrays are wrong for every field.
WRONG: Mapping[str, tuple[Any, ...]] = {
    "int": (True, False, "100", " 1", "1", "", 1.0, 1.5, -0.0, 1e300),
    "float": (True, False, "1.5", " 1", "NaN", ""),
    "bool": (0, 1, 1.0, "true", "yes", "1", "on", ""),
    "str": (0, 1, 1.5, True, False),
    "date": (0, 1728086400, 1.0, True, "1728086400", "20241005", "2024-10-5", " 2024-10-05", "2024-10-05T00:00:00",
             "2024-10-05T00:00:00+07:00", "05/10/2024", "2024-W40-6", "2024-10-32", "２０２４-10-05", ""),
    "time": (0, 1522949460, 1522949460.5, True, "1522949460", "2024-10-05", "2024-10-05 14:10:00+07:00",
             "2024-10-05T14:10+07:00", "2024-10-05T14:10:00", "2024-10-05T14:10:00+0700", "2024-10-05T14:10:00+07",
             "2024-10-05T14:10:00+25:00", "2024-10-05T14:10:00X", "2024-10-05T24:10:00Z", "20241005T141000Z", ""),
}  # fmt: skip
NEVER: tuple[Any, ...] = ([], {}, ["x"], {"x": 1})
KINDS: Mapping[pl.DataType, str] = {
    pl.String(): "str",
    pl.Int64(): "int",
    pl.Float64(): "float",
    pl.Boolean(): "bool",
    pl.Date(): "date",
    UTC_TIME: "time",
}
ATTRIBUTES = {
    "specversion": "str",
    "id": "str",
    "source": "str",
    "subject": "str",
    "time": "time",
    "revision": "int",
    "voided": "bool",
    "datacontenttype": "str",
    "dataschema": "str",
}
REQUIRED = ("specversion", "id", "source", "subject", "time")
FEEDS = load_feeds()


def cases(feed: Feed) -> list[Case]:
    """Each wrong value in each field of an otherwise right event: its name as reasons tell it, and the event."""
    event = example_event(feed)
    assert event is not None
    return [*_of_the_envelope(event), *_of_the_data(feed, event)]


def _of_the_envelope(event: dict[str, Any]) -> Iterator[Case]:
    for name, kind in ATTRIBUTES.items():
        for value in (*WRONG[kind], *NEVER, *((None,) if name in REQUIRED else ())):
            yield name, event | {name: value}


def _of_the_data(feed: Feed, event: dict[str, Any]) -> Iterator[Case]:
    for column in feed.model_columns:
        needed = feed.model.model_fields[column.name].is_required()
        for value in (*WRONG[KINDS[column.dtype]], *NEVER, *((None,) if needed else ())):
            yield f"data.{column.name}", event | {"data": event["data"] | {column.name: value}}
    for value in (0, True, "{}", [event["data"]]):
        yield "data", event | {"data": value}


@pytest.mark.parametrize("key", sorted(FEEDS))
def test_the_gateway_takes_no_value_of_another_type(key: str, tmp_path: Path) -> None:
    gateway = GatewayBed(tmp_path, gateway_max_events=100_000)
    _, secret = gateway.tokens.create("All", list(FEEDS), ["*"])
    wrong = cases(FEEDS[key])
    answer = gateway.post([event for _, event in wrong], BATCH, secret).json()
    taken = [
        (field, event)
        for (field, event), result in zip(wrong, answer["results"], strict=True)
        if field not in {reason["field"] for reason in result["reasons"]}
    ]
    assert taken == []
    assert gateway.memory.records == []


@pytest.mark.parametrize("key", sorted(FEEDS))
def test_the_agents_take_no_value_of_another_type(key: str, feeds: dict[str, Feed], profile: Profile) -> None:
    wrong = cases(FEEDS[key])
    content = (("content-type", CONTENT_TYPE_BATCH.encode()),)
    fetched = [KafkaRecord(0, encoded([event for _, event in wrong]), content)]
    parsed = make_parser(feeds[key], profile).parse("t", 0, fetched, now=NOW)
    assert parsed.events.is_empty()
    fields = {one.position: {reason.field for reason in one.reasons} for one in parsed.rejections}
    assert [case for place, case in enumerate(wrong) if case[0] not in fields[place]] == []


def test_right_values_pass(tmp_path: Path) -> None:
    gateway = GatewayBed(tmp_path)
    _, secret = gateway.tokens.create("All", list(FEEDS), ["*"])
    events = [event for feed in FEEDS.values() if (event := example_event(feed))]
    assert len(events) == len(FEEDS)
    response = gateway.post(events, BATCH, secret)
    assert response.status_code == 202, response.text


def test_a_whole_number_is_a_number(tmp_path: Path) -> None:
    """JSON does not part whole numbers from others: 3 litres are 3.0 litres."""
    feed = FEEDS["tax.einvoice"]
    event = example_event(feed)
    assert event is not None
    changed = event | {"data": event["data"] | {"litres_ron95_iii": 3}}
    envelope = feed.envelope.validate_json(json.dumps(changed))
    assert envelope.data.litres_ron95_iii == 3.0
