"""What a feed is: one kind of record of one domain, declared in one module under `ioc/feeds/declared/`.

A new feed needs its declaration, a migration for its record table, samples and catalogue rows; agents, gateway,
simulator and dashboards work from the declaration.
"""

from __future__ import annotations

import importlib
import pkgutil
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Literal, get_args, get_origin

import polars as pl
from pydantic import AwareDatetime, TypeAdapter

from ioc.errors import ConfigError
from ioc.feeds.bounds import Range, bounds_of
from ioc.feeds.event import Envelope, Record, envelope_of

UTC_TIME = pl.Datetime("us", "UTC")
_POLARS: Mapping[type, pl.DataType] = {
    str: pl.String(),
    int: pl.Int64(),
    float: pl.Float64(),
    bool: pl.Boolean(),
    date: pl.Date(),
    datetime: UTC_TIME,
}
_SQL: Mapping[pl.DataType, str] = {
    pl.String(): "text",
    pl.Int64(): "bigint",
    pl.Float64(): "double precision",
    pl.Boolean(): "boolean",
    pl.Date(): "date",
    UTC_TIME: "timestamptz",
}


@dataclass(frozen=True)
class Column:
    """A column of a feed's record table, beside those that all feeds share.

    bounds: lowest and highest value; None for texts and for what is derived or taken from the register.
    """

    name: str
    dtype: pl.DataType
    bounds: Range | None = None

    @property
    def sql_type(self) -> str:
        """PostgreSQL's type for it."""
        return _SQL[self.dtype]


@dataclass(frozen=True)
class Ahead:
    """How far ahead of today a date may lie, by nature; not at all where the record's field `unless` is true."""

    at_most: timedelta
    unless: str | None = None


