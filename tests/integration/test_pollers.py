"""Pollers over a real PostgreSQL source, real Kafka and the real store: killed anywhere, nothing is lost or doubled."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as bounded
from hypothesis import strategies as st
from test_gateway_receipts import work
from testbed.feed_event import HOTEL, INN, RIVAL
from testbed.gateway import AsgiTransport, GatewayBed
from testbed.pipeline import Pipeline

from connectors.formats.memory import Memory
from connectors.gateway.producer import KafkaEventProducer
from connectors.poller.database import SqlSource
from connectors.poller.declaration import FILE, SqlPoller, load_pollers
from connectors.poller.ledger import PollLedger
from connectors.poller.poll import Poller
from connectors.poller.source import SourceUnavailableError
from connectors.publishing.client import GatewayClient
from connectors.publishing.publish import FileReader
from ioc.database.connection import connect
from ioc.feeds.feed import Feed
from ioc.settings import Settings

FEED = "tourism.daily_report"
COUNTS = (
    "rooms_total, rooms_available, beds_total, arrivals_domestic, arrivals_international, overnight_domestic, "
    "overnight_international, day_guests_domestic, day_guests_international, guest_nights_domestic, "
    "guest_nights_international, revenue_room, revenue_fnb, revenue_other"
)
# A hotel group's own table, and its columns as the format names them.
TABLE = f"""
CREATE SCHEMA hotel;
CREATE TABLE hotel.day (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code text, day date, sold integer, version integer,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    {COUNTS.replace(",", " integer DEFAULT 40,")} integer DEFAULT 40
)
"""
QUERY = f"""
SELECT id, code AS establishment_code, day AS report_date, version AS revision, sold AS rooms_sold, changed_at, {COUNTS}
FROM hotel.day
"""
POINTS = ("", "after_fetch", "before_sending", "after_sending", "after_memory", "after_move")


class KilledError(Exception):
    """The process ends here."""


class SourceBed:
    """The group's database, a gateway over the real Kafka, and a poller that a test kills."""

    def __init__(self, settings: Settings, gateway: GatewayBed, directory: Path) -> None:
        self.settings = settings
        self.directory = directory
        self.gateway = gateway
        _, self.secret = gateway.tokens.create("Poller", [FEED], ["77-*"])
        self.hotel = connect(settings, "owner", autocommit=True)
        self.hotel.execute(TABLE)  # type: ignore[arg-type]
        self.declared = SqlPoller.model_validate(
            {
                "name": "hotel",
                "feed": FEED,
                "driver": "psycopg",
                "connect": {
                    "host": settings.db_host,
                    "port": settings.db_port,
                    "dbname": settings.db_name,
                    "user": settings.db_owner_user,
                },
                "secret": "hotel_db",
                "query": QUERY,
                "watermark": "changed_at",
                "key": "id",
                "start": "2024-01-01T00:00:00+07:00",
                "settle": 0,
                "size": 2,
            }
        )
        self.secrets = directory / "secrets"
        self.secrets.mkdir()
        (self.secrets / "hotel_db").write_text(settings.db_owner_password.get_secret_value())

    def poll(self, point: str = "", passes: int = 1) -> bool:
        """Run a poller as a new process would; whether it came to its end."""
        left = passes

        def fault(passed: str) -> None:
            nonlocal left
            left -= passed == point
            if passed == point and not left:
                raise KilledError

        client = GatewayClient("http://gateway", self.secret, transport=AsgiTransport(self.gateway.app))
        memory = Memory(self.directory / "memory.sqlite3")
        ledger = PollLedger(self.directory / "poller.sqlite3")
        with client, memory, closing(ledger):
            source = SqlSource(self.declared, self.secrets)
            poller = Poller(
                self.declared, source, FileReader(self.settings, memory=memory), client, ledger, fault=fault
            )
            with suppress(KilledError):
                poller.run()
                return True
        return False

    def write(self, code: str, day: int, sold: int) -> None:
        """A day of a hotel, as its system writes it; the version grows."""
        self.hotel.execute(
            "INSERT INTO hotel.day (code, day, sold, version) VALUES (%s, %s, %s, 1)",
            [code, f"2024-10-{day:02}", sold],
        )

    def rewrite(self, code: str, day: int, sold: int) -> bool:
        """A later version of that day, in the same row; whether there was one."""
        changed = self.hotel.execute(
            "UPDATE hotel.day SET sold = %s, version = version + 1, changed_at = clock_timestamp() "
            "WHERE code = %s AND day = %s",
            [sold, code, f"2024-10-{day:02}"],
        )
        return changed.rowcount > 0


