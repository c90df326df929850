"""How writers outside lay a file out: envelopes, separators, archives, codes of relation; the value that must stand."""

from __future__ import annotations

import base64
import copy
import io
import json
import re
import zipfile
from datetime import date
from typing import Any

import pytest
from format_reading import CROSSWALK, SAMPLES, events_of, read_bytes, rules_of
from test_format_einvoice import invoice, related
from test_format_outside_files import guests
from test_format_outside_values import AGENCY, COLUMNS, as_csv, row

from connectors.formats.format import Event, Remark
from connectors.formats.fuels import shipped_fuels

STATION = min(
    code
    for code in CROSSWALK.reporters["environment.reading"]
    if CROSSWALK.attribute("environment.reading", code, "medium") == "air"
)


# ---------------------------------------------------------------------------------------------- envelopes and archives
@pytest.mark.parametrize(
    "content",
    [invoice(), guests(), (SAMPLES / "document_edxml" / "new.xml").read_bytes()],
    ids=["tax", "guest", "edxml"],
)
def test_a_document_in_its_senders_envelope_is_the_document(content: bytes) -> None:
    inner = re.sub(rb"^\s*<\?xml[^>]*\?>", b"", content)
    envelope = (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><Data>%s</Data></s:Body></s:Envelope>'
    )
    assert [e.envelope for e in events_of(envelope % inner)] == [e.envelope for e in events_of(content)]


def test_a_list_of_invoices_and_an_envelope_of_none() -> None:
    both = b"<DSHoaDon>" + invoice() + invoice(number="<SHDon>2</SHDon>") + b"</DSHoaDon>"
    assert len(events_of(both)) == 2
    message = b"<Answer><TDiep><TTChung><MLTDiep>204</MLTDiep></TTChung><DLieu/></TDiep></Answer>"
    assert rules_of(message) == [("TDiep/TTChung/MLTDiep", "message_type")], "as without the envelope"


