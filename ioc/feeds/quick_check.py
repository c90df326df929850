"""Events checked one after the other, each as a plain dict without a model's object: for the gateway.

As `ioc/feeds/column_check.py` it is compiled from pydantic's schema of the model, lets an event pass only where
pydantic would take it, and leaves all else to pydantic, which has the last word and gives the reasons. msgspec reads
the text and checks types, limits and words while it reads; here follow patterns, days, times, and what must hold
between fields.
An event that passes is written to Kafka as it came: nothing of it may be foreign, twice, or spelt in a way that another
reader might read otherwise. So texts with an escape, voids, and attributes that no feed declares are left to pydantic.

Source: pydantic-core's schema types (`pydantic_core.core_schema`); msgspec's constraints; RFC 8259 for the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import msgspec

from ioc.feeds.bounds import FIRST_DAY, LAST_DAY
from ioc.feeds.core_schema import (
    LIMITS,
    PLAIN,
    FieldSchema,
    UnknownSchemaError,
    attributes_of,
    record_fields_of,
    temporal_of,
)
from ioc.feeds.event import TEXT
from ioc.feeds.feed import Feed
from ioc.feeds.plausibility import Now, latest_of

JsonEvent = dict[str, Any]
_OF_A_MOMENT = ("ge", "le", "tz_constraint", "microseconds_precision")
_FRACTION = r"(?:\.[0-9]{1,6})?"
_CLOCK = "(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_TIME_OF_DAY = re.compile(rf"T{_CLOCK}:[0-5][0-9]{_FRACTION}(?:Z|[+-]{_CLOCK})")
# Words that a pattern was found to take, kept so that it is asked once: codes come again and again, keys never.
_MOST_KNOWN = 4096
# Days ahead that are known by their text; a plan for later than that goes to pydantic.
_AHEAD = timedelta(days=11 * 366)
# Between a day as it is written, at whatever offset, and the day that it is in the province.
_OFFSETS = timedelta(days=2)


@dataclass(frozen=True)
class _QuickPattern:
    """A text field with a pattern; `known` are words that it takes."""

    name: str
    fits: Callable[[str], object]
    known: set[str]


@dataclass(frozen=True)
class _Dated:
    """A date or time field.

    bounds: of a time, what the model allows at all; None of a date.
    unless: names the field that says that its day has passed.
    needed: a rule or the record's key reads it.
    """

    name: str
    bounds: tuple[datetime, datetime] | None
    unless: str | None
    needed: bool


@dataclass(frozen=True)
class _QuickField:
    """A field as msgspec reads it; `pattern` is asked after that. Dates and times (with their bounds) are text."""

    read_as: Any
    pattern: str | None = None
    is_date: bool = False
    bounds: tuple[datetime, datetime] | None = None


@dataclass(frozen=True)
class _Limits:
    """What is plausible now of a feed's events.

    first:   the first day that may count.
    days:    all days that are known by their text.
    last:    of each date and time its last day, and the last where its day has passed.
    sent_at: the first and last moment of an envelope's `time`.
    sent_on: the days of which every moment lies between those, at whatever offset it is written.
    """

    now: Now
    first: date
    days: Mapping[str, date]
    last: Sequence[tuple[_Dated, date, date]]
    sent_at: tuple[datetime, datetime]
    sent_on: tuple[date, date]


class QuickCheck:
    """The check of one feed's events."""

    def __init__(self, feed: Feed, attributes: Mapping[str, FieldSchema], data: Mapping[str, FieldSchema]) -> None:
        record = feed.model
        own = {name: _field(given) for name, given in data.items()}
        about = {name: _field(given) for name, given in attributes.items()}
        typed = _typed("Data", own, data)
        event = _typed("Event", about, attributes, voided=NotRequired[bool | None], data=typed)
        self.decode: Callable[[Any], JsonEvent] = msgspec.json.Decoder(event).decode
        self.decode_many: Callable[[Any], list[JsonEvent]] = msgspec.json.Decoder(list[event]).decode  # type: ignore[valid-type]
        self.feed = feed
        self._attributes = _patterns(about, without=("source",))
        self._patterns = _patterns(own, without=(feed.reporter,))
        needed = {name for term in (record.KEY, *(rule.broken for rule in record.RULES)) for name in _names(term)}
        self._dated = [
            _Dated(
                name,
                field.bounds,
                feed.ahead[name].unless if name in feed.ahead else None,
                name in needed,
            )
            for name, field in own.items()
            if field.is_date or field.bounds
        ]
        self._defaults = {name: given.default for name, given in data.items() if not given.required}
        self._broken = [rule.broken.of for rule in record.RULES]
        self._key = record.KEY.of
        self._reporter = feed.reporter
        sent_at = about["time"].bounds
        if sent_at is None:
            raise UnknownSchemaError
        self._sent_at = sent_at
        self._limits: _Limits | None = None

    def passes(self, event: JsonEvent, reporter: str, now: Now) -> bool:
        """Whether pydantic takes an event that msgspec has read, of a reporter whose code its `source` names.

        The text that it was read from holds no escape, no control character, and each of its keys once.
        """
        limits = self._limits
        if limits is None or limits.now is not now:
            limits = self._limits = self._at(now)
        values = {**self._defaults, **event["data"]}
        return (
            self._envelope_passes(event, limits)
            and (self._reporter is None or values[self._reporter] == reporter)
            and _fit(self._patterns, values)
            and _plausible(values, limits)
            and event["subject"] == f"{reporter}/{self._key(values)}"
            and not self._breaks_a_rule(values)
        )

    def _breaks_a_rule(self, values: Mapping[str, Any]) -> bool:
        for broken in self._broken:  # noqa: SIM110 - the generator of `any` costs as much as a rule
            if broken(values):
                return True
        return False

    def _envelope_passes(self, event: JsonEvent, limits: _Limits) -> bool:
        text = event["time"]
        day = limits.days.get(text[:10])
        if day is None or _TIME_OF_DAY.fullmatch(text, 10) is None or event.get("voided"):
            return False
        first, last = limits.sent_on
        revision = event.get("revision")
        return (
            (first <= day <= last or _moment(text, *limits.sent_at) is not None)
            and (revision is None or revision <= limits.now.latest_revision)
            and _fit(self._attributes, event)
        )

    def _at(self, now: Now) -> _Limits:
        first, end = max(now.earliest, FIRST_DAY), min(now.latest + _AHEAD, LAST_DAY)
        last = []
        for dated in self._dated:
            ahead, over = (latest_of(self.feed, dated.name, now.latest, passed=passed) for passed in (False, True))
            last.append((dated, min(ahead, end), min(over, end)))
        sent_at = (self._sent_at[0], min(now.latest_time, self._sent_at[1]))
        sent_on = (sent_at[0].date() + _OFFSETS, sent_at[1].date() - _OFFSETS)
        return _Limits(now, first, _days(first, end), last, sent_at, sent_on)