def declare(bed: SourceBed, settings: Settings, directory: Path) -> Path:
    """A profile that declares the bed's poller."""
    profile = directory / "profile"
    shutil.copytree(settings.profile, profile)
    lines = ["[[sql]]"]
    for name, value in bed.declared.model_dump(mode="json", exclude_none=True).items():
        if name == "connect":
            inner = ", ".join(f"{key} = {json.dumps(part)}" for key, part in value.items())
            lines.append(f"connect = {{{inner}}}")
        elif name not in ("kind", "dialect", "note"):
            lines.append(f"{name} = {json.dumps(value)}")
    (profile / FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return profile


@pytest.fixture
def bed(settings: Settings, kafka_topics: list[str], tmp_path: Path) -> Iterator[SourceBed]:
    producer = KafkaEventProducer(settings)
    made = SourceBed(settings, GatewayBed(tmp_path, producer, settings), tmp_path)
    yield made
    made.hotel.close()
    producer.close()


STEPS = st.lists(
    st.tuples(
        st.sampled_from([HOTEL, INN, RIVAL]),
        st.integers(1, 2),
        st.integers(0, 40),
        st.sampled_from(POINTS),
        st.integers(1, 2),
    ),
    min_size=2,
    max_size=8,
)


def test_a_poller_killed_anywhere_loses_and_doubles_nothing(bed: SourceBed, pipeline: Pipeline) -> None:
    written = 0

    @bounded(max_examples=12, derandomize=True, database=None)
    @given(steps=STEPS)
    def tried(steps: list[tuple[str, int, int, str, int]]) -> None:
        nonlocal written
        for code, day, sold, point, passes in steps:
            if not bed.rewrite(code, day, sold):
                bed.write(code, day, sold)
            written += 1
            bed.poll(point, passes)
        assert bed.poll()
        work(pipeline, bed.settings, FEED)
        stored = pipeline.rows(
            "SELECT establishment_id, extract(day FROM report_on)::int, rooms_sold, revision FROM tourism_daily_report"
        )
        there = bed.hotel.execute("SELECT code, extract(day FROM day)::int, sold, version FROM hotel.day").fetchall()
        assert sorted(stored) == sorted(there)

    tried()
    (counts,) = pipeline.rows("SELECT sum(accepted), sum(rejected), sum(duplicate) FROM stream_batch")
    accepted, rejected, duplicates = counts
    assert rejected == 0
    # Kills between Kafka's acknowledgement and the watermark send again what is there: duplicates, counted as such.
    assert duplicates > 0
    assert accepted <= written


def test_a_refused_row_is_reported_and_does_not_stop_the_others(bed: SourceBed, pipeline: Pipeline) -> None:
    bed.write(HOTEL, 1, 10)
    bed.write("no such hotel", 1, 10)
    bed.write(INN, 1, 11)
    assert bed.poll()
    with closing(PollLedger(bed.directory / "poller.sqlite3")) as ledger:
        state = ledger.find("hotel")
    assert (state.pages, state.accepted, state.refused, state.error) == (2, 2, 1, "")
    assert "establishment_code" in state.report
    work(pipeline, bed.settings, FEED)
    assert pipeline.rows("SELECT count(*) FROM tourism_daily_report") == [(2,)]


def test_the_command_polls_what_the_profile_declares(
    bed: SourceBed, settings: Settings, tmp_path: Path, feeds: dict[str, Feed]
) -> None:
    """`ioc poller` as a process: what is declared is listed, and what is missing is named."""
    profile = declare(bed, settings, tmp_path)
    assert [one.name for one in load_pollers(profile, feeds)] == ["hotel"]
    bed.write(HOTEL, 1, 10)
    own = settings.model_copy(
        update={"profile": profile, "poller_secrets": bed.secrets, "state_dir": tmp_path / "state"}
    )
    environment = own.to_environment()

    def ioc(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("ioc")), "poller", *arguments]
        return subprocess.run(command, check=False, env=environment, capture_output=True, text=True, timeout=120)

    token = tmp_path / "token"
    token.write_text(bed.secret)
    listed: list[dict[str, Any]] = json.loads(ioc("list", "--json").stdout)
    assert [(row["name"], row["polled_at"]) for row in listed] == [("hotel", "")]
    unknown = ioc("run", "--once", "--only", "other", "--token-file", str(token))
    assert (unknown.returncode, "no poller is named other" in unknown.stderr) == (2, True)
    wrong = own.model_copy(update={"poller_secrets": tmp_path}).to_environment()
    environment, kept = wrong, environment
    assert "the secret 'hotel_db' cannot be read" in ioc("run", "--once", "--token-file", str(token)).stderr
    environment = kept


def test_a_source_that_is_away_is_no_error_of_the_process(bed: SourceBed) -> None:
    bed.declared = bed.declared.model_copy(update={"connect": {"host": "127.0.0.1", "port": 1}})
    with pytest.raises(SourceUnavailableError, match="no connection"):
        bed.poll()
