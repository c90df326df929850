"""Events checked by the column: many at once, without an object for each.

The pydantic model is the one specification. What is here is compiled from pydantic's own schema of it: a shape of the
event's text (which fields it may have, of which JSON type), limits, patterns and literals of each column, and the
model's rules (`ioc/feeds/rule.py`). It lets an event pass only where pydantic would take it and write the same
content; whatever does not pass goes to pydantic, which has the last word and gives the reasons. So it may be narrower
than the model, and is: texts with escapes or braces, numbers with an exponent, attributes of extensions and voids are
left to pydantic. A model with anything that is not known here has no column check at all.

Source: pydantic-core's schema types (`pydantic_core.core_schema`); RFC 8259 for the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any

import polars as pl

from ioc.feeds.core_schema import (
    LIMITS,
    PLAIN,
    FieldSchema,
    UnknownSchemaError,
    attributes_of,
    record_fields_of,
    temporal_of,
)
from ioc.feeds.event import REPORTER_URN
from ioc.feeds.feed import UTC_TIME, Feed
from ioc.feeds.plausibility import Now

# Within a text: no escapes, no control characters, and no brace, so that braces part events and data.
_TEXT = r'"[^"\\{}\x00-\x1f\x7f]*"'
_INTEGER = r"(?:0|-?[1-9][0-9]{0,15})"
# At most 15 digits: every reader of decimal numbers then finds the same double.
_NUMBER = r"(?:(?:0|-?[1-9][0-9]{0,8})(?:\.[0-9]{1,6})?|-?[1-9][0-9]{9,11}(?:\.[0-9]{1,3})?)"
_DAY = '"[0-9]{4}-[0-9]{2}-[0-9]{2}"'
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_MOMENT = rf'"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_CLOCK}:[0-5][0-9](?:\.[0-9]{{6}})?(?:Z|[+-]{_CLOCK})"'
_KEY = r'"[a-z0-9_]+": ?'


@dataclass(frozen=True)
class _FieldCheck:
    """A field as it is read from text.

    shape:     regular expression of its value in JSON.
    read_as:   type that it is read as; days and times are texts at first.
    typed:     expression of its value.
    keeps:     what must hold of the value where there is one.
    optional:  it may be null.
    required:  it must be there, and is not null.
    default:   what stands for a field that is not there; None = null.
    """

    name: str
    shape: str
    read_as: pl.DataType
    typed: pl.Expr
    keeps: tuple[pl.Expr, ...]
    optional: bool = False
    required: bool = True
    default: Any = None


@dataclass(frozen=True)
class Checked:
    """What became of texts.

    shaped:   of each text, whether it is one event that JSON reads in one way; False = it may be anything.
    passed:   of each text, whether all is as the model says.
    envelope: of those that passed, in their order: `event_id`, `reporter`, `record_key`, `revision`.
    data:     the model's columns of the same, as `Feed.model_columns` has their types.
    content:  the data as the model writes it as JSON, without nulls and without the feed's `transport` fields.
    """

    shaped: pl.Series
    passed: pl.Series
    envelope: pl.DataFrame
    data: pl.DataFrame
    content: pl.Series


class ColumnCheck:
    """The check of one feed's events."""

    def __init__(self, feed: Feed, attributes: Sequence[_FieldCheck], data: Sequence[_FieldCheck]) -> None:
        record = feed.model
        self._data = data
        self._shape = f"^{_object([*_members(attributes), ('voided', 'false'), ('data', _object(_members(data)))])}$"
        self._schema = pl.Struct(
            {
                **{field.name: field.read_as for field in attributes},
                "voided": pl.Boolean(),
                "data": pl.Struct({field.name: field.read_as for field in data}),
            }
        )
        self._attributes_typed = [field.typed.alias(field.name) for field in attributes]
        self._data_typed = [field.typed.alias(field.name) for field in data]
        self._defaults = [pl.col(field.name).fill_null(field.default) for field in data if field.default is not None]
        self._attributes_keep = _numbered(_keeping(attributes))
        self._data_keeps = _numbered([*_keeping(data), *(~rule.broken.expr for rule in record.RULES)])
        self._key = record.KEY.expr
        self._reporter = feed.reporter
        self._content = _content(field for field in data if field.name not in feed.transport)

    def check(self, texts: pl.Series, now: Now) -> Checked:
        """Check the texts of events; null = a text that is not UTF-8."""
        shaped = texts.str.contains(self._shape).fill_null(value=False)
        texts = texts.filter(shaped)
        event = texts.str.json_decode(self._schema).struct.unnest()
        envelope = event.drop("data").with_columns(self._attributes_typed)
        raw = event["data"].struct.unnest()
        data = raw.with_columns(self._data_typed)
        # Each key is read once, and nothing of it was lost: a key that comes twice, or a day that there is not.
        told = _filled(envelope) + _filled(data) + 1
        whole = told == _keys(texts)
        data = data.with_columns(self._defaults)
        content = raw.with_columns(self._defaults).select(self._content).to_series()
        head = envelope.select(
            pl.col("id").alias("event_id"),
            pl.col("source").str.slice(len(REPORTER_URN)).alias("reporter"),
            pl.col("subject").alias("record_key"),
            # As `Envelope.effective_revision`, which computes with doubles too.
            pl.coalesce("revision", (pl.col("time").dt.timestamp("us") / 1e6 * 1000).cast(pl.Int64)).alias("revision"),
        )
        subject = data.select(pl.concat_str(head["reporter"], pl.lit("/"), self._key)).to_series()
        passed = whole & (subject == head["record_key"])
        passed &= (envelope["time"] <= now.latest_time) & (head["revision"] <= now.latest_revision)
        if self._reporter is not None:
            passed &= data[self._reporter] == head["reporter"]
        # Joined here: one expression of them all takes several times as long, whatever the number of events.
        kept = (*envelope.select(self._attributes_keep).iter_columns(), *data.select(self._data_keeps).iter_columns())
        passed = reduce(and_, kept, passed)
        passed = passed.fill_null(value=False)
        everywhere = shaped.to_numpy(writable=True)
        everywhere[everywhere] = passed.to_numpy()
        if passed.all():
            return Checked(shaped, pl.Series(everywhere), head, data, content)
        return Checked(shaped, pl.Series(everywhere), head.filter(passed), data.filter(passed), content.filter(passed))


