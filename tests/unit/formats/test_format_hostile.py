"""Files made to harm: whatever the bytes, reading ends soon in events and bad records, nothing else."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable

import pytest
from format_reading import FEEDS, SAMPLE_FILES, read_bytes, rules_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from connectors.formats.format import BadRecord, Event
from connectors.formats.readers import workbook as workbooks
from connectors.formats.readers import xml as safe_xml

PROLOG = '<?xml version="1.0" encoding="UTF-8"?>'
BILLION_LAUGHS = (
    PROLOG
    + '<!DOCTYPE HDon [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    + '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><HDon><DLHDon>&c;</DLHDon></HDon>'
)
EXTERNAL_ENTITY = PROLOG + '<!DOCTYPE HDon [<!ENTITY x SYSTEM "file:///etc/passwd">]><HDon><DLHDon>&x;</DLHDon></HDon>'
EXTERNAL_DTD = PROLOG + '<!DOCTYPE HDon SYSTEM "http://example.invalid/a.dtd"><HDon/>'
XINCLUDE = (
    '<HDon xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></HDon>'
)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (BILLION_LAUGHS.encode(), "dtd_forbidden"),
        (EXTERNAL_ENTITY.encode(), "dtd_forbidden"),
        (EXTERNAL_DTD.encode(), "dtd_forbidden"),
        (BILLION_LAUGHS.replace("UTF-8", "UTF-16").encode("utf-16"), "dtd_forbidden"),
        (XINCLUDE.encode(), "external_reference"),
        (b"<HDon>" + b"<a>" * 100 + b"</a>" * 100 + b"</HDon>", "xml_too_deep"),
        (b"<HDon>" + b"<a>" * 100_000, "xml_too_deep"),
        (b"<HDon>" + b"<a/>" * (safe_xml.MAX_ELEMENTS + 1) + b"</HDon>", "xml_too_many_elements"),
        (b"<HDon>", "xml_not_well_formed"),
        (b"<HDon></TDiep>", "xml_not_well_formed"),
        (b"<HDon>&undefined;</HDon>", "xml_not_well_formed"),
        (b"<HDon>\x01</HDon>", "xml_not_well_formed"),
        (b"<HDon/><HDon/>", "xml_not_well_formed"),
        (b"<HDon>\xff</HDon>", "encoding"),
        (b'<?xml version="1.0" encoding="UTF-7"?><HDon>+ADw-!DOCTYPE</HDon>', "encoding"),
        (b'<?xml version="1.0" encoding="windows-1258"?><HDon>\xd0</HDon>', "required"),
        (b'<?xml version="1.0" encoding="windows-1258"?><HDon>\x8d</HDon>', "encoding"),
        (b'<?xml version="1.0" encoding="EBCDIC-CP-US"?><HDon/>', "encoding"),
        (b'<?xml version="1.0" encoding="windows-1258"?><HDon/>', "required"),
        (b"<KHAI_BAO_TAM_TRU>" + b"<a>" * 100 + b"</a>" * 100 + b"</KHAI_BAO_TAM_TRU>", "xml_too_deep"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[:24].decode("latin-1"),
)
def test_hostile_xml_is_refused_by_name(content: bytes, rule: str) -> None:
    assert [found for _, found in rules_of(content)] == [rule]


def test_text_broken_by_comments_is_read_whole() -> None:
    root = safe_xml.parse_xml(b"<a><b>1000<!-- x -->000<?pi y?></b></a>")
    assert root[0].text == "1000000", "else 1,000 would be invoiced for a million"


def test_a_place_is_told_in_local_names_and_counts() -> None:
    for xmlns in ("", ' xmlns="urn:a"'):
        root = safe_xml.parse_xml(f"<a{xmlns}><b/><b><c/></b></a>".encode())
        assert safe_xml.path_of(root[1][0]).startswith("/a/b[2]/c")
    root = safe_xml.parse_xml(b'<x:a xmlns:x="urn:a"><x:b/></x:a>')
    assert safe_xml.path_of(root[0]) == "/a/b"


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b'{"establishment_code":' + b"[" * 100_000, "json_invalid"),
        (b'{"establishment_code":' + b"9" * 5000 + b"}", "json_invalid"),
        (b'{"establishment_code":NaN}', "json_number"),
    ],
    ids=["deep", "long", "NaN"],
)
def test_hostile_json_is_refused_by_name(content: bytes, rule: str) -> None:
    assert rules_of(content) == [("", rule)]


def test_a_long_json_is_refused() -> None:
    content = b'{"establishment_code":"' + b"x" * (32 * 2**20) + b'"}'
    assert rules_of(content) == [("", "file_too_large")]


def workbook(change: Callable[[dict[str, bytes]], None] = lambda parts: None, rows: int = 1) -> bytes:
    """A workbook with the Vietnamese template's sheet, its parts changed."""
    book = Workbook()
    book.active.title = "DS_KHACH_VIET_NAM_LUU_TRU"
    for row in range(5, 5 + rows):
        book.active.cell(row, 2, "PLANTED")
    plain = io.BytesIO()
    book.save(plain)
    with zipfile.ZipFile(plain) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    changed = io.BytesIO()
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return changed.getvalue()


