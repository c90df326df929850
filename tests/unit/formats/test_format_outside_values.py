"""How files from outside write numbers, days and empty cells: each spelling with the value that must stand.

A spelling that has two meanings is refused; what a computer wrote as a number has one. An absence says nothing.
"""

from __future__ import annotations

import io
import json
import unicodedata
import zipfile
from datetime import date, datetime
from typing import Any

import pytest
from format_reading import CROSSWALK, context, events_of, read_bytes, rules_of
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from test_format_einvoice import data_of, invoice

from connectors.formats.age import birth_of
from connectors.formats.format import BadRecord, Event
from connectors.formats.plain import composed
from connectors.formats.value import moment_of, typed_number_of

AGENCY = min(CROSSWALK.reporters["report.value"])
COLUMNS = ("agency", "indicator", "area_code", "period_label", "value")
SDMX = ("STRUCTURE", "STRUCTURE_ID", "ACTION", "REF_AGENCY", "INDICATOR", "REF_AREA", "TIME_PERIOD", "OBS_VALUE")


def row(value: Any = "5", label: Any = "2024-09") -> list[Any]:
    return [AGENCY, "x.y", "77", label, value]


def as_csv(*rows: list[Any], columns: tuple[str, ...] = COLUMNS, sign: str = ";") -> bytes:
    return "\n".join(sign.join(map(str, cells)) for cells in [list(columns), *rows]).encode()


def as_json(value: Any) -> bytes:
    return json.dumps(dict(zip(COLUMNS, row(value), strict=True))).encode()


