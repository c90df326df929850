"""What the catalogue says: one indicator a row, and the catalogue as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from ioc.catalogue.formula import CODE

DATA = Path(__file__).parent / "data"
COLUMNS = (
    "code",
    "sector",
    "name_vi",
    "name_en",
    "unit",
    "kind",
    "feed",
    "value",
    "where",
    "at",
    "until",
    "formula",
    "decimals",
    "cadence",
    "direction",
    "target",
    "target_on",
    "target_source",
    "levels",
    "owner",
    "basis",
    "breakdown",
    "breakdown_value",
    "span_note",
)
# What alerts say of the pipeline, and of a feed that serves no sector more than others.
PLATFORM = "platform"
# A file may leave these out.
OPTIONAL_COLUMNS = ("span_note",)
KINDS = ("flow", "stock", "distinct", "ratio", "average", "reported")
REPORTED = ("flow", "stock", "ratio", "score")
REPORT_FEED = "report.value"
# The period that a reported value of each cadence is for.
REPORT_PERIODS: Mapping[str, str] = {
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "quarterly": "quarter",
    "yearly": "year",
}
CADENCES = ("realtime", "hourly", "daily", "weekly", "monthly", "quarterly", "yearly")
DIRECTIONS = ("higher", "lower", "none")
LEVELS = ("province", "district", "commune")


@dataclass(frozen=True)
class Target:
    """A number to be reached (`op` is >= or <=), by a day or, without one, at all times."""

    op: str
    value: float
    on: date | None
    source: str


@dataclass(frozen=True)
class Indicator:
    """One row of the catalogue, checked.

    `value` and `where` are canonical expressions, `at` and `until` date columns, over the records of `feed`;
    or `formula` combines other indicators, and these are empty. Where it is reported, `value` is one of `REPORTED`,
    which says how the reports add up. `definition` is the row as it was written.
    """

    code: str
    sector: str
    name_vi: str
    name_en: str
    unit: str
    kind: str
    feed: str
    value: str
    where: str
    at: str
    until: str
    formula: str
    decimals: int
    cadence: str
    direction: str
    target: Target | None
    levels: tuple[str, ...]
    owners: tuple[str, ...]
    basis: str
    breakdown: str
    breakdown_value: str
    definition: Mapping[str, str] = field(repr=False, compare=False)

    @property
    def owner(self) -> str:
        """Who answers for it, the first in the lead."""
        return "; ".join(self.owners)


@dataclass(frozen=True)
class Sector:
    """A sector's name in two languages."""

    name_vi: str
    name_en: str


@dataclass(frozen=True)
class Catalogue:
    """All indicators by code, in the files' order; `statement_*` says where the catalogue comes from.

    guarded_sectors, guarded_units: whose small counts are hidden from readers, and the units of such counts.
    """

    name_vi: str
    name_en: str
    statement_vi: str
    statement_en: str
    sectors: Mapping[str, Sector]
    units: Mapping[str, str]
    owners: Mapping[str, str]
    indicators: Mapping[str, Indicator]
    guarded_sectors: tuple[str, ...] = ()
    guarded_units: tuple[str, ...] = ()

    def of_sector(self, sector: str) -> tuple[Indicator, ...]:
        """Return the indicators of one sector."""
        return tuple(found for found in self.indicators.values() if found.sector == sector)

    def sector_of(self, feed: str) -> str:
        """Return the sector that a feed serves, so that its alerts are grouped with those of its indicators.

        It is the one with more than half of the indicators that count the feed's records: `lodging` for
        `tourism.stay`. `PLATFORM` where there is none, as for `report.value`, which serves 27 sectors.
        """
        served = Counter(found.sector for found in self.indicators.values() if found.feed == feed)
        sector, most = max(served.items(), key=lambda item: item[1], default=(PLATFORM, 0))
        return sector if 2 * most > served.total() else PLATFORM


def is_code(text: str) -> bool:
    """Return whether a text has the form of a code: `sector.measure` or `sector.measure.value`."""
    return CODE.fullmatch(text) is not None
