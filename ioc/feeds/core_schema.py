"""What pydantic's own schema says of the fields of an event, for the checks that are compiled from it.

The pydantic model is the one specification. `ioc/feeds/column_check.py` and `ioc/feeds/quick_check.py` are compiled
from its schema; where it holds something that they are not written for, there is no such check, and pydantic reads
every event.

Source: pydantic-core's schema types (`pydantic_core.core_schema`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ioc.feeds.event import Record
from ioc.feeds.feed import Feed

# Attributes of the envelope that are read; an event with others goes to pydantic.
_ATTRIBUTES = ("specversion", "id", "source", "type", "subject", "time", "revision", "datacontenttype", "dataschema")
LIMITS = ("ge", "gt", "le", "lt")
PLAIN = {"type", "strict", "metadata", "ref"}  # of a schema, what says nothing about values


class UnknownSchemaError(Exception):
    """The schema holds something that no compiled check is written for."""


@dataclass(frozen=True)
class FieldSchema:
    """A field of a model.

    schema:   pydantic's schema of its value where there is one: a scalar.
    optional: it may be null.
    required: it must be there.
    default:  what stands for a field that is not there; None = null.
    """

    schema: Mapping[str, Any]
    optional: bool
    required: bool
    default: Any


def attributes_of(feed: Feed) -> Mapping[str, FieldSchema]:
    """Return the attributes of a feed's envelope that are read; raises UnknownSchemaError."""
    envelope = _fields(feed.envelope_type.__pydantic_core_schema__)
    return {name: _field(envelope[name]) for name in _ATTRIBUTES}


def record_fields_of(model: type[Record]) -> Mapping[str, FieldSchema]:
    """Return a record's fields; raises UnknownSchemaError where anything but its rules is checked beside them."""
    schema: Any = model.__pydantic_core_schema__
    after = schema.get("function", {}).get("function")
    own_key = model.record_key is not Record.record_key or not hasattr(model, "KEY")
    if schema["type"] != "function-after" or after is not Record.__dict__["_keeps_the_rules"] or own_key:
        raise UnknownSchemaError
    inner = schema["schema"]
    if inner["type"] != "model" or inner.get("config", {}).get("extra_fields_behavior") != "forbid":
        raise UnknownSchemaError
    if {*inner} - {*PLAIN, "cls", "schema", "config", "custom_init", "root_model"}:
        raise UnknownSchemaError
    decorators = model.__pydantic_decorators__
    if decorators.field_serializers or decorators.model_serializers or decorators.computed_fields:
        raise UnknownSchemaError
    return {name: _field(given) for name, given in _fields(inner).items()}


def temporal_of(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the inner schema of a day or a time, which `StrictModel` reads from text of one spelling."""
    if schema["type"] != "json-or-python" or {*schema} - PLAIN != {"json_schema", "python_schema"}:
        raise UnknownSchemaError
    read = schema["json_schema"]
    if read["type"] != "chain":
        raise UnknownSchemaError
    inner: Mapping[str, Any] = read["steps"][-1]
    return inner


def _fields(schema: Any) -> Mapping[str, Mapping[str, Any]]:
    """Return the schemas of a model's fields by name, wherever they lie within its schema."""
    while schema["type"] != "model-fields":
        if "schema" not in schema:
            raise UnknownSchemaError
        schema = schema["schema"]
    found = {}
    for name, field in schema["fields"].items():
        if {*field} - {"type", "schema", "metadata"}:  # an alias, a field that is not written, ...
            raise UnknownSchemaError
        found[name] = field["schema"]
    return found


def _field(schema: Mapping[str, Any]) -> FieldSchema:
    required, default = True, None
    if schema["type"] == "default":
        if {*schema} - {*PLAIN, "schema", "default"}:
            raise UnknownSchemaError
        required, default, schema = False, schema["default"], schema["schema"]
    optional = schema["type"] == "nullable"
    if optional:
        schema = schema["schema"]
        # A column has null for a field that is missing and for one that says null. With another default, such as
        # `str | None = "none"`, the two differ, and pydantic reads the event.
        if default is not None:
            raise UnknownSchemaError
    elif not required and default is None:
        raise UnknownSchemaError
    return FieldSchema(schema, optional, required, default)
