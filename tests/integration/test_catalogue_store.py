"""The catalogue in the database: loaded twice it changes nothing, and what it cannot count it refuses."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest
from testbed.feed_event import stay
from testbed.pipeline import Pipeline

from ioc.catalogue import Catalogue, load_catalogue
from ioc.catalogue.store import load_measures, load_slots, sync_catalogue
from ioc.errors import CatalogueChangedError, ConfigError
from ioc.feed import Feed
from ioc.profile import catalogue_directory
from ioc.settings import Settings


@pytest.fixture
def catalogue(settings: Settings, feeds: dict[str, Feed]) -> Catalogue:
    return load_catalogue(catalogue_directory(settings.profile), feeds)


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
    before = load_slots(db)
    assert sync_catalogue(db, changed(catalogue, "lodging.guests.total", name_en="Guests of all kinds")).reworded == 1
    assert load_slots(db) == before
    row = db.execute("SELECT version, name_en FROM indicator WHERE code = 'lodging.guests.total' AND live").fetchone()
    assert row == (1, "Guests of all kinds")


def test_a_new_computation_is_a_new_version_with_a_slot_of_its_own(
    db: psycopg.Connection, catalogue: Catalogue
) -> None:
    before = load_slots(db)["lodging"]
    change = sync_catalogue(db, changed(catalogue, "lodging.guests.total", where="sex = 'male' AND age_years > 77"))
    assert (change.changed, change.measures) == (1, 1)
    after = load_slots(db)["lodging"]
    assert after["lodging.guests.total"] not in before.values()
    versions = db.execute(
        "SELECT version, live FROM indicator WHERE code = 'lodging.guests.total' ORDER BY 1"
    ).fetchall()
    assert versions == [(1, False), (2, True)]


def test_a_row_that_is_gone_is_retired_and_its_slot_is_not_given_away(
    db: psycopg.Connection, catalogue: Catalogue
) -> None:
    slot = load_slots(db)["petrol"]["petrol.litres_per_sale"]
    fewer = {code: row for code, row in catalogue.indicators.items() if code != "petrol.litres_per_sale"}
    assert sync_catalogue(db, replace(catalogue, indicators=fewer)).retired == 1
    assert slot not in load_slots(db)["petrol"].values()
    assert sync_catalogue(db, catalogue).added == 1
    assert load_slots(db)["petrol"]["petrol.litres_per_sale"] != slot


def test_processes_that_loaded_another_catalogue_stop_before_they_write(
    db: psycopg.Connection, catalogue: Catalogue, pipeline: Pipeline
) -> None:
    sync_catalogue(db, changed(catalogue, "lodging.guests.total", where="sex = 'male' AND age_years > 77"))
    with pytest.raises(CatalogueChangedError, match=r"tourism\.stay"):
        pipeline.send("tourism.stay", [stay()])
    with pytest.raises(CatalogueChangedError, match="roll-up"):
        pipeline.roll_up()
    assert db.execute("SELECT count(*) FROM tourism_stay").fetchone() == (0,)


def test_what_would_miss_older_records_is_refused(
    db: psycopg.Connection, catalogue: Catalogue, pipeline: Pipeline
) -> None:
    pipeline.send("tourism.stay", [stay()])
    known = len(load_measures(db))
    with pytest.raises(ConfigError, match=r"tourism\.stay.*age_years > 77"):
        sync_catalogue(db, changed(catalogue, "lodging.guests.total", where="sex = 'male' AND age_years > 77"))
    assert len(load_measures(db)) == known