def packed(*members: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


def test_what_a_system_leaves_in_an_archive_is_no_file_of_it() -> None:
    left = [("a/", b""), ("a/._1.xml", b"\0\5\x16"), ("a/.DS_Store", b"\0\0Bud1"), ("Thumbs.db", b"\xd0\xcf\x11\xe0")]
    archive = packed(*left, ("__MACOSX/a/._1.xml", b"\0"), ("desktop.ini", b"[x]"), ("a/1.xml", invoice()))
    assert len(events_of(archive)) == 1
    assert [e.envelope for e in events_of(base64.b64encode(archive))] == [e.envelope for e in events_of(archive)]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_may_begin_with_any_letter(encoding: str) -> None:
    text = "\n".join(["Địa phương;" + ";".join(COLUMNS), "Vũng Tàu;" + ";".join(row())])
    assert [e.envelope for e in events_of(text.encode(encoding))] == [e.envelope for e in events_of(as_csv(row()))]
    declared = f'<?xml version="1.0" encoding="{encoding}"?>' + guests().decode()
    assert [e.envelope for e in events_of(declared.encode(encoding))] == [e.envelope for e in events_of(guests())]


@pytest.mark.parametrize("root", ["KHAMSUCKHOE", "KhamSucKhoe", "KHAM_SUC_KHOE", "GiayKhamSucKhoe", "ksk"])
def test_a_health_certificate_is_refused_by_name_however_it_is_spelt(root: str) -> None:
    assert rules_of(f"<{root}><HO_TEN>x</HO_TEN></{root}>".encode()) == [(root, "look_alike")]


# ---------------------------------------------------------------------------------------------- relations
@pytest.mark.parametrize("place", ["</TTChung>", "</NDHDon>"])
def test_a_relation_among_vendors_fields_is_refused_never_an_original(place: str) -> None:
    block = f"<TTKhac>{related('1', number='1')}</TTKhac>".encode()
    content = invoice(number="<SHDon>2</SHDon>").replace(place.encode(), block + place.encode())
    assert [rule for _, rule in rules_of(content)] == ["relation_misplaced"]


@pytest.mark.parametrize("code", ["01", "1.0", "4", "5", "-1", "Thay thế", "１"])
def test_a_code_of_relation_is_told_exactly(code: str) -> None:
    assert rules_of(invoice(head=related(code))) == [("DLHDon/TTChung/TTHDLQuan/TCHDon", "relation")]


def test_two_relations_that_differ_are_refused() -> None:
    both = related("1", number="1") + related("2", number="1")
    assert "several" in {rule for _, rule in rules_of(invoice(head=both))}


def summary(row: str) -> bytes:
    """A summary table of one row."""
    amounts = "<TTCThue>1000</TTCThue><TSuat>10%</TSuat><TgTThue>100</TgTThue><TgTTToan>1100</TgTTToan>"
    told = "<KHMSHDon>1</KHMSHDon><KHHDon>C24TAA</KHHDon><SHDon>5</SHDon><NLap>2024-10-05</NLap>"
    table = f"<NDBTHDLieu><DSDLieu><DLieu>{told}{amounts}{row}</DLieu></DSDLieu></NDBTHDLieu>"
    return f"<BTHDLieu><DLBTHop><TTChung><MST>3590000012</MST></TTChung>{table}</DLBTHop></BTHDLieu>".encode()


def test_a_row_of_a_summary_that_names_a_related_invoice_is_no_new_one() -> None:
    block = "<KHMSHDCLQuan>1</KHMSHDCLQuan><KHHDCLQuan>C24TAA</KHHDCLQuan><SHDCLQuan>1</SHDCLQuan>"
    assert rules_of(summary("<TThai>0</TThai>" + block)) == [("DLieu[1]/TThai", "relation")]
    assert rules_of(summary(block)) == [("DLieu[1]/TThai", "summary_state")]
    for place in (block, f"<TTHDLQuan>{block}</TTHDLQuan>"):
        assert [voided for _, voided in subjects_of(summary("<TThai>3</TThai>" + place))] == [False, True]


def test_a_guest_whose_elements_lie_deeper_is_the_same_and_two_days_are_refused() -> None:
    day = b"<ngay_den>05/10/2024</ngay_den>"
    assert [e.envelope for e in events_of(guests().replace(day, b"<x>" + day + b"</x>"))] == [
        e.envelope for e in events_of(guests())
    ]
    assert ("ngay_den", "several") in rules_of(guests().replace(day, day + b"<ngay_den>01/10/2024</ngay_den>"))


def edxml(**changes: str) -> bytes:
    """The sample with other text in elements of these names."""
    text = (SAMPLES / "document_edxml" / "new.xml").read_text(encoding="utf-8")
    for name, value in changes.items():
        text = re.sub(rf"(<(?:\w+:)?{name}>).*?(</)", rf"\g<1>{value}\g<2>", text)
    return text.encode()


def subjects_of(content: bytes) -> list[tuple[Any, bool]]:
    return [(event.envelope["subject"], event.envelope.get("voided", False)) for event in events_of(content)]


@pytest.mark.parametrize("spelling", ["Bussiness", "Business", "BUSINESS"])
@pytest.mark.parametrize("code", ["1", "01"])
def test_a_recall_is_one_however_its_block_is_spelt(spelling: str, code: str) -> None:
    content = edxml(BussinessDocType=code).replace(b"Bussiness", spelling.encode())
    assert subjects_of(content) == [(subject, True) for subject, _ in subjects_of(edxml())]


def test_a_block_without_a_known_code_is_refused_never_a_new_document() -> None:
    for code in ("", "4", "x"):
        assert rules_of(edxml(BussinessDocType=code)) == [("Bussiness/BussinessDocType", "business_type")]


def test_a_recall_and_an_update_are_about_the_document_that_they_name() -> None:
    def about(code: str) -> list[tuple[Any, bool]]:
        own = re.search(rb"DocumentId>(.*?)<", edxml())
        assert own
        named = b"<DocumentId>%s</DocumentId></" % own[1]
        content = edxml(BussinessDocType=code, DocumentId="the-messages-own-id")
        return subjects_of(re.sub(rb"</((?:\w+:)?Bussiness>)", named + rb"\1", content))

    assert about("1") == [(subject, True) for subject, _ in subjects_of(edxml())]
    assert about("2") == subjects_of(edxml())


# ---------------------------------------------------------------------------------------------- stations
@pytest.mark.parametrize("sign", ["\t", ";", "|", ",", " ", "  "])
@pytest.mark.parametrize("above", ["", "# trạm quan trắc\n", "Thông số\tGiá trị\tĐơn vị\tThời gian\tTrạng thái\n"])
@pytest.mark.parametrize("values", [("12,5", "13,5"), ("12.5", "13.5")])
def test_a_loggers_separator_and_decimals(sign: str, above: str, values: tuple[str, str]) -> None:
    lines = [
        sign.join((symbol, value, "µg/Nm3", f"2024100510{minute}00", "00"))
        for symbol in ("PM2,5", "PM10")
        for value, minute in zip(values, ("05", "10"), strict=True)
    ]
    events = events_of((above + "\r\n".join(lines)).encode(), file=f"BRVT_{STATION}_20241005103500.txt")
    assert {event.envelope["data"]["param"]: event.envelope["data"]["value"] for event in events} == {
        "pm25": 13.0,
        "pm10": 13.0,
    }


# ---------------------------------------------------------------------------------------------- fuels
@pytest.mark.parametrize(
    ("name", "product"),
    [
        ("RON 95-III E10", "ron95_iii"),
        ("XĂNG R95-III", "ron95_iii"),
        ("M95-V", "ron95_v"),
        ("Xăng RON 95 - mức III", "ron95_iii"),
        ("Xăng RON\u00a095‑III", "ron95_iii"),
        ("D.O 0,05S-II", "do_005s"),
        ("DO005S", "do_005s"),
        ("Diesel 500ppm", "do_005s"),
        ("Dầu Diesel 10 ppm", "do_0001s"),
        ("Dầu lửa", "kerosene"),
        ("Mazut 180cst 3.0S", "mazut"),
    ],
)
def test_more_names_of_fuels(name: str, product: str) -> None:
    assert shipped_fuels().product_of(name, date(2024, 10, 5)) == product


@pytest.mark.parametrize(
    "name",
    [
        "DO",
        "KO",
        "Dầu D.O",
        "DO B10",
        "Biodiesel B5",
        "Ethanol E100",
        "Diesel 50ppm",
        "Xăng RON 95-IV",
        "Phiếu xăng dầu",
        "Phiếu mua xăng RON 95-III",
        "Xăng RON 95-II",
        "A92",
        "Xăng E10",
    ],
)
def test_no_fuel_is_passed_over_in_silence(name: str) -> None:
    fuels = shipped_fuels()
    assert fuels.product_of(name, date(2024, 10, 5)) is None and fuels.looks_like_fuel(name)


# ---------------------------------------------------------------------------------------------- SDMX-JSON
def message(observation: Any, declared: list[Any] | None = None, **told: Any) -> bytes:
    ids = {"REF_AGENCY": AGENCY, "INDICATOR": "x.y", "REF_AREA": "77", "TIME_PERIOD": "2024-09"}
    dimensions = [{"id": name, "values": [{"id": value}]} for name, value in ids.items()]
    levels = {"observation": declared or [], "dataSet": told.pop("of_data_set", [])}
    structure = {"dimensions": {"observation": dimensions}, "attributes": levels}
    return json.dumps(
        {"data": {"structures": [structure], "dataSets": [{"observations": {"0:0:0:0": observation}} | told]}}
    ).encode()


POWER = {"id": "UNIT_MULT", "values": [{"id": "0"}, {"id": "6"}]}
STATUS = {"id": "OBS_STATUS", "values": [{"id": "A"}, {"id": "M"}]}


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (message([12.345]), 12.345),
        (message(["1.234"]), 1.234),
        (message([5, 1], [POWER]), 5_000_000.0),
        (message([5, 0, 1], [STATUS, POWER]), 5_000_000.0),
        (message([5, "3"], [{"id": "UNIT_MULT"}]), 5000.0),
        (message([5], of_data_set=[POWER], attributes=[1]), 5_000_000.0),
        (message([5, None], [POWER]), 5.0),
        (message([5, 1], [STATUS]), None),
        (message([None]), None),
        (message([5], action="Delete"), None),
    ],
)
def test_attributes_of_sdmx_json_count(content: bytes, value: float | None) -> None:
    (event,) = events_of(content)
    assert (event.envelope.get("data") or {}).get("value") == value