def _bomb(parts: dict[str, bytes]) -> None:
    parts["xl/media/image1.png"] = b"\0" * (workbooks.MAX_UNPACKED + 1)


def _many_parts(parts: dict[str, bytes]) -> None:
    parts.update({f"xl/{number}.xml": b"<a/>" for number in range(workbooks.MAX_PARTS + 1)})


def _entity(parts: dict[str, bytes]) -> None:
    name = "xl/worksheets/sheet1.xml"
    parts[name] = b'<!DOCTYPE a [<!ENTITY x "ha">]>' + parts[name]


def _hidden_entity(parts: dict[str, bytes]) -> None:
    parts["xl/other.bin"] = '<!DOCTYPE a [<!ENTITY x "ha">]><a/>'.encode("utf-16")


def _far_row(parts: dict[str, bytes]) -> None:
    name = "xl/worksheets/sheet1.xml"
    parts[name] = parts[name].replace(b'r="5"', b'r="999999999999"').replace(b'"B5"', b'"B999999999999"')


def _broken_sheet(parts: dict[str, bytes]) -> None:
    name = "xl/worksheets/sheet1.xml"
    parts[name] = parts[name].replace(b'r="5"', b'r="x"')


def _no_sheet(parts: dict[str, bytes]) -> None:
    del parts["xl/worksheets/sheet1.xml"]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_bomb, "workbook_too_large"),
        (_many_parts, "workbook_too_large"),
        (_entity, "dtd_forbidden"),
        (_hidden_entity, "workbook_unreadable"),
        (_far_row, "too_many_rows"),
        (_broken_sheet, "workbook_unreadable"),
        (_no_sheet, "workbook_unreadable"),
    ],
)
def test_hostile_workbooks_are_refused_by_name(change: Callable[[dict[str, bytes]], None], rule: str) -> None:
    assert [found for _, found in rules_of(workbook(change))] == [rule]


def test_a_workbook_of_too_many_rows_is_refused() -> None:
    assert rules_of(workbook(rows=workbooks.MAX_ROWS + 1)) == [("DS_KHACH_VIET_NAM_LUU_TRU", "too_many_rows")]


def assert_sound(content: bytes) -> None:
    """FieldReading gives events that are canonical, and bad records that say why; it raises nothing."""
    for item in read_bytes(content):
        if isinstance(item, Event):
            FEEDS[item.feed].envelope.validate_json(json.dumps(item.envelope))
        else:
            assert isinstance(item, BadRecord)
            assert item.reasons
            assert all(reason.message_vi and reason.message_en for reason in item.reasons)


