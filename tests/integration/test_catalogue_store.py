"""The catalogue in the database: loaded twice it changes nothing, and what it cannot count it refuses."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest
from testbed.feed_event import stay
from testbed.pipeline import Pipeline

from ioc.catalogue import Catalogue
from ioc.catalogue.store import load_editions, load_measures, sync_catalogue
from ioc.errors import CatalogueChangedError


def changed(catalogue: Catalogue, code: str, **columns: str) -> Catalogue:
    """The catalogue with one row written otherwise."""
    row = catalogue.indicators[code]
    definition = {**row.definition, **columns}
    return replace(catalogue, indicators={**catalogue.indicators, code: replace(row, definition=definition, **columns)})


def test_loading_again_changes_nothing(db: psycopg.Connection, catalogue: Catalogue) -> None:
    change = sync_catalogue(db, catalogue)
    assert change.unchanged == len(catalogue.indicators)
    assert (change.added, change.changed, change.reworded, change.retired, change.measures) == (0, 0, 0, 0, 0)


def test_new_words_keep_the_version_and_the_slot(db: psycopg.Connection, catalogue: Catalogue) -> None:
    before = load_editions(db).live.slots
    assert sync_catalogue(db, changed(catalogue, "lodging.guests.total", name_en="Guests of all kinds")).reworded == 1
    assert load_editions(db).live.slots == before
    row = db.execute("SELECT version, name_en FROM indicator WHERE code = 'lodging.guests.total' AND live").fetchone()
    assert row == (1, "Guests of all kinds")


def test_a_new_computation_is_a_new_version_with_a_slot_of_its_own(
    db: psycopg.Connection, catalogue: Catalogue
) -> None:
    before = load_editions(db).live.slots["lodging"]
    change = sync_catalogue(db, changed(catalogue, "lodging.guests.total", where="sex = 'male' AND age_years > 77"))
    assert (change.changed, change.measures) == (1, 1)
    after = load_editions(db).live.slots["lodging"]
    assert after["lodging.guests.total"] not in before.values()
    versions = db.execute(
        "SELECT version, live FROM indicator WHERE code = 'lodging.guests.total' ORDER BY 1"
    ).fetchall()
    assert versions == [(1, False), (2, True)]


def test_a_row_that_is_gone_is_retired_and_its_slot_is_not_given_away(
    db: psycopg.Connection, catalogue: Catalogue
) -> None:
    slot = load_editions(db).live.slots["petrol"]["petrol.litres_per_sale"]
    fewer = {code: row for code, row in catalogue.indicators.items() if code != "petrol.litres_per_sale"}
    assert sync_catalogue(db, replace(catalogue, indicators=fewer)).retired == 1
    assert slot not in load_editions(db).live.slots["petrol"].values()
    assert sync_catalogue(db, catalogue).added == 1
    assert load_editions(db).live.slots["petrol"]["petrol.litres_per_sale"] != slot


def test_processes_that_loaded_another_catalogue_stop_before_they_write(
    db: psycopg.Connection, catalogue: Catalogue, pipeline: Pipeline
) -> None:
    sync_catalogue(db, changed(catalogue, "lodging.guests.total", where="sex = 'male' AND age_years > 77"))
    with pytest.raises(CatalogueChangedError, match=r"tourism\.stay"):
        pipeline.send("tourism.stay", [stay()])
    with pytest.raises(CatalogueChangedError, match="roll-up"):
        pipeline.roll_up()
    assert db.execute("SELECT count(*) FROM tourism_stay").fetchone() == (0,)


def test_a_row_whose_feed_holds_records_waits_beside_the_live_one(
    db: psycopg.Connection, catalogue: Catalogue, pipeline: Pipeline
) -> None:
    """With it wait the rows whose formulas use it; names and the live figures stay as they are."""
    pipeline.send("tourism.stay", [stay()])
    men = changed(catalogue, "lodging.guests.total", where="sex = 'male' AND age_years > 77")
    change = sync_catalogue(db, men)
    editions = load_editions(db)
    assert editions.next is not None
    followers = editions.live.compiled.dependents("lodging.guests.total")
    assert set(editions.candidates) == followers | {"lodging.guests.total"} and followers
    assert (change.changed, change.waiting, change.measures) == (len(followers) + 1, len(followers) + 1, 1)
    assert editions.live.slots == load_editions(db).live.slots
    assert [stored.complete for stored in load_measures(db) if "age_years > 77" in stored.measure.condition] == [False]
    again = sync_catalogue(db, men)
    assert (again.changed, again.added, again.waiting) == (0, 0, len(followers) + 1)
    assert load_editions(db).epoch == editions.epoch


def test_a_new_measure_waits_for_the_batches_that_are_being_written(
    db: psycopg.Connection, catalogue: Catalogue, pipeline: Pipeline
) -> None:
    """A batch that does not know the measure is committed before the measure is, or not at all."""
    pipeline.send("tourism.stay", [stay()])
    men = changed(catalogue, "lodging.guests.total", where="sex = 'male' AND age_years > 77")
    with pipeline.connection.transaction():
        pipeline.rows("SELECT next_offset FROM stream_position FOR UPDATE")
        with pytest.raises(psycopg.errors.LockNotAvailable), db.transaction():
            db.execute("SET LOCAL lock_timeout = '300ms'")
            sync_catalogue(db, men)
    with db.transaction():
        assert sync_catalogue(db, men).measures == 1


def test_a_change_that_is_taken_back_waits_no_more(
    db: psycopg.Connection, catalogue: Catalogue, pipeline: Pipeline
) -> None:
    pipeline.send("tourism.stay", [stay()])
    before = load_editions(db)
    sync_catalogue(db, changed(catalogue, "lodging.guests.total", where="sex = 'male' AND age_years > 77"))
    assert sync_catalogue(db, catalogue).waiting == 0
    after = load_editions(db)
    assert (after.next, after.live.slots) == (None, before.live.slots)
    assert after.epoch > before.epoch


def test_a_row_that_is_gone_stays_while_a_live_formula_needs_it(
    db: psycopg.Connection, catalogue: Catalogue, pipeline: Pipeline
) -> None:
    """The share is to be computed without the total, but is live as it was until the rebuild."""
    pipeline.send("tourism.stay", [stay()])
    code, total = "lodging.international_share", "lodging.guests.total"
    needed = set(load_editions(db).live.compiled.dependents(total))
    fewer = {c: row for c, row in catalogue.indicators.items() if c not in needed | {total}}
    share = changed(catalogue, code, formula="100 * lodging.guests.international / lodging.guests.domestic")
    assert code in needed
    later = replace(catalogue, indicators=fewer | {code: share.indicators[code]})
    sync_catalogue(db, later)
    row = db.execute("SELECT live, leaving FROM indicator WHERE code = %s AND live", [total]).fetchone()
    assert row == (True, True)
    editions = load_editions(db)
    assert editions.next is not None and total not in editions.next.indicators and total in editions.live.indicators
