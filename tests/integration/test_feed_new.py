"""`ioc feed new` in a copy of the checkout: what it writes passes the suite that every feed passes, as it is."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from testbed.server import cloned_database

from ioc.settings import ROOT, Settings

KEY, TABLE = "water.meter_reading", "water_meter_reading"
SOURCES = ("bench", "connectors", "deploy", "docs", "grafana", "ioc", "sql", "streams", "tests")
IOC = (sys.executable, "-c", "from deploy.cli import main; main()")
SUITE = ("tests/unit/feeds/test_feed_conformance.py", "tests/integration/test_feed_tables.py")
# The copy's suite takes the servers of this run, in place of some of its own.
CONFTEST = """
import json, pytest
from ioc.settings import Settings

@pytest.fixture(scope="session")
def stack_settings():
    return Settings(_env_file=None, **json.loads({values!r}))

@pytest.fixture(scope="session")
def template_database(stack_settings):
    return stack_settings.db_name
"""


@dataclass(frozen=True)
class Checkout:
    """A copy of this checkout's sources, with a database of its own."""

    directory: Path
    settings: Settings

    def run(self, *command: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        environment = self.settings.to_environment() | {"PYTHONPATH": str(self.directory), "IOC_ENV_FILE": ""}
        return subprocess.run(
            command, cwd=self.directory, env=environment, capture_output=True, text=True, timeout=timeout, check=False
        )


@pytest.fixture(scope="module")
def checkout(
    tmp_path_factory: pytest.TempPathFactory, template_database: str, stack_settings: Settings
) -> Iterator[Checkout]:
    directory = tmp_path_factory.mktemp("checkout")
    for name in SOURCES:
        shutil.copytree(ROOT / name, directory / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, directory)
    own = stack_settings.model_copy(update={"db_name": f"t{uuid.uuid4().hex[:12]}"})
    own = own.model_copy(update={"profile": directory / own.profile.relative_to(ROOT)})
    with cloned_database(own, template_database):
        yield Checkout(directory, own)


def test_a_new_feed_passes_the_suite_of_all_feeds(checkout: Checkout) -> None:
    made = checkout.run(*IOC, "feed", "new", KEY, "--name-vi", "Chỉ số nước", "--name-en", "Water readings", "--json")
    assert made.returncode == 0, made.stderr
    written = [row["written"] for row in json.loads(made.stdout)]
    number = max(int(path.name[:4]) for path in (ROOT / "sql" / "migrations").glob("*.sql")) + 1
    assert written == [
        f"ioc/feeds/declared/{TABLE}.py",
        f"tests/samples/feeds/{KEY}.json",
        f"deploy/simulator/systems/{TABLE}.py",
        f"ioc/profiles/ba_ria_vung_tau/reporters_{TABLE}.csv",
        f"sql/migrations/{number:04d}_{TABLE}.sql",
        "docs/feeds.md",
    ]

    for words in (("db", "migrate"), ("profile", "load")):
        done = checkout.run(*IOC, *words, timeout=300)
        assert done.returncode == 0, done.stderr

    environment = checkout.settings.to_environment()
    values = json.dumps({name[4:].lower(): value for name, value in environment.items() if name.startswith("IOC_")})
    conftest = checkout.directory / "tests" / "integration" / "conftest.py"
    conftest.write_text(CONFTEST.format(values=values))
    chosen = f"{KEY.partition('.')[0]} or every_feeds_table or equals_its_recompute"
    suite = checkout.run(sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "-k", chosen, *SUITE)
    assert suite.returncode == 0, suite.stdout
    passed = [line for line in suite.stdout.splitlines() if line.startswith("PASSED") and KEY in line]
    assert len(passed) >= 16, suite.stdout

    # And the checks that `make lint` makes of it.
    conftest.unlink()
    for command in (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("lint-imports",)):
        checked = checkout.run(str(Path(sys.executable).with_name(command[0])), *command[1:])
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_file_in_the_way_is_not_overwritten(checkout: Checkout) -> None:
    existing = checkout.directory / "tests" / "samples" / "feeds" / "fishery.catch.json"
    existing.write_text("mine")
    done = checkout.run(*IOC, "feed", "new", "fishery.catch")
    assert done.returncode == 2 and "in the way" in done.stderr
    assert existing.read_text() == "mine"
    assert not (checkout.directory / "ioc" / "feeds" / "declared" / "fishery_catch.py").exists()
    existing.unlink()
