"""The simulated systems, one a feed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

import pytest

from deploy.simulator.entry import Ground
from deploy.simulator.record import System
from deploy.simulator.roster import ROSTER
from deploy.simulator.territory import Population
from ioc.catalogue import Catalogue, Compiled, compile_measures
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile, load_profile_catalogue
from ioc.settings import Settings

Build = Callable[[str, int], System]


@pytest.fixture(scope="package")
def catalogue(feeds: Mapping[str, Feed]) -> Catalogue:
    return load_profile_catalogue(Settings(_env_file=None).profile, feeds)


@pytest.fixture(scope="package")
def compiled(catalogue: Catalogue) -> Compiled:
    return compile_measures(catalogue)


@pytest.fixture(scope="package")
def build(profile: Profile, catalogue: Catalogue) -> Build:
    """(feed, seed) -> a new system of it."""
    territory, entries = Population(profile.areas), {entry.feed: entry for entry in ROSTER}

    def make(feed: str, seed: int) -> System:
        reporters = [reporter for reporter in profile.reporters if reporter.feed == feed]
        return entries[feed].build(Random(seed), Ground(reporters, territory, catalogue.indicators.values()))

    return make