@dataclass(frozen=True)
class Feed:
    """A feed.

    key:       `<domain>.<record>`; names the topic, the module, the samples and, with `_`, the record table.
    model:     the record as it travels.
    effective: the model's field (a date or a time) that says when the record counts.
    cadence:   silence longer than this makes the feed stale.
    reporter:  the model's field that names the reporter; it must be the one that `source` names.
    located:   the record names its leaf area itself, in `area_code`; otherwise the register says where its place or
               its reporter lies.
    any_level: the area that a located record names may have units below it.
    foretells_ends: its records say ahead on which day they stop counting: such a day opens no period.
    reports_every: the period for which each of its reporters owes one report; None where events alone drive it.
    place:     the model's field that may name a registered place of the reporter (a shop of a firm); its register
               entry goes before the reporter's own.
    by_agencies: its reporters are agencies of the administration, which the platform counts (docs/quality.md).
    quality_source: what the catalogue's rows of `data_quality` call the feed; None where they have none of it.
    enrich:    columns taken from the register of reporters: column -> (attribute, type).
    transport: fields that tell how or when a record was sent: no part of its content, so that the same revision sent
               again is a duplicate whatever they say (streams/rules/content.py); what came first stands.
    estimated: date column -> flag of a planned date that is used in its place, because the source cannot tell it.
    derive:    columns computed from the others: column -> (type, polars expression).
    ahead:     dates that lie ahead by nature, of the model or derived; no other date or time may (plausibility.py).
    """

    key: str
    model: type[Record]
    effective: str
    cadence: timedelta
    name_vi: str
    name_en: str
    reporter: str | None = None
    located: bool = False
    any_level: bool = False
    foretells_ends: bool = False
    reports_every: Literal["day", "week", "month", "quarter", "year"] | None = None
    place: str | None = None
    by_agencies: bool = False
    quality_source: str | None = None
    enrich: Mapping[str, tuple[str, pl.DataType]] = field(default_factory=dict)
    transport: tuple[str, ...] = ()
    estimated: Mapping[str, str] = field(default_factory=dict)
    derive: Mapping[str, tuple[pl.DataType, pl.Expr]] = field(default_factory=dict)
    ahead: Mapping[str, Ahead] = field(default_factory=dict)

    @property
    def domain(self) -> str:
        """First part of the key, such as `tourism`: whose systems send it. Sectors are those of the catalogue."""
        return self.key.partition(".")[0]

    @property
    def table(self) -> str:
        """Name of the record table."""
        return self.key.replace(".", "_")

    @property
    def event_type(self) -> str:
        """CloudEvents `type` of its events."""
        return f"vn.ioc.{self.key}.v1"

    def topic(self, prefix: str = "ioc") -> str:
        """Name of its Kafka topic."""
        return f"{prefix}.{self.key}.v1"

    @cached_property
    def envelope_type(self) -> type[Envelope]:
        """Model of one event of this feed."""
        return envelope_of(self.event_type, self.model)

    @cached_property
    def envelope(self) -> TypeAdapter[Envelope]:
        """Validator of one event; `ioc.feeds.validation.read_event` is what senders' events go through."""
        return TypeAdapter(self.envelope_type)

    @cached_property
    def model_columns(self) -> tuple[Column, ...]:
        """Columns that come from the model, in its order."""
        columns = []
        for name, f in self.model.model_fields.items():
            dtype = _dtype(self, name, f.annotation)
            bounds = bounds_of(f.annotation, f.metadata) if dtype.is_numeric() or dtype.is_temporal() else None
            if bounds is None and (dtype.is_numeric() or dtype.is_temporal()):
                raise ConfigError(
                    f"{self.key}: field {name} has no bounds; use Day or Moment of ioc/feeds/bounds.py, "
                    "or Field(ge=..., le=...) for a number"
                )
            columns.append(Column(name, dtype, bounds))
        texts = {column.name for column in columns if column.dtype == pl.String()}
        wrong = [name for name in self.transport if name in texts or name not in self.model.model_fields]
        if wrong:
            raise ConfigError(
                f"{self.key}: transport names {', '.join(wrong)}; use fields of the model that are times, dates, "
                "numbers or booleans"
            )
        return tuple(columns)

    @cached_property
    def dated(self) -> tuple[str, ...]:
        """The model's dates and times."""
        return tuple(column.name for column in self.model_columns if column.dtype.is_temporal())

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Columns of its own in the record table: model, then register, then derived."""
        own = tuple(column for column in self.model_columns if column.name != "area_code")
        enriched = tuple(Column(name, dtype) for name, (_, dtype) in self.enrich.items())
        derived = tuple(Column(name, dtype) for name, (dtype, _) in self.derive.items())
        return own + enriched + derived


def _dtype(feed: Feed, name: str, hint: Any) -> pl.DataType:
    """Map an annotation to a column type: scalars, their optionals, and literals of strings."""
    if get_origin(hint) in (typing.Union, types.UnionType):
        inner = [arg for arg in get_args(hint) if arg is not type(None)]
        if len(inner) == 1:
            return _dtype(feed, name, inner[0])
    if get_origin(hint) is typing.Literal:
        return _POLARS[type(get_args(hint)[0])]
    if get_origin(hint) is typing.Annotated:
        return _dtype(feed, name, get_args(hint)[0])
    if hint is AwareDatetime:
        return UTC_TIME
    if hint in _POLARS:
        return _POLARS[hint]
    raise ConfigError(f"{feed.key}: field {name} has type {hint}; a record's field must be one of {list(_POLARS)}")


def load_feeds() -> dict[str, Feed]:
    """Return all feeds by key, from `ioc/feeds/declared/`; a file's name must be the key with `_`."""
    package = importlib.import_module("ioc.feeds.declared")
    feeds: dict[str, Feed] = {}
    for module_info in pkgutil.iter_modules(package.__path__):
        feed: Feed = importlib.import_module(f"ioc.feeds.declared.{module_info.name}").FEED
        if feed.table != module_info.name:
            raise ConfigError(
                f"ioc/feeds/declared/{module_info.name}.py declares {feed.key}; its file must be {feed.table}.py"
            )
        feed.columns  # noqa: B018 - raises where a field has a type or bounds that no later layer could hold
        feeds[feed.key] = feed
    return feeds
