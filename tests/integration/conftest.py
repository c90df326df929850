"""What several modules of integration tests ask for."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from testbed.page_bed import Bed, filled_database, page_bed
from testbed.pipeline import Pipeline
from testbed.quality_bed import local, meter_of

from ioc.catalogue import Catalogue
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile, load_profile_catalogue
from ioc.settings import Settings
from streams.quality.report import QualityMeter


@pytest.fixture
def catalogue(settings: Settings, feeds: dict[str, Feed]) -> Catalogue:
    """The catalogue of the settings' profile."""
    return load_profile_catalogue(settings.profile, feeds)


@pytest.fixture
def meter(pipeline: Pipeline, catalogue: Catalogue, db: psycopg.Connection) -> QualityMeter:
    """Measures the quality of what the pipeline has stored; the indicators are of September."""
    db.execute("UPDATE indicator SET created_at = %s", [local("09-15 08:00")])
    return meter_of(pipeline, catalogue)


@pytest.fixture(scope="module")
def filled(
    template_database: str,
    stack_settings: Settings,
    feeds: dict[str, Feed],
    profile: Profile,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Settings, int]]:
    """A module's database for the pages, and an incident in it."""
    own = stack_settings.model_copy(
        update={
            "db_name": f"t{uuid.uuid4().hex[:12]}",
            "token_file": tmp_path_factory.mktemp("pages") / "tokens.json",
            "api_burst": 1000.0,
        }
    )
    with filled_database(template_database, own, feeds, profile) as incident:
        yield own, incident


@pytest.fixture
def bed(filled: tuple[Settings, int]) -> Iterator[Bed]:
    """The pages over it."""
    with page_bed(*filled) as bed:
        yield bed
