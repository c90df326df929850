"""JSON Schemas of the events and an AsyncAPI document of the topics, generated from the feeds' models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ioc import __version__
from ioc.feeds.event import CONTENT_TYPE_BATCH, CONTENT_TYPE_EVENT
from ioc.feeds.feed import Feed
from ioc.messaging.figure_event import FIGURE_EVENT_TYPE, FigureEvent
from ioc.messaging.topic import dead_letter_topic, figure_topic


def event_schema(feed: Feed) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a feed's events, complete in itself."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": feed.event_type,
        **feed.envelope.json_schema(),
        "title": f"{feed.name_en} / {feed.name_vi}",
    }


def figure_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the events about changed figures."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": FIGURE_EVENT_TYPE,
        **FigureEvent.model_json_schema(),
        "title": "Change of a figure / Thay đổi số liệu",
    }


def asyncapi(feeds: Mapping[str, Feed], prefix: str) -> dict[str, Any]:
    """Return an AsyncAPI 3.0 document: a channel a feed, what sector systems send and what the agents receive;
    what the platform itself sends: refused events, and changes of figures.
    """
    channels = {
        feed.table: {
            "address": feed.topic(prefix),
            "title": f"{feed.name_en} / {feed.name_vi}",
            "messages": {
                "event": {
                    "contentType": CONTENT_TYPE_EVENT,
                    "payload": {"$ref": f"{feed.event_type}.json"},
                    "bindings": {"kafka": {"key": {"type": "string", "description": "Code of the reporter."}}},
                },
                "batch": {
                    "contentType": CONTENT_TYPE_BATCH,
                    "payload": {"type": "array", "items": {"$ref": f"{feed.event_type}.json"}},
                    "description": "Events of one reporter.",
                    "bindings": {"kafka": {"key": {"type": "string", "description": "Code of the reporter."}}},
                },
            },
        }
        for feed in feeds.values()
    }
    channels["dead_letter"] = {
        "address": dead_letter_topic(prefix),
        "title": "Refused events / Sự kiện bị từ chối",
        "messages": {"event": {"payload": {}, "description": "The event as it came; reasons are in `ioc-reasons`."}},
    }
    key = {"kafka": {"key": {"type": "string", "description": "Id of the area."}}}
    told = {"$ref": f"{FIGURE_EVENT_TYPE}.json"}
    channels["figure"] = {
        "address": figure_topic(prefix),
        "title": "Changes of figures / Thay đổi số liệu",
        "messages": {
            "event": {"contentType": CONTENT_TYPE_EVENT, "payload": told, "bindings": key},
            "batch": {
                "contentType": CONTENT_TYPE_BATCH,
                "payload": {"type": "array", "items": told},
                "description": "Changes in one area.",
                "bindings": key,
            },
        },
    }
    operations = {
        f"receive_{name}": {"action": "receive", "channel": {"$ref": f"#/channels/{name}"}}
        for name in channels
        if name not in ("dead_letter", "figure")
    }
    for name in ("dead_letter", "figure"):
        operations[f"send_{name}"] = {"action": "send", "channel": {"$ref": f"#/channels/{name}"}}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "IOC streams", "version": __version__},
        "channels": channels,
        "operations": operations,
    }


def write_schemas(feeds: Mapping[str, Feed], prefix: str, directory: Path) -> list[Path]:
    """Write a schema a feed and `asyncapi.json` into a directory; return the files."""
    directory.mkdir(parents=True, exist_ok=True)
    documents = {f"{feed.event_type}.json": event_schema(feed) for feed in feeds.values()}
    documents[f"{FIGURE_EVENT_TYPE}.json"] = figure_schema()
    documents["asyncapi.json"] = asyncapi(feeds, prefix)
    files = []
    for name, document in documents.items():
        file = directory / name
        file.write_text(json.dumps(document, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        files.append(file)
    return files
