"""A heading or key that is one letter from a field's name: told, so that an optional field is not lost in silence."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from format_reading import FORMATS, SAMPLE_FILES, read_bytes
from test_format_outside_values import COLUMNS, as_csv, as_json, row

from connectors.formats.field import columns_of
from connectors.formats.format import BadRecord, Event, Remark
from connectors.formats.plain import compact

# Ids of SDMX are exact, and it has columns that are no fields of ours.
TABLES = [path for path in SAMPLE_FILES if path.suffix == ".csv" and path.name != "sdmx.csv"]
KNOWN = {compact(one) for form in FORMATS.values() for _, several in columns_of(form.fields) for one in several}


def told_of(content: bytes) -> list[tuple[str, str]]:
    """(field that is meant, rule) of the remarks on a file."""
    return [(item.warning.field, item.warning.rule) for item in read_bytes(content) if isinstance(item, Remark)]


@pytest.mark.parametrize("path", TABLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_heading_that_lacks_a_letter_is_told_or_the_file_refused(path: Path) -> None:
    text = path.read_text(encoding="utf-8-sig")
    assert not [rule for _, rule in told_of(text.encode()) if rule == "misspelt"], "a sample is spelt as it must be"
    head, _, rest = text.partition("\n")
    sign = max(",;\t", key=head.count)
    headings = next(csv.reader(io.StringIO(head), delimiter=sign))
    for index, heading in enumerate(headings):
        if len(compact(heading)) < 7 or compact(heading) not in KNOWN:
            continue
        middle = next(at for at in range(len(heading) // 2, 0, -1) if heading[at].isalnum())
        changed = [*headings]
        changed[index] = heading[:middle] + heading[middle + 1 :]
        items = read_bytes((sign.join(changed) + "\n" + rest).encode())
        remarks = [item for item in items if isinstance(item, Remark) and item.warning.rule == "misspelt"]
        assert remarks or any(isinstance(item, BadRecord) for item in items), heading


def test_a_remark_names_what_is_there_and_what_is_meant_once() -> None:
    content = as_csv([*row(), "2"], [*row("6", "2024-08"), "3"], columns=(*COLUMNS, "revison"))
    items = read_bytes(content)
    (remark,) = [item for item in items if isinstance(item, Remark)]
    assert (remark.warning.field, remark.warning.rule) == ("revision", "misspelt")
    assert "“revison”" in remark.warning.message_vi and "“revision”" in remark.warning.message_vi
    assert len([item for item in items if isinstance(item, Event)]) == 2


def test_keys_of_json_are_looked_at_too() -> None:
    one = json.loads(as_json(5))
    assert told_of(json.dumps([one, one | {"revison": 2}]).encode()) == [("revision", "misspelt")]


@pytest.mark.parametrize("beside", ["note", "Người lập biểu", "STT", "revision_history", "x" * 300, "val", "\x1b[31m"])
def test_columns_of_the_senders_own_are_not_remarked(beside: str) -> None:
    assert told_of(as_csv([*row(), "2"], columns=(*COLUMNS, beside))) == []
    assert told_of(json.dumps(json.loads(as_json(5)) | {beside: "2"}).encode()) == []


def test_a_field_that_is_there_is_not_missed() -> None:
    assert told_of(as_csv([*row(), "2", "3"], columns=(*COLUMNS, "revision", "revisions"))) == []
