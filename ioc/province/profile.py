"""A profile: one province's data (areas, reporters, registers), a directory that `IOC_PROFILE` names."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ioc.catalogue import DATA, Catalogue, Sector, load_catalogue
from ioc.catalogue.indicator import REPORT_FEED
from ioc.catalogue.loading import read_english_names, read_sectors
from ioc.catalogue.target import with_targets
from ioc.errors import ConfigError
from ioc.feeds.declared.registry_reporter import RegistryReporter, Word
from ioc.feeds.event import ReporterCode
from ioc.feeds.feed import Feed, load_feeds
from ioc.province.reporter import REGISTER_FEED, Reporter, load_reporters
from ioc.table import is_there
from ioc.territory.area import FOREVER, AreaTree, load_areas

TARGETS = "targets.csv"
NonEmptyText = Annotated[str, StringConstraints(min_length=1)]


def _check_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; "../x"; a directory of the zones, such as "Asia"
        raise ValueError(f"{name!r} is no time zone of the IANA database, such as Asia/Ho_Chi_Minh") from None
    return name


TimezoneName = Annotated[str, AfterValidator(_check_timezone)]


class ProfileFile(BaseModel):
    """What `profile.toml` holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    name_vi: NonEmptyText
    name_en: NonEmptyText
    timezone: TimezoneName
    language: NonEmptyText
    province_code: NonEmptyText
    simulated: bool
    note_vi: str = ""
    note_en: str = ""
    registers: dict[Word, ReporterCode]
    min_cases: Annotated[int, Field(ge=0, le=1_000_000)] = 10


@dataclass(frozen=True)
class Profile:
    """A province.

    registers: register -> the agency, a reporter of `registry.reporter`, that keeps it.
    min_cases: a rate over fewer cases (dossiers, doses, ratings of the period) is not said to lag.
    """

    code: str
    name_vi: str
    name_en: str
    timezone: str
    language: str
    province_code: str
    simulated: bool
    note_vi: str
    note_en: str
    registers: dict[str, str]
    min_cases: int
    areas: AreaTree
    reporters: tuple[Reporter, ...]


def load_profile(path: Path) -> Profile:
    """Read a profile's directory; raises ConfigError naming file, row and column and saying what to correct."""
    file = path / "profile.toml"
    try:
        head = ProfileFile.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ConfigError(f"{file} does not exist; IOC_PROFILE must name a profile's directory") from None
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"{file}: {wrong}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: {error}") from error
    except OSError as error:
        raise ConfigError(f"{str(file)[:200]}: {error.strerror}") from error
    areas = load_areas(path / "areas.csv")
    reporters = load_reporters(path, load_feeds(), areas, head.registers)
    keepers = {reporter.code for reporter in reporters if reporter.feed == REGISTER_FEED}
    unknown = sorted(set(head.registers.values()) - keepers)
    if unknown:
        raise ConfigError(f"{file} [registers]: {', '.join(unknown)} must be a reporter of {REGISTER_FEED}; add a row")
    return Profile(**dict(head), areas=areas, reporters=reporters)


def registry_events(profile: Profile) -> Iterator[tuple[str, RegistryReporter]]:
    """Yield (agency's code, entry) for each place of each register, as `registry.reporter` takes it."""
    places = {reporter.code: reporter for reporter in profile.reporters if reporter.registers}
    columns = RegistryReporter.model_fields
    for place in places.values():
        for register in place.registers:
            yield (
                profile.registers[register],
                RegistryReporter.model_validate(
                    {name: value for name, value in place.attributes.items() if name in columns}
                    | {
                        "registry": register,
                        "place_id": place.code,
                        "area_code": place.area_code,
                        "opened_on": place.valid_from,
                        "closed_on": None if place.valid_to == FOREVER else place.valid_to,
                    }
                ),
            )


def catalogue_directory(profile: Path) -> Path:
    """Return where a profile's catalogue is: its own `catalogue/`, or else the one that comes with the project."""
    own = profile / "catalogue"
    return own if own.is_dir() else DATA


def load_profile_catalogue(profile: Path, feeds: Mapping[str, Feed]) -> Catalogue:
    """Read a profile's catalogue with the province's targets; raises ConfigError telling every mistake.

    It is the profile's own `catalogue/`, or else the one that comes with the project; `targets.csv` may set targets.
    """
    catalogue = load_catalogue(catalogue_directory(profile), feeds)
    targets = profile / TARGETS
    return with_targets(catalogue, targets) if is_there(targets) else catalogue


def check_agencies(profile: Profile, catalogue: Catalogue) -> None:
    """Raise ConfigError where no reporter in the register can report an indicator that agencies report.

    The first owner of such a row answers for it, and is the reporter of that name.
    """
    known = {reporter.name for reporter in profile.reporters if reporter.feed == REPORT_FEED}
    unknown: dict[str, list[str]] = {}
    for indicator in catalogue.indicators.values():
        if indicator.kind == "reported" and indicator.owners[0] not in known:
            unknown.setdefault(indicator.owners[0], []).append(indicator.code)
    if unknown:
        told = "; ".join(f"{owner} ({len(codes)}: {', '.join(codes[:3])})" for owner, codes in unknown.items())
        raise ConfigError(
            f"no reporter of {REPORT_FEED} bears the name of the agency that answers for these indicators: {told}. "
            "Add it to the profile's reporters_report.csv under this very name, or name another owner first in the "
            "catalogue"
        )


def load_sectors(profile: Path) -> Mapping[str, Sector]:
    """Return the names of the sectors of a profile's catalogue."""
    own = profile / "catalogue"
    return read_sectors(own if own.is_dir() else DATA)


def load_english_names(profile: Path) -> Mapping[str, str]:
    """Return the English names of a profile's units and owners, by the Vietnamese ones; raises ConfigError."""
    own = profile / "catalogue"
    return read_english_names(own if own.is_dir() else DATA)
