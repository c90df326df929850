"""`make soak MINUTES=30 SEED=1`: a simulated province under load while faults strike, and what must hold throughout.

Not part of `make test`. Real Kafka, PostgreSQL, workers and roll-up, on ports of their own. Which faults strike, in
which order and how many events come between them, follows from the seed alone: a run is replayed by its seed. After
every few faults everything is read to its end and compared: each record, the account of every feed, each offset, each
sum and figure. Memory, open files and database connections of the processes are measured then, and must not grow.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests")]

from testbed.feed_event import KafkaRecord  # noqa: E402 - after the path is set
from testbed.invariants import assert_invariants  # noqa: E402
from testbed.run import FAULTS, Run  # noqa: E402
from testbed.server import free_ports, running_stack, state_directory  # noqa: E402

from deploy.local.process import send_signal  # noqa: E402
from deploy.local.stack import Stack  # noqa: E402
from deploy.simulator.province import Province  # noqa: E402
from ioc.database.connection import connect  # noqa: E402
from ioc.database.migration import migrate  # noqa: E402
from ioc.feeds.feed import load_feeds  # noqa: E402
from ioc.messaging.record import OutgoingRecord  # noqa: E402
from ioc.messaging.topic import create_topics  # noqa: E402
from ioc.province.profile import load_profile, load_profile_catalogue  # noqa: E402
from ioc.province.store import load_into_database  # noqa: E402
from ioc.settings import Settings  # noqa: E402
from sql import load_queries  # noqa: E402

_FAULTS_BETWEEN_CHECKS = 4
_FEED = "tourism.stay"
_DISK = "3g"


@dataclass(frozen=True)
class Footprint:
    """What a process holds: resident memory in MiB, open files."""

    memory: float
    files: int

    @classmethod
    def of(cls, pid: int) -> Footprint | None:
        """Measure a process of this machine; None where it has just ended, as one does that starts again."""
        try:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
        except (FileNotFoundError, ProcessLookupError):
            return None
        return cls(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, files) if pages else None


class Soak:
    """One run; `struck` counts the faults, `seen` the footprints at each check."""

    def __init__(self, run: Run, seed: int, disk: Path | None) -> None:
        """`disk`: where the servers' file system is mounted, which may be filled; None = it may not."""
        self._run = run
        self._random = random.Random(seed)
        self.struck: Counter[str] = Counter()
        self.seen: list[dict[str, Footprint]] = []
        self.connections: list[int] = []
        self.events = 0
        self._worker = run.worker(kept=True, worker_fetch_records=200)
        self._rollup = run.rollup(kept=True)
        self._faults: dict[str, Callable[[], None]] = {
            "worker killed": self._worker.kill,
            "worker stopped for seconds": self._stop_for_seconds,
            "roll-up killed": self._rollup.kill,
            "second worker joins and leaves": self._second_worker,
            "Kafka killed": lambda: self._bounce(kafka=True, hard=True),
            "Kafka restarted": lambda: self._bounce(kafka=True, hard=False),
            "PostgreSQL killed": lambda: self._bounce(kafka=False, hard=True),
            "PostgreSQL restarted": lambda: self._bounce(kafka=False, hard=False),
            "connections cut": self._cut_connections,
            "slow database": self._slow_database,
            "catalogue changed": self._bump_epoch,
            "hostile records": self._hostile,
        }
        self._disk = disk
        if disk is not None:
            self._faults["disk full"] = self._full_disk

    def go(self, seconds: float) -> None:
        """Strike and check until the time is over."""
        end = time.monotonic() + seconds
        bag: list[str] = []
        while time.monotonic() < end:
            for _ in range(_FAULTS_BETWEEN_CHECKS):
                if not bag:  # every fault once before any comes again
                    bag = self._random.sample(list(self._faults), len(self._faults))
                self._publish(self._random.randint(100, 400))
                fault = bag.pop()
                print(f"{time.strftime('%H:%M:%S')} {fault}", flush=True)  # noqa: T201
                self._faults[fault]()
                self.struck[fault] += 1
                self._publish(self._random.randint(50, 200))
                if time.monotonic() >= end:
                    break
            self.check()

    def check(self) -> None:
        """Let everything be read and folded, and assert what must hold."""
        self._run.wait_drained(300)
        self._run.wait_for(lambda: self._run.waiting() == 0, "everything is folded", 300)
        assert_invariants(self._run)
        found = {name: Footprint.of(one.pid) for name, one in self._parts() if one.pid is not None}
        seen = {name: one for name, one in found.items() if one is not None}
        with connect(self._run.settings, "owner", autocommit=True) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            ).fetchone()
        self.seen.append(seen)
        self.connections.append(int(row[0]) if row else 0)
        told = ", ".join(f"{name} {one.memory:.0f} MiB, {one.files} files" for name, one in seen.items())
        print(f"    all holds after {self.events:,} events; {told}; {self.connections[-1]} connections", flush=True)  # noqa: T201
        for name, one in seen.items():
            before = [earlier[name] for earlier in self.seen[:-1] if name in earlier]
            if before:
                assert one.memory < 1.5 * max(earlier.memory for earlier in before[:2]) + 100, f"{name} grows: {before}"
                assert one.files < 2 * max(earlier.files for earlier in before[:2]) + 20, (
                    f"{name} leaks files: {before}"
                )
        assert self.connections[-1] <= self.connections[0] + 10, self.connections

    def _parts(self) -> list[tuple[str, object]]:
        return [("worker", self._worker), ("roll-up", self._rollup)]

    def _publish(self, events: int) -> None:
        before = sum(tally.published for tally in self._run.ledger.tallies.values())
        self._run.publish(events)
        self.events += sum(tally.published for tally in self._run.ledger.tallies.values()) - before

    def _stop_for_seconds(self) -> None:
        pid = self._worker.pid
        if pid is not None:
            send_signal(pid, signal.SIGSTOP)
            time.sleep(self._random.uniform(2, 12))
            send_signal(pid, signal.SIGCONT)

    def _second_worker(self) -> None:
        other = self._run.worker()
        time.sleep(self._random.uniform(3, 10))
        other.stop()

    def _bounce(self, *, kafka: bool, hard: bool) -> None:
        server = self._run.stack.kafka if kafka else self._run.stack.postgres
        (server.kill if hard else server.stop)()
        time.sleep(self._random.uniform(0, 4))
        server.start()

    def _cut_connections(self) -> None:
        for role in ("worker", "rollup"):  # a role may end its own sessions only
            with connect(self._run.settings, role, autocommit=True) as connection:
                cut = connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = current_user "
                    "AND pid <> pg_backend_pid() AND datname = current_database()"
                ).fetchall()
            print(f"    {len(cut)} of the {role}", flush=True)  # noqa: T201

    def _slow_database(self) -> None:
        with connect(self._run.settings, "owner") as connection:
            connection.execute("LOCK TABLE record_identity IN ACCESS EXCLUSIVE MODE")
            time.sleep(self._random.uniform(1, 6))

    def _bump_epoch(self) -> None:
        with connect(self._run.settings, "owner", autocommit=True) as connection:
            connection.execute(load_queries("catalogue")["bump_epoch"])

    def _full_disk(self) -> None:
        """Fill the disk of both servers for seconds; they are started again, as by an operator who has made room."""
        assert self._disk is not None
        balloon = self._disk / "balloon"
        try:
            with balloon.open("wb") as file:
                while True:
                    file.write(bytes(2**20))
        except OSError as error:
            print(f"    {error.strerror}", flush=True)  # noqa: T201
        time.sleep(self._random.uniform(3, 10))
        balloon.unlink()
        for server in (self._run.stack.kafka, self._run.stack.postgres):
            server.kill()
            server.start()

    def _hostile(self) -> None:
        topic = self._run.feeds[_FEED].topic(self._run.settings.topic_prefix)
        junk = [self._random.randbytes(self._random.randint(1, 2000)) for _ in range(20)]
        letters = [OutgoingRecord(topic, b"x", b"{" + one, KafkaRecord(0, b"").headers) for one in junk]
        self._run.send_rejected(_FEED, letters, len(letters))


