"""The bundle of the project's own profile, built once for all tests of the boards."""

from __future__ import annotations

import pytest

from grafana.bundle import Bundle, load_bundle
from grafana.text import LANGUAGES
from ioc.catalogue import Catalogue
from ioc.feeds.feed import Feed
from ioc.province.profile import load_profile_catalogue
from ioc.settings import Settings


@pytest.fixture(scope="session")
def defaults() -> Settings:
    return Settings(_env_file=None)


@pytest.fixture(scope="session")
def catalogue(defaults: Settings, feeds: dict[str, Feed]) -> Catalogue:
    return load_profile_catalogue(defaults.profile, feeds)


@pytest.fixture(scope="session")
def names(catalogue: Catalogue, feeds: dict[str, Feed]) -> set[str]:
    return {*catalogue.indicators, *feeds}


@pytest.fixture(scope="session")
def bundle(defaults: Settings) -> Bundle:
    return load_bundle(defaults, LANGUAGES)
