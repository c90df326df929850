"""What the simulator writes in every sector's own format is read as what it meant.

Writers (deploy/simulator/native) and readers (connectors/formats) share no code: a check on both.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from format_reading import FEEDS, FORMATS, PROFILE, context, read_bytes

from connectors.formats.format import BadRecord, Event, Remark
from connectors.formats.memory import Memory
from deploy.simulator.calendar import HOURS
from deploy.simulator.ledger import ExpectedOutcome
from deploy.simulator.native.course import LATER, VOIDABLE, first_lives, later_files
from deploy.simulator.native.export import OF_ALL, native_files
from deploy.simulator.native.file import Desk, NativeWriter, ToldRecord
from deploy.simulator.native.roster import WRITERS
from deploy.simulator.province import Province
from deploy.simulator.rates import FAULTS, Rates
from deploy.simulator.record import Life
from deploy.simulator.roster import of_agencies
from ioc.province.profile import Profile, load_profile_catalogue

NOW = datetime(2024, 10, 5, 18, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
DESK = Desk(NOW, lambda domain, identifier, on: context().pseudonymise(domain, identifier, on))
AT_MOST = 60
EXAMPLES = Path(__file__).resolve().parents[3] / "docs" / "feeds" / "examples"


@pytest.fixture(scope="module")
def lives(profile: Profile) -> Mapping[str, Sequence[Life]]:
    """Records as they stand after a simulated day, by feed; those of report.value one of each period too."""
    rows = load_profile_catalogue(PROFILE, FEEDS).indicators.values()
    rates = Rates(**dict.fromkeys(FAULTS, 0.0))
    province = Province(profile, rates=rates, indicators=of_agencies(rows))
    winning: defaultdict[str, dict[str, Life]] = defaultdict(dict)
    for one in [*province.register(), *(one for _ in range(HOURS) for one in province.tick(250))]:
        if one.outcome in (ExpectedOutcome.NEW, ExpectedOutcome.CORRECTED):
            subject = one.event["subject"]
            winning[one.feed][subject] = Life(one.reporter, subject.partition("/")[2], one.event["data"])
    return {feed: list(found.values()) for feed, found in winning.items()}


def test_the_same_records_make_the_same_bytes(lives: Mapping[str, Sequence[Life]]) -> None:
    first, again = (dict(native_files(lives, DESK, at_most=5)) for _ in range(2))
    assert first == again


def test_every_format_has_a_writer() -> None:
    assert WRITERS.keys() == FORMATS.keys()


@pytest.mark.parametrize(
    ("name", "writer"), [(name, writer) for name, (_, writers) in WRITERS.items() for writer in writers]
)
def test_what_is_written_is_read_as_it_was_meant(
    name: str, writer: NativeWriter, lives: Mapping[str, Sequence[Life]]
) -> None:
    own = lives[WRITERS[name][0]]
    every = max(1, len(own) // AT_MOST)
    file = writer(own if name in OF_ALL else own[::every], DESK)
    assert file.told, "the writer found records that it can write"
    items = read_bytes(file.content, file=file.name, received_at=NOW, establishment=file.establishment)
    assert [item for item in items if isinstance(item, BadRecord)] == []
    events = [item for item in items if isinstance(item, Event)]
    assert len(events) == len(file.told)
    for event, told in zip(events, _in_order(file.told, name), strict=True):
        assert event.feed == told.feed
        assert event.parsed is not None and event.parsed.reporter == told.reporter
        if told.data is None:
            assert event.envelope["voided"]
        else:
            assert _content(event.feed, event.envelope["data"]) == _content(told.feed, told.data)


@pytest.mark.parametrize(
    ("name", "writer"), [(name, writer) for name, (_, writers) in WRITERS.items() for writer in writers]
)
def test_the_next_file_corrects_voids_adds_late_ones_and_has_a_broken_one(
    name: str, writer: NativeWriter, lives: Mapping[str, Sequence[Life]]
) -> None:
    """Both files with one memory, as the connector has it: each gives what was meant, the broken record a finding."""
    feed = WRITERS[name][0]
    own = lives[feed] if name in OF_ALL else lives[feed][:: max(1, len(lives[feed]) // AT_MOST)]
    memory = Memory()
    first = writer(first_lives(own), DESK)
    read_bytes(first.content, file=first.name, received_at=NOW, establishment=first.establishment, memory=memory)
    later = [*later_files(name, feed, writer, own, DESK)]
    assert sum(file.refused for file in later) == 1
    for file in later:
        at = NOW + LATER
        items = read_bytes(
            file.content, file=file.name, received_at=at, establishment=file.establishment, memory=memory
        )
        events = [item for item in items if isinstance(item, Event)]
        assert len([item for item in items if isinstance(item, BadRecord)]) == file.refused
        assert len(events) == len(file.told)
        for event, told in zip(events, _in_order(file.told, name), strict=True):
            assert event.feed == told.feed
            if told.data is None:
                assert event.envelope["voided"]
            else:
                assert _content(event.feed, event.envelope["data"]) == _content(told.feed, told.data)
    told_later = [event for file in later for event in file.told]
    notices = ("message_300.xml", "message_303.xml")
    if name in VOIDABLE:
        assert any(one.data is None for one in told_later)
    if name in ("report_table", "feedback_table", "registry_table", "lodging_daily_json", "dossier_dvc_json"):
        new = [one for one in told_later if one.data is not None and one not in first.told]
        assert len(new) > len(own) - len(first_lives(own)), "more than the late ones: some are corrected"
    if name not in OF_ALL and first.name not in notices:
        assert len(told_later) > len(first.told), "some come late"


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/*")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_an_example_file_is_read_whole(path: Path) -> None:
    # The police's templates name no establishment; the daily reports name several.
    named = {} if path.parent.name.startswith(("lodging_foreign", "lodging_vietnamese")) else {"establishment": ""}
    items = read_bytes(path.read_bytes(), file=path.name, received_at=NOW, **named)
    assert {type(item) for item in items} <= {Event, Remark}
    assert any(isinstance(item, Event) for item in items)


def _in_order(told: Sequence[ToldRecord], name: str) -> list[ToldRecord]:
    """Hours of a station come by parameter."""
    return sorted(told, key=lambda one: (one.data or {})["param"]) if name == "station_txt" else list(told)


def _content(feed: str, data: Mapping[str, Any]) -> dict[str, Any]:
    record: dict[str, Any] = FEEDS[feed].model.model_validate_json(json.dumps(data)).model_dump()
    return record
