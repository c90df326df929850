"""The file drop over the real gateway in memory: whole files only, each once, whatever kills it in between."""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from testbed.gateway import AsgiTransport, GatewayBed

from connectors.file_drop.drop import BATCH, DropRound, FileDrop
from connectors.file_drop.inbox import inboxes
from connectors.file_drop.ledger import DropLedger
from connectors.formats.memory import Memory
from connectors.publishing.client import GatewayClient
from connectors.publishing.publish import FileReader
from ioc.errors import RetryableError
from ioc.feeds.feed import load_feeds
from ioc.settings import Settings

SAMPLES = Path(__file__).parents[2] / "samples" / "formats"
GOOD = (SAMPLES / "einvoice_xml" / "sales_invoice.xml").read_bytes()
MIXED = (SAMPLES / "einvoice_xml" / "message_200_with_a_bad_neighbour.xml").read_bytes()
PETROL = (SAMPLES / "einvoice_xml" / "message_206_petrol.xml").read_bytes()
FEEDS = load_feeds()
FEED = "tax.einvoice"
NOW = datetime(2026, 11, 2, 8, tzinfo=UTC)
POINTS = ("before_claim", "after_claim", "before_sending", "after_sending", "after_ledger", "after_move")


class KilledError(BaseException):
    """The process is killed here."""


class Killer:
    """Kills at the n-th passing of a point, once for each plan in turn."""

    def __init__(self, plans: list[tuple[str, int]]) -> None:
        self.plans = list(plans)
        self.passed = 0

    def __call__(self, point: str) -> None:
        if self.plans and point == self.plans[0][0]:
            self.passed += 1
            if self.passed >= self.plans[0][1]:
                self.plans.pop(0)
                self.passed = 0
                raise KilledError


class Bed:
    """A drop over a gateway in memory; `reader` is shared, because a province's profile takes long to load."""

    def __init__(self, directory: Path, reader: FileReader, fault: Callable[[str], None] = lambda _: None) -> None:
        self.gateway = GatewayBed(directory)
        _, secret = self.gateway.tokens.create("Drop", list(FEEDS), ["*"])
        self.requests = 0
        transport = AsgiTransport(self.gateway.app)
        self.client = GatewayClient("http://gateway", secret, transport=transport, sleep=lambda _: None)
        self.root = directory / "drop"
        self.ledger = DropLedger(directory / "ledger.sqlite3")
        self.reader = reader
        reader.memory = Memory(directory / "memory.sqlite3")
        reader._context = reader._context.__class__(**{**vars(reader._context), "memory": reader.memory})
        self.fault = fault
        self.now = NOW
        (self.root / FEED).mkdir(parents=True)

    def drop(self, name: str, content: bytes, *, age: float = 60, directory: str = FEED) -> Path:
        """Put a file into a directory, last changed `age` seconds ago."""
        path = self.root / directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        os.utime(path, (NOW.timestamp() - age,) * 2)
        return path

    def work(self) -> DropRound:
        """One round of a new process."""
        drop = FileDrop(
            self.root, FEEDS, self.reader, self.client, self.ledger, settle=10, now=lambda: self.now, fault=self.fault
        )
        return drop.work()

    def files(self, below: str = "") -> list[str]:
        """Every file below a directory of the feed, but reports."""
        root = self.root / FEED / below
        found = (path.relative_to(self.root / FEED) for path in root.rglob("*") if path.is_file())
        return sorted(str(path) for path in found if path.suffix != ".txt")

    def events(self) -> list[dict[str, Any]]:
        """All events that were written."""
        values = [json.loads(record.value) for record in self.gateway.memory.records]
        return [event for value in values for event in (value if isinstance(value, list) else [value])]


@pytest.fixture(scope="module")
def reader() -> FileReader:
    return FileReader(Settings(_env_file=None), now=lambda: NOW)


@pytest.fixture
def bed(tmp_path: Path, reader: FileReader) -> Bed:
    return Bed(tmp_path, reader)