def quick_check_of(feed: Feed) -> QuickCheck | None:
    """Return the check of a feed's events, None where its model holds what no quick check is written for."""
    try:
        return QuickCheck(feed, attributes_of(feed), record_fields_of(feed.model))
    except UnknownSchemaError:
        return None


def _fit(patterns: Sequence[_QuickPattern], values: Mapping[str, Any]) -> bool:
    """Whether all texts fit their patterns."""
    for pattern in patterns:
        text = values.get(pattern.name)
        if text is not None and text not in pattern.known:
            if pattern.fits(text) is None:
                return False
            if len(pattern.known) < _MOST_KNOWN:
                pattern.known.add(text)
    return True


def _plausible(values: dict[str, Any], limits: _Limits) -> bool:
    """Whether all dates and times are written as they must be and may count; those that are needed become values."""
    now = limits.now
    for dated, latest, passed in limits.last:
        text = values[dated.name]
        if text is None:
            continue
        day = limits.days.get(text[:10])
        if day is None:
            return False
        last = passed if dated.unless is not None and values[dated.unless] else latest
        if dated.bounds is None:
            if len(text) != 10 or day > last:
                return False
            values[dated.name] = day
        elif _TIME_OF_DAY.fullmatch(text, 10) is None:
            return False
        elif dated.needed or day > last - _OFFSETS or day < limits.first + _OFFSETS:
            moment = _moment(text, *dated.bounds)
            if moment is None or not now.earliest <= moment.astimezone(now.timezone).date() <= last:
                return False
            values[dated.name] = moment
    return True


