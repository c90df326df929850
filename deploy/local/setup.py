"""What the local stack needs beyond Debian's packages and Python's: jars and the TimescaleDB extension.

Each step says whether it is done already, so that a second set-up takes moments.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local import apt
from deploy.local.command import Command
from deploy.local.files import CACHE, CONNECT_JARS, DEBEZIUM_JARS, KAFKA_JARS, LOCAL, PEER_PYTHON, POSTGRES_BIN

# The first release of Debian that has the extension; its source builds on the release before.
_TIMESCALEDB_RELEASE: Final = "trixie"
_TIMESCALEDB_PACKAGES: Final = ("timescaledb-2-postgresql-15", "postgresql-15-timescaledb")


@dataclass(frozen=True)
class SetupStep:
    """One part of set-up: `is_done` is quick, `run` may take minutes."""

    title: str
    is_done: Callable[[], bool]
    run: Callable[[], None]


def steps(log: Path, *, peer: bool = False) -> Iterator[SetupStep]:
    """The steps in order; `peer` adds what only the benchmark's peer needs. Their output goes to `log`."""
    command = Command(log)
    jars = [MavenJars("Kafka's jars", _pom("kafka"), KAFKA_JARS, command)]
    if peer:
        jars.append(MavenJars("Kafka Connect's jars", _pom("connect"), CONNECT_JARS, command))
        jars.append(MavenJars("Debezium's JDBC sink", _pom("debezium"), DEBEZIUM_JARS, command))
    for fetched in jars:
        yield SetupStep(fetched.title, fetched.is_done, fetched.fetch)
    if peer:
        peers = PythonPeers(command)
        yield SetupStep("The benchmark's peers in Python", peers.is_done, peers.install)
    extension = TimescaleDb(command)
    yield SetupStep("TimescaleDB for PostgreSQL 15", extension.is_done, extension.install)


def _pom(name: str) -> Path:
    return LOCAL / name / "pom.xml"


class MavenJars:
    """The jars that one pinned `pom.xml` names, with all they depend on, from Maven Central."""

    def __init__(self, title: str, pom: Path, target: Path, command: Command) -> None:
        self.title = title
        self._pom = pom
        self._target = target
        self._stamp = target.with_suffix(".sha256")
        self._command = command

    def is_done(self) -> bool:
        return self._target.is_dir() and self._stamp.exists() and self._stamp.read_text() == self._digest()

    def fetch(self) -> None:
        """Download into the target, whose earlier content is removed: two versions of a jar would clash."""
        shutil.rmtree(self._target, ignore_errors=True)
        options = [
            "--batch-mode",
            "--no-transfer-progress",
            f"-Dmaven.repo.local={CACHE / 'maven'}",
            f"-DoutputDirectory={self._target}",
        ]
        self._command.run(["mvn", *options, "-f", self._pom, "dependency:copy-dependencies"])
        self._stamp.write_text(self._digest())

    def _digest(self) -> str:
        return hashlib.sha256(self._pom.read_bytes()).hexdigest()


class PythonPeers:
    """Packages of the benchmark's peers in Python, in an environment of their own."""

    _WANTED: Final = LOCAL / "python_peer" / "requirements.txt"

    def __init__(self, command: Command) -> None:
        self._command = command
        self._home = PEER_PYTHON.parents[1]
        self._stamp = self._home.with_suffix(".sha256")

    def is_done(self) -> bool:
        return PEER_PYTHON.exists() and self._stamp.exists() and self._stamp.read_text() == self._digest()

    def install(self) -> None:
        """Make the environment anew."""
        shutil.rmtree(self._home, ignore_errors=True)
        self._command.run([sys.executable, "-m", "venv", self._home])
        self._command.run([PEER_PYTHON, "-m", "pip", "install", "--quiet", "-r", self._WANTED])
        self._stamp.write_text(self._digest())

    def _digest(self) -> str:
        return hashlib.sha256(self._WANTED.read_bytes()).hexdigest()


class TimescaleDb:
    """The extension: packaged where apt has it, otherwise built from Debian's source of the next release."""

    def __init__(self, command: Command) -> None:
        self._command = command

    def is_done(self) -> bool:
        shared = Path("/usr/share/postgresql/15/extension/timescaledb.control")
        library = Path("/usr/lib/postgresql/15/lib/timescaledb.so")
        return shared.exists() and library.exists()

    def install(self) -> None:
        package = apt.packaged(_TIMESCALEDB_PACKAGES, self._command)
        if package is None:
            self._build()
        else:
            options = ["-y", "-q", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300"]
            self._command.run(["apt-get", *options, "install", package], as_root=True)

    def _build(self) -> None:
        directory = CACHE / "timescaledb"
        source = apt.SourcePackage("timescaledb", _TIMESCALEDB_RELEASE, directory, self._command)
        tree = source.fetch(apt.main_archive(apt.read_archives(), apt.codename()))
        options = [
            "-DCMAKE_BUILD_TYPE=Release",
            "-DAPACHE_ONLY=1",  # Debian's source holds no other edition
            "-DREGRESS_CHECKS=OFF",
            "-DTAP_CHECKS=OFF",
            "-DWARNINGS_AS_ERRORS=OFF",
            f"-DPG_CONFIG={POSTGRES_BIN / 'pg_config'}",
        ]
        build = tree / "build"
        self._command.run(["cmake", "-S", tree, "-B", build, *options])
        self._command.run(["cmake", "--build", build, "--parallel", str(os.cpu_count() or 1)])
        self._command.run(["cmake", "--install", build], as_root=True)
