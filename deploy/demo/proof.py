"""The proof beyond the counts: stored values against their recompute, records against the simulator."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from psycopg import sql as pg
from psycopg.rows import dict_row

from deploy.demo.account import Proof
from deploy.demo.reading import SnapshotReader
from deploy.simulator.ledger import Ledger, WinningRevision, digest_of
from ioc.database.connection import connect, translated_errors
from ioc.feeds.feed import Feed
from ioc.settings import Settings
from streams.proof.reconcile import reconcile

_FETCH = 5000
# Witness figures are whole numbers; an indicator shows them in its unit. Millilitres -> litres.
_PATIENCE = 30.0  # seconds for a moment in which nothing waits to be folded
_UNITS = {"petrol.volume.total": 1000}


def prove(
    settings: Settings, feeds: Mapping[str, Feed], reader: SnapshotReader, ledger: Ledger, known: Collection[str]
) -> Proof:
    """Compare everything; agents and roll-up must have caught up.

    known: codes of the province's catalogue; it need not have all that the simulator can foretell.
    """
    result = reconcile(settings, patience=_PATIENCE)
    differences = [
        f"{d.what}, {d.period} {d.bucket}, area {d.area_id}: stored {d.stored}, recomputed {d.recomputed}"
        for d in result.differences
    ]
    if result.waiting:
        differences.append(f"{result.waiting} contributions still wait to be folded; no sum was compared")
    records = 0
    with connect(settings, "reader") as connection, translated_errors():
        for feed in feeds.values():
            names = [column.name for column in feed.model_columns]
            query = pg.SQL("SELECT record_key, revision, {} FROM {}").format(
                pg.SQL(", ").join(map(pg.Identifier, names)), pg.Identifier(feed.table)
            )
            with connection.cursor(name="records", row_factory=dict_row) as cursor:
                cursor.itersize = _FETCH
                cursor.execute(query)
                winning = ledger.winning.get(feed.key, {})
                records += len(winning)
                differences += compare_records(feed, winning, cursor)
    witnesses = {code: total for code, total in ledger.witnesses().items() if code in known}
    differences += compare_totals(witnesses, reader.province_totals(list(witnesses)))
    return Proof(records, result.cells, result.figures, len(witnesses), tuple(differences))


def compare_records(
    feed: Feed, winning: Mapping[str, WinningRevision], rows: Iterator[dict[str, Any]]
) -> Iterator[str]:
    """Yield a line for each record that is not stored as the simulator expects.

    rows: `record_key`, `revision` and the model's columns of every stored record.
    """
    missing = set(winning)
    for row in rows:
        key = row["record_key"]
        expected = winning.get(key)
        if expected is None:
            yield f"{feed.key} {key}: stored, but it should not stand"
            continue
        missing.discard(key)
        if row["revision"] != expected.revision:
            yield f"{feed.key} {key}: revision {row['revision']} is stored, {expected.revision} should stand"
        elif digest_of(feed, row) != expected.content:
            yield f"{feed.key} {key}: revision {expected.revision} is stored with other content"
    for key in sorted(missing):
        yield f"{feed.key} {key}: not stored"


def compare_totals(witnesses: Mapping[str, int], stored: Mapping[str, float]) -> Iterator[str]:
    """Yield a line for each province total that is not the simulator's own sum."""
    for code, expected in witnesses.items():
        unit = _UNITS.get(code, 1)
        found = stored.get(code)
        if found is None:
            yield f"{code}: no value is stored for the province, the simulator counts {expected / unit:,}"
        elif round(found * unit) != expected:
            yield f"{code}: the province's value is {found:,}, the simulator counts {expected / unit:,}"
