"""Reads CloudEvents from HTTP requests: structured, batch and binary mode.

Source: CloudEvents 1.0.2, HTTP protocol binding §3 (header values: §3.1.3.2), JSON event format §4 (batches).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

from pydantic_core import from_json
from starlette.datastructures import Headers

from connectors.gateway.answer import refusal
from ioc.feeds.event import CONTENT_TYPE_BATCH, CONTENT_TYPE_EVENT, attribute_value

Mode = Literal["structured", "batch", "binary"]
CONTENT_TYPE_JSON = "application/json"
_STRUCTURED = f"{CONTENT_TYPE_EVENT}, {CONTENT_TYPE_BATCH}"
_BRACKETS_OF_AN_EVENT = 8
_MOST_BRACKETS = 256
_UTF8 = ("utf-8", "utf8", "us-ascii")
_CHARSET = re.compile(r"""charset *= *"?([^\s";]+)"?""", re.IGNORECASE)
_JSON_SUBTYPE = re.compile(r"(?!application/cloudevents)[a-z]+/[a-z0-9!#$&^_.-]+\+json")
_ATTRIBUTE = re.compile(r"[a-z0-9]{1,64}")


def mode_of(headers: Headers) -> Mode:
    """Return how the request carries its events; refuses (415) what the gateway does not read."""
    kind, charset = _media_type(headers.get("content-type", ""))
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise refusal(
            415,
            "content-encoding",
            "unsupported_encoding",
            vi="không nhận nội dung nén; hãy gửi không nén",
            en="compressed bodies are not read; send it uncompressed",
        )
    if charset in _UTF8:
        if kind == CONTENT_TYPE_EVENT:
            return "structured"
        if kind == CONTENT_TYPE_BATCH:
            return "batch"
        if "ce-specversion" in headers and (kind in (CONTENT_TYPE_JSON, "") or _JSON_SUBTYPE.fullmatch(kind)):
            return "binary"
    raise refusal(
        415,
        "content-type",
        "unsupported_media_type",
        vi=f"phải là {_STRUCTURED}, hoặc {CONTENT_TYPE_JSON} kèm các tiêu đề ce-*; UTF-8",
        en=f"must be {_STRUCTURED}, or {CONTENT_TYPE_JSON} with ce-* headers; UTF-8",
    )


def check_nesting(body: bytes, events: int) -> None:
    """Refuse (400) a body with far more objects and arrays than `events` events have, before it is read as JSON.

    An event is an object with an object in it. Arrays in arrays cost a parser a hundred times what an event's bytes do.
    """
    if body.count(b"{") + body.count(b"[") > _MOST_BRACKETS + _BRACKETS_OF_AN_EVENT * events:
        raise refusal(
            400,
            "",
            "json_invalid",
            vi="quá nhiều đối tượng và mảng JSON; một sự kiện chỉ gồm các thuộc tính và data với các giá trị đơn",
            en="too many JSON objects and arrays; an event has attributes, and data of plain values",
        )


def read_events(mode: Mode, headers: Headers, body: bytes) -> list[Any]:
    """Return the request's events as JSON values, not yet validated; refuses (400) what is not JSON."""
    if mode == "binary":
        return [_attributes(headers.items()) | ({"data": _json(body)} if body else {})]
    value = _json(body)
    if mode == "structured":
        return [value]
    if isinstance(value, list):
        return value
    raise refusal(400, "", "list_type", vi="một lô phải là một mảng JSON", en="a batch must be a JSON array")


def _media_type(value: str) -> tuple[str, str]:
    """Return a content type and its character set, both in lower case; parameters may be anything."""
    kind, _, parameters = value.partition(";")
    charset = next((found[1] for part in parameters.split(";") if (found := _CHARSET.fullmatch(part.strip()))), "utf-8")
    return kind.strip().lower(), charset.lower()


def _json(body: bytes) -> Any:
    """Parse strict JSON: UTF-8, no NaN, no lone surrogates, nesting bounded."""
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        # The parser's message names the place, never the content.
        raise refusal(
            400, "", "json_invalid", vi=f"không phải JSON hợp lệ: {error}", en=f"invalid JSON: {error}"
        ) from None


def _attributes(headers: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Read the attributes of binary mode; `data` and its content type have places of their own."""
    attributes: dict[str, Any] = {}
    for header, value in headers:
        if not header.startswith("ce-"):
            continue
        name = header.removeprefix("ce-")
        if not _ATTRIBUTE.fullmatch(name) or name in ("data", "datacontenttype") or name in attributes:
            raise refusal(
                400,
                "ce-*",
                "attribute_name",
                vi="một tiêu đề ce-* bị lặp lại hoặc không phải tên thuộc tính CloudEvents",
                en="a ce-* header is repeated or is no name of a CloudEvents attribute",
            )
        attributes[name] = attribute_value(name, _decoded(name, value))
    return attributes


def _decoded(name: str, value: str) -> str:
    """Undo quoting and percent-encoding."""
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    try:
        return unquote_to_bytes(value.encode("latin-1")).decode()
    except UnicodeDecodeError:
        raise refusal(
            400,
            f"ce-{name}",
            "header_encoding",
            vi="giá trị tiêu đề phải là UTF-8 được mã hóa phần trăm (percent-encoding)",
            en="the header's value must be percent-encoded UTF-8",
        ) from None
