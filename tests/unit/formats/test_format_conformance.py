"""The conformance suite: what holds of every format, whatever it reads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from format_reading import FEEDS, FORMATS, SAMPLE_FILES, context, events_and_refusals, read_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from connectors.formats.field import Field
from connectors.formats.flat import RecordMap, flat_format
from connectors.formats.format import BadRecord, Event, Format, Remark
from connectors.formats.plain import compact
from deploy.cli import app

NAMES = sorted(FORMATS)
# Workbooks are binary: their tests build them (tests/unit/formats/test_format_lodging.py).
BUILT = {"lodging_foreign_xlsx", "lodging_vietnamese_xlsx"}
SAMPLED = [path for path in SAMPLE_FILES if path.parent.name in FORMATS]
MARK = "MARKER-7391"


@pytest.mark.parametrize("name", NAMES)
def test_a_format_says_what_it_is(name: str) -> None:
    declared = FORMATS[name]
    assert declared.title_vi and declared.title_en and declared.carriers
    assert set(declared.feeds) <= FEEDS.keys()
    assert all(carrier.says for carrier in declared.carriers)
    assert len(declared.notes_vi) == len(declared.notes_en), "both languages say the same"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in BUILT])
def test_a_format_has_samples_that_give_events_and_refusals(name: str) -> None:
    items = [
        item for path in SAMPLED if path.parent.name == name for item in read_bytes(path.read_bytes(), file=path.name)
    ]
    assert any(isinstance(item, Event) for item in items), "a valid record"
    if name not in ("document_edxml", "registry_table", "usage_table", "lodging_daily_json"):
        assert any(isinstance(item, BadRecord) for item in items), "a record that is refused, beside its neighbours"


def test_every_feed_has_a_format_of_its_own() -> None:
    given = {feed for declared in FORMATS.values() if declared.name != "cloudevents_json" for feed in declared.feeds}
    assert given == FEEDS.keys()


@pytest.mark.parametrize("path", SAMPLED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_reading_again_gives_the_very_same(path: Path) -> None:
    data = path.read_bytes()
    assert events_and_refusals(data, file=path.name) == events_and_refusals(data, file=path.name)


@pytest.mark.parametrize("path", SAMPLED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_file_that_is_cut_off_ends_in_findings(path: Path) -> None:
    data = path.read_bytes()
    for cut in range(1, len(data), max(1, len(data) // 40)):
        for item in read_bytes(data[:cut], file=path.name):
            assert isinstance(item, Event | BadRecord | Remark)


def flat_fields() -> Iterator[tuple[Format, Field]]:
    for declared in FORMATS.values():
        for field in declared.fields:
            if any(carrier.kind == "table" for carrier in declared.carriers):
                yield declared, field


def table_of(name: str) -> list[dict[str, str]]:
    path = next(path for path in SAMPLED if path.parent.name == name and path.suffix == ".csv")
    text = path.read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text), delimiter=";" if text.count(";") > text.count(",") else ","))


def csv_of(rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(dict.fromkeys(key for row in rows for key in row)))
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


PERSONAL = [(declared.name, field) for declared, field in flat_fields() if field.personal in ("dropped", "keyed HMAC")]


@pytest.mark.parametrize(("name", "field"), PERSONAL, ids=[f"{name}.{field.sources[0]}" for name, field in PERSONAL])
def test_what_is_personal_does_not_come_through(name: str, field: Field) -> None:
    """Of every field that is declared personal, in any of its spellings."""
    rows = table_of(name)
    for spelling in field.sources:
        changed = [{**row, spelling: MARK} for row in rows]
        for row in changed:
            for other in field.sources:
                if other != spelling:
                    row.pop(other, None)
        assert MARK not in repr(read_bytes(csv_of(changed), file="sample"))


REQUIRED = [(declared.name, field) for declared, field in flat_fields() if field.required and field.reading is not None]


@pytest.mark.parametrize(("name", "field"), REQUIRED, ids=[f"{name}.{field.sources[0]}" for name, field in REQUIRED])
def test_what_is_required_and_empty_is_refused_not_read_as_something(name: str, field: Field) -> None:
    rows = table_of(name)
    spellings = {compact(spelling) for spelling in field.sources}
    heading = next(key for key in rows[0] if compact(key) in spellings)
    items = read_bytes(csv_of([{**row, heading: ""} for row in rows]), file="sample")
    assert not [item for item in items if isinstance(item, Event) and item.envelope.get("data") is not None]
    assert any(reason.rule == "required" for item in items if isinstance(item, BadRecord) for reason in item.reasons)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_table_is_the_same_in_every_delimiter_and_as_json(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([n for n in NAMES if n.endswith("_table") and n != "lodging_daily_table"]))
    rows = table_of(name)
    told = [{key: value or None for key, value in row.items()} for row in rows]

    def told_by(content: bytes) -> list[object]:
        return [
            item.envelope if isinstance(item, Event) else [reason.rule for reason in item.reasons]
            for item in read_bytes(content, file="sample")
            if not isinstance(item, Remark)
        ]

    comma = told_by(csv_of(rows))
    out = io.StringIO()
    sign = data.draw(st.sampled_from(";\t|"))
    writer = csv.DictWriter(out, list(rows[0]), delimiter=sign)
    writer.writeheader()
    writer.writerows(rows)
    encoding = data.draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    assert told_by(out.getvalue().encode(encoding)) == comma
    assert told_by(json.dumps(told, ensure_ascii=False).encode()) == comma
    assert told_by("\n".join(json.dumps(row, ensure_ascii=False) for row in [*told, *told]).encode()) == comma + comma


def test_a_new_format_is_a_map_and_samples() -> None:
    known = FORMATS["infosec_table"]
    again = flat_format(
        "another",
        RecordMap(known.feeds[0], known.fields, ("kind", "item", "occurred"), lambda values, findings, where: None),  # type: ignore[arg-type,return-value]
        title_vi="x",
        title_en="x",
    )
    assert again.fields == known.fields and len(again.carriers) == 2


def test_the_list_of_formats() -> None:
    shown = CliRunner().invoke(app, ["format", "list", "--json"])
    assert shown.exit_code == 0
    rows = json.loads(shown.stdout)
    assert {row["format"] for row in rows} == FORMATS.keys()
    assert all(row["recognised_by"] for row in rows)
    assert "giamdinhhs_xml" in CliRunner().invoke(app, ["format", "list"]).stdout


def test_the_context_of_the_tests_is_the_profiles() -> None:
    assert context().crosswalk.reporter("health.checkout", "77001") == "yt-747-01"
