"""The systems of the province: the modules of `deploy/simulator/systems/`, one a feed."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from deploy.simulator import systems
from deploy.simulator.entry import Entry
from ioc.catalogue import Indicator
from ioc.errors import ConfigError
from ioc.feeds.feed import load_feeds
from ioc.province.reporter import REGISTER_FEED
from streams.rules.quality import codes


def _entries() -> Iterator[Entry]:
    for module_info in pkgutil.iter_modules(systems.__path__):
        entry: Entry = importlib.import_module(f"{systems.__name__}.{module_info.name}").ENTRY
        if entry.feed.replace(".", "_") != module_info.name:
            raise ConfigError(
                f"deploy/simulator/systems/{module_info.name}.py simulates {entry.feed}; its file must be "
                f"{entry.feed.replace('.', '_')}.py"
            )
        yield entry


# Those that send most come first.
ROSTER: Final = tuple(sorted(_entries(), key=lambda entry: (-entry.share, entry.feed)))
FEEDS: Final = tuple(entry.feed for entry in ROSTER)
WITNESSES: Final = {entry.feed: entry.witness for entry in ROSTER}


def of_agencies(indicators: Iterable[Indicator]) -> list[Indicator]:
    """Return the rows that agencies report; what the platform measures of itself it reports (docs/quality.md)."""
    measured = codes(load_feeds())
    return [row for row in indicators if row.kind == "reported" and row.code not in measured]


# Publisher -> the feeds that it sends.
PUBLISHERS: Final[Mapping[str, tuple[str, ...]]] = {
    "register": (REGISTER_FEED,),
    **{
        publisher: tuple(entry.feed for entry in ROSTER if entry.publisher == publisher)
        for publisher in dict.fromkeys(entry.publisher for entry in ROSTER)
    },
}
