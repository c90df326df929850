"""Set-up: what apt's sources say, what is fetched again and when, and what a failure tells."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from deploy.local import apt
from deploy.local.apt import Archive
from deploy.local.command import Command
from deploy.local.files import LOCAL
from deploy.local.setup import MavenJars
from ioc.errors import FatalError
from ioc.settings import ROOT

DEB822 = """\
# Debian's own
Types: deb deb-src
URIs: http://deb.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://vendor.example/apt
Suites: stable
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----
"""
ONE_LINE = """\
# deb http://commented.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb [arch=amd64 signed-by=/etc/keys/a.gpg] https://mirror.example/debian bookworm main non-free # near
deb http://extra.example/debian bookworm contrib
deb cdrom:[Debian_12]/ bookworm main
"""


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_one_line_sources_are_read(etc: Path) -> None:
    (etc / "sources.list").write_text(ONE_LINE)
    assert apt.read_archives(etc)[0] == Archive("https://mirror.example/debian", "bookworm", "/etc/keys/a.gpg")
    assert not {
        "http://commented.example/debian",
        "http://source.example/debian",
        "http://extra.example/debian",
    } & {archive.uri for archive in apt.read_archives(etc)}


def test_deb822_sources_are_read(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources").write_text(DEB822)
    keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
    debian, updates, vendor = apt.read_archives(etc)
    assert debian == Archive("http://deb.example/debian", "bookworm", keyring)
    assert updates.suite == "bookworm-updates"
    assert vendor.uri == "http://vendor.example/apt"
    assert vendor.signed_by.splitlines()[1:3] == [" -----BEGIN PGP PUBLIC KEY BLOCK-----", " ."]


def test_the_source_of_the_next_release_comes_from_the_same_archive_under_the_same_key(etc: Path) -> None:
    (etc / "sources.list.d" / "debian.sources").write_text(DEB822)
    stanza = apt.main_archive(apt.read_archives(etc), "bookworm").to_source_stanza("trixie")
    assert stanza == (
        "Types: deb-src\nURIs: http://deb.example/debian\nSuites: trixie\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )


def test_an_installation_disk_is_no_archive() -> None:
    disk, network = Archive("cdrom:[Debian]/", "bookworm"), Archive("http://a.example/debian", "bookworm")
    assert apt.main_archive([disk, network], "bookworm") == network


def test_a_machine_without_an_archive_is_told_what_to_add(etc: Path) -> None:
    with pytest.raises(FatalError, match="archive for bookworm"):
        apt.main_archive(apt.read_archives(etc), "bookworm")


class Recorded(Command):
    """Writes down what would be run, and answers `apt-cache policy` from a table."""

    def __init__(self, log: Path, policies: dict[str, str] | None = None) -> None:
        super().__init__(log)
        self.calls: list[list[str]] = []
        self._policies = policies or {}

    def run(self, argv: object, *, cwd: Path | None = None, as_root: bool = False) -> None:
        assert isinstance(argv, list)
        self.calls.append([str(argument) for argument in argv])
        for argument in self.calls[-1]:
            if argument.startswith("-DoutputDirectory="):
                Path(argument.partition("=")[2]).mkdir(parents=True)

    def output(self, argv: object) -> str:
        assert isinstance(argv, list)
        return self._policies.get(argv[-1], "")


def test_a_packaged_extension_is_preferred_where_apt_has_it(tmp_path: Path) -> None:
    known = Recorded(tmp_path / "log", {"b": "b:\n  Installed: (none)\n  Candidate: 2.19.3\n"})
    unknown = Recorded(tmp_path / "log", {"b": "b:\n  Installed: (none)\n  Candidate: (none)\n"})
    assert apt.packaged(["a", "b"], known) == "b"
    assert apt.packaged(["a", "b"], unknown) is None


def test_jars_are_fetched_once_and_again_when_the_pom_changes(tmp_path: Path) -> None:
    pom = tmp_path / "pom.xml"
    pom.write_text("<project/>")
    command = Recorded(tmp_path / "log")
    jars = MavenJars("Jars", pom, tmp_path / "jars", command)
    assert not jars.is_done()
    jars.fetch()
    assert jars.is_done()
    (tmp_path / "jars" / "old-1.0.jar").touch()
    pom.write_text("<project><!-- newer --></project>")
    assert not jars.is_done()
    jars.fetch()
    assert jars.is_done()
    assert not (tmp_path / "jars" / "old-1.0.jar").exists()
    assert len(command.calls) == 2


def test_a_failed_command_shows_its_end_its_log_and_the_way_on(tmp_path: Path) -> None:
    log = tmp_path / "log" / "setup.log"
    with pytest.raises(FatalError) as caught:
        Command(log).run(["sh", "-c", "echo begun; echo disk full >&2; exit 3"])
    for said in ("status 3", "disk full", str(log), "make setup"):
        assert said in str(caught.value)


def test_versions_of_jars_are_pinned() -> None:
    for name in ("kafka", "connect", "debezium"):
        pom = (LOCAL / name / "pom.xml").read_text()
        versions = re.findall(r"<version>([^<]*)</version>", pom)
        assert len(versions) >= 3
        assert all(re.fullmatch(r"\d+(\.\d+)*(\.Final)?", version) for version in versions), name


def test_the_lock_holds_every_requirement_with_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    named = [*project["project"]["dependencies"], *groups["dev"], *groups["build"]]
    wanted = {re.split(r"[\[<>=! ]", requirement)[0].lower() for requirement in named}
    pinned = {match[1] for match in re.finditer(r"^([a-z0-9-]+)==\S+ \\\n +--hash=sha256:", lock, re.MULTILINE)}
    assert wanted <= pinned
    assert "://" not in lock
    assert set(re.findall(r"^\s*(--[a-z-]+)", lock, re.MULTILINE)) == {"--hash"}


def test_the_bootstrap_is_valid_bash() -> None:
    for script in (LOCAL / "bootstrap.sh", ROOT / ".ci" / "run"):
        checked = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False)
        assert checked.stderr == ""
        assert script.stat().st_mode & 0o111