def invoice(number: int) -> bytes:
    """A good invoice of another number."""
    assert b"<SHDon>" in GOOD
    head, _, rest = GOOD.partition(b"<SHDon>")
    return head + b"<SHDon>" + str(number).encode() + b"</SHDon>" + rest.partition(b"</SHDon>")[2]


def test_a_good_file_is_sent_and_archived(bed: Bed) -> None:
    bed.drop("a.xml", GOOD)
    assert bed.work() == DropRound(archived=1)
    assert bed.files() == ["archive/2026-11-02/a.xml"]
    assert len(bed.events()) == 1
    assert bed.work() == DropRound()


def test_a_file_with_mistakes_lies_in_quarantine_with_a_report_beside_it(bed: Bed) -> None:
    bed.drop("bad.xml", MIXED)
    assert bed.work() == DropRound(quarantined=1)
    assert bed.files() == ["quarantine/2026-11-02/bad.xml"]
    report = (bed.root / FEED / "quarantine/2026-11-02/bad.xml.txt").read_text("utf-8")
    assert report.startswith("Tệp bad.xml: đã nhận ")
    assert "Mend the errors below" in report and "bad.xml: " in report
    assert bed.events()  # its good neighbours


def test_the_same_content_is_not_sent_twice(bed: Bed) -> None:
    bed.drop("a.xml", GOOD)
    bed.work()
    bed.drop("a.xml", GOOD)
    bed.drop("b.xml", GOOD)
    bed.work()
    bed.work()
    assert len(bed.events()) == 1
    assert bed.files() == ["archive/2026-11-02/a-2.xml", "archive/2026-11-02/a.xml", "archive/2026-11-02/b.xml"]


def test_what_was_in_quarantine_is_read_again_when_it_is_dropped_again(bed: Bed) -> None:
    bed.drop("a.xml", GOOD)
    bed.gateway.tokens.revoke(bed.gateway.tokens.read()[-1].id)
    _, narrow = bed.gateway.tokens.create("narrow", [FEED], ["nobody"])
    transport = AsgiTransport(bed.gateway.app)
    wide, bed.client = bed.client, GatewayClient("http://gateway", narrow, transport=transport)
    assert bed.work() == DropRound(quarantined=1)
    _, secret = bed.gateway.tokens.create("Drop", list(FEEDS), ["*"])
    bed.client = GatewayClient("http://gateway", secret, transport=transport)
    bed.drop("again.xml", GOOD)
    assert bed.work() == DropRound(archived=1)
    assert len(bed.events()) == 1
    wide.__exit__(None, None, None)


def test_only_whole_files_are_taken(bed: Bed) -> None:
    bed.drop("fresh.xml", GOOD, age=3)
    for name in ("a.xml.part", "a.tmp", ".hidden.xml", "a.xml~", "~$a.xlsx", "a.filepart"):
        bed.drop(name, GOOD)
    (bed.root / FEED / "link.xml").symlink_to("/etc/hostname")
    os.mkfifo(bed.root / FEED / "pipe.xml")
    assert bed.work() == DropRound()
    bed.now = datetime(2026, 11, 2, 8, 1, tzinfo=UTC)
    assert bed.work() == DropRound(archived=1)
    assert len(bed.events()) == 1


def test_a_file_that_grows_while_it_is_read_goes_back(bed: Bed) -> None:
    bed.drop("a.xml", GOOD)
    grown = False

    def grow(point: str) -> None:
        nonlocal grown
        if point == "before_sending" and not grown:
            grown = True
            (work,) = (bed.root / FEED / ".work").iterdir()
            work.write_bytes(PETROL)
            os.utime(work, (NOW.timestamp() - 1,) * 2)

    bed.fault = grow
    assert bed.work() == DropRound()
    assert bed.files() == ["a.xml"]


