"""Formats that are a field map alone: one declaration reads CSV, a workbook's sheet and JSON by the same rules.

Headings and JSON keys are found by any of a field's spellings; case, diacritics and blanks do not matter. JSON may be
an object, an array, an object a line, or an array under `data`, `items`, `records` or `results`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any

from connectors.formats.carrier import json_where, table
from connectors.formats.event import Stamp, record_event, void_event
from connectors.formats.field import Field, columns_of, read_fields
from connectors.formats.findings import Findings, refused
from connectors.formats.format import Carrier, Context, Event, Format, Item, Remark, attempt
from connectors.formats.misspelt import misspelt
from connectors.formats.plain import compact, composed
from connectors.formats.readers.cell import InputField
from connectors.formats.readers.json import JsonFile
from connectors.formats.readers.table import Headings, Table, find_headings, is_sample
from connectors.formats.sdmx import is_dimension, is_total, part_of_total
from ioc.errors import RejectedError

_OVERFLOW = refused(
    "",
    "row_too_long",
    "dòng có nhiều ô hơn dòng tiêu đề; dấu phân cách nằm trong một ô (như 12,5)? Hãy đặt ô đó trong nháy kép hoặc dùng "
    "dấu phân cách khác",
    "the row has more cells than there are headings; is the delimiter part of a cell (as in 12,5)? Put that cell in "
    "quotes, or use another delimiter",
)
_WRAPPERS = ("data", "items", "records", "results")
_DEEPEST = 4
_LOOKED_AT = 100  # objects whose keys are looked at


@dataclass(frozen=True)
class Built:
    """What one record becomes: `fields` None = it is voided. `revision` None = ordered by `time`."""

    reporter: str
    fields: Mapping[str, Any] | None
    time: datetime
    revision: int | None = None
    void_key: str = ""


Build = Callable[[dict[str, Any], Findings, Context], Built]


@dataclass(frozen=True)
class RecordMap:
    """How records of one feed are read.

    needed: names of the fields by which a table or an object is recognised.
    pointed: spellings under which a standard has numbers with a decimal point alone, so that `1.234` is 1.234 there.
             Columns of SDMX-CSV before the first of these are dimensions.
    build:  values by name -> what the record becomes; notes reasons in the findings.
    """

    feed: str
    fields: tuple[Field, ...]
    needed: tuple[str, ...]
    build: Build
    pointed: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Name and spellings of each field that is read."""
        return columns_of(self.fields)


def flat_format(
    name: str,
    record: RecordMap,
    *,
    title_vi: str,
    title_en: str,
    versions: tuple[str, ...] = (),
    notes_vi: tuple[str, ...] = (),
    notes_en: tuple[str, ...] = (),
) -> Format:
    """Return the format of a field map."""
    shown = ", ".join(spellings[0] for column, spellings in record.columns if column in record.needed)
    return Format(
        name=name,
        feeds=(record.feed,),
        title_vi=title_vi,
        title_en=title_en,
        carriers=flat_carriers(record, shown),
        read=lambda document, context: read_flat(document, record, context),
        versions=versions,
        fields=record.fields,
        notes_vi=notes_vi,
        notes_en=notes_en,
    )


def flat_carriers(record: RecordMap, shown: str) -> tuple[Carrier, ...]:
    """Return the carriers of a field map; `shown` names the columns that show it."""
    return (
        table(record.columns, record.needed, shown),
        json_where(f"objects with {shown}", lambda first: _has(first, record)),
    )


def read_flat(document: Table | JsonFile, record: RecordMap, context: Context) -> Iterator[Item]:
    """Yield the records of a table or a JSON file; raises RejectedError where there is none."""
    found = False
    yield from remarks_on(document, record, context)
    for where, cells in cells_of(document, record, context):
        found = True
        if isinstance(cells, RejectedError):
            yield from attempt(where, _raise(cells))
        else:
            yield from attempt(where, flat_record(cells, record, where, context))
    if not found:
        raise refused(
            "",
            "empty",
            "tệp không có bản ghi nào; kiểm tra lại việc xuất dữ liệu",
            "the file holds no records; check how it was exported",
        )


