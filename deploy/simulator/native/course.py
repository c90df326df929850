"""What becomes of the records of a file: the next file corrects, voids, adds late ones, and holds a broken one.

A format that has no word for taking a record back leaves that to a CloudEvent (`<feed>/<month>.ndjson`); an invoice is
taken back by a notice (message 300 or 303).
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from openpyxl import load_workbook

from deploy.simulator.ledger import Data
from deploy.simulator.native.file import Desk, NativeFile, NativeWriter
from deploy.simulator.native.lodging import same_bytes
from deploy.simulator.record import Life

LATER = timedelta(minutes=20)
# Of these formats a record can be taken back by the format itself.
VOIDABLE = frozenset(
    {"cloudevents_json", "document_edxml", "immunization_fhir", "immunization_table", "record_fhir"}
    | {"report_sdmx_json", "report_table"}
)
# Of five records of a file one is corrected later, one is taken back; of six one comes late.
_OF, _CORRECTED, _VOIDED = 5, 1, 0
_LATE = 6
_NEVER = b"31/13/2024"


def _other(name: str, one: str, two: str) -> Callable[[Data], Data]:
    """Correct one of two words to the other."""
    return lambda data: {**data, name: two if data[name] == one else one} if data.get(name) in (one, two) else data


def _more(name: str, by: int = 1) -> Callable[[Data], Data]:
    """Correct a number, where there is one."""
    return lambda data: {**data, name: data[name] + by} if data.get(name) is not None else data


# Feed -> how a clerk corrects a record in what its formats tell.
_MENDS: Mapping[str, Callable[[Data], Data]] = {
    "app.usage": lambda data: {**data, "answered": not data["answered"]} if data["kind"] == "question" else data,
    "dossier.event": _other("channel", "postal", "direct"),
    "environment.reading": lambda data: _more("value", 10)(data) if data["medium"] == "air" else data,
    "feedback.ticket": _other("category", "road", "other"),
    "health.checkout": _other("sex", "male", "female"),
    "health.record": _other("sex", "male", "female"),
    "infosec.event": _other("severity", "high", "low"),
    "registry.reporter": lambda data: {**data, "opened_on": f"2016{data['opened_on'][4:]}"},
    "report.value": _more("value"),
    "tourism.daily_report": _more("revenue_fnb", 1000),
    "tourism.stay": _more("age_years"),
}

# Format -> where the last record of a file has a day that it cannot do without.
_DAYS: Mapping[str, re.Pattern[bytes]] = {
    "cloudevents_json": re.compile(rb'"check_in_on": "([^"]+)"'),
    "document_edxml": re.compile(rb"PromulgationDate>([^<]+)<"),
    "dossier_dvc_json": re.compile(rb'"NgayTiepNhan": "([^"]+)"'),
    "einvoice_xml": re.compile(rb"<(?:NLap|Ngay)>([^<]+)<"),
    "immunization_fhir": re.compile(rb'"occurrenceDateTime": "([^"]+)"'),
    "lodging_daily_json": re.compile(rb'"report_date": "([^"]+)"'),
    "lodging_foreign_xml": re.compile(rb"<ngay_den>([^<]+)<"),
    "record_fhir": re.compile(rb'"date": "([^"]+)"'),
    "report_sdmx_json": re.compile(rb'"([0-9]+(?::[0-9]+)+)": \['),
}
_ARRIVAL = {"lodging_foreign_xlsx": "I", "lodging_vietnamese_xlsx": "N"}
_IN_TABLES = re.compile(
    rb"([0-9]{4}-[0-9]{2}-[0-9]{2}[^,;\r\n]*|[0-9]{2}/[0-9]{2}/[0-9]{4}[^,;\r\n]*|Th\xc3\xa1ng [^,;\r\n]+"
    rb"|Qu\xc3\xbd [^,;\r\n]+|[0-9]{4}-(?:[0-9]{2}|Q[1-4]|W[0-9]{2})|(?<=[,;])20[0-9]{2}(?=[,;]))"
)
_BASE64 = re.compile(rb"<NOIDUNGFILE>([^<]+)</NOIDUNGFILE>")


def first_lives(lives: Sequence[Life]) -> Sequence[Life]:
    """The records of the first file: all but the late ones."""
    return lives[: max(1, len(lives) - len(lives) // _LATE)]


def later_files(name: str, feed: str, writer: NativeWriter, lives: Sequence[Life], desk: Desk) -> Iterator[NativeFile]:
    """Yield what the same system writes a little later of the same records; the last record is broken: its day is none.

    Of a format of one document a file there are two: the document is recalled, and another is broken.
    """
    later = replace(desk, now=desk.now + LATER, first=desk.now, before=len(first_lives(lives)))
    if name == "document_edxml":
        recalled = writer([replace(life, is_void=True) for life in lives], later)
        yield replace(recalled, name="document.2.xml", is_later=True)
        yield NativeFile("document.3.xml", _broken(name, recalled.content), (), refused=1, is_later=True)
        return
    revised, known = [], 0
    for number, life in enumerate(lives):
        # Of those that the format can tell; what comes late is not taken back at once.
        told = name not in VOIDABLE or bool(writer([life], desk).told)
        revised.append(_revised(known, life, name, feed) if told and number < later.before else life)
        known += told
    whole = writer(revised, later)
    if name == "station_txt":
        yield replace(whole, content=_broken(name, whole.content), refused=1, is_later=True)
    elif whole.told:
        stem, _, ending = whole.name.rpartition(".")
        # A notice that cancels an invoice is a record, and takes the invoice back.
        lost = 2 if name == "einvoice_xml" and whole.told[-1].data is None else 1
        told_all = whole.told[:-lost]
        content = _broken(name, whole.content)
        yield NativeFile(f"{stem}.2.{ending}", content, told_all, whole.establishment, refused=1, is_later=True)


def _revised(number: int, life: Life, name: str, feed: str) -> Life:
    if number % _OF == _VOIDED and name in VOIDABLE:
        return replace(life, is_void=True)
    mend = _MENDS.get(feed)
    return life.with_data(mend(life.data)) if mend is not None and number % _OF == _CORRECTED else life


def _broken(name: str, content: bytes) -> bytes:
    """Return a file whose last record has a day that is none."""
    if name == "giamdinhhs_xml":
        *_, last = _BASE64.finditer(content)
        inside = re.sub(rb"<NGAY_VAO>[0-9]+<", b"<NGAY_VAO>202413450800<", base64.b64decode(last[1]))
        return content[: last.start(1)] + base64.encodebytes(inside) + content[last.end(1) :]
    if name in _ARRIVAL:
        book = load_workbook(io.BytesIO(content))
        page = book.worksheets[0]
        page[f"{_ARRIVAL[name]}{page.max_row}"] = _NEVER.decode()
        return same_bytes(book)
    if name == "station_txt":
        last_line = content.splitlines(keepends=True)[-1]
        return content + re.sub(rb"\t[0-9]{14}\t", b"\t20241345080000\t", last_line)
    *_, last = _DAYS.get(name, _IN_TABLES).finditer(content)
    return content[: last.start(1)] + _NEVER + content[last.end(1) :]
