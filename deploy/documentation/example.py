"""Example files of every format: what the simulator's systems write (deploy/simulator/native), of nobody."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache

from deploy.simulator.calendar import HOURS, VIETNAM
from deploy.simulator.ledger import ExpectedOutcome
from deploy.simulator.native.export import native_files
from deploy.simulator.native.file import Desk
from deploy.simulator.province import Province
from deploy.simulator.rates import FAULTS, Rates
from deploy.simulator.record import Life
from deploy.simulator.roster import of_agencies
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile, load_profile_catalogue
from ioc.settings import Settings

_RECORDS = 12
_HOURLY = 150
_WRITTEN_AT = datetime(2024, 10, 5, 18, tzinfo=VIETNAM)


@cache
def example_files() -> Mapping[str, bytes]:
    """Return the files of `docs/feeds/examples/` by path: `<format>/<file>`, the same whenever they are made."""
    home = Settings.model_fields["profile"].default
    rows = load_profile_catalogue(home, load_feeds()).indicators.values()
    no_faults = Rates(**dict.fromkeys(FAULTS, 0.0))
    province = Province(load_profile(home), rates=no_faults, indicators=of_agencies(rows))
    known: defaultdict[str, dict[str, Life]] = defaultdict(dict)
    for one in [*province.register(), *(one for _ in range(HOURS) for one in province.tick(_HOURLY))]:
        if one.outcome in (ExpectedOutcome.NEW, ExpectedOutcome.CORRECTED):
            subject = one.event["subject"]
            known[one.feed][subject] = Life(one.reporter, subject.partition("/")[2], one.event["data"])
    lives = {feed: list(found.values()) for feed, found in known.items()}
    made = native_files(lives, Desk(_WRITTEN_AT, _pseudonym), at_most=_RECORDS)
    return {f"{name}/{file.name}": file.content for name, file in made}


def _pseudonym(domain: str, identifier: str, on: date | None) -> str:
    """A pseudonym under no key: what the files mean is not written here."""
    return f"k1:{hashlib.sha256(f'{domain}/{identifier}/{on}'.encode()).hexdigest()[:32]}"