def test_an_observation_that_is_none_takes_nothing_back() -> None:
    for broken in ([], 5, {}):
        assert [rule for _, rule in rules_of(message(broken))] == ["sdmx_observation"]
    assert [rule for _, rule in rules_of(message([5, 7], [POWER]))] == ["sdmx_key"]


# ---------------------------------------------------------------------------------------------- FHIR
DOSE = {
    "resourceType": "Immunization",
    "identifier": [{"system": "urn:x", "value": "1"}],
    "status": "completed",
    "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "198"}]},
    "patient": {"reference": "#p"},
    "contained": [{"resourceType": "Patient", "id": "p", "identifier": [{"value": "A1"}], "birthDate": "1990"}],
    "occurrenceDateTime": "2024-10-01T08:00:00+07:00",
    "location": {"identifier": {"value": min(CROSSWALK.reporters["vaccination.dose"])}},
    "protocolApplied": [{"series": "dịch vụ", "doseNumberPositiveInt": 1}],
}


def dose(**changes: Any) -> bytes:
    return json.dumps(copy.deepcopy(DOSE) | changes).encode()


def test_a_birth_year_gives_an_age_where_it_leaves_no_doubt_and_no_schedule() -> None:
    def age(birth: str, series: str = "dịch vụ") -> Any:
        person = [{"resourceType": "Patient", "id": "p", "identifier": [{"value": "A1"}], "birthDate": birth}]
        (event,) = events_of(dose(contained=person, protocolApplied=[{"series": series, "doseNumberPositiveInt": 1}]))
        data = event.envelope["data"]
        assert "on_schedule" not in data
        return data.get("age_group")

    assert age("1990") == age("1990-05") is not None
    assert age("1990", series="TCMR") is None, "a dose of the programme has an age together with a schedule"


