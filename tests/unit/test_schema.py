"""Schemas and AsyncAPI say what the models say."""

from __future__ import annotations

import json
from pathlib import Path

from ioc.feeds.feed import load_feeds
from ioc.messaging.schema import asyncapi, event_schema, write_schemas


def test_every_feed_has_a_schema_that_names_its_required_fields() -> None:
    for feed in load_feeds().values():
        schema = event_schema(feed)
        required = {name for name, field in feed.model.model_fields.items() if field.is_required()}
        assert set(schema["$defs"][feed.model.__name__]["required"]) == required
        assert schema["properties"]["type"]["const"] == feed.event_type


def test_every_topic_is_a_channel_and_every_reference_leads_to_a_file(tmp_path: Path) -> None:
    feeds = load_feeds()
    files = {file.name for file in write_schemas(feeds, "ioc", tmp_path)}
    document = json.loads((tmp_path / "asyncapi.json").read_text(encoding="utf-8"))
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == {feed.topic() for feed in feeds.values()} | {"ioc.dead-letter.v1", "ioc.figure.v1"}
    references = {
        channel["messages"]["event"]["payload"].get("$ref")
        for name, channel in document["channels"].items()
        if name != "dead_letter"
    }
    assert references < files


def test_the_prefix_of_the_settings_names_the_channels() -> None:
    document = asyncapi(load_feeds(), "brvt")
    assert all(channel["address"].startswith("brvt.") for channel in document["channels"].values())
