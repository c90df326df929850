"""The catalogue in the database: slots for measures and indicators, given once and never again to another.

A row whose computation changes becomes a new version with a slot of its own, so that the old figures stay readable. A
measure that is new to a feed which already holds records would miss what came before it: such a catalogue is refused.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import psycopg

from ioc.catalogue.compilation import Compiled, compile_measures
from ioc.catalogue.indicator import Catalogue, Indicator
from ioc.catalogue.measure import Measure, StoredMeasure
from ioc.errors import ConfigError
from sql import load_queries

# What a figure is computed from; a change of anything else is a change of words.
_COMPUTATION = ("sector", "kind", "feed", "value", "where", "at", "until", "formula", "decimals")


@dataclass(frozen=True)
class CatalogueChange:
    """How many indicators a load added, changed (a new version), reworded, retired or left as they were."""

    added: int = 0
    changed: int = 0
    reworded: int = 0
    retired: int = 0
    unchanged: int = 0
    measures: int = 0


def sync_catalogue(connection: psycopg.Connection, catalogue: Catalogue) -> CatalogueChange:
    """Bring the tables to the catalogue within the caller's transaction; running it again changes nothing.

    Raises ConfigError when the catalogue counts something new of a feed that already holds records.
    """
    queries = load_queries("catalogue")
    connection.execute(queries["lock"])
    compiled = compile_measures(catalogue)
    measures = _sync_measures(connection, compiled)
    stored: dict[str, dict[str, str]] = {
        code: definition for code, _, definition in connection.execute(queries["select_live"]).fetchall()
    }
    counts = {"added": 0, "changed": 0, "reworded": 0, "unchanged": 0}
    for indicator in catalogue.indicators.values():
        change = _change(stored.get(indicator.code), indicator)
        counts[change] += 1
        if change == "changed":
            connection.execute(queries["retire_indicator"], [indicator.code])
        if change in ("added", "changed"):
            connection.execute(queries["insert_indicator"], {**_row(indicator), "live": True})
        elif change == "reworded":
            connection.execute(queries["update_indicator"], _row(indicator))
    gone = stored.keys() - catalogue.indicators.keys()
    for code in sorted(gone):
        connection.execute(queries["retire_indicator"], [code])
    return CatalogueChange(**counts, retired=len(gone), measures=measures)


def load_measures(connection: psycopg.Connection) -> list[StoredMeasure]:
    """Return all measures with their ids and slots, by feed and slot."""
    rows = connection.execute(load_queries("catalogue")["select_measures"]).fetchall()
    return [StoredMeasure(measure_id, slot, Measure(*columns)) for measure_id, slot, *columns in rows]


def load_slots(connection: psycopg.Connection) -> dict[str, dict[str, int]]:
    """Return the slot of each live indicator: sector -> code -> slot."""
    slots: dict[str, dict[str, int]] = {}
    for sector, code, slot in connection.execute(load_queries("catalogue")["select_slots"]).fetchall():
        slots.setdefault(sector, {})[code] = slot
    return slots


def _sync_measures(connection: psycopg.Connection, compiled: Compiled) -> int:
    """Give slots to measures that have none; return how many are new."""
    known = {stored.measure for stored in load_measures(connection)}
    fresh = [measure for measure in compiled.measures if measure not in known]
    queries = load_queries("catalogue")
    begun = {key for (key,) in connection.execute(queries["select_begun_feeds"]).fetchall()}
    late = [measure for measure in fresh if measure.feed in begun]
    if late:
        told = "; ".join(f"{m.kind} of {m.value} where {m.condition}" for m in late[:3])
        raise ConfigError(
            f"the catalogue counts {len(late)} things anew of feeds that already hold records "
            f"({', '.join(sorted({m.feed for m in late}))}): {told}. What came before would be missing from them. "
            "Load it into a new database and read the topics from the beginning, or leave these rows as they are."
        )
    for measure in fresh:
        connection.execute(queries["insert_measure"], asdict(measure))
    return len(fresh)


def _change(stored: dict[str, str] | None, indicator: Indicator) -> str:
    if stored is None:
        return "added"
    definition = dict(indicator.definition)
    if any(stored.get(name, "") != definition.get(name, "") for name in _COMPUTATION):
        return "changed"
    return "unchanged" if stored == definition else "reworded"


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
