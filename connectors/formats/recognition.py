"""Which format reads a file: its content decides, not its name. Every part of a file is either read or reported.

A workbook's sheets and an archive's members are documents of their own. A sheet that no format reads gives a remark, so
that nothing is lost unnoticed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from connectors.formats.findings import reason, refused, shown_name
from connectors.formats.format import BadRecord, Context, Document, Event, Format, Item, Remark
from connectors.formats.readers.archive import open_archive
from connectors.formats.readers.json import open_json
from connectors.formats.readers.lines import LinesFile, lines_of
from connectors.formats.readers.source import Source, kind_of, unwrapped
from connectors.formats.readers.table import DELIMITERS, Table, closest_headings, open_delimited
from connectors.formats.readers.workbook import open_workbook
from connectors.formats.readers.xml import XmlFile, open_xml
from ioc.errors import Reason, RejectedError
from ioc.feeds.plausibility import check_plausible

# Canonical events have revisions of their sender's own; what conflicts is told where all of them are known.
_CANONICAL = "cloudevents_json"
_REMEMBERED = 100_000
_HIDDEN = "hidden_sheet"


@dataclass(frozen=True)
class Recognised:
    """A document and the format that reads it."""

    format: Format
    document: Document


def recognise(source: Source, formats: Mapping[str, Format]) -> list[Recognised | Remark]:
    """Return the documents of one file (not an archive) with their formats, and remarks on sheets that none reads.

    Raises RejectedError, with advice, where no format reads anything of it.
    """
    source = unwrapped(source)
    kind = kind_of(source)
    if kind == "archive":
        raise refused(
            "",
            "nested_archive",
            "tệp nén nằm trong tệp nén; hãy giải nén lớp trong trước khi gửi",
            "an archive inside an archive; unpack the inner one first",
        )
    if kind == "workbook":
        return _sheets(source, formats)
    documents = [open_xml(source)] if kind == "xml" else [open_json(source)] if kind == "json" else [*_texts(source)]
    for document in documents:
        found = _format_of(document, formats)
        if found is not None:
            return [Recognised(found, document)]
    raise _unknown(documents, formats)


def files_of(source: Source) -> Iterator[Source | RejectedError]:
    """Yield the file itself, or the members of an archive; raises RejectedError where the archive cannot be opened."""
    source = unwrapped(source)
    if kind_of(source) == "archive":
        yield from open_archive(source)
    else:
        yield source


def read_document(found: Recognised, context: Context) -> Iterator[Item]:
    """Yield what a document holds; one that cannot be read as a whole is one bad record.

    What cannot be true now (a stay that ended in 2099) is refused here, as the gateway and the agents would.
    """
    told: dict[tuple[str, str, str], tuple[int, str]] = {}
    try:
        for item in found.format.read(found.document, context):
            if isinstance(item, Event) and found.format.name != _CANONICAL and (first := _told_before(item, told)):
                yield BadRecord(item.where, (_told_twice(first),))
                continue
            reasons = _implausible(item, context) if isinstance(item, Event) else ()
            yield BadRecord(item.where, reasons) if reasons and isinstance(item, Event) else item
    except RejectedError as error:
        yield BadRecord(context.file, error.reasons)


def _told_before(event: Event, told: dict[tuple[str, str, str], tuple[int, str]]) -> str:
    """Return where the same version of the record was told before with other content; empty where it was not.

    Of a very long file the latest records are remembered.
    """
    assert event.parsed is not None, "a format's events are read by their feed"
    # Without a number of its own a version is ordered by its time.
    version = event.envelope.get("revision", event.envelope["time"])
    key = (event.feed, event.parsed.subject, str(version))
    content = hash(json.dumps(event.envelope.get("data"), sort_keys=True))
    known = told.setdefault(key, (content, event.where))
    if len(told) > _REMEMBERED:
        del told[next(iter(told))]
    return known[1] if known[0] != content else ""


def _told_twice(first: str) -> Reason:
    return reason(
        "",
        "record_twice",
        "cùng một bản ghi xuất hiện hai lần trong tệp với nội dung khác nhau; giữ bản ở vị trí nêu tại giá trị, hãy bỏ "
        "một bản",
        "the same record is told twice in the file with different content; the one at the place given as value is "
        "kept, remove one",
        shown_name(first.rpartition("/")[2]),
    )


def _implausible(event: Event, context: Context) -> tuple[Reason, ...]:
    assert event.parsed is not None, "a format's events are read by their feed"
    return tuple(check_plausible(context.feeds[event.feed], event.parsed, context.now))


def _texts(source: Source) -> Iterator[Document]:
    """Yield the ways in which a text may be read: as lines, and as a table by each delimiter that it holds."""
    first = next((text for _, text in lines_of(source) if text.strip()), "")
    yield LinesFile(source, first)
    for sign in sorted(DELIMITERS, key=lambda sign: -first.count(sign)):
        yield open_delimited(source, sign)


def _sheets(source: Source, formats: Mapping[str, Format]) -> list[Recognised | Remark]:
    tables = open_workbook(source)
    if not tables:
        raise refused("", "empty", "tệp Excel không có dữ liệu", "the workbook holds no data")
    found: list[Recognised | Remark] = []
    for table in tables:
        declared = _format_of(table, formats)
        if table.hidden:
            if declared is not None:
                found.append(Remark(source.name, _hidden(table)))
            continue
        if declared is not None:
            found.append(Recognised(declared, table))
            continue
        warning = reason(
            shown_name(table.sheet),
            "sheet_not_read",
            "trang tính này không thuộc định dạng nào nên không được đọc",
            "this sheet is in no known format and was not read",
        )
        found.append(Remark(source.name, warning))
    if not any(isinstance(one, Recognised) for one in found):
        hidden = [one.warning for one in found if isinstance(one, Remark) and one.warning.rule == _HIDDEN]
        raise RejectedError(hidden) if hidden else _unknown(tables, formats)
    return found


def _hidden(table: Table) -> Reason:
    return reason(
        shown_name(table.sheet),
        _HIDDEN,
        "trang tính bị ẩn nên không được đọc; nếu là dữ liệu cần gửi, hãy bỏ ẩn",
        "the sheet is hidden and was not read; unhide it if it is data to be sent",
    )


def _format_of(document: Document, formats: Mapping[str, Format]) -> Format | None:
    """Return the format whose carrier recognises the document; a sheet's own name goes before its headings."""
    carriers = [(declared, carrier) for declared in formats.values() for carrier in declared.carriers]
    sure = [(carrier.kind != "table", int(carrier.recognise(document)), declared) for declared, carrier in carriers]
    _, score, declared = max(sure, key=lambda one: (one[1] > 0, one[0], one[1]))
    return declared if score else None


