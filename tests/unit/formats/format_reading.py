"""Reads files as the tests do, in one context. Run it to write the samples' golden files anew."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from connectors.formats.crosswalk import load_crosswalk
from connectors.formats.format import BadRecord, Context, Event, Item, Remark, load_formats
from connectors.formats.readers.source import bytes_source
from connectors.formats.recognition import Recognised, files_of, read_document, recognise
from ioc.errors import RejectedError
from ioc.feeds.feed import load_feeds
from ioc.feeds.plausibility import Calendar
from ioc.province.profile import load_profile
from ioc.pseudonym import Pseudonymiser
from ioc.settings import Settings

SAMPLES = Path(__file__).resolve().parents[2] / "samples" / "formats"
SAMPLE_FILES = sorted(path for path in SAMPLES.glob("*/*") if not path.name.endswith(".golden.json"))
FORMATS = load_formats()
FEEDS = load_feeds()
PROFILE = Settings(_env_file=None).profile
CROSSWALK = load_crosswalk(PROFILE, load_profile(PROFILE).reporters)


def context(file: str = "sample", **changes: Any) -> Context:
    """A context of 2024-10-05 18:00 in Vũng Tàu; `changes` are its fields."""
    fields: dict[str, Any] = {
        "file": file,
        "received_at": datetime(2024, 10, 5, 11, tzinfo=UTC),
        "feeds": FEEDS,
        "pseudonymise": Pseudonymiser("k1", SecretStr("key of the tests")),
        "timezone": ZoneInfo("Asia/Ho_Chi_Minh"),
        "home_province": "Bà Rịa - Vũng Tàu",
        "now": Calendar.of(Settings(_env_file=None), "Asia/Ho_Chi_Minh").at(datetime.now(UTC)),
        "establishment": "77-750-0004",
        "crosswalk": CROSSWALK,
    }
    return Context(**(fields | changes))


def read_bytes(data: bytes, **changes: Any) -> list[Item]:
    """What a file's bytes give; a file in no known format is one bad record."""
    where = context(**changes)
    items: list[Item] = []
    try:
        for source in files_of(bytes_source(where.file, data)):
            assert not isinstance(source, RejectedError), source
            for found in recognise(source, FORMATS):
                items += [found] if isinstance(found, Remark) else read_document(found, where)
    except RejectedError as error:
        items.append(BadRecord(where.file, error.reasons))
    return items


def events_and_refusals(data: bytes, **changes: Any) -> list[Any]:
    """What a file's bytes give, as plain values."""
    return [
        item.envelope if isinstance(item, Event) else item.warning if isinstance(item, Remark) else item.reasons
        for item in read_bytes(data, **changes)
    ]


def format_of(data: bytes) -> str:
    """The name of the format that reads a file of one document."""
    (found,) = recognise(bytes_source("sample", data), FORMATS)
    assert isinstance(found, Recognised)
    return found.format.name


def events_of(data: bytes, **changes: Any) -> list[Event]:
    """The events of a file that holds nothing bad."""
    items = read_bytes(data, **changes)
    bad = [item for item in items if isinstance(item, BadRecord)]
    assert not bad, bad
    return [item for item in items if isinstance(item, Event)]


def rules_of(data: bytes, **changes: Any) -> list[tuple[str, str]]:
    """(field, rule) of every reason in a file."""
    bad = [item for item in read_bytes(data, **changes) if isinstance(item, BadRecord)]
    return [(reason.field, reason.rule) for record in bad for reason in record.reasons]


def outcome(path: Path) -> list[dict[str, Any]]:
    """What a sample gives, as a golden file holds it."""
    return [
        {
            "where": item.where,
            "envelope": item.envelope,
            "warnings": [[warning.field, warning.rule, warning.value] for warning in item.warnings],
        }
        if isinstance(item, Event)
        else {"where": item.where, "remark": [item.warning.field, item.warning.rule, item.warning.value]}
        if isinstance(item, Remark)
        else {
            "where": item.where,
            "reasons": [[reason.field, reason.rule, reason.value] for reason in item.reasons],
        }
        for item in read_bytes(path.read_bytes(), file=path.name)
    ]


def golden(path: Path) -> Path:
    """The golden file beside a sample."""
    return path.with_suffix(".golden.json")


if __name__ == "__main__":
    for sample in SAMPLE_FILES:
        text = json.dumps(outcome(sample), ensure_ascii=False, indent=1)
        golden(sample).write_text(text + "\n", encoding="utf-8")