def test_a_contained_person_is_that_of_the_resource_alone() -> None:
    other = copy.deepcopy(DOSE) | {"contained": [], "identifier": [{"system": "urn:x", "value": "2"}]}
    first, second = events_of(dose() + b"\n" + json.dumps(other).encode())
    assert first.envelope["data"]["person_id"] != second.envelope["data"]["person_id"]
    assert "age_group" not in second.envelope["data"]


@pytest.mark.parametrize("status", ["", "done", "Completed", "in-progress"])
def test_a_status_of_a_dose_is_told_exactly(status: str) -> None:
    assert rules_of(dose(status=status)) == [("status", "status")]


def test_a_health_record_entered_in_error_needs_nothing_but_its_identifier() -> None:
    record = {
        "resourceType": "Composition",
        "status": "entered-in-error",
        "identifier": {"system": "urn:x", "value": "R1"},
        "custodian": {"identifier": {"value": min(CROSSWALK.reporters["health.record"])}},
        "date": "2024-10-01",
    }
    (event,) = events_of(json.dumps(record).encode())
    assert event.envelope["voided"] is True
    assert ("Composition.status", "status") in rules_of(json.dumps(record | {"status": "draft"}).encode())


def test_nothing_here_is_a_remark_alone() -> None:
    assert all(isinstance(item, Event | Remark) for item in read_bytes(invoice()))