def _nearest(documents: Sequence[Document], formats: Mapping[str, Format]) -> tuple[Table, str, str] | None:
    """Return the table that comes nearest to a format, with that format's name and the headings that it lacks."""
    best: tuple[int, Table, str, str] | None = None
    for document in documents:
        if not isinstance(document, Table):
            continue
        head = document.head()
        for declared in formats.values():
            needed = next((carrier.needed for carrier in declared.carriers if carrier.needed), ())
            known, lacking = closest_headings(head, [(spellings[0], spellings) for spellings in needed])
            if known and (best is None or known > best[0]):
                best = known, document, declared.name, ", ".join(lacking)
    return best[1:] if best else None


def _unknown(documents: Sequence[Document], formats: Mapping[str, Format]) -> RejectedError:
    if (near := _nearest(documents, formats)) is not None:
        table, name, lacking = near
        return refused(
            shown_name(table.sheet),
            "headings_missing",
            f"bảng gần với mẫu {name} nhưng thiếu cột: {lacking}; tên cột xem trang của mẫu",
            f"the table is near to the format {name} and lacks the columns {lacking}; see the format's page",
        )
    document = documents[0]
    if isinstance(document, XmlFile):
        seen_vi, seen_en = f"XML có gốc {shown_name(document.root)}", f"XML with the root {shown_name(document.root)}"
    elif isinstance(document, Table):
        where = f" {shown_name(document.sheet)}" if document.sheet else ""
        seen_vi, seen_en = (
            f"bảng{where} với tiêu đề không khớp mẫu nào",
            f"a table{where} whose headings fit no template",
        )
    elif isinstance(document, LinesFile):
        seen_vi, seen_en = "văn bản không phải XML, JSON hay bảng", "text that is neither XML, JSON nor a table"
    else:
        seen_vi, seen_en = "JSON không có các trường của mẫu nào", "JSON without the fields of any template"
    names = ", ".join(formats)
    return refused(
        "",
        "unknown_format",
        f"không nhận ra định dạng tệp ({seen_vi}); xem `ioc format list`. Đọc được: {names}",
        f"the file is in no known format ({seen_en}); see `ioc format list`. Known: {names}",
    )
