"""The directories of a file drop: `<root>/<feed>/`, or `<root>/<feed>/<reporter>/` for files that do not name theirs.

In each lie the uploaded files, and beside them `.work` (files that are being read), `archive` (by day) and
`quarantine` (with a report beside each). All of them are on one file system, so that a file is always in one place.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from connectors.file_drop.ledger import State

WORK, ARCHIVE, QUARANTINE = ".work", "archive", "quarantine"
_OWN = (WORK, ARCHIVE, QUARANTINE)
_REPORTER = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
# Names under which clients write what is not whole yet.
_UNFINISHED = re.compile(r"^[.~]|\.(part|partial|filepart|tmp|temp|crdownload|uploading)$|~$", re.IGNORECASE)
_CHUNK = 1024 * 1024
_LONGEST = 255  # bytes of a name, in most file systems
_ADDED = len("-99999") + len(".txt")  # what a name grows by where it is put away
_SIGNS = 16  # of the checksum, in the name of a file that is being read


@dataclass(frozen=True)
class ClaimedFile:
    """A file that is being read: `path` in `.work`; `size` and `modified` as they were when it was claimed."""

    directory: Path
    feed: str
    reporter: str
    path: Path
    name: str
    sha256: str
    size: int
    modified: int

    def has_changed(self) -> bool:
        """Whether somebody still writes to it."""
        now = self.path.stat()
        return (now.st_size, now.st_mtime_ns) != (self.size, self.modified)


class Inbox:
    """One upload directory; a file is whole when nobody has changed it for `settle` seconds."""

    def __init__(
        self, directory: Path, feed: str, reporter: str, *, settle: float, now: Callable[[], float] = time.time
    ) -> None:
        self.directory, self.feed, self.reporter = directory, feed, reporter
        self._settle = settle
        self._now = now

    def resumed(self) -> list[ClaimedFile]:
        """Return the files that an earlier run had claimed and not put away."""
        found = []
        for path in _regular_files(self.directory / WORK):
            _, _, name = path.name.partition("~")
            found.append(self._claimed(path, name or path.name))
        return found

    def whole(self) -> Iterator[Path]:
        """Yield the uploaded files that are whole, oldest first; links, pipes and directories are left alone.

        A client may set the time of a file, and its clock may be ahead: then the time at which this machine last saw
        the file change counts, or the file would wait for years.
        """
        found = []
        for path in _regular_files(self.directory):
            try:
                facts = path.lstat()
            except FileNotFoundError:  # taken back by its sender
                continue
            now = self._now()
            changed = facts.st_mtime if facts.st_mtime <= now else facts.st_ctime
            # `abs`: after this machine's clock was set back, even the time of its own change lies ahead.
            if not _UNFINISHED.search(path.name) and abs(now - changed) >= self._settle:
                found.append((facts.st_mtime_ns, path))
        return (path for _, path in sorted(found))

    def claim(self, path: Path, known: Callable[[str], object]) -> ClaimedFile | None:
        """Move an uploaded file where nobody else takes it; None where it is gone, or its content is being read.

        `known` is told the checksum before the file is moved.
        """
        work = _own_directory(self.directory / WORK)
        try:
            sha256 = _sha256(path)
            target = work / f"{sha256[:_SIGNS]}~{_shortened(path.name)}"
            # By name alone: asked for each of thousands of files, with thousands beside it.
            if any(other.startswith(target.name[:_SIGNS]) for other in os.listdir(work)):  # noqa: PTH208
                return None
            known(sha256)
            path.rename(target)
        except FileNotFoundError:
            return None
        return self._claimed(target, _shortened(path.name))

    def give_back(self, file: ClaimedFile) -> None:
        """Put a file back that is still being written to; it is read again once it is whole."""
        file.path.rename(_free_name(self.directory / file.name))

    def put_away(self, file: ClaimedFile, state: State, day: str, report: str) -> Path:
        """Move a file to where it ends, its report first, and return its place."""
        kind = _own_directory(self.directory / (ARCHIVE if state == "archived" else QUARANTINE))
        directory = _own_directory(kind / day)
        target = _free_name(directory / file.name)
        if report:
            note = target.with_name(f"{target.name}.txt")
            note.write_text(report, encoding="utf-8")
        file.path.rename(target)
        return target

    def _claimed(self, path: Path, name: str) -> ClaimedFile:
        facts = path.stat()
        sha256 = _sha256(path)
        return ClaimedFile(
            self.directory, self.feed, self.reporter, path, name, sha256, facts.st_size, facts.st_mtime_ns
        )


def inboxes(
    root: Path, feeds: Iterator[str] | list[str], *, settle: float, now: Callable[[], float] = time.time
) -> list[Inbox]:
    """Return the directories that are there: one a feed, made where it is missing, and one a reporter below it."""
    found = []
    for feed in feeds:
        directory = root / feed
        directory.mkdir(parents=True, exist_ok=True)
        found.append(Inbox(directory, feed, "", settle=settle, now=now))
        for below in sorted(directory.iterdir()):
            if below.is_dir() and not below.is_symlink() and below.name not in _OWN and _REPORTER.fullmatch(below.name):
                found.append(Inbox(below, feed, below.name, settle=settle, now=now))
    return found


def _regular_files(directory: Path) -> list[Path]:
    try:
        with os.scandir(directory) as entries:
            return [Path(entry.path) for entry in entries if stat.S_ISREG(entry.stat(follow_symlinks=False).st_mode)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _own_directory(path: Path) -> Path:
    """Make one of the drop's own directories; what a sender has put under its name, a link too, gets another name."""
    if path.is_symlink() or (path.exists() and not path.is_dir()):
        path.rename(_free_name(path.with_name(f"{path.name.lstrip('.')}-uploaded")))
    path.mkdir(exist_ok=True)
    return path


def _shortened(name: str) -> str:
    """Return a file's name so that the signs before and behind it still fit; its suffix stays."""
    room = _LONGEST - _SIGNS - len("~") - _ADDED
    if len(os.fsencode(name)) <= room:
        return name
    suffix = os.fsencode(Path(name).suffix)[:16]
    # A letter such as "ế" takes three bytes: one that was cut in the middle is left out.
    return os.fsencode(name)[: room - len(suffix)].decode("utf-8", "ignore") + suffix.decode("utf-8", "ignore")


def _free_name(path: Path) -> Path:
    """Return the path, or one with a number before its suffix where it is taken."""
    number = 1
    free = path
    while free.exists() or free.is_symlink():
        number += 1
        free = path.with_name(f"{path.stem}-{number}{path.suffix}")
    return free
