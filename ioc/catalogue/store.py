"""The catalogue in the database: slots for measures and indicators, given once and never again to another.

A row whose computation changes becomes a new version with a slot of its own, so that the old figures stay readable.
Where its feeds hold records already, the new version is a candidate: it is computed beside the live one, lacks what
came before it, and `ioc rebuild` fills that in and makes it live. Elsewhere it is live at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row, dict_row, scalar_row

from ioc.catalogue.compilation import Compiled, compile_measures
from ioc.catalogue.diff import CatalogueDiff, compare_catalogues
from ioc.catalogue.edition import Edition, Editions
from ioc.catalogue.indicator import Catalogue, Indicator
from ioc.catalogue.limit import ReportLimit, ReportLimits
from ioc.catalogue.loading import read_definitions
from ioc.catalogue.measure import Measure, StoredMeasure
from ioc.errors import ConfigError
from ioc.feeds.feed import load_feeds
from sql import load_queries

Definition = Mapping[str, str]


@dataclass(frozen=True)
class CatalogueChange:
    """How many indicators a load added, changed (a new version), reworded, retired or left as they were.

    waiting: candidates that `ioc rebuild` has to make live, of this load or an earlier one.
    """

    added: int = 0
    changed: int = 0
    reworded: int = 0
    retired: int = 0
    unchanged: int = 0
    measures: int = 0
    waiting: int = 0


class _CurrentRow(NamedTuple):
    """A row that is live, or a candidate."""

    code: str
    sector: str
    slot: int
    candidate: bool
    leaving: bool
    definition: Definition


@dataclass(frozen=True)
class _Stored:
    """Rows by code, as they were loaded."""

    live: Mapping[str, Definition] = field(default_factory=dict)
    candidate: Mapping[str, Definition] = field(default_factory=dict)
    leaving: frozenset[str] = frozenset()


def sync_catalogue(connection: psycopg.Connection, catalogue: Catalogue) -> CatalogueChange:
    """Bring the tables to the catalogue within the caller's transaction; running it again changes nothing."""
    lock_edition(connection)
    return _Sync(connection, catalogue).run()


def lock_edition(connection: psycopg.Connection) -> None:
    """Lock out other changes of indicators, areas and reporters, and writes of workers, until the transaction ends.

    Workers hold their positions' rows while they write, and look at the epoch then. So every batch either lies before
    the change, or is parsed and counted by it.
    """
    queries = load_queries("catalogue")
    connection.execute(queries["lock"])
    connection.execute(queries["lock_positions"])


def load_limits(connection: psycopg.Connection, limits: ReportLimits) -> dict[str, ReportLimit]:
    """Return the limits of the indicators that agencies report, by code, as their units in the database say."""
    rows = connection.cursor(row_factory=dict_row).execute(load_queries("catalogue")["select_reported_units"])
    found = {row["code"]: limits.of(row["code"], row["unit"]) for row in rows}
    return {code: limit for code, limit in found.items() if limit is not None}


def load_measures(connection: psycopg.Connection) -> list[StoredMeasure]:
    """Return all measures with their ids and slots, by feed and slot."""
    rows = connection.cursor(row_factory=dict_row).execute(load_queries("catalogue")["select_measures"])
    return [
        StoredMeasure(
            row["measure_id"],
            row["slot"],
            Measure(**{one.name: row[one.name] for one in fields(Measure)}),
            complete=row["complete"],
        )
        for row in rows
    ]


def load_editions(connection: psycopg.Connection) -> Editions:
    """Return what the database computes; raises ConfigError where a stored row no longer fits its feed."""
    live: list[Definition] = []
    candidates: list[Definition] = []
    slots: tuple[dict[str, dict[str, int]], dict[str, dict[str, int]]] = ({}, {})
    staying: set[str] = set()
    for row in _current(connection):
        (candidates if row.candidate else live).append(row.definition)
        slots[row.candidate].setdefault(row.sector, {})[row.code] = row.slot
        if not row.leaving:
            staying.add(row.code)
    epoch = read_epoch(connection)
    current = _read(live)
    if not candidates:
        return Editions(Edition(current, slots[0]), None, epoch)
    following = {code: row for code, row in current.items() if code in staying} | _read(candidates)
    return Editions(Edition(current, slots[0]), Edition(following, slots[1]), epoch)


