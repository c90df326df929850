"""The samples: what each gives, that it is canonical, and that no planted identifier comes through."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from format_reading import FEEDS, FORMATS, SAMPLE_FILES, format_of, golden, outcome, read_bytes, rules_of

from connectors.formats.format import Event
from ioc.feeds.validation import check_envelope

# In the samples these stand where persons are named; whoever adds a sample plants them there too.
PLANTED = (
    "PLANTED",
    "planted",
    "0909123456",
    "0918765432",
    "190200300400500",
    "077188000123",
    "077099000456",
    "C0PLANT11",
    "14/02/1988",
    "1988-02-14",
)
IDS = [f"{path.parent.name}/{path.name}" for path in SAMPLE_FILES]


@pytest.mark.parametrize("path", SAMPLE_FILES, ids=IDS)
def test_a_sample_gives_its_golden_outcome(path: Path) -> None:
    assert outcome(path) == json.loads(golden(path).read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SAMPLE_FILES, ids=IDS)
def test_a_samples_events_are_canonical(path: Path) -> None:
    events = [item for item in read_bytes(path.read_bytes(), file=path.name) if isinstance(item, Event)]
    assert events
    for event in events:
        feed = FEEDS[event.feed]
        envelope = feed.envelope.validate_json(json.dumps(event.envelope))
        assert check_envelope(feed, envelope) == []


@pytest.mark.parametrize("path", SAMPLE_FILES, ids=IDS)
def test_no_planted_identifier_comes_through(path: Path) -> None:
    content = path.read_text(encoding="utf-8")
    planted = [word for word in PLANTED if word in content]
    if any(field.personal for field in FORMATS[path.parent.name].fields):
        assert planted, "a sample without planted identifiers shows nothing"
    shown = repr(read_bytes(path.read_bytes(), file=path.name))
    assert [word for word in planted if word in shown] == []


@pytest.mark.parametrize("path", SAMPLE_FILES, ids=IDS)
def test_a_sample_lies_in_the_folder_of_its_format(path: Path) -> None:
    assert format_of(path.read_bytes()) == path.parent.name


def test_every_format_names_feeds_that_exist() -> None:
    assert all(set(declared.feeds) <= FEEDS.keys() for declared in FORMATS.values())


@pytest.mark.parametrize("content", [b"", b"hello", b"<fhir/>", b"{}", b"PK\x03\x04", b"\xff\xfe", b"\x00" * 100])
def test_a_file_in_no_known_format_is_one_bad_record(content: bytes) -> None:
    ((_, rule),) = rules_of(content)
    assert rule in ("unknown_format", "workbook_unreadable", "empty_file")
