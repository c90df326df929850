"""What files from outside once got wrong in how they are recognised: windows, encodings, archives, empty files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import pytest
from format_reading import events_of, read_bytes
from test_format_einvoice import invoice
from test_format_lodging import GUEST, changed, sheet
from test_format_outside_files import guests, report

from connectors.formats.format import BadRecord

LONG = "<!--" + "x" * 300_000 + "-->"


@pytest.mark.parametrize(
    "change",
    [
        lambda text: (LONG + text).encode(),
        lambda text: ('<?xml version="1.0" encoding="UTF-8"?>' + LONG + "<?pi x?>" + text).encode(),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.encode("utf-16"),
        lambda text: ('<?xml version="1.0" encoding="windows-1258"?>' + text).encode(),
        lambda text: ('<?xml version="1.0" encoding="utf-16"?>' + text).encode(),
        lambda text: ("\n  \r\n" + text).encode(),
    ],
    ids=["comment", "prolog", "utf-16-le", "utf-16-be", "utf-16", "ascii as windows-1258", "utf-8 as utf-16", "blanks"],
)
def test_recognition_has_no_window(change: Callable[[str], bytes]) -> None:
    plain = guests().decode()
    assert [e.envelope for e in events_of(change(plain))] == [e.envelope for e in events_of(guests())]


def test_a_key_beyond_any_window_is_found() -> None:
    content = b'{"vendor": "' + b"x" * 100_000 + b'", ' + report()[1:]
    assert events_of(content)[0].envelope == events_of(report())[0].envelope


def test_a_row_far_below_without_content_is_no_row() -> None:
    packed, far = io.BytesIO(sheet(GUEST, changed(A=2, H="077190000124"))), io.BytesIO()
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(far, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            target.writestr(name, part.replace(b"</sheetData>", b'<row r="1048576"/></sheetData>'))
    assert len(events_of(far.getvalue())) == 2


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "empty_file"),
        (b" \n\t ", "empty_file"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512, "old_excel"),
        (b"%PDF-1.7 ...", "pdf"),
        (b"\x1f\x8b\x08\0", "compressed"),
        (b"Rar!\x1a\x07", "compressed"),
    ],
)
def test_what_cannot_be_read_gets_advice(content: bytes, rule: str) -> None:
    (bad,) = [item for item in read_bytes(content) if isinstance(item, BadRecord)]
    assert bad.reasons[0].rule == rule and "hãy" in bad.reasons[0].message_vi


def test_a_zip_is_read_file_by_file_and_lines_of_json_too() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a/1.xml", invoice())
        archive.writestr("a/2.xml", invoice(number="<SHDon>2</SHDon>"))
    assert len(events_of(packed.getvalue())) == 2
    lines = report(revision=1) + b"\n" + report(revision=1, report_date="2024-10-03") + b"\n"
    assert len(events_of(lines)) == 2