def read_epoch(connection: psycopg.Connection) -> int:
    """Return the number that grows with every change of indicators, areas or reporters."""
    epoch = connection.cursor(row_factory=scalar_row).execute(load_queries("catalogue")["select_epoch"]).fetchone()
    assert epoch is not None
    return int(epoch)


def swap_in(connection: psycopg.Connection, codes: Iterable[str]) -> int:
    """Make candidates live in place of their live versions, within the caller's transaction; return the new epoch.

    Rows that were only kept for the replaced versions' formulas are retired with them.
    """
    queries = load_queries("catalogue")
    connection.execute(queries["lock"])
    chosen = sorted(codes)
    connection.execute(queries["retire_replaced"], [chosen])
    connection.execute(queries["make_live"], [chosen])
    live = load_editions(connection).live.compiled
    leaving = {code for (code,) in connection.execute(queries["select_leaving"]).fetchall()}
    connection.execute(queries["retire_indicators"], [sorted(_unneeded(leaving, live))])
    connection.execute(queries["bump_epoch"])
    return read_epoch(connection)


class _Sync:
    """One load: what is stored, what the files say, and what is written to bring the one to the other."""

    def __init__(self, connection: psycopg.Connection, catalogue: Catalogue) -> None:
        self._connection = connection
        self._queries = load_queries("catalogue")
        self._catalogue = catalogue
        self._stored = _read_stored(connection)
        # A live row that no longer reads counts as new: it is replaced.
        live, _ = read_definitions(self._stored.live.values(), load_feeds())
        self._diff: CatalogueDiff = compare_catalogues(live, catalogue.indicators)
        self._before, self._after = Compiled.of(live), compile_measures(catalogue)
        self._begun: frozenset[str] = frozenset()
        self._replaced: set[str] = set()
        self._written = False

    def run(self) -> CatalogueChange:
        counts = CatalogueChange(measures=self._sync_measures())
        for indicator in self._catalogue.indicators.values():
            what = self._sync_indicator(indicator)
            counts = replace(counts, **{what: getattr(counts, what) + 1})
        counts = replace(counts, retired=self._retire_gone())
        if self._written:
            self._connection.execute(self._queries["bump_epoch"])
        cursor = self._connection.cursor(row_factory=scalar_row)
        return replace(counts, waiting=cursor.execute(self._queries["count_candidates"]).fetchone() or 0)

    def _sync_measures(self) -> int:
        """Give slots to measures that have none; return how many are new.

        Every batch either lies before a measure, or counts it: the caller holds the workers' positions.
        """
        known = {stored.measure for stored in load_measures(self._connection)}
        fresh = [measure for measure in self._after.measures if measure not in known]
        self._written |= bool(fresh)
        rows = self._connection.execute(self._queries["select_begun_feeds"]).fetchall()
        self._begun = frozenset(key for (key,) in rows)
        for measure in fresh:
            parameters = {**asdict(measure), "complete": measure.feed not in self._begun}
            self._connection.execute(self._queries["insert_measure"], parameters)
        return len(fresh)

    def _sync_indicator(self, indicator: Indicator) -> str:
        """Write one row where it differs; return the name of its count."""
        code, stored = indicator.code, self._stored
        change = self._diff.change(code)
        has_past = self._has_past(code)
        if change == "follows" and not has_past:
            change = "reworded" if self._diff.changes[code].cells else "unchanged"
        if change in ("added", "recomputed", "follows"):
            if not has_past:
                self._withdraw(code)
                self._retire([code])
                self._insert(indicator, live=True)
            elif self._is_candidate(indicator):
                if dict(indicator.definition) != dict(stored.candidate[code]):
                    self._reword(indicator, candidate=True)
                return "unchanged"
            else:
                self._withdraw(code)
                self._insert(indicator, live=False)
            return "changed" if code in stored.live else "added"
        self._withdraw(code)
        if code in stored.leaving:
            self._connection.execute(self._queries["set_leaving"], [False, [code]])
        if change == "reworded":
            self._reword(indicator, candidate=False)
        return change

    def _has_past(self, code: str) -> bool:
        """Return whether anything was counted that the figures before or after the change are computed from."""
        editions = (compiled for compiled in (self._before, self._after) if code in compiled.plans)
        return any(self._begun.intersection(compiled.feeds(code)) for compiled in editions)

    def _is_candidate(self, indicator: Indicator) -> bool:
        """Return whether the row's computation waits as a candidate already, from an earlier load."""
        definition = self._stored.candidate.get(indicator.code)
        if definition is None:
            return False
        waiting, _ = read_definitions([definition], load_feeds())
        same = compare_catalogues(waiting, {indicator.code: indicator}).change(indicator.code)
        return same in ("unchanged", "reworded")

    def _retire_gone(self) -> int:
        """Retire rows that the catalogue no longer has; what a live formula still needs leaves with the swap."""
        for code in self._stored.candidate.keys() - self._catalogue.indicators.keys():
            self._withdraw(code)
        gone = self._stored.live.keys() - self._catalogue.indicators.keys()
        # Of the codes that stay, those that were not replaced at once are still computed as before.
        unneeded = _unneeded(gone, self._before, self._replaced)
        self._retire(sorted(unneeded))
        kept = sorted(gone - unneeded - self._stored.leaving)
        if kept:
            self._connection.execute(self._queries["set_leaving"], [True, kept])
        return len(unneeded)

    def _retire(self, codes: list[str]) -> None:
        if any(code in self._stored.live for code in codes):
            self._connection.execute(self._queries["retire_indicators"], [codes])
            self._written = True

    def _withdraw(self, code: str) -> None:
        if code in self._stored.candidate:
            self._connection.execute(self._queries["withdraw_candidate"], [code])
            self._written = True

    def _insert(self, indicator: Indicator, *, live: bool) -> None:
        self._connection.execute(self._queries["insert_indicator"], {**_row(indicator), "live": live})
        self._written = True
        if live:
            self._replaced.add(indicator.code)

    def _reword(self, indicator: Indicator, *, candidate: bool) -> None:
        self._written = True
        self._connection.execute(self._queries["update_indicator"], {**_row(indicator), "candidate": candidate})


