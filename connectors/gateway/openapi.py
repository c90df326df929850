"""What the OpenAPI document says beyond what FastAPI finds out: bodies, headers, schemas, examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from connectors.gateway.answer import PublishResponse
from connectors.gateway.cloudevents import CONTENT_TYPE_JSON
from connectors.gateway.upload import FILE_KINDS, FileResponse
from ioc.feeds.control_total import ControlTotal
from ioc.feeds.event import CONTENT_TYPE_BATCH, CONTENT_TYPE_EVENT, REPORTER_URN
from ioc.feeds.feed import Feed
from ioc.reading.receipt import Receipt

_REF = "#/components/schemas/{model}"
_EXAMPLE_AGENCY = "so-du-lich"
_EXAMPLE_TIME = "2024-10-01T08:00:00+07:00"


def _response(description: str, **headers: str) -> dict[str, Any]:
    described = {
        name.replace("_", "-"): {"description": text, "schema": {"type": "string"}} for name, text in headers.items()
    }
    return {"model": PublishResponse, "description": description, **({"headers": described} if headers else {})}


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: _response("Dry run: all events would be accepted."),
    202: _response(
        "All events are accepted: Kafka has them on all in-sync replicas.",
        Location="Receipt: ask there what became of the events.",
    ),
    207: _response("Some events are accepted, some refused; `results` says which."),
    400: _response("No CloudEvent, or no JSON, or an unknown type."),
    401: _response("The token is missing, unknown, revoked or expired.", WWW_Authenticate="Bearer"),
    403: _response("The token may not publish this feed or for this reporter."),
    408: _response("The body came too slowly."),
    413: _response("The body or the batch is too large."),
    415: _response("Content type, character set or encoding is not one that is read here."),
    422: _response("The data of all events is wrong."),
    429: _response("Too many events for now.", Retry_After="Seconds to wait."),
    500: _response("The gateway failed. None of the events is confirmed; sending them again is harmless."),
    503: _response(
        "Kafka is away, or the gateway is busy. None of the events is confirmed; sending them again is harmless.",
        Retry_After="Seconds to wait.",
    ),
}


FILE_RESPONSES: dict[int | str, dict[str, Any]] = RESPONSES | {
    200: {"model": FileResponse, "description": "Dry run: all records would be accepted."},
    202: {"model": FileResponse, "description": "All records are accepted: Kafka has them on all in-sync replicas."},
    207: {"model": FileResponse, "description": "Some records are accepted, some refused."},
    404: _response("There is no such feed."),
    422: {"model": FileResponse, "description": "No record could be taken."},
}
CONTROL_RESPONSES: dict[int | str, dict[str, Any]] = RESPONSES | {404: _response("There is no such feed.")}
RECEIPT_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": Receipt, "description": "What became of each event."},
    400: _response("The address has a character that no text can hold."),
    401: RESPONSES[401],
    404: _response("No such receipt, or one of another token."),
    429: RESPONSES[429],
    500: RESPONSES[500],
    503: _response("The API, which answers for receipts, is away.", Retry_After="Seconds to wait."),
}


def file_body() -> dict[str, Any]:
    """Describe the body of a file."""
    return {
        "security": [{"bearer": []}],
        "requestBody": {
            "required": True,
            "description": "The file as it is; docs/formats.md lists the formats.",
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in FILE_KINDS},
        },
    }


def control_total_body() -> dict[str, Any]:
    """Describe control totals."""
    total = ControlTotal.model_json_schema(ref_template=_REF)
    return {
        "security": [{"bearer": []}],
        "requestBody": {
            "required": True,
            "content": {CONTENT_TYPE_JSON: {"schema": {"oneOf": [total, {"type": "array", "items": total}]}}},
        },
    }


def request_body(feeds: Mapping[str, Feed]) -> dict[str, Any]:
    """Describe the three ways to send events; `feeds` are by event type."""
    event = {"oneOf": [{"$ref": _REF.format(model=f"{feed.model.__name__}Event")} for feed in feeds.values()]}
    events = {feed.key: example for feed in feeds.values() if (example := example_event(feed)) is not None}
    examples = {key: {"value": example} for key, example in events.items()}
    batches = {key: {"value": [example]} for key, example in events.items()}
    data = {key: {"value": example["data"]} for key, example in events.items()}
    return {
        "security": [{"bearer": []}],
        "requestBody": {
            "required": True,
            "description": "Binary mode: the attributes as `ce-*` headers, the body is `data`.",
            "content": {
                CONTENT_TYPE_EVENT: {"schema": event, "examples": examples},
                CONTENT_TYPE_BATCH: {"schema": {"type": "array", "items": event}, "examples": batches},
                CONTENT_TYPE_JSON: {"schema": {"type": "object"}, "examples": data},
            },
        },
    }


def describe(document: dict[str, Any], feeds: Mapping[str, Feed]) -> dict[str, Any]:
    """Add the events' schemas and the kind of authorisation to FastAPI's document."""
    adapters: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [
        (feed.key, "validation", feed.envelope) for feed in feeds.values()
    ]
    _, schemas = TypeAdapter.json_schemas(adapters, ref_template=_REF)
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(schemas["$defs"])
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    return document


def example_event(feed: Feed) -> dict[str, Any] | None:
    """Return an event around the first example in the JSON Schema of the feed's model, if there is one."""
    examples = feed.model.model_json_schema().get("examples")
    if not examples:
        return None
    record = feed.model.model_validate(examples[0])
    reporter = getattr(record, feed.reporter) if feed.reporter else _EXAMPLE_AGENCY
    return {
        "specversion": "1.0",
        "id": "01J9ZKWS5VQ4",
        "source": f"{REPORTER_URN}{reporter}",
        "type": feed.event_type,
        "subject": f"{reporter}/{record.record_key()}",
        "time": _EXAMPLE_TIME,
        "revision": 1,
        "data": examples[0],
    }
