"""File drop and poller as real processes, killed with SIGKILL at every named point; a real gateway, Kafka and source.

Each kill finds files and rows that are new: a step in the wrong order would lose some, or count them twice.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_gateway_receipts import work
from test_pollers import FEED as REPORTS
from test_pollers import SourceBed, declare
from testbed.feed_event import HOTEL, INN
from testbed.gateway import GatewayBed
from testbed.pipeline import Pipeline
from testbed.serving import serving

from connectors.gateway.producer import KafkaEventProducer
from deploy.cli import app
from ioc.faultpoint import DROP_POINTS, POLLER_POINTS
from ioc.settings import Settings

COUNTS = {"domestic": 1, "international": 1}
REPORT = {
    "rooms_total": 40,
    "rooms_available": 40,
    "beds_total": 80,
    "arrivals": COUNTS,
    "staying_overnight": COUNTS,
    "day_guests": COUNTS,
    "guest_nights": COUNTS,
    "revenue_vnd": {"room": 1, "food": 1, "other": 1},
    "revision": 1,
}


def run_command(arguments: list[str], environment: dict[str, str], log: Path) -> None:
    """Be the process of a command: its environment, its output in `log`."""
    os.environ.clear()
    os.environ.update(environment)
    with log.open("w") as out:
        os.dup2(out.fileno(), 1)
        os.dup2(out.fileno(), 2)
        app(arguments)


class Ways:
    """A gateway on a port over the real Kafka, and commands that run as processes with their state in one directory."""

    def __init__(self, port: int, secret: str, settings: Settings, directory: Path) -> None:
        self.drop = directory / "drop"
        self.log = directory / "log"
        self.token = directory / "token"
        self.token.write_text(secret)
        self.settings = settings.model_copy(
            update={
                "state_dir": directory / "state",
                "drop_dir": self.drop,
                "drop_settle": 0.0,
                "gateway_port": port,
            }
        )

    def ioc(self, *arguments: str, killed_at: str = "", **changes: object) -> None:
        """Run a command to its end, or until it kills itself."""
        settings = self.settings.model_copy(update={"fault": killed_at, **changes})
        command = [*arguments, "--once", "--token-file", str(self.token)]
        # A server that has imported the command line once makes the processes: each is a real one, within milliseconds.
        made = multiprocessing.get_context("forkserver").Process(
            target=run_command, args=(command, settings.to_environment(), self.log)
        )
        made.start()
        made.join(300)
        assert made.exitcode == (-signal.SIGKILL if killed_at else 0), (killed_at, self.log.read_text())


@pytest.fixture(scope="module", autouse=True)
def forking() -> None:
    """Import the command line once, in the server that makes the processes."""
    multiprocessing.get_context("forkserver").set_forkserver_preload(["deploy.cli", "connectors.file_drop.cli"])


@pytest.fixture
def ways(settings: Settings, kafka_topics: list[str], tmp_path: Path) -> Iterator[Ways]:
    producer = KafkaEventProducer(settings)
    gateway = GatewayBed(tmp_path, producer, settings)
    _, secret = gateway.tokens.create("Ways", [REPORTS], ["77-*"])
    with serving(gateway.app) as port:
        yield Ways(port, secret, settings, tmp_path)
    producer.close()


def assert_stored_once(pipeline: Pipeline, settings: Settings, told: set[tuple[str, int, int]]) -> None:
    """What was told is stored, each record once, and nothing was refused."""
    work(pipeline, settings, REPORTS)
    stored = pipeline.rows(
        "SELECT establishment_id, extract(day FROM report_on)::int, rooms_sold FROM tourism_daily_report"
    )
    assert sorted(stored) == sorted(told)
    (rejected,) = pipeline.rows("SELECT coalesce(sum(rejected), 0) FROM stream_batch")
    assert rejected == (0,)


def test_a_file_drop_killed_at_every_point_loses_and_doubles_nothing(
    ways: Ways, pipeline: Pipeline, settings: Settings
) -> None:
    inbox = ways.drop / REPORTS
    inbox.mkdir(parents=True)
    told: set[tuple[str, int, int]] = set()
    for number, point in enumerate(DROP_POINTS, 1):
        for code in (HOTEL, INN):
            report = {**REPORT, "establishment_code": code, "report_date": f"2024-10-{number:02}", "rooms_sold": number}
            file = inbox / f"{code}-{number}.json"
            file.write_text(json.dumps(report), encoding="utf-8")
            os.utime(file, (time.time() - 60,) * 2)
            told.add((code, number, number))
        ways.ioc("drop", "run", killed_at=point)
    ways.ioc("drop", "run")
    left = [path for path in inbox.rglob("*") if path.is_file()]
    assert len(left) == len(told) and all("archive" in path.parts for path in left), left
    assert_stored_once(pipeline, settings, told)


def test_a_poller_killed_at_every_point_loses_and_doubles_nothing(
    ways: Ways, pipeline: Pipeline, settings: Settings, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    source.mkdir()
    bed = SourceBed(settings, GatewayBed(source, None, settings), source)
    changes = {"profile": declare(bed, settings, tmp_path), "poller_secrets": bed.secrets}
    told: set[tuple[str, int, int]] = set()
    for number, point in enumerate(POLLER_POINTS, 1):
        for code in (HOTEL, INN):
            bed.write(code, number, number)
            told.add((code, number, number))
        ways.ioc("poller", "run", killed_at=point, **changes)
    ways.ioc("poller", "run", **changes)
    bed.hotel.close()
    assert_stored_once(pipeline, settings, told)