STARTS = [
    b"",
    b"<HDon>",
    b"<TDiep>",
    b"<TBao>",
    b"<KHAI_BAO_TAM_TRU>",
    b"PK\x03\x04",
    b'{"establishment_code":',
    b"\xff\xfe<",
]
SAMPLES = [path.read_text(encoding="utf-8") for path in SAMPLE_FILES]
# What fields are full of: digits, signs of numbers and dates, letters with diacritics, and anything else.
TEXTS = st.one_of(
    st.text(alphabet="0123456789.,-+eE%/:T ", max_size=24),
    st.text(max_size=12),
    st.sampled_from(["", "1", "2", "KHAC:99%", "0000-00-00", "9999-12-31T23:59:59-23:59", "99/99/9999", "9" * 40]),
)


@given(st.sampled_from(STARTS), st.binary(max_size=200))
def test_any_bytes_at_all(start: bytes, rest: bytes) -> None:
    assert_sound(start + rest)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_any_text_in_any_place_of_a_sample(data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from(SAMPLES))
    ends = [place for place, sign in enumerate(sample) if sign in "<,;}\t\n"]
    end = data.draw(st.sampled_from(ends))
    start = max(sample.rfind(sign, 0, end) for sign in ">:,;\t\n") + 1
    text = data.draw(TEXTS).replace("<", "&lt;")
    assert_sound((sample[:start] + text + sample[end:]).encode("utf-8", "surrogatepass"))


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_any_piece_cut_out_of_a_sample(data: st.DataObject) -> None:
    sample = data.draw(st.sampled_from(SAMPLES)).encode()
    start = data.draw(st.integers(0, len(sample)))
    end = data.draw(st.integers(start, min(len(sample), start + 400)))
    assert_sound(sample[:start] + sample[end:])


# Made once: it holds the time, and an example must mean the same bytes throughout a run.
WORKBOOK = workbook()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_bytes_inside_a_workbook(data: st.DataObject) -> None:
    content = bytearray(WORKBOOK)
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    assert_sound(bytes(content))


@pytest.mark.parametrize("carrier", ["object", "array", "lines"])
def test_half_a_character_is_refused_and_costs_its_neighbour_nothing(carrier: str) -> None:
    """A cut emoji in JSON: no UTF-8 can hold it; a whole one is a character like others."""
    told = '{"operator":"brvt-smart","kind":"visit","item_id":"%s","at":"2024-10-03T08:00:00","app":"a","user_id":"u"}'
    half, whole = told % "s\\ud83d", told % "s\\ud83d\\ude00"
    text = {"object": half, "array": f"[{half},{whole}]", "lines": f"{half}\n{whole}\n"}[carrier]
    items = read_bytes(text.encode())
    assert isinstance(items[0], BadRecord)
    assert [reason.rule for reason in items[0].reasons] == ["half_character"]
    assert [isinstance(item, Event) for item in items[1:]] == ([] if carrier == "object" else [True])


def test_entries_of_a_bundle_are_known_by_their_address_and_deletions_are_told() -> None:
    """A transaction names its resources `urn:uuid:...`; a history tells deletions without the record's identifier."""
    dose = {
        "resourceType": "Immunization",
        "status": "completed",
        "identifier": [{"value": "1"}],
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "05"}]},
        "patient": {"reference": "urn:uuid:2"},
        "occurrenceDateTime": "2024-10-01",
        "location": {"identifier": {"value": "yt-747-01"}},
        "protocolApplied": [{"doseNumberPositiveInt": 1, "series": "TCMR"}],
    }
    child = {"resourceType": "Patient", "identifier": [{"value": "000190000123"}], "birthDate": "2024-01-01"}
    entries = [
        {"fullUrl": "urn:uuid:1", "resource": dose},
        {"fullUrl": "urn:uuid:2", "resource": child},
        {"request": {"method": "DELETE", "url": "Immunization/7"}},
    ]
    items = read_bytes(json.dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}).encode())
    event, deletion = items
    assert isinstance(event, Event) and event.envelope["data"]["age_group"] == "under1"
    assert isinstance(deletion, BadRecord) and deletion.reasons[0].rule == "deletion"
