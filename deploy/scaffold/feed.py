"""What a new feed needs, written into the checkout: module, migration, samples, simulator, reporter, page.

What is written runs and passes the conformance suite as it is; the record's fields are an example to be replaced
(docs/adding-a-feed.md).
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from string import Template
from typing import Any

from deploy.documentation import feed_page
from deploy.simulator.calendar import DAYS, FIRST_DAY
from ioc.errors import ConfigError
from ioc.feeds.event import event_json
from ioc.feeds.feed import Feed, load_feeds
from ioc.feeds.record_table import create_statements
from ioc.province.profile import Profile, load_profile
from ioc.settings import ROOT, Settings
from sql import load_migrations

_KEY = re.compile(r"[a-z][a-z0-9]{0,23}\.[a-z][a-z0-9_]{0,23}")
_TEMPLATES = Path(__file__).parent / "templates"
_SINCE = date(2022, 1, 1)


@dataclass(frozen=True)
class NewFeed:
    """A feed that is to be: its key, how it is called, and after how much silence it is stale."""

    key: str
    name_vi: str
    name_en: str
    cadence: timedelta

    @property
    def table(self) -> str:
        """Name of its table, module and simulator."""
        return self.key.replace(".", "_")

    @property
    def class_name(self) -> str:
        """Name of its record: `water.usage` gives `WaterUsage`."""
        return "".join(word.capitalize() for word in self.table.split("_"))

    @property
    def reporter(self) -> str:
        """Code of its first reporter."""
        return f"{self.table.replace('_', '-')}-01"


def write_feed(new: NewFeed) -> list[Path]:
    """Write the files and the page of feeds anew; return what was written, in the order in which to read it.

    Raises ConfigError where the key is no key, a feed or table of that name exists, a file is in the way, or the code
    does not run from a checkout; nothing is written then.
    """
    require_new(new)
    files = dict(_files(new))
    taken = [path for path in files if path.exists()]
    if taken:
        raise ConfigError(f"{', '.join(map(str, taken))}: in the way; choose another name, or remove it")
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    migration = ROOT / "sql" / "migrations" / f"{_next_number():04d}_{new.table}.sql"
    importlib.invalidate_caches()
    feeds = load_feeds()
    migration.write_text(_migration(feeds[new.key]), encoding="utf-8")
    page = ROOT / "docs" / "feeds.md"
    page.write_text(feed_page(feeds), encoding="utf-8")
    return [*files, migration, page]


def require_new(new: NewFeed) -> None:
    """Raise ConfigError where this cannot be a new feed of the checkout; write nothing."""
    if not _KEY.fullmatch(new.key):
        raise ConfigError(
            f"{new.key!r} is no key of a feed; write DOMAIN.RECORD in small letters and digits, _ in RECORD only, "
            "at most 24 characters each, e.g. water.meter_reading"
        )
    for name in (new.name_vi, new.name_en):
        if not name or not name.isprintable() or '"' in name or "\\" in name:
            raise ConfigError(f"{name!r} is no name of a feed; write one line without quotes and backslashes")
    if new.name_vi == new.name_en:
        raise ConfigError("name the feed in Vietnamese (--name-vi) and in English (--name-en)")
    if not (ROOT / "tests" / "samples" / "feeds").is_dir():
        raise ConfigError(f"{ROOT} is no checkout of the project (it has no tests/samples/feeds); run this in one")
    if new.key in load_feeds():
        raise ConfigError(f"there is a feed {new.key} already; `ioc feed list` shows them all")
    tables = {name for m in load_migrations() for name in re.findall(r"CREATE (?:TABLE|VIEW) (\w+)", m.text)}
    if new.table in tables:
        raise ConfigError(f"there is a table {new.table} already; choose another key")


def _files(new: NewFeed) -> Iterator[tuple[Path, str]]:
    words = {
        "key": new.key,
        "domain": new.key.partition(".")[0],
        "class_name": new.class_name,
        "name_vi": new.name_vi,
        "name_en": new.name_en,
        "cadence_hours": f"{new.cadence.total_seconds() / 3600:g}",
        "stranger": f"{new.table.replace('_', '-')}-999",
    }
    profile_directory: Path = Settings.model_fields["profile"].default
    declared, systems = ROOT / "ioc" / "feeds" / "declared", ROOT / "deploy" / "simulator" / "systems"
    yield declared / f"{new.table}.py", _filled("feed.py.txt", words)
    yield ROOT / "tests" / "samples" / "feeds" / f"{new.key}.json", _samples(new)
    yield systems / f"{new.table}.py", _filled("system.py.txt", words)
    yield profile_directory / f"reporters_{new.table}.csv", _reporters(new, load_profile(profile_directory))


def _filled(template: str, words: dict[str, str]) -> str:
    return Template((_TEMPLATES / template).read_text(encoding="utf-8")).substitute(words)


def _next_number() -> int:
    return max(migration.number for migration in load_migrations()) + 1


def _migration(feed: Feed) -> str:
    return f"-- {feed.name_en}.\n{create_statements(feed)}"


def _reporters(new: NewFeed, profile: Profile) -> str:
    """A register of one: a reporter in the first unit that is there through the simulated month."""
    last = FIRST_DAY + timedelta(days=DAYS)
    leaves = [profile.areas.leaf(area.code, _SINCE) for area in profile.areas.areas if area.valid_to > last]
    found = next((area for area in leaves if area is not None), None)
    if found is None:
        raise ConfigError(f"profile {profile.code} has no unit that is there from {_SINCE} to {last}")
    name = f"Đơn vị báo cáo: {new.name_vi}".replace('"', "")
    return (
        "feeds,registers,code,name,area_code,valid_from,valid_to\n"
        f'{new.key},,{new.reporter},"{name}",{found.code},{_SINCE.isoformat()},\n'
    )


def _samples(new: NewFeed) -> str:
    first, second = {"item_id": "A-0001", "amount": 12}, {"item_id": "A-0002", "amount": 3}
    october, september = {"occurred_on": "2024-10-07"}, {"occurred_on": "2024-09-28"}
    rows: list[tuple[str, str, int, dict[str, Any] | None, str | None]] = [
        ("valid", "an item", 1, {**first, **october}, None),
        ("valid", "another item", 1, {**second, **october}, None),
        ("corrected", "there was one more", 2, {**first, **october, "amount": 13}, None),
        ("late", "an item of September, sent in October", 1, {"item_id": "A-0000", **september, "amount": 1}, None),
        ("voided", "the other item was entered twice", 2, None, None),
        ("invalid", "less than nothing", 3, {**first, **october, "amount": -1}, "data.amount"),
        ("invalid", "a person's name", 3, {**first, **october, "name": "Nguyễn Văn A"}, "data.name"),
    ]
    samples = []
    for number, (case, what, revision, data, refused) in enumerate(rows, 1):
        item = second["item_id"] if data is None else data["item_id"]
        event = event_json(
            f"vn.ioc.{new.key}.v1",
            f"{new.reporter}/{item}",
            f"2024-10-{6 + number:02d}T08:00:00+07:00",
            event_id=f"sample-{number}",
            revision=revision,
            data=data,
        )
        samples.append({"case": case, "what": what, **({"refused_field": refused} if refused else {}), "event": event})
    return json.dumps(samples, ensure_ascii=False, indent=1) + "\n"