def test_a_directory_of_a_reporter_names_it(bed: Bed) -> None:
    bed.drop("a.xml", GOOD, directory=f"{FEED}/3500000001")
    assert [(box.feed, box.reporter) for box in inboxes(bed.root, [FEED], settle=1)] == [
        (FEED, ""),
        (FEED, "3500000001"),
    ]
    assert bed.work().archived == 1
    assert bed.files() == ["3500000001/archive/2026-11-02/a.xml"]


def test_records_of_another_feed_are_refused(bed: Bed) -> None:
    bed.drop("a.xml", GOOD, directory="tourism.stay")
    assert bed.work() == DropRound(quarantined=1)
    assert bed.events() == []


def test_rubbish_and_bombs_lie_in_quarantine(bed: Bed) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.xml", b"<a>" + b" " * 40_000_000)
    for number, content in enumerate((b"", b"\x00" * 100, b"<a", packed.getvalue(), b"PK\x03\x04")):
        bed.drop(f"{number}.xml", content)
    assert bed.work() == DropRound(quarantined=5)
    assert len(list((bed.root / FEED / "quarantine").rglob("*.txt"))) == 5


def test_a_zip_is_read_file_by_file(bed: Bed) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"{number}.xml", invoice(number + 1))
    bed.drop("three.zip", packed.getvalue())
    assert bed.work() == DropRound(archived=1)
    assert len({event["subject"] for event in bed.events()}) == 3


def test_many_small_files_go_in_few_requests(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []
    publish = bed.client.publish
    bed.client.publish = lambda events: (sent.append(len(events)), publish(events))[1]  # type: ignore[method-assign,assignment,func-returns-value]
    for number in range(BATCH + 20):
        bed.drop(f"{number}.xml", invoice(number + 1))
    assert bed.work() == DropRound(archived=BATCH + 20)
    assert sent == [BATCH, 20]
    assert len(bed.events()) == BATCH + 20


def test_a_gateway_that_is_away_loses_nothing(bed: Bed) -> None:
    bed.drop("a.xml", GOOD)
    bed.gateway.memory.available = False
    with pytest.raises(RetryableError):
        bed.work()
    assert [name for name in bed.files() if not name.startswith(".work/")] == []
    bed.gateway.memory.available = True
    assert bed.work() == DropRound(archived=1)
    assert len(bed.events()) == 1


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plans=st.lists(st.tuples(st.sampled_from(POINTS), st.integers(1, 4)), max_size=6))
def test_a_kill_at_any_point_loses_and_doubles_nothing(
    plans: list[tuple[str, int]], tmp_path_factory: pytest.TempPathFactory, reader: FileReader
) -> None:
    bed = Bed(tmp_path_factory.mktemp("kill"), reader, Killer(plans))
    names = {"good.xml": GOOD, "mixed.xml": MIXED, "petrol.xml": PETROL, "twin.xml": GOOD}
    for number, (name, content) in enumerate(names.items()):
        bed.drop(name, content, age=100 - number)
    for _ in range(len(plans) + 3):
        try:
            bed.work()
        except KilledError:
            continue
    ended = [Path(name).name for name in bed.files()]
    assert sorted(ended) == sorted(names)
    assert bed.files(".work") == []
    assert all(name.startswith(("archive/", "quarantine/")) for name in bed.files())
    clean = Bed(tmp_path_factory.mktemp("clean"), reader)
    for number, (name, content) in enumerate(names.items()):
        clean.drop(name, content, age=100 - number)
    while clean.work() != DropRound():
        pass
    # Sent again after a kill, an event is the very same: id, revision and content.
    once = {json.dumps(event, sort_keys=True) for event in bed.events()}
    assert once == {json.dumps(event, sort_keys=True) for event in clean.events()}


def test_the_ledger_remembers(bed: Bed) -> None:
    bed.drop("a.xml", GOOD)
    bed.drop("b.xml", MIXED)
    bed.work()
    entries = {entry.name: (entry.state, entry.accepted, entry.refused > 0) for entry in bed.ledger.newest(10)}
    assert entries["a.xml"] == ("archived", 1, False)
    assert entries["b.xml"][0] == "quarantined" and entries["b.xml"][2]
