"""The simulated systems, one a feed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

import pytest

from connectors.simulator.app_usage import AppUsageSystem
from connectors.simulator.document import DocumentSystem
from connectors.simulator.dossier import DossierSystem
from connectors.simulator.environment import EnvironmentSystem
from connectors.simulator.feedback import FeedbackSystem
from connectors.simulator.infosec import InfosecSystem
from connectors.simulator.record import System
from connectors.simulator.report_value import ReportValueSystem
from connectors.simulator.territory import Territory
from ioc.catalogue import Catalogue, Compiled, compile_measures
from ioc.feed import Feed
from ioc.profile import Profile, load_profile_catalogue
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

    def make(feed: str, seed: int) -> System:
        random = Random(seed)
        reporters = [reporter for reporter in profile.reporters if reporter.feed == feed]
        territory = Territory(profile.areas)
        match feed:
            case "dossier.event":
                return DossierSystem(random, reporters)
            case "feedback.ticket":
                return FeedbackSystem(random, reporters, territory)
            case "document.flow":
                return DocumentSystem(random, reporters)
            case "infosec.event":
                return InfosecSystem(random, reporters)
            case "app.usage":
                return AppUsageSystem(random, reporters)
            case "environment.reading":
                return EnvironmentSystem(random, reporters)
        return ReportValueSystem(random, reporters, catalogue.indicators.values(), territory)

    return make