def _moment(text: str, earliest: datetime, latest: datetime) -> datetime | None:
    """Read a time that is spelt well; None where there is no such day, or it is not within the limits."""
    try:
        moment = datetime.fromisoformat(text)
        return moment if earliest <= moment <= latest else None
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=2)
def _days(first: date, last: date) -> Mapping[str, date]:
    """Return each day from the first to the last by its text: looked up, it needs not be read."""
    return {day.isoformat(): day for day in (first + timedelta(days=n) for n in range((last - first).days + 1))}


def _typed(name: str, fields: Mapping[str, _QuickField], schemas: Mapping[str, FieldSchema], **more: Any) -> Any:
    """Return the type that msgspec reads an object as: a dict that holds what was sent of these fields."""
    members: dict[str, Any] = {}
    for field, found in fields.items():
        optional = found.read_as | None if schemas[field].optional else found.read_as
        members[field] = optional if schemas[field].required else NotRequired[optional]
    return TypedDict(name, members | more)  # type: ignore[operator]


def _patterns(fields: Mapping[str, _QuickField], without: Sequence[str | None]) -> list[_QuickPattern]:
    return [
        # `re.ASCII`: narrower than pydantic's engine, for which \d is a digit of any script.
        _QuickPattern(name, re.compile(field.pattern or "", re.ASCII).search, set())
        for name, field in fields.items()
        # There is no control character in what is read here.
        if field.pattern not in (None, TEXT) and name not in without
    ]


def _names(term: Any) -> list[str]:
    names: list[str] = term.expr.meta.root_names()
    return names


def _field(given: FieldSchema) -> _QuickField:
    """Return how a field is read and what is asked of it; raises UnknownSchemaError."""
    schema = given.schema
    kind, known = schema["type"], {*schema} - PLAIN
    if kind == "literal" and known == {"expected"} and all(isinstance(one, str) for one in schema["expected"]):
        return _QuickField(Literal[tuple(schema["expected"])])
    if kind == "str" and known <= {"pattern", "min_length", "max_length"}:
        bounds = {name: schema[name] for name in ("min_length", "max_length") if name in schema}
        return _QuickField(Annotated[str, msgspec.Meta(**bounds)] if bounds else str, schema.get("pattern"))
    if kind == "bool" and not known:
        return _QuickField(bool)
    if kind in ("int", "float") and known <= {*LIMITS, "allow_inf_nan"}:
        limits = {name: schema[name] for name in LIMITS if name in schema}
        number = int if kind == "int" else float
        return _QuickField(Annotated[number, msgspec.Meta(**limits)] if limits else number)
    if kind == "json-or-python":
        return _temporal(temporal_of(schema))
    raise UnknownSchemaError


def _temporal(schema: Mapping[str, Any]) -> _QuickField:
    known = {*schema} - PLAIN
    if schema["type"] == "date" and known == {"ge", "le"}:
        # The days that are known by their text lie within the bounds of all feeds.
        if (schema["ge"], schema["le"]) == (FIRST_DAY, LAST_DAY):
            return _QuickField(str, is_date=True)
    elif schema["type"] == "datetime" and {"ge", "le"} <= known <= {*_OF_A_MOMENT}:
        return _QuickField(str, bounds=(schema["ge"], schema["le"]))
    raise UnknownSchemaError
