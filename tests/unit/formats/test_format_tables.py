"""Tables as programs really write them: one file in many dialects gives the same events."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Callable

import pytest
from format_reading import SAMPLES, events_and_refusals, rules_of
from test_format_einvoice import data_of, invoice

TABLES = (
    "lodging_daily_table/days.csv",
    "immunization_table/doses.csv",
    "reading_table/readings.csv",
    "infosec_table/events.csv",
    "feedback_table/tickets_of_the_portal.csv",
)
Rows = list[list[str]]


def written(rows: Rows, delimiter: str = ",", quoting: int = csv.QUOTE_MINIMAL, end: str = "\r\n") -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue()


def nested(rows: Rows) -> Rows:
    return [["BÁO CÁO NGÀY"], ["Sở, ban, ngành", ""], *rows]


DIALECTS: dict[str, Callable[[Rows], bytes]] = {
    "semicolons": lambda rows: written(rows, ";").encode(),
    "tabs": lambda rows: written(rows, "\t").encode(),
    "bars": lambda rows: written(rows, "|").encode(),
    "all quoted": lambda rows: written(rows, quoting=csv.QUOTE_ALL).encode(),
    "UTF-8 with a mark": lambda rows: written(rows).encode("utf-8-sig"),
    "UTF-16": lambda rows: written(rows).encode("utf-16"),
    "UTF-16 without a mark": lambda rows: written(rows).encode("utf-16-le"),
    "taken apart (NFD)": lambda rows: unicodedata.normalize("NFD", written(rows)).encode(),
    "lines of an old Mac": lambda rows: written(rows, end="\r").encode(),
    "lines of UNIX": lambda rows: written(rows, end="\n").encode(),
    "empty columns behind": lambda rows: written([[*row, "", ""] for row in rows]).encode(),
    "Excel's sep=": lambda rows: b"sep=,\r\n" + written(rows).encode(),
    "titles above": lambda rows: written(nested(rows)).encode(),
    "hard blanks in headings": lambda rows: written(
        [[text.replace(" ", "\u00a0") for text in rows[0]], *rows[1:]]
    ).encode(),
    "headings on every page": lambda rows: written([row for one in rows[1:] for row in (rows[0], one)]).encode(),
    "a column twice that says the same": lambda rows: written([[*row, row[-1]] for row in rows]).encode(),
}


@pytest.mark.parametrize("sample", TABLES)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_table_is_the_same_in_every_dialect(sample: str, dialect: str) -> None:
    text = (SAMPLES / sample).read_bytes().decode("utf-8-sig")
    rows = [*csv.reader(io.StringIO(text), delimiter=";" if ";" in text.splitlines()[0] else ",")]
    assert events_and_refusals(DIALECTS[dialect](rows)) == events_and_refusals(text.encode())


def test_a_column_twice_that_says_two_things_refuses_its_rows() -> None:
    at = "2024-10-03T08:00:00+07:00"
    head = "centre,kind,item_id,occurred_at,severity,updated_at,Severity"
    content = f"{head}\nsoc-tinh,alert,A1,{at},high,{at},low\nsoc-tinh,alert,A2,{at},high,{at},\n".encode()
    assert rules_of(content) == [("severity", "column_twice")], "the second row says one thing"


@pytest.mark.parametrize("cut", [1, 7, 65_535, 65_536, 65_537])
def test_line_ends_may_lie_anywhere(cut: int) -> None:
    """Files are read in pieces of 64 KiB: a CR and its LF may come apart."""
    at = "2024-10-03T08:00:00+07:00"
    head = "centre,kind,item_id,occurred_at,severity,updated_at,note\r\n"
    row = f"soc-tinh,alert,A1,{at},high,{at},"
    filler = "x" * max(0, cut - len(head) - len(row) - 1)
    content = (head + row + filler + "\r\n" + row.replace("A1", "A2") + "\r\n").encode()
    told = events_and_refusals(content)
    assert [event["data"]["item_id"] for event in told] == ["A1", "A2"]


def test_a_name_is_one_however_its_marks_are_written() -> None:
    """A shop that is named instead of coded becomes a pseudonym: the same from a Mac's spelling."""
    content = invoice(seller="<MST>3590000012</MST><MCHang>Cửa hàng Đất Đỏ số 3</MCHang>").decode()
    shops = {data_of(unicodedata.normalize(form, content).encode())["shop_id"] for form in ("NFC", "NFD")}
    assert len(shops) == 1