def column_check_of(feed: Feed) -> ColumnCheck | None:
    """Return the check of a feed's events, None where its model holds what no column check is written for."""
    try:
        attributes = [_field(name, given) for name, given in attributes_of(feed).items()]
        data = [_field(name, given) for name, given in record_fields_of(feed.model).items()]
    except UnknownSchemaError:
        return None
    return ColumnCheck(feed, attributes, data)


def _field(name: str, given: FieldSchema) -> _FieldCheck:
    shape, read_as, typed, keeps = _scalar(pl.col(name), given.schema)
    return _FieldCheck(name, shape, read_as, typed, tuple(keeps), given.optional, given.required, given.default)


def _scalar(column: pl.Expr, schema: Mapping[str, Any]) -> tuple[str, pl.DataType, pl.Expr, list[pl.Expr]]:
    """Return shape, type when read, typed expression and what must hold, of a scalar's schema."""
    kind, known = schema["type"], {*schema} - PLAIN
    if kind == "literal" and known == {"expected"} and all(isinstance(one, str) for one in schema["expected"]):
        return _TEXT, pl.String(), column, [column.is_in(schema["expected"])]
    if kind == "str" and known <= {"pattern", "min_length", "max_length"}:
        keeps = []
        if "pattern" in schema:
            # The same engine as pydantic's, Rust's `regex`.
            keeps.append(column.str.contains(schema["pattern"]))
        if "min_length" in schema:
            keeps.append(column.str.len_chars() >= schema["min_length"])
        if "max_length" in schema:
            keeps.append(column.str.len_chars() <= schema["max_length"])
        return _TEXT, pl.String(), column, keeps
    if kind == "bool" and not known:
        return "(?:true|false)", pl.Boolean(), column, []
    if kind == "int" and known <= {*LIMITS}:
        return _INTEGER, pl.Int64(), column, _limits(column, schema)
    if kind == "float" and known <= {*LIMITS, "allow_inf_nan"}:
        return _NUMBER, pl.Float64(), column, _limits(column, schema)
    if kind == "json-or-python" and known == {"json_schema", "python_schema"}:
        return _temporal(column, schema)
    raise UnknownSchemaError