def as_xlsx(*rows: list[Any]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for cells in [list(COLUMNS), *rows]:
        book.active.append(cells)
    book.save(out)
    return out.getvalue()


def value_of(content: bytes) -> float | None:
    """The number that the only event tells, None where it takes one back."""
    (event,) = events_of(content)
    told: float | None = (event.envelope.get("data") or {}).get("value")
    return told


# ---------------------------------------------------------------------------------------------- numbers
@pytest.mark.parametrize("number", [1.234, 12.345, 100.001, 0.00001, 1e-7, -1.5, 1234567.891, 5, 0, 999_999_999.125])
def test_a_number_that_is_one_in_its_file_is_read_as_it_is(number: float) -> None:
    assert value_of(as_json(number)) == value_of(as_xlsx(row(number))) == number
    assert value_of(as_csv(["dataflow", "A:B(1.0)", "I", *row()[:4], repr(number)], columns=SDMX)) == number


@given(st.floats(-1e14, 1e14, allow_nan=False, allow_subnormal=False).filter(lambda number: abs(number) > 1e-30))
def test_every_number_of_a_computer_is_itself(number: float) -> None:
    assert float(typed_number_of(repr(number))) == number


@pytest.mark.parametrize(
    "text", ["1.234", "12,345", "1e6", "1E+9", "+5", "(5)", "12%", "−5", "NaN", "n/a", "#N/A", "-"]
)
def test_a_number_with_two_meanings_or_none_is_refused_as_text(text: str) -> None:
    assert [rule for _, rule in rules_of(as_csv(row(text)))] == ["number"]
    assert [rule for _, rule in rules_of(as_json(text))] == ["number"]
    assert [rule for _, rule in rules_of(as_xlsx(row(f"{text} ")))] in (["number"], ["formula_unread"])


@pytest.mark.parametrize("number", [1e15, -1e22, 12345678901234567890])
def test_a_number_beyond_what_sums_keep_exact_is_refused(number: float) -> None:
    assert rules_of(as_json(number)) == [("value", "number")]


# ---------------------------------------------------------------------------------------------- cells of a workbook
@pytest.mark.parametrize("formula", ["=1+1", "=B2*C2", "#DIV/0!", "#N/A", "#REF!"])
def test_a_formula_without_a_result_takes_no_number_back(formula: str) -> None:
    assert rules_of(as_xlsx(row(formula))) == [("E", "formula_unread")]
    assert len(events_of(as_xlsx(row("5"), [None, None, None, None, formula]))) == 1, "rows prepared below the data"


def test_a_formula_counts_with_the_result_that_was_saved() -> None:
    packed, saved = io.BytesIO(as_xlsx(row("=1+1"))), io.BytesIO()
    with zipfile.ZipFile(packed) as source, zipfile.ZipFile(saved, "w") as target:
        for name in source.namelist():
            part = source.read(name)
            target.writestr(
                name, part.replace(b"<v></v>", b"<v>2</v>").replace(b"<v/>", b"<v>2</v>").replace(b"<v />", b"<v>2</v>")
            )
    assert value_of(saved.getvalue()) == 2.0


def test_an_empty_cell_takes_a_number_back_and_a_row_that_ends_early_does_not() -> None:
    assert value_of(as_xlsx(row(None))) is None
    assert value_of(as_csv(row(""))) is None
    assert value_of(as_json(None)) is None
    assert rules_of(as_csv(row("5"), row()[:4])) == [("value", "cut_off")]
    cut = json.loads(as_json(5))
    del cut["value"]
    lines = as_json(5) + b"\n" + json.dumps(cut).encode()
    assert rules_of(lines) == [("value", "cut_off")]


def test_a_date_that_excel_made_of_a_label_or_code_is_refused() -> None:
    assert rules_of(as_xlsx(row("5", label=datetime(2024, 9, 1)))) == [("D", "not_text")]  # noqa: DTZ001
    assert rules_of(as_xlsx([AGENCY, date(2024, 1, 3), *row()[2:]])) == [("B", "not_text")]
    assert value_of(as_xlsx(row("5", label=2024))) == 5.0, "a year is a number"


def test_hidden_rows_merged_cells_and_blanks_below_lose_nothing() -> None:
    book, out = Workbook(), io.BytesIO()
    page = book.active
    for cells in [list(COLUMNS), row("5"), row("7", label="2024-10")]:
        page.append(cells)
    page.row_dimensions[2].hidden = True
    page.cell(40, 20).value = " "
    page.merge_cells("A2:A3")
    book.save(out)
    items = read_bytes(out.getvalue())
    assert [item.envelope["data"]["value"] for item in items if isinstance(item, Event)] == [5.0]
    ((reason,),) = [item.reasons for item in items if isinstance(item, BadRecord)]
    assert reason.rule == "merged_cell", "a cell that a merge has emptied is neither empty nor that of the row above"


@pytest.mark.parametrize("number", [77190000123, 1190000123])
def test_a_citizens_number_without_its_zeros_is_refused(number: int) -> None:
    told = {
        "facility_code": min(CROSSWALK.reporters["vaccination.dose"]),
        "person_id": number,
        "birth_date": "1990-05-04",
        "vaccine": "BCG",
        "dose_no": 1,
        "injected_at": "2024-10-01",
        "programme": "dịch vụ",
    }
    assert rules_of(json.dumps(told).encode()) == [("person_id", "lost_zeros")]
    assert not rules_of(json.dumps(told | {"person_id": f"{number:012}"}).encode())


# ---------------------------------------------------------------------------------------------- text
@pytest.mark.parametrize("mark", ["\u200b", "\ufeff", "\u2060", "\u00ad", "\u200e"])
@pytest.mark.parametrize("blank", ["\u00a0", "\u202f", "\u3000"])
def test_what_nobody_sees_changes_no_code_and_no_person(mark: str, blank: str) -> None:
    plain = as_csv(row("1 234,5"))
    assert events_of(plain.replace(AGENCY.encode(), f"{mark}{AGENCY}{blank}".encode())) == events_of(plain)
    assert value_of(as_csv(row(f"1{blank}234,5{mark}"))) == 1234.5
    decomposed = unicodedata.normalize("NFD", "Nguyễn Văn Đức")
    assert composed(f"{blank}{decomposed[:4]}{mark}{decomposed[4:]}") == "Nguyễn Văn Đức"


# ---------------------------------------------------------------------------------------------- days and moments
@pytest.mark.parametrize(
    ("told", "day"),
    [
        ("2024-03-10T24:00:00", "2024-03-11"),
        ("2024-03-10T24:00:00Z", "2024-03-11"),
        ("2024-03-10T16:59:60Z", "2024-03-11"),
        ("2024-03-10T23:59:60", "2024-03-11"),
        ("2024-03-10T17:30Z", "2024-03-11"),
        ("2024-03-10t17:30:00.1234567z", "2024-03-11"),
        ("2024-03-10 17:30:00 UTC", "2024-03-11"),
        ("2024-03-10T17:30:00Z[UTC]", "2024-03-11"),
        ("2024-03-10+07", "2024-03-10"),
        ("10/03/2024 11:30:00 CH", "2024-03-10"),
        ("10.03.2024 5:30 AM", "2024-03-10"),
        ("20240310", "2024-03-10"),
    ],
)
def test_a_day_however_it_is_written(told: str, day: str) -> None:
    assert data_of(invoice().replace(b"2024-10-05", told.encode()))["issued_on"] == day


@pytest.mark.parametrize(
    "told",
    [
        "2024-02-30",
        "2024-03-10T25:00:00",
        "2024-03-10T24:00:01",
        "2024-03-10T12:30:60",
        "10/13/2024",
        "2024-3-1",
        "10/03/2024 13:00 CH",
        "45361",
        "1710091800000",
        "10/03/24",
        "2024-03-10T12:00:00[Asia/Ho_Chi_Minh]",
    ],
)
def test_what_is_no_day_is_refused(told: str) -> None:
    assert rules_of(invoice().replace(b"2024-10-05", told.encode())) == [("DLHDon/TTChung/NLap", "date")]


def test_half_of_a_day_of_twelve_hours() -> None:
    zone = context().timezone
    told = ["5:30:00 SA", "5:30:00 CH", "12:00 AM", "12:00 PM"]
    assert [moment_of(f"10/03/2024 {text}", zone).astimezone(zone).hour for text in told] == [5, 17, 0, 12]


@pytest.mark.parametrize("label", ["Tháng 9 năm 2024", "tháng 09/2024", "T9/2024", "2024M09", "2024-M09", "09/2024"])
def test_a_month_however_it_is_written(label: str) -> None:
    (event,) = events_of(as_csv(row("5", label=label)))
    assert (event.envelope["data"]["period"], event.envelope["data"]["period_start"]) == ("month", "2024-09-01")


@pytest.mark.parametrize("text", ["1988", "1988-00-00", "19880000"])
def test_a_birth_of_which_the_year_alone_is_known(text: str) -> None:
    birth = birth_of(text, context().timezone)
    assert (birth.first, birth.last, birth.exact) == (date(1988, 1, 1), date(1988, 12, 31), False)
    month = birth_of("05/1988", context().timezone)
    assert (month.first, month.last) == (date(1988, 5, 1), date(1988, 5, 31)) and month.day == date(1988, 5, 16)
