"""What a sender may put into a directory: odd names, times and kinds of files: nothing ends the drop."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_file_drop import FEED, GOOD, MIXED, NOW, Bed, invoice, reader

from connectors.file_drop.drop import DropRound
from connectors.formats.format import Item
from connectors.publishing import publish

__all__ = ["reader"]  # the fixture


@pytest.fixture
def bed(tmp_path: Path, reader: Any) -> Bed:
    return Bed(tmp_path, reader)


NAMES: dict[str, bytes] = {
    "of 255 signs": b"a" * 251 + b".xml",
    "of 255 bytes, accents cut in two": "ữ".encode() * 83 + b"aa.xml",
    "a suffix alone": b"a." + b"x" * 253,
    "not UTF-8": b"b\xe1o c\xe1o \xff.xml",
    "steers a terminal": b"\x1b[2J\r\n\x07.xml",
    "markup": b"[red]a[b] <b>.xml",
    "of a command": b"--help; rm -rf *",
    "right to left": "\u202egpj.xml".encode(),
    "as the archive": b"archive",
    "as the quarantine": b"quarantine",
    "a formula": b"=cmd|' -C calc'!A0.xml",
}


@pytest.mark.parametrize("content", [GOOD, MIXED], ids=["good", "mixed"])
def test_every_name_is_taken_and_told(content: bytes, bed: Bed) -> None:
    contents = []
    for number, name in enumerate(NAMES.values()):
        path = Path(os.fsdecode(os.fsencode(bed.root / FEED) + b"/" + name))
        contents.append(content + b"\n" * number)  # the ledger knows contents
        path.write_bytes(contents[-1])
        os.utime(path, (NOW.timestamp() - 100 + number,) * 2)
    done = bed.work()
    assert (done.archived, done.quarantined) == ((11, 0) if content == GOOD else (0, 11))
    kept = [path for path in (bed.root / FEED).rglob("*") if path.is_file()]
    assert sorted(path.read_bytes() for path in kept if not path.name.endswith(".txt")) == sorted(contents)
    assert all(path.relative_to(bed.root / FEED).parts[0] in ("archive", "quarantine") for path in kept)
    told = [entry.name for entry in bed.ledger.newest(50)]
    assert len(told) == 11 and all(name.isprintable() for name in told)
    for path in kept:
        if path.name.endswith(".txt"):
            assert "bị từ chối" in path.read_text("utf-8") or "từ chối" in path.read_text("utf-8")
    assert bed.work() == DropRound()


@pytest.mark.parametrize("name", [".work", "archive", "quarantine"])
@pytest.mark.parametrize("kind", ["file", "link", "dangling link"])
def test_the_drop_s_own_names_may_be_taken_by_a_sender(name: str, kind: str, bed: Bed, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    own = bed.root / FEED / name
    if kind == "file":
        bed.drop(name, invoice(7), age=20)
    else:
        own.symlink_to(outside if kind == "link" else tmp_path / "nowhere")
    bed.drop("a.xml", GOOD, age=60)
    bed.drop("b.xml", MIXED, age=50)
    done = DropRound()
    for _ in range(3):
        more = bed.work()
        done = DropRound(done.archived + more.archived, done.quarantined + more.quarantined)
    assert done == DropRound(archived=2 if kind == "file" else 1, quarantined=1)
    assert list(outside.iterdir()) == []  # nothing is written where a link leads
    assert len(bed.events()) == 2 + (kind == "file")


@pytest.mark.parametrize("ahead", [86_400.0, 3e9])
def test_a_file_whose_time_lies_ahead_does_not_wait_for_it(ahead: float, bed: Bed) -> None:
    """A client sets the time of what it uploads; this machine's own time of the change is the real one, long ago."""
    path = bed.drop("a.xml", GOOD)
    os.utime(path, (path.stat().st_ctime + ahead,) * 2)
    changed = path.stat().st_ctime
    bed.now = NOW.fromtimestamp(changed + 5, NOW.tzinfo)
    assert bed.work() == DropRound()
    bed.now = NOW.fromtimestamp(changed + 60, NOW.tzinfo)
    assert bed.work() == DropRound(archived=1)


def test_a_clock_that_was_set_back_holds_no_file(bed: Bed) -> None:
    path = bed.drop("a.xml", GOOD)
    bed.now = NOW.fromtimestamp(min(path.stat().st_ctime, path.stat().st_mtime) - 86_400 * 365, NOW.tzinfo)
    assert bed.work() == DropRound(archived=1)


def test_a_file_that_cannot_be_read_holds_up_no_other(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    bed.drop("a.xml", GOOD, age=90)
    bed.drop("b.xml", invoice(8), age=80)
    whole = Path.open

    def opened(path: Path, *arguments: Any, **options: Any) -> Any:
        if path.name == "a.xml":
            raise PermissionError(errno.EACCES, "Permission denied")
        return whole(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", opened)
    assert bed.work() == DropRound(archived=1)
    monkeypatch.undo()
    assert bed.work() == DropRound(archived=1)
    assert len(bed.events()) == 2


@pytest.mark.parametrize("failure", [TypeError, RecursionError, MemoryError, UnicodeError, ZeroDivisionError])
def test_a_reader_that_fails_costs_one_file(
    failure: type[Exception], bed: Bed, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = publish.read_document

    def failing(found: Any, context: Any) -> Iterator[Item]:
        if context.file == "a.xml":
            yield from list(read(found, context))[:1]
            raise failure("Nguyễn Văn A, 077123456789")
        yield from read(found, context)

    monkeypatch.setattr(publish, "read_document", failing)
    bed.drop("a.xml", GOOD, age=90)
    bed.drop("b.xml", invoice(8), age=80)
    assert bed.work() == DropRound(archived=1, quarantined=1)
    report = (bed.root / FEED / "quarantine/2026-11-02/a.xml.txt").read_text("utf-8")
    assert "chương trình đọc tệp gặp lỗi" in report and "test_hostile_drop.py" in report
    assert "Nguyễn" not in report and "077123456789" not in report
    assert len(bed.events()) == 2 and "Nguyễn" not in json.dumps([entry.report for entry in bed.ledger.newest(9)])