def flat_record(cells: Mapping[str, InputField], record: RecordMap, where: str, context: Context) -> Iterator[Event]:
    """Yield the event of one record; raises RejectedError with all that is wrong."""
    findings = Findings()
    values = read_fields(record.fields, cells, findings, context)
    findings.settle()
    built = record.build(values, findings, context)
    findings.settle()
    feed, stamp = context.feeds[record.feed], Stamp(where, built.time, built.revision)
    if built.fields is None:
        yield void_event(feed, built.reporter, built.void_key, stamp=stamp)
        return
    fields = {name: value for name, value in built.fields.items() if value is not None}
    yield record_event(feed, built.reporter, fields, stamp=stamp, warnings=findings.warnings)


def remarks_on(document: Table | JsonFile, record: RecordMap, context: Context) -> Iterator[Remark]:
    """Yield what must be said of a file's headings, or of the keys of its first objects."""
    unknown: dict[str, None] = {}
    found: set[str] = set()
    if isinstance(document, Table):
        if headings := find_headings(document, record.columns, record.needed):
            unknown, found = dict.fromkeys(headings.unknown.values()), {*headings.columns}
    else:
        known = {compact(spelling): name for name, several in record.columns for spelling in several}
        keys = (key for item in islice(_objects_of(document), _LOOKED_AT) for key, _ in _flatten(item))
        for key in keys:
            if name := known.get(compact(key)):
                found.add(name)
            else:
                unknown[key] = None
    for warning in misspelt(unknown, record.columns, found):
        yield Remark(context.file, warning)


def cells_of(
    document: Table | JsonFile, record: RecordMap, context: Context
) -> Iterator[tuple[str, dict[str, InputField] | RejectedError]]:
    """Yield (where, field's name -> what the file holds) of each record."""
    if isinstance(document, Table):
        yield from _of_table(document, record, context)
        return
    for place, value in document.items():
        where = f"{context.file}{place}"
        if isinstance(value, RejectedError):
            yield where, value
            continue
        for inner, item in _unwrap(value):
            if not isinstance(item, dict):
                wrong = refused("", "json_object", "phải là một đối tượng JSON", "must be a JSON object")
                yield f"{where}{inner}", wrong
            elif not is_sample(str(part) for part in item.values()):
                cells = _of_object(item, record)
                yield f"{where}{inner}", _cut_off(record, cells) or cells


def _of_table(
    document: Table, record: RecordMap, context: Context
) -> Iterator[tuple[str, dict[str, InputField] | RejectedError]]:
    headings = find_headings(document, record.columns, record.needed)
    assert headings is not None, "the carrier has found them"
    short = {compact(spelling) for spelling in record.pointed}
    pointed = [name for name, place in headings.columns.items() if headings.texts[place] in short]
    parts = _dimensions_of(headings, pointed)
    for number, told in document.rows():
        if number <= headings.row or is_sample(cell.text for cell in told) or headings.repeated_in(told):
            continue
        row = tuple(replace(cell, text=_code_of(cell.text)) for cell in told) if headings.labelled else told
        where = f"{context.file}{document.place(number)}"
        if not document.sheet and headings.overflows(row):
            yield where, _OVERFLOW
            continue
        if name := headings.contradicted_in(row):
            yield (
                where,
                refused(
                    name,
                    "column_twice",
                    "hai cột cùng tiêu đề có giá trị khác nhau; chỉ giữ một cột",
                    "two columns have the same heading and say two things; keep one of them",
                ),
            )
            continue
        if part := next(
            (name for place, name in parts.items() if place < len(row) and not is_total(row[place].text)), ""
        ):
            yield where, part_of_total(part)
            continue
        cells = {name: row[place] for name, place in headings.columns.items() if place < len(row)}
        for name in pointed:
            if name in cells and cells[name].is_text:
                # SDMX-CSV 2.0 writes a number that is left out on purpose as NaN.
                text = "" if cells[name].text in ("NaN", "#N/A") else cells[name].text
                cells[name] = replace(cells[name], text=text, holds="number")
        if any(cell.text for cell in cells.values()):
            yield where, _cut_off(record, cells) or cells