def soak(minutes: float, seed: int) -> None:
    """Run for so many minutes; raises AssertionError where something does not hold."""
    feeds, profile = load_feeds(), load_profile(Settings(_env_file=None).profile)
    with state_directory() as held, own_disk(held) as disk, tempfile.TemporaryDirectory() as logs:
        directory = disk or held
        kafka, controller, postgres = free_ports(3)
        settings = Settings(
            _env_file=None,
            state_dir=directory,
            token_file=directory / "tokens.json",
            kafka_bootstrap=f"127.0.0.1:{kafka}",
            kafka_controller_port=controller,
            kafka_partitions=3,
            db_port=postgres,
            worker_session_timeout=6.0,
            log_json=True,
        )
        with running_stack(settings) as stack:
            go(settings, stack, feeds, profile, Path(logs), minutes, seed, disk)


@contextmanager
def own_disk(directory: Path) -> Iterator[Path | None]:
    """A small file system in memory, which the servers have for themselves; None where this process may not mount."""
    place = directory / "disk"
    place.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_DISK},mode=755", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        print(f"no disk is filled: {mounted.stderr.decode().strip()}", flush=True)  # noqa: T201
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=False)
        shutil.rmtree(place, ignore_errors=True)


def go(
    settings: Settings,
    stack: Stack,
    feeds: dict,
    profile: object,
    logs: Path,
    minutes: float,
    seed: int,
    disk: Path | None,
) -> None:
    """Prepare the servers, run, and print the account."""
    migrate(settings, feeds.values())
    catalogue = load_profile_catalogue(settings.profile, feeds)
    load_into_database(settings, profile, catalogue)
    create_topics(settings, feeds)
    print(f"soak: {minutes:g} minutes, seed {seed}", flush=True)  # noqa: T201
    begun = time.monotonic()
    province = Province(profile, seed=seed, rates=FAULTS, indicators=catalogue.indicators.values())
    run = Run(settings, stack, feeds, profile, logs, province)
    try:
        one = Soak(run, seed, disk)
        one.go(minutes * 60)
    finally:
        run.close()
    for fault, count in sorted(one.struck.items()):
        print(f"  {count:>4} × {fault}")  # noqa: T201
    print(  # noqa: T201
        f"soak: passed, seed {seed}: {one.events:,} events, {sum(one.struck.values())} faults, {len(one.seen)} checks, "
        f"{time.monotonic() - begun:,.0f} s"
    )


if __name__ == "__main__":
    for name in [name for name in os.environ if name.startswith("IOC_")]:
        del os.environ[name]
    os.environ["IOC_ENV_FILE"] = ""
    soak(float(os.environ.get("MINUTES", "30")), int(os.environ.get("SEED", "0")) or random.randrange(1, 2**31))
