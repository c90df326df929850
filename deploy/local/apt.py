"""Debian's packages: what apt offers, and the source of a package that only the next release has.

The machine's own apt configuration is read and never written: a source package is fetched with a private
source list whose address and key are those that the machine already trusts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.command import Command
from ioc.errors import FatalError

_ETC: Final = Path("/etc/apt")


@dataclass(frozen=True)
class Archive:
    """One entry of apt's sources: an address, the release it names, and the key that signs it."""

    uri: str
    suite: str
    signed_by: str = ""

    def to_source_stanza(self, suite: str) -> str:
        """The deb822 stanza for the source packages of another release of this archive."""
        key = f"Signed-By: {self.signed_by}\n" if self.signed_by else ""
        return f"Types: deb-src\nURIs: {self.uri}\nSuites: {suite}\nComponents: main\n{key}"


def read_archives(etc: Path = _ETC) -> list[Archive]:
    """All enabled binary archives with a `main` component, in both formats that apt reads."""
    archives: list[Archive] = []
    for listing in sorted([etc / "sources.list", *(etc / "sources.list.d").glob("*.list")]):
        if listing.exists():
            archives.extend(_from_one_line(listing.read_text().splitlines()))
    for listing in sorted((etc / "sources.list.d").glob("*.sources")):
        archives.extend(_from_deb822(listing.read_text()))
    return archives


def main_archive(archives: Iterable[Archive], codename: str) -> Archive:
    """The archive that this machine's own release comes from."""
    for archive in archives:
        if archive.suite == codename and not archive.uri.startswith("cdrom:"):
            return archive
    raise FatalError(
        f"No apt source for {codename!r} was found below {_ETC}: add the line of Debian's main "
        f"archive for {codename} (component main) and run `make setup` again."
    )


def _from_one_line(lines: Iterable[str]) -> Iterator[Archive]:
    """`deb [signed-by=KEY] URI SUITE COMPONENT...`"""
    for line in lines:
        match = re.match(r"deb\s+(?:\[(?P<options>[^]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<rest>[^#]*)", line)
        if match and "main" in match["rest"].split():
            key = re.search(r"signed-by=(\S+)", match["options"] or "")
            yield Archive(match["uri"], match["suite"], key[1] if key else "")


def _from_deb822(text: str) -> Iterator[Archive]:
    """Stanzas of `Types`, `URIs`, `Suites`, `Components`, `Signed-By`."""
    for stanza in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.splitlines():
            if line.startswith("#"):
                continue
            if line[:1].isspace():  # a key may be given in the file itself, over many lines
                fields[name] += "\n" + line
            elif ":" in line:
                name, _, value = line.partition(":")
                name = name.lower()
                fields[name] = value.strip()
        wanted = "deb" in fields.get("types", "").split() and "main" in fields.get("components", "").split()
        if wanted and fields.get("enabled", "yes").lower() != "no":
            for uri in fields["uris"].split():
                for suite in fields["suites"].split():
                    yield Archive(uri, suite, fields.get("signed-by", ""))


def packaged(names: Iterable[str], command: Command) -> str | None:
    """The first of `names` that apt can install here."""
    for name in names:
        if re.search(r"Candidate: \d", command.output(["apt-cache", "policy", name])):
            return name
    return None


def codename(os_release: Path = Path("/etc/os-release")) -> str:
    """The release's name, such as `bookworm`."""
    match = re.search(r'^VERSION_CODENAME="?([a-z]+)', os_release.read_text(), re.MULTILINE)
    if match is None:
        raise FatalError(f"{os_release} names no release: set-up knows Debian 12. See docs for other systems.")
    return match[1]


class SourcePackage:
    """A source package of another release, fetched into `directory` without touching the system's apt."""

    def __init__(self, name: str, release: str, directory: Path, command: Command) -> None:
        self._name = name
        self._release = release
        self._dir = directory
        self._command = command

    def fetch(self, archive: Archive) -> Path:
        """Download and unpack; returns the source tree."""
        for needed in ("lists/partial", "cache/archives/partial"):
            (self._dir / "apt" / needed).mkdir(parents=True, exist_ok=True)
        private = self._dir / "apt"
        (private / "source.sources").write_text(archive.to_source_stanza(self._release))
        # Hooks of the machine's configuration are about its own package lists.
        (private / "apt.conf").write_text(
            "#clear APT::Update::Pre-Invoke;\n"
            "#clear APT::Update::Post-Invoke;\n"
            "#clear APT::Update::Post-Invoke-Success;\n"
            f'Dir::Etc::sourcelist "{private / "source.sources"}";\n'
            'Dir::Etc::sourceparts "-";\n'
            f'Dir::State::lists "{private / "lists"}";\n'
            f'Dir::Cache "{private / "cache"}";\n'
            'APT::Sandbox::User "";\n'
            'Acquire::Retries "3";\n'
        )
        for old in self._dir.glob(f"{self._name}-*"):
            self._command.run(["rm", "-rf", old])
        self._command.run(["apt-get", "-c", private / "apt.conf", "-q", "update"])
        self._command.run(["apt-get", "-c", private / "apt.conf", "-q", "source", self._name], cwd=self._dir)
        trees = [tree for tree in self._dir.glob(f"{self._name}-*") if tree.is_dir()]
        if len(trees) != 1:
            raise FatalError(f"The source of {self._name} was not found in {self._dir} after `apt-get source`.")
        return trees[0]
