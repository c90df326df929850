"""Acceptance tests: real processes on real servers, started, killed and started again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from testbed.run import Run

from deploy.local.stack import Stack
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.settings import Settings


@pytest.fixture
def run(
    settings: Settings,
    kafka_topics: list[str],
    infrastructure: Stack,
    feeds: dict[str, Feed],
    profile: Profile,
    tmp_path: Path,
) -> Iterator[Run]:
    """A province that publishes into topics of the test's own; every process ends with the test."""
    # A short session: the death of a worker is noticed soon.
    own = settings.model_copy(update={"worker_session_timeout": 6.0, "worker_fetch_records": 100})
    made = Run(own, infrastructure, feeds, profile, tmp_path)
    yield made
    made.close()
