"""Loading a profile into the database: areas, reporters and the catalogue, in one transaction."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

from ioc.catalogue import Catalogue
from ioc.catalogue.store import CatalogueChange, lock_edition, read_epoch, sync_catalogue
from ioc.catalogue.target import load_targets
from ioc.command.act import note_change
from ioc.database.connection import connect, translated_errors
from ioc.errors import ConfigError
from ioc.feeds.feed import load_feeds
from ioc.province.calendar import load_calendar
from ioc.province.deadline import load_deadlines
from ioc.province.profile import TARGETS, Profile, check_agencies
from ioc.province.reporter import over_time
from ioc.province.target_store import TargetChange, load_business_days, sync_targets
from ioc.settings import Settings
from ioc.territory.area import FOREVER, LEVELS
from ioc.territory.placement import ALWAYS, carry_overs, placements
from sql import load_queries


@dataclass(frozen=True)
class Loaded:
    """What the database now holds of the profile.

    units_changed: units nest or follow one another otherwise than before; what is stored has to be counted again
                   (`ioc rebuild --recount`).
    """

    areas: int
    reporters: int
    catalogue: CatalogueChange
    units_changed: bool
    targets: TargetChange


def load_into_database(settings: Settings, profile: Profile, catalogue: Catalogue) -> Loaded:
    """Bring the database to the profile; running it again changes nothing.

    Raises ConfigError where the database holds another province's data.
    """
    check_agencies(profile, catalogue)
    calendar = load_calendar(settings.profile)
    deadlines = load_deadlines(settings.profile, load_feeds(), calendar, ZoneInfo(profile.timezone))
    with connect(settings, "owner") as connection, translated_errors():
        lock_edition(connection)
        _claim(connection, settings, profile)
        before = _describe(connection)
        note_change(subject=profile.code, before={"epoch": read_epoch(connection)})
        units_changed = _load_areas(connection, profile)
        reporters = _load_reporters(connection, profile)
        if _describe(connection) != before:
            connection.execute(load_queries("catalogue")["bump_epoch"])
        change = sync_catalogue(connection, catalogue)
        targets = sync_targets(connection, load_targets(catalogue, settings.profile / TARGETS), profile.areas)
        load_business_days(connection, calendar, deadlines)
        _load_small_cells(connection, settings, catalogue)
    return Loaded(len(profile.areas), reporters, change, units_changed, targets)


def _load_small_cells(connection: psycopg.Connection, settings: Settings, catalogue: Catalogue) -> None:
    """Write which sectors' small counts are hidden; where that changes, every cell of them is looked at again."""
    queries = load_queries("disclosure")
    named = connection.cursor(row_factory=dict_row)
    before = {row["sector"]: (row["below"], row["units"]) for row in named.execute(queries["select_rules"])}
    below, units = settings.small_cell_below, sorted(catalogue.guarded_units)
    wanted = {sector: (below, units) for sector in catalogue.guarded_sectors if below > 1}
    changed = [sector for sector in {**before, **wanted} if before.get(sector) != wanted.get(sector)]
    if not changed:
        return
    connection.execute(queries["clear_rules"], {"sectors": [*wanted]})
    for sector in wanted:
        connection.execute(queries["set_rule"], {"sector": sector, "below": below, "units": units})
    connection.execute(queries["forget_decided"], {"sectors": changed})
    connection.execute(queries["mark_sectors"], {"sectors": changed})


def check_province(connection: psycopg.Connection, settings: Settings, profile: Profile) -> None:
    """Raise ConfigError where the database holds another province's data; one that holds none yet is anybody's."""
    held = connection.cursor(row_factory=dict_row).execute(load_queries("profile")["select_profile"]).fetchone()
    if held is not None and held["code"] != profile.code:
        raise ConfigError(
            f"database {settings.db_name} holds the data of {held['name_vi']} ({held['code']}), IOC_PROFILE names "
            f"that of {profile.name_vi} ({profile.code}). A province has a database of its own: set IOC_PROFILE to the "
            "former's directory, or IOC_DB_NAME to another database and run `ioc db migrate` and `ioc profile load`."
        )


def _claim(connection: psycopg.Connection, settings: Settings, profile: Profile) -> None:
    row = {"code": profile.code, "name_vi": profile.name_vi, "name_en": profile.name_en}
    connection.execute(load_queries("profile")["claim"], row)
    check_province(connection, settings, profile)


def _load_areas(connection: psycopg.Connection, profile: Profile) -> bool:
    """Write the units and how they follow one another; return whether that is other than it was."""
    rows = [asdict(area) for area in profile.areas.areas]
    rows.sort(key=lambda row: LEVELS.index(row["level"]))  # parents first
    queries = load_queries("profile")
    before = connection.execute(queries["describe_areas"]).fetchone()
    connection.cursor().executemany(queries["upsert_area"], rows)
    connection.execute(queries["clear_placement"])
    with connection.cursor().copy(queries["copy_places"]) as copy:
        for placement in placements(profile.areas):
            copy.write_row((placement.area_id, _day(placement.since), _day(placement.until), placement.unit_id))
    with connection.cursor().copy(queries["copy_carry_overs"]) as copy:
        for one in carry_overs(profile.areas):
            copy.write_row((one.origin_id, one.area_id, _day(one.since)))
    return before != (None,) and connection.execute(queries["describe_areas"]).fetchone() != before


def _describe(connection: psycopg.Connection) -> tuple[object, ...] | None:
    """Return areas and reporters as hashes: processes that loaded others start again."""
    return connection.execute(load_queries("profile")["describe_territory"]).fetchone()


def _day(day: date) -> date | str:
    """Return a day as PostgreSQL knows it: before and after all days are infinities there."""
    return {ALWAYS: "-infinity", FOREVER: "infinity"}.get(day, day)


def _load_reporters(connection: psycopg.Connection, profile: Profile) -> int:
    queries = load_queries("profile")
    feeds: dict[str, int] = dict(connection.execute(queries["select_feed_ids"]).fetchall())
    unknown = sorted({reporter.feed for reporter in profile.reporters} - feeds.keys())
    if unknown:
        raise ConfigError(
            f"the profile has reporters of {', '.join(unknown)}, which the database does not know: run `ioc db migrate`"
        )
    connection.execute(queries["stage_reporters"])
    with connection.cursor().copy(queries["copy_reporters"]) as copy:
        for reporter in over_time(profile.reporters, profile.areas):
            attributes = json.dumps(dict(reporter.attributes), ensure_ascii=False)
            copy.write_row(
                (
                    feeds[reporter.feed],
                    reporter.code,
                    reporter.name,
                    reporter.area_code,
                    attributes,
                    reporter.valid_from,
                    reporter.valid_to,
                )
            )
    connection.execute(queries["remove_reporters"])
    connection.execute(queries["set_reporters"])
    return len(profile.reporters)
