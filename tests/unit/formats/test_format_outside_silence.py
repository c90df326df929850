"""What outside files hold that was lost, doubled or misread without a word: each is read right, refused or told."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from format_reading import events_of, read_bytes, rules_of
from openpyxl import Workbook
from test_format_outside_values import AGENCY, COLUMNS, SDMX, as_csv, as_json, row, value_of
from test_format_outside_writers import STATION

from connectors.formats.format import BadRecord, Event, Remark

FACILITY = "yt-747-01"
CHILD = {"resourceType": "Patient", "id": "p", "identifier": [{"value": "000190000123"}], "birthDate": "2024-01-01"}
COMPOSITION = {
    "resourceType": "Composition",
    "status": "final",
    "date": "2024-10-01",
    "identifier": {"value": "HS-1"},
    "subject": {"reference": "Patient/p"},
    "custodian": {"identifier": {"value": FACILITY}},
}


def remarks_of(content: bytes, **changes: Any) -> list[tuple[str, str]]:
    return [
        (item.warning.rule, item.warning.value) for item in read_bytes(content, **changes) if isinstance(item, Remark)
    ]


def workbook(change: Callable[[Workbook], None]) -> bytes:
    """A report of one good row, changed."""
    book, out = Workbook(), io.BytesIO()
    for cells in [list(COLUMNS), row()]:
        book.active.append(cells)
    change(book)
    book.save(out)
    return out.getvalue()


# ---------------------------------------------------------------------------------------------- tables
def test_a_decimal_comma_between_commas_is_no_number_and_a_rest() -> None:
    assert rules_of(as_csv(row("12,5"), row("6", "2024-08"), sign=",")) == [("", "row_too_long")]
    assert value_of(as_csv(row('"12,5"'), sign=",")) == 12.5
    assert value_of(as_csv([*row(), "", " "])) == 5, "empty cells behind the last heading say nothing"


@pytest.mark.parametrize("columns", [COLUMNS[:4], ("indicator", "Mã địa bàn")])
def test_a_table_that_lacks_a_column_is_told_which(columns: Sequence[str]) -> None:
    (bad,) = read_bytes(as_csv(row()[: len(columns)], columns=tuple(columns)))
    assert isinstance(bad, BadRecord)
    (reason,) = bad.reasons
    assert reason.rule == "headings_missing" and "report_table" in reason.message_vi and "value" in reason.message_vi


def test_two_versions_of_one_record_in_a_file_are_a_finding() -> None:
    items = read_bytes(as_csv(row("5"), row("6"), row("5"), row("7", "2024-08")))
    assert [type(item) for item in items] == [Event, BadRecord, Event, Event]
    assert isinstance(items[1], BadRecord)
    assert [(reason.rule, reason.value) for reason in items[1].reasons] == [("record_twice", "sample:2")]
    counted = [(*row("5"), "1"), (*row("6"), "2")]
    assert len(events_of(as_csv(*map(list, counted), columns=(*COLUMNS, "revision")))) == 2, (
        "numbered versions are none"
    )


# ---------------------------------------------------------------------------------------------- workbooks
def test_the_rest_of_a_merged_cell_tells_nothing() -> None:
    def merge(book: Workbook) -> None:
        for label in ("2024-08", "2024-07"):
            book.active.append(row(None, label))
        book.active.merge_cells("E2:E4")
        book.active.merge_cells("G1:G9")

    items = read_bytes(workbook(merge))
    assert [type(item) for item in items] == [Event, BadRecord, BadRecord], "an empty cell would take a number back"
    assert rules_of(workbook(merge)) == [("E", "merged_cell")] * 2


@pytest.mark.parametrize("shown", ["0%", "0.00%", '0.0"%"', "#,##0.0%;[Red]-0%"])
def test_a_percentage_is_not_a_hundredth(shown: str) -> None:
    def as_percent(book: Workbook) -> None:
        book.active["E2"] = 0.35
        book.active["E2"].number_format = shown

    assert rules_of(workbook(as_percent)) == [("E", "percent_cell")]
    assert value_of(workbook(lambda book: book.active.cell(2, 1).__setattr__("number_format", "0%"))) == 5


@pytest.mark.parametrize("state", ["hidden", "veryHidden"])
def test_a_hidden_sheet_is_not_read_and_told(state: str) -> None:
    def hide(book: Workbook) -> None:
        old = book.create_sheet("cũ")
        for cells in [list(COLUMNS), row("99")]:
            old.append(cells)
        old.sheet_state = state
        lists = book.create_sheet("danh mục")
        lists.append(["a", "b"])
        lists.sheet_state = state

    content = workbook(hide)
    assert [event.envelope["data"]["value"] for event in read_bytes(content) if isinstance(event, Event)] == [5]
    assert remarks_of(content) == [("hidden_sheet", "")], "lists of a template are no data"

    def hide_all(book: Workbook) -> None:
        book.active.sheet_state = state
        book.create_sheet("bìa").append(["Báo cáo"])

    assert ("Sheet", "hidden_sheet") in rules_of(workbook(hide_all))


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"<!DOCTYPE html><html><table/></html>", "web_page"),
        (b"\xef\xbb\xbf<html><body/></html>", "web_page"),
        (b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>', "web_page"),
        (b"{\\rtf1 x}", "word"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image"),
        ("word/document.xml", "word"),
        ("xl/workbook.bin", "old_excel"),
        ("META-INF/manifest.xml", "open_document"),
    ],
    ids=str,
)
def test_files_that_are_no_data_are_refused_with_what_to_do(content: bytes | str, rule: str) -> None:
    if isinstance(content, str):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("[Content_Types].xml", "<Types/>")
            archive.writestr(content, "<a/>")
        content = out.getvalue()
    assert rules_of(content) == [("", rule)]


# ---------------------------------------------------------------------------------------------- SDMX
def sdmx_csv(*more: str, head: Sequence[str] = SDMX, value: str = "5") -> bytes:
    cells = ["dataflow", "VN:IOC(1.0)", "I", AGENCY, "x.y", "77", "2024-09", value]
    return as_csv([*cells[:7], *more, *cells[7:]], columns=tuple(head), sign=",")


def test_a_part_by_a_dimension_is_never_the_whole() -> None:
    head = (*SDMX[:7], "SEX", SDMX[7])
    assert rules_of(sdmx_csv("F", head=head)) == [("SEX", "dimension")]
    assert value_of(sdmx_csv("_T", head=head)) == 5
    assert value_of(sdmx_csv("A", head=(*SDMX[:7], "FREQ", SDMX[7]))) == 5
    message = {
        "data": {
            "structures": [
                {
                    "dimensions": {
                        "observation": [
                            {"id": name, "values": [{"id": value} for value in values]}
                            for name, values in {
                                "REF_AGENCY": [AGENCY],
                                "INDICATOR": ["x.y"],
                                "REF_AREA": ["77"],
                                "SEX": ["_T", "F"],
                                "TIME_PERIOD": ["2024-09"],
                            }.items()
                        ]
                    }
                }
            ],
            "dataSets": [{"observations": {"0:0:0:0:0": [5], "0:0:0:1:0": [3]}}],
        }
    }
    items = read_bytes(json.dumps(message).encode())
    assert [type(item) for item in items] == [Event, BadRecord]
    assert rules_of(json.dumps(message).encode()) == [("SEX", "dimension")]


def test_sdmx_csv_with_labels_is_the_same() -> None:
    plain = [event.envelope for event in events_of(sdmx_csv())]
    both = ["dataflow", "VN:IOC(1.0): IOC", "I", f"{AGENCY}: Sở", "x.y: Chỉ tiêu", "77: Tỉnh", "2024-09: 9/2024", "5"]
    head = ("STRUCTURE", "STRUCTURE_ID", "ACTION", "REF_AGENCY: Cơ quan", "INDICATOR: Chỉ tiêu")
    head = (*head, "REF_AREA: Địa bàn", "TIME_PERIOD: Kỳ", "OBS_VALUE: Giá trị")
    assert [event.envelope for event in events_of(as_csv(both, columns=head, sign=","))] == plain
    names = ("STRUCTURE", "STRUCTURE_ID", "ACTION", "REF_AGENCY", "Agency", "INDICATOR", "Indicator", "REF_AREA")
    names = (*names, "Area", "TIME_PERIOD", "OBS_VALUE")
    cells = ["dataflow", "VN:IOC(1.0)", "I", AGENCY, "Sở", "x.y", "Chỉ tiêu", "77", "Tỉnh", "2024-09", "5"]
    assert [event.envelope for event in events_of(as_csv(cells, columns=names, sign=","))] == plain


@pytest.mark.parametrize("missing", ["", "NaN", "#N/A"])
def test_a_number_left_out_on_purpose_is_taken_back(missing: str) -> None:
    (event,) = events_of(sdmx_csv(value=missing))
    assert event.envelope["voided"]


# ---------------------------------------------------------------------------------------------- JSON
def test_a_broken_line_costs_its_neighbours_nothing_wherever_it_is() -> None:
    for lines in ([b"{x", as_json(5)], [as_json(5), b"{x"], [b"{x", as_json(5), as_json(5)]):
        items = read_bytes(b"\n".join(lines))
        bad = [item for item in items if isinstance(item, BadRecord)]
        assert len(items) == len(lines)
        assert [(one.where, one.reasons[0].value) for one in bad] == [(f"sample:{lines.index(b'{x') + 1}", "1:2")]


def test_a_key_twice_is_named_and_a_broken_place_too() -> None:
    assert rules_of(b'{"agency":1,"agency":2}') == [("agency", "json_key_twice")]
    (bad,) = read_bytes(b'{"agency":1,\n "x":}')
    assert isinstance(bad, BadRecord) and bad.reasons[0].value == "2:6"


def test_every_list_of_a_wrapper_is_read() -> None:
    other = as_json(7).replace(b"x.y", b"x.z")
    content = b'{"data":[%s],"items":[%s]}' % (as_json(5), other)
    assert [event.envelope["data"]["value"] for event in events_of(content)] == [5, 7]


# ---------------------------------------------------------------------------------------------- FHIR
def dose(**told: Any) -> dict[str, Any]:
    return {
        "resourceType": "Immunization",
        "status": "completed",
        "identifier": [{"value": "1"}],
        "vaccineCode": {"coding": [{"system": "http://hl7.org/fhir/sid/cvx", "code": "05"}]},
        "patient": {"reference": "Patient/p"},
        "occurrenceDateTime": "2024-10-01",
        "location": {"identifier": {"value": FACILITY}},
        "protocolApplied": [{"doseNumberPositiveInt": 1, "series": "TCMR"}],
    } | told


def bundle(*resources: Any, **told: Any) -> bytes:
    entries = [{"resource": one} if one else {"fullUrl": "urn:uuid:1"} for one in resources]
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries} | told).encode()


def test_resources_that_are_not_read_are_told() -> None:
    lines = b"\n".join(json.dumps(one).encode() for one in (CHILD, dose(), COMPOSITION))
    observation = {"resourceType": "Observation", "status": "final"}
    for content, kinds in (
        (bundle(CHILD, dose(), observation, observation), "Observation (2)"),
        (lines, "Composition (1)"),
        (bundle(CHILD, dose(), json.loads(bundle(dose()))), "Bundle (1)"),
    ):
        assert remarks_of(content) == [("resource_not_read", kinds)]
    assert rules_of(bundle(CHILD, dose(), None)) == [("resource", "required")]
    page = bundle(CHILD, dose(), link=[{"relation": "next", "url": "http://x.invalid/2"}], total=50)
    assert remarks_of(page) == [("bundle_page", "")]


def test_codes_of_one_system_that_mean_two_vaccines_are_refused() -> None:
    cvx = "http://hl7.org/fhir/sid/cvx"
    both = [{"system": cvx, "code": "05"}, {"system": cvx, "code": "08"}]
    assert rules_of(bundle(CHILD, dose(vaccineCode={"coding": both}))) == [("vaccineCode.coding", "several")]
    less = [{"system": "urn:own", "code": "measles"}, {"system": cvx, "code": "05"}]
    assert len(events_of(bundle(CHILD, dose(vaccineCode={"coding": less})))) == 1


# ---------------------------------------------------------------------------------------------- stations
def readings(*lines: str) -> dict[str, Any]:
    return {"data": "\r\n".join(lines).encode(), "file": f"BRVT_{STATION}_20241005083500.txt"}


def line(symbol: str, value: str, minute: int = 35, unit: str = "µg/Nm3") -> str:
    return f"{symbol}\t{value}\t{unit}\t202410050{800 + minute}00\t00"


def test_a_loggers_word_for_no_value_is_in_no_mean() -> None:
    told = readings(line("SO2", "12"), line("SO2", "-9999", 40), line("SO2", "14", 45), line("NO2", "-9999"))
    assert rules_of(**told) == [("value", "no_value")] * 2
    values = {
        item.envelope["data"]["param"]: item.envelope["data"]["value"]
        for item in read_bytes(**told)
        if isinstance(item, Event)
    }
    assert values == {"so2": 13}


def test_a_broken_first_line_is_no_heading() -> None:
    assert rules_of(**readings("SO2\tx", line("NO2", "5"))) == [("", "columns")]
    assert rules_of(**readings("Thông số\tGiá trị\tĐơn vị\tThời gian\tTrạng thái", line("NO2", "5"))) == []


def test_a_loggers_units_in_the_code_page_of_its_machine() -> None:
    told = readings(line("SO2", "12"), line("NO2", "13"))
    assert read_bytes(told["data"].decode().encode("cp1252"), file=told["file"]) == read_bytes(**told)
