"""What the scenarios share: the site, the load, the parser, and what has been measured so far."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import polars as pl
import psycopg

from bench.drain import middle
from bench.site import Site
from bench.workload import Load, make_province
from ioc.catalogue import StoredMeasure, contribution_expr, member_expr
from ioc.catalogue.store import load_measures
from ioc.feeds.plausibility import Calendar
from ioc.messaging.record import OutgoingRecord
from ioc.province.profile import load_profile_catalogue
from streams.rules.parse import BatchParser
from streams.rules.register import Register

BULK, SINGLE, PACED = "bulk", "single", "paced"


@dataclass
class Bed:
    """`values` holds every measurement under its name, in the order of the rounds."""

    site: Site
    load: Load
    quick: bool
    values: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @cached_property
    def province(self) -> tuple[int, list[OutgoingRecord]]:
        """A simulated province's events, all feeds together and faults included: how many, and their records."""
        catalogue = load_profile_catalogue(self.site.settings.profile, self.site.feeds)
        return make_province(self.site.profile, catalogue, 10_000 if self.quick else 70_000)

    @property
    def parser(self) -> BatchParser:
        """A parser as the worker has it."""
        settings, feed, profile = self.site.settings, self.site.feed, self.site.profile
        return BatchParser(
            feed,
            Register(feed, profile.reporters, profile.areas),
            Calendar.of(settings, profile.timezone),
        )

    def keep(self, values: Mapping[str, float]) -> None:
        """Add one measurement of each."""
        for name, value in values.items():
            self.values[name].append(value)

    def median(self, name: str) -> float:
        """Return the median so far; 0 while there is none."""
        return middle(self.values[name])

    def measures(self, connection: psycopg.Connection) -> list[StoredMeasure]:
        """Return the measures of the e-invoices' feed."""
        return [stored for stored in load_measures(connection) if stored.measure.feed == self.site.feed.key]


class Scenario(Protocol):
    """One thing to measure: `prepare` once, then `measure` in each round, or in the first alone."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def every_round(self) -> bool: ...

    def prepare(self, bed: Bed) -> None: ...
    def measure(self, bed: Bed) -> Mapping[str, float]: ...


def contributions_of(events: pl.DataFrame, measures: list[StoredMeasure]) -> float:
    """Return to how many measures an event adds something, on average."""
    added = [
        contribution_expr(s.measure) != 0 if s.measure.kind == "sum" else member_expr(s.measure).is_not_null()
        for s in measures
    ]
    counts = events.select(pl.sum_horizontal(added).alias("n"))
    return float(counts["n"].sum()) / max(events.height, 1)
