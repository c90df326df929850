"""Strict JSON types: what a feed's schema says is what is taken, and nothing that could be read as it.

JSON has numbers, true and false, and text. A number is never `true` or `"100"`, a day is `2024-10-05` and no other
spelling, a time is RFC 3339 with its offset. Pydantic's own strict mode leaves two doors open: a text of digits is a
day or a time to it (seconds since 1970), and so is every other spelling of ISO 8601.

Source: RFC 8259 §3; RFC 3339 §5.6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticKnownError, core_schema

_OFFSET = r"([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])"
_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
# type of the schema -> (spelling, format of JSON Schema, rule of the error, what pydantic adds to its message).
# A time without an offset passes the spelling: that it lacks one is then the reason, and clearer.
_Rule = Literal["date_parsing", "datetime_parsing"]
_WRITTEN: Mapping[str, tuple[str, str, _Rule, str]] = {
    "date": (r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "date", "date_parsing", "as text"),
    "datetime": (
        rf"{_TIME}{_OFFSET}?$",
        "date-time",
        "datetime_parsing",
        "as RFC 3339 writes it: 2024-10-01T08:00:00+07:00",
    ),
}


def _spell_out(node: dict[str, Any]) -> None:
    """Replace the schemas of days and times below `node`, those of nested models left to themselves."""
    for name, value in node.items():
        if name == "metadata":
            continue
        for key, child in _children(value):
            kind = child.get("type")
            if not isinstance(kind, str):  # `child` maps names, one of which is `type`
                _spell_out(child)
            elif kind in _WRITTEN:
                spelt = _spelt(child)
                if key is None:
                    node[name] = spelt
                else:
                    value[key] = spelt
            elif kind not in ("json-or-python", "definition-ref"):
                _spell_out(child)


def _children(value: Any) -> list[tuple[Any, dict[str, Any]]]:
    """Return the dicts that `value` is or holds, each with its key; None = `value` itself."""
    if isinstance(value, dict):
        return [(None, value)]
    if isinstance(value, list):
        return [(index, child) for index, child in enumerate(value) if isinstance(child, dict)]
    return []


def _spelt(schema: dict[str, Any]) -> CoreSchema:
    """Return the schema of a day or a time that is read from text of one spelling, bounds and all else kept."""
    pattern, json_format, rule, hint = _WRITTEN[schema["type"]]
    spelling = re.compile(pattern)

    def written(value: Any) -> Any:
        if isinstance(value, date) or (isinstance(value, str) and spelling.fullmatch(value)):
            return value
        raise PydanticKnownError(rule, {"error": hint})

    read = cast("CoreSchema", {**schema, "strict": False})
    told = {"format": json_format, "pattern": pattern.replace("?$", "$")}
    text = core_schema.str_schema(pattern=pattern, strict=True, metadata={"pydantic_js_updates": told})
    spelt = core_schema.custom_error_schema(text, custom_error_type=rule, custom_error_context={"error": hint})
    return core_schema.json_or_python_schema(
        # All of it within pydantic's own engine: events are read by the million.
        json_schema=core_schema.chain_schema([spelt, read]),
        python_schema=core_schema.no_info_before_validator_function(written, read),
    )


class StrictModel(BaseModel):
    """Base of what senders write; its days and times are read from JSON only as they must be written.

    From Python values, days and times are taken as `date` and `datetime` too.
    """

    model_config = ConfigDict(frozen=True, strict=True, allow_inf_nan=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: type[BaseModel], handler: GetCoreSchemaHandler) -> CoreSchema:
        """Put the spelling in front of every day and time of the model's own fields."""
        schema = handler(source)
        _spell_out(cast("dict[str, Any]", handler.resolve_ref_schema(schema)))
        return schema