def _temporal(column: pl.Expr, schema: Mapping[str, Any]) -> tuple[str, pl.DataType, pl.Expr, list[pl.Expr]]:
    """Return the same of a day or a time, which `StrictModel` reads from text of one spelling."""
    read = temporal_of(schema)
    known = {*read} - PLAIN
    if read["type"] == "date" and known <= {*LIMITS}:
        return _DAY, pl.String(), column.str.to_date("%Y-%m-%d", strict=False), _limits(column, read)
    if read["type"] == "datetime" and known <= {*LIMITS, "tz_constraint", "microseconds_precision"}:
        # Only texts that pydantic would write again as they are: the content is made of them.
        written = ~column.str.contains(r"\.000000|[+-]00:00$")
        moment = column.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
        return _MOMENT, pl.String(), pl.when(written).then(moment), _limits(column, read)
    raise UnknownSchemaError


def _limits(column: pl.Expr, schema: Mapping[str, Any]) -> list[pl.Expr]:
    holds = {"ge": column.ge, "gt": column.gt, "le": column.le, "lt": column.lt}
    return [
        holds[name](pl.lit(schema[name], dtype=UTC_TIME) if hasattr(schema[name], "tzinfo") else schema[name])
        for name in LIMITS
        if name in schema
    ]


def _members(fields: Sequence[_FieldCheck]) -> list[tuple[str, str]]:
    return [(field.name, f"(?:{field.shape}|null)" if field.optional else field.shape) for field in fields]


def _object(members: Sequence[tuple[str, str]]) -> str:
    """Return the regular expression of a JSON object with some of these members, in any order."""
    one = "(?:" + "|".join(f'"{name}": ?{shape}' for name, shape in members) + ")"
    return rf"\{{{one}(?:, ?{one})*\}}"


def _keeping(fields: Sequence[_FieldCheck]) -> Iterator[pl.Expr]:
    for field in fields:
        if field.required:
            yield pl.col(field.name).is_not_null()
        yield from (keep.fill_null(value=True) for keep in field.keeps)


def _numbered(conditions: Iterable[pl.Expr]) -> list[pl.Expr]:
    return [condition.alias(str(number)) for number, condition in enumerate(conditions)]


def _filled(frame: pl.DataFrame) -> pl.Series:
    """Return how many values of each row are there."""
    return frame.select(pl.sum_horizontal(pl.all().is_not_null().cast(pl.Int64))).to_series()


def _keys(texts: pl.Series) -> pl.Series:
    """Return how many keys with a value each event has, data included; -1 where a key may come twice unseen."""
    keys = texts.str.count_matches('":', literal=True).cast(pl.Int64)
    if not texts.str.contains("null", literal=True).any():
        return keys
    nulls = texts.str.count_matches('": ?null').cast(pl.Int64)
    # A key with a value and once more with null would be counted as two keys, of which one is null.
    named = texts.str.extract_all(_KEY)
    once = named.list.n_unique() == named.list.len()
    return pl.select(pl.when((nulls == 0) | once).then(keys - nulls).otherwise(-1)).to_series()


def _content(fields: Iterator[_FieldCheck]) -> pl.Expr:
    """Return the text of a record's JSON as its model writes it: in the model's order, nulls left out."""
    parts = []
    for field in fields:
        text = f'"{field.name}":"{{}}"' if field.read_as == pl.String() else f'"{field.name}":{{}}'
        parts.append(pl.format(text, pl.col(field.name)))
    return pl.format("{}{}{}", pl.lit("{"), pl.concat_str(parts, separator=",", ignore_nulls=True), pl.lit("}"))
