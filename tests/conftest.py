"""Fixtures of the tests that use real servers; unit tests start none of them.

One Kafka and one PostgreSQL serve a whole run, on ports of their own, so that tests run beside a demo. A test that
asks for `settings` gets a database of its own, cloned from a migrated template with the profile loaded, and names of
its own for topics and consumer group.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
import structlog
from testbed.coverage import report_coverage
from testbed.pipeline import Pipeline
from testbed.server import cloned_database, free_ports, running_stack, state_directory

from deploy.local.stack import Stack
from ioc.database.connection import connect
from ioc.database.migration import migrate
from ioc.feeds.feed import Feed, load_feeds
from ioc.messaging.client import admin_client
from ioc.messaging.topic import create_topics
from ioc.province.profile import Profile, load_profile, load_profile_catalogue
from ioc.province.store import load_into_database
from ioc.settings import ROOT, Settings

_HERE = Path(__file__).parent
_MARKS = {"integration": "integration", "migration": "integration", "acceptance": "acceptance"}


def pytest_configure() -> None:
    """Tests see the settings' defaults, whatever the shell holds, and logs do not mix with what commands print.

    No test depends on how busy the machine is: Hypothesis sets an example no deadline.
    """
    hypothesis.settings.register_profile("ioc", deadline=None)
    hypothesis.settings.load_profile("ioc")
    structlog.configure(logger_factory=structlog.stdlib.LoggerFactory())
    for name in [name for name in os.environ if name.startswith("IOC_")]:
        del os.environ[name]
    os.environ["IOC_ENV_FILE"] = ""  # the checkout may have a .env
    os.environ["IOC_SMALL_CELL_BELOW"] = "0"  # tests count to four; what hides that is tested by itself


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by their directory, and keep servers out of unit tests."""
    for item in items:
        kind = item.path.relative_to(_HERE).parts[0]
        if kind in _MARKS:
            item.add_marker(_MARKS[kind])
            item.add_marker("no_cover")  # tracing would slow the servers' clients; what these tests run is not counted
        if kind == "unit" and "stack_settings" in getattr(item, "fixturenames", ()):
            raise pytest.UsageError(f"{item.nodeid} asks for a server; move it to tests/integration, or pass a fake")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how much of the code the unit tests run, where `make test` measured it, and how many inputs were tried.

    Inputs are events at the edges of their fields' types, and files changed at random: a test that tried few proves
    little.
    """
    report_coverage(terminalreporter, ROOT / ".cache" / "coverage.json")
    # Reports of the last phase of each test hold all that it noted.
    reports = [one for one in terminalreporter.stats.get("", []) if one.when == "teardown"]
    for noted, text in (
        ("inputs tried", "inputs at the edges of their types tried"),
        ("inputs fuzzed", "files fuzzed"),
    ):
        tried = [value for report in reports for name, value in report.user_properties if name == noted]
        if tried:
            terminalreporter.write_line(f"{sum(tried):,} {text}, in {len(tried)} tests")


@pytest.fixture(scope="session")
def feeds() -> dict[str, Feed]:
    """All feeds by key."""
    return load_feeds()


@pytest.fixture(scope="session")
def profile() -> Profile:
    """The province that comes with the project."""
    return load_profile(Settings(_env_file=None).profile)


@pytest.fixture(scope="session")
def stack_settings() -> Iterator[Settings]:
    """Settings of the servers of this run."""
    with state_directory() as directory:
        kafka, controller, postgres = free_ports(3)
        yield Settings(
            _env_file=None,
            state_dir=directory,
            token_file=directory / "tokens.json",
            kafka_bootstrap=f"127.0.0.1:{kafka}",
            kafka_controller_port=controller,
            kafka_partitions=3,
            db_port=postgres,
            db_name="ioc_template",
            log_json=True,
        )


@pytest.fixture(scope="session")
def infrastructure(stack_settings: Settings) -> Iterator[Stack]:
    """Kafka and PostgreSQL, running. A machine that cannot run them fails the tests: none is skipped."""
    with running_stack(stack_settings) as stack:
        yield stack


@pytest.fixture(scope="session")
def template_database(infrastructure: Stack, stack_settings: Settings, feeds: dict[str, Feed], profile: Profile) -> str:
    """Name of a migrated database that holds the profile and the catalogue, and no events."""
    migrate(stack_settings, feeds.values())
    catalogue = load_profile_catalogue(stack_settings.profile, feeds)
    load_into_database(stack_settings, profile, catalogue)
    return stack_settings.db_name


@pytest.fixture
def settings(template_database: str, stack_settings: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Settings of one test: a fresh database, free ports, and names that no other test uses."""
    name = f"t{uuid.uuid4().hex[:12]}"
    gateway, worker, rollup, scheduler, api = free_ports(5)
    own = stack_settings.model_copy(
        update={
            "db_name": name,
            "topic_prefix": name,
            "consumer_group": name,
            "gateway_port": gateway,
            "worker_port": worker,
            "rollup_port": rollup,
            "scheduler_port": scheduler,
            "api_port": api,
            "token_file": tmp_path / "tokens.json",
        }
    )
    with cloned_database(own, template_database):
        yield own


@pytest.fixture
def database(settings: Settings) -> Settings:
    """The settings, for a test that wants nothing of them but its database."""
    return settings


@pytest.fixture
def db(settings: Settings) -> Iterator[psycopg.Connection]:
    """The test's database, as its owner; every statement is a transaction."""
    with connect(settings, "owner", autocommit=True) as connection:
        yield connection


@pytest.fixture
def kafka_topics(settings: Settings, feeds: dict[str, Feed]) -> Iterator[list[str]]:
    """Names of the test's topics, one a feed and one of dead letters; deleted afterwards."""
    names = [state.name for state in create_topics(settings, feeds)]
    yield names
    with admin_client(settings) as admin:
        admin.delete_topics(names)


@pytest.fixture
def pipeline(settings: Settings, feeds: dict[str, Feed], profile: Profile) -> Iterator[Pipeline]:
    """Parser, store and roll-up over the test's database, driven by the test itself."""
    driven = Pipeline(settings, feeds, profile)
    yield driven
    driven.close()