def _unneeded(gone: Iterable[str], compiled: Compiled, besides: Iterable[str] = ()) -> set[str]:
    """Return the codes that only others of the set, or `besides`, use: no other indicator needs them any more."""
    codes = set(gone)
    nothing = codes.union(besides)
    return {code for code in codes if compiled.dependents(code) <= nothing}


def _read(definitions: Iterable[Definition]) -> dict[str, Indicator]:
    indicators, problems = read_definitions(definitions, load_feeds())
    if problems.found:
        raise ConfigError(
            "the catalogue in the database does not fit the feeds of this version; run `ioc profile load`:\n"
            + "\n".join(problems.found[:10])
        )
    return indicators


def _read_stored(connection: psycopg.Connection) -> _Stored:
    rows = _current(connection)
    return _Stored(
        live={row.code: row.definition for row in rows if not row.candidate},
        candidate={row.code: row.definition for row in rows if row.candidate},
        leaving=frozenset(row.code for row in rows if row.leaving),
    )


def _current(connection: psycopg.Connection) -> list[_CurrentRow]:
    cursor = connection.cursor(row_factory=class_row(_CurrentRow))
    return cursor.execute(load_queries("catalogue")["select_current"]).fetchall()


def _row(indicator: Indicator) -> dict[str, object]:
    target = indicator.target
    return {
        "code": indicator.code,
        "sector": indicator.sector,
        "kind": indicator.kind,
        "definition": json.dumps(dict(indicator.definition), ensure_ascii=False),
        "name_vi": indicator.name_vi,
        "name_en": indicator.name_en,
        "unit": indicator.unit,
        "owner": indicator.owner,
        "cadence": indicator.cadence,
        "direction": indicator.direction,
        "target_op": target.op if target else None,
        "target": target.value if target else None,
        "target_on": target.on if target else None,
    }