def _dimensions_of(headings: Headings, pointed: list[str]) -> dict[int, str]:
    """Return (column, id) of the dimensions of an SDMX-CSV file that no field is for."""
    before = min((headings.columns[name] for name in pointed), default=0) if headings.is_sdmx else 0
    names = {place: text.partition(":")[0] for place, text in headings.unknown.items() if place < before}
    return {place: name for place, name in names.items() if is_dimension(name)}


def _code_of(text: str) -> str:
    """Return the code of a cell of SDMX-CSV that holds code and label, `77: Vũng Tàu`."""
    return text.partition(": ")[0]


def _of_object(item: Mapping[str, Any], record: RecordMap) -> dict[str, InputField]:
    flattened = dict(_flatten(item))
    loose = {compact(path): path for path in reversed(flattened)}
    cells: dict[str, InputField] = {}
    for name, spellings in record.columns:
        for spelling in spellings:
            path = spelling if spelling in flattened else loose.get(compact(spelling))
            if path is not None:
                cells[name] = _input(path, flattened[path])
                break
    return cells


def _objects_of(document: JsonFile) -> Iterator[dict[str, Any]]:
    for _, value in document.items():
        if not isinstance(value, RejectedError):
            yield from (item for _, item in _unwrap(value) if isinstance(item, dict))


def _cut_off(record: RecordMap, cells: Mapping[str, InputField]) -> RejectedError | None:
    """Return why a row that ends early, or an object without a key, is refused, None where it holds what it must.

    Of what may be empty but must be there an absence says nothing: a row that was cut off must not tell that a number
    is empty, which takes back what was reported.
    """
    findings = Findings()
    for declared in record.fields:
        if declared.name in record.needed and not declared.required and declared.name not in cells:
            findings.refuse(
                declared.sources[0],
                "cut_off",
                "dòng bị cắt hoặc thiếu trường này; để trống (null) nếu muốn rút số đã gửi",
                "the row is cut off or lacks the field; leave it empty (null) to take a value back",
            )
    return RejectedError(findings.reasons) if findings.reasons else None


def _input(path: str, value: Any) -> InputField:
    if value is None:
        return InputField(path)
    if isinstance(value, bool):
        return InputField(path, "true" if value else "false", "flag")
    if isinstance(value, str):
        return InputField(path, composed(value))
    return InputField(path, repr(value), "number")


def _flatten(value: Mapping[str, Any], prefix: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    for key, part in value.items():
        path = f"{prefix}{key}"
        if isinstance(part, dict) and depth < _DEEPEST:
            yield from _flatten(part, f"{path}.", depth + 1)
        elif not isinstance(part, list | dict):
            yield path, part


def _unwrap(value: Any) -> Iterator[tuple[str, Any]]:
    lists = [key for key in _WRAPPERS if isinstance(value, dict) and isinstance(value.get(key), list)]
    for key in lists:
        yield from ((f".{key}[{index}]", item) for index, item in enumerate(value[key]))
    if not lists:
        yield "", value


def _has(first: Mapping[str, Any], record: RecordMap) -> int:
    """Return how many fields the first object has, 0 where it lacks a needed one."""
    items = [item for _, item in _unwrap(first)]
    found = _of_object(items[0], record) if items and isinstance(items[0], dict) else {}
    return len(found) if set(record.needed) <= found.keys() else 0


def _raise(error: RejectedError) -> Iterator[Event]:
    raise error
    yield  # an iterator like its siblings


def reporter_of(values: Mapping[str, Any], feed: str, findings: Findings, context: Context) -> str:
    """Return the reporter that a record names, else that of the option, by the register's code."""
    return context.crosswalk.read(feed, values.get("reporter") or context.reporter, "reporter", findings)


def order_of(values: Mapping[str, Any], context: Context) -> tuple[datetime, int | None]:
    """Return a record's time and revision: as told, else when the file arrived."""
    return values.get("updated_at") or context.received_at, values.get("revision")
