"""How XML from outside is parsed: no DTD, no entities, no external references, bounded in every direction.

A file is read twice: once to its end, so that nothing of a broken file is taken, and once record by record, so that
memory holds one record at a time. Elements are found by local name, because vendors differ in namespaces, and never
by position.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from lxml import etree

from connectors.formats.findings import refused
from connectors.formats.readers.source import Source, bad_encoding, bytes_source, text_chunks
from ioc.errors import RejectedError

MAX_DEPTH = 64
MAX_ELEMENTS = 500_000  # of one record, and of all that lies around the records

# Elements around a document: <Envelope><Body><HDon> are two envelopes of an invoice.
MAX_ENVELOPES = 5
# Elements that a document may come behind, such as the header of its envelope.
MAX_FIRST_NAMES = 50

_XINCLUDE = "http://www.w3.org/2001/XInclude"
_ENCODING = re.compile(r"""<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")
_ROOT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)(?=[\s/>])")
# Encodings in which ASCII is ASCII. Some others (UTF-7, EBCDIC) spell "<" in ways that no check here would see.
_ASCII_LIKE = re.compile(
    r"utf-?8|utf-?16(-?le|-?be)?|us-ascii|ascii|iso-?8859-?\d+|latin-?1|windows-?\d+|cp\d+|tcvn.*|viscii.*|vni.*|x-viet-.*",
    re.IGNORECASE,
)
_MAX_NAME = 4096
_SPREADSHEET = "urn:schemas-microsoft-com:office:spreadsheet"


@dataclass
class XmlFile:
    """An XML file: `root` is the local name of its first element."""

    source: Source
    root: str
    _outer: tuple[str, ...] | None = None
    # What a reading to the end has found of the paths that stand several times, by the names of the records.
    _several: dict[tuple[tuple[str, ...], tuple[str, ...]], set[str]] = field(default_factory=dict)

    def outer(self) -> tuple[str, ...]:
        """Return the names of the root and of the elements that follow it, down to a few levels.

        Senders put documents into an envelope of their own: a SOAP message, a list, the answer of a portal.
        """
        if self._outer is None:
            self._outer = tuple(_first_names(self.source))
        return self._outer

    def tree(self) -> etree._Element:
        """Return the root element with everything below it; raises RejectedError beyond the bounds."""
        walk = _Walk((), (), whole=True)
        for _ in walk.run(self.source):
            pass
        assert walk.root is not None, "a well-formed document has a root"
        return walk.root

    def records(
        self, names: tuple[str, ...], hidden: tuple[str, ...] = ("Signature",)
    ) -> Iterator[tuple[str, etree._Element]]:
        """Yield (path, element) of each record: an outermost element of one of `names`, outside `hidden` ones.

        The element is emptied when the next one is asked for. The whole file is parsed once before the first record,
        so that a file that is broken at its end gives none.
        """
        if (names, hidden) not in self._several:
            self.around(names, hidden)
        second = _Walk(names, hidden, several=self._several[names, hidden])
        yield from second.run(self.source)

    def around(self, names: tuple[str, ...], hidden: tuple[str, ...] = ("Signature",)) -> etree._Element:
        """Return the root with what lies around the records, whose elements are gone."""
        walk = _Walk(names, hidden)
        for _ in walk.run(self.source):
            pass
        assert walk.root is not None, "a well-formed document has a root"
        self._several[names, hidden] = walk.several
        return walk.root


def open_xml(source: Source) -> XmlFile:  # noqa: PLR0912 - a chain of cases of one grammar
    """Return the file with the name of its root; raises RejectedError for a DTD, or where it is no XML.

    Comments and instructions before the root may be of any length.
    """
    text, chunks, started = "", text_chunks(source), False
    while True:
        text = text.lstrip("\ufeff \t\r\n")
        if not started and text.startswith("<?xml"):
            declared = _ENCODING.match(text)
            if declared and not _ASCII_LIKE.fullmatch(declared[1]):
                raise bad_encoding()
        if text.startswith("<?"):
            end = text.find("?>")
            if end >= 0:
                text, started = text[end + 2 :], True
                continue
        elif text.startswith("<!--"):
            end = text.find("-->", 4)
            if end >= 0:
                text, started = text[end + 3 :], True
                continue
            text = "<!--" + text[-2:] if len(text) > 6 else text
        elif text[:9].upper() == "<!DOCTYPE":
            raise _web_page() if text[9:].lstrip().lower().startswith("html") else _dtd()
        elif text and not "<!DOCTYPE".startswith(text[:9].upper()) and not text.startswith("<!"):
            found = _ROOT.match(text)
            if found:
                if found[1].lower() == "html" or (found[1] == "Workbook" and _SPREADSHEET in text[:_MAX_NAME]):
                    raise _web_page()
                return XmlFile(source, found[1])
            if not text.startswith("<") or len(text) > _MAX_NAME:
                raise _not_well_formed("")
        elif text.startswith("<!") and len(text) >= 9:
            raise _dtd() if text[:8].upper() == "<!ENTITY" else _not_well_formed("")
        more = next(chunks, None)
        if more is None:
            raise _not_well_formed("")
        text += more


def parse_xml(data: bytes) -> etree._Element:
    """Return the root element of a small document in memory; raises RejectedError as `XmlFile.tree` does."""
    return open_xml(bytes_source("", data)).tree()


@dataclass
class _Walk:
    """One reading of a file by lxml's pull parser; checks the bounds and yields the records."""

    names: tuple[str, ...]
    hidden: tuple[str, ...]
    several: set[str] = field(default_factory=set)
    whole: bool = False
    root: etree._Element | None = None
    _steps: list[str] = field(default_factory=list)
    _counts: list[Counter[str]] = field(default_factory=list)
    _inside: int = 0
    _hidden: int = 0
    _elements: int = 0
    _around: int = 0

    def run(self, source: Source) -> Iterator[tuple[str, etree._Element]]:
        parser = etree.XMLPullParser(
            events=("start", "end"),
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
            # Without comments and instructions an element's text is one piece, as its sender sees it.
            remove_comments=True,
            remove_pis=True,
        )
        try:
            for text in text_chunks(source):
                # libxml2 is told that it reads UTF-8 whatever the declaration says: that is what it is given.
                parser.feed(text.encode())
                yield from self._take(parser)
            parser.close()
            yield from self._take(parser)
        except etree.XMLSyntaxError as error:
            # What was read before the error says more: the parser itself gives up on depth, for one.
            for _ in self._take(parser):
                pass
            line, column = error.position
            raise _not_well_formed(f"{line}:{column}" if line else "") from None
        except UnicodeEncodeError:
            raise bad_encoding() from None

    def _take(self, parser: etree.XMLPullParser) -> Iterator[tuple[str, etree._Element]]:
        for action, element in parser.read_events():
            assert isinstance(element, etree._Element), "comments and instructions are not asked for"
            if action == "start":
                self._start(element)
                continue
            yield from self._end(element)

    def _start(self, element: etree._Element) -> None:
        name = local_name(element)
        if self.root is None:
            self.root = element
            if element.getroottree().docinfo.internalDTD is not None:
                raise _dtd()
        if not self._inside:
            if self._counts:
                self._counts[-1][name] += 1
                count = self._counts[-1][name]
                path = "".join(self._steps) + f"/{name}"
                if count == 2:
                    self.several.add(path)
                step = f"/{name}[{count}]" if count > 1 or path in self.several else f"/{name}"
            else:
                step = f"/{name}"
            self._steps.append(step)
            self._counts.append(Counter())
            self._around += 1
            self._elements = 0
        if self._inside or (name in self.names and not self._hidden):
            self._inside += 1
        elif self._hidden or name in self.hidden:
            self._hidden += 1
        self._elements += 1
        depth = len(self._steps) + max(self._inside - 1, 0)
        if depth > MAX_DEPTH:
            raise _too_much("xml_too_deep", f"{MAX_DEPTH} cấp lồng nhau", f"{MAX_DEPTH} levels")
        if (self._elements if self._inside else self._around) > MAX_ELEMENTS:
            raise _too_much("xml_too_many_elements", f"{MAX_ELEMENTS:,} phần tử", f"{MAX_ELEMENTS:,} elements")
        if str(element.tag).startswith(f"{{{_XINCLUDE}}}"):
            raise refused(
                name,
                "external_reference",
                "tệp XML tham chiếu tài liệu bên ngoài (XInclude); hãy gửi tệp đầy đủ nội dung",
                "the XML includes another document (XInclude); send a file that holds everything itself",
            )

    def _end(self, element: etree._Element) -> Iterator[tuple[str, etree._Element]]:
        if self._inside > 1:
            self._inside -= 1
            return
        if self._inside == 1:
            yield "".join(self._steps), element
            self._inside = 0
            if not self.whole:
                _forget(element)
                self._around -= 1
        elif self._hidden:
            self._hidden -= 1
        self._steps.pop()
        self._counts.pop()


def _first_names(source: Source) -> Iterator[str]:
    """Yield the names of the first elements; a file that is broken gives none beyond its fault."""
    parser = etree.XMLPullParser(
        events=("start",), encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    count = 0
    try:
        for text in text_chunks(source):
            parser.feed(text.encode())
            for _, element in parser.read_events():
                if isinstance(element, etree._Element) and len([*element.iterancestors()]) <= MAX_ENVELOPES:
                    yield local_name(element)
                count += 1
                if count == MAX_FIRST_NAMES:
                    return
    except (etree.XMLSyntaxError, UnicodeEncodeError, RejectedError):
        return


def local_name(element: etree._Element) -> str:
    """Return an element's name without its namespace."""
    return _without_namespace(element.tag)


@lru_cache(maxsize=4096)
def _without_namespace(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def path_of(element: etree._Element) -> str:
    """Return the element's place as `/TDiep/DLieu/HDon[2]`: local names, counted where there are several."""
    names = [local_name(ancestor) for ancestor in (element, *element.iterancestors())]
    # libxml2 counts siblings faster than we could, but writes namespaces as prefixes or as `*`.
    steps = element.getroottree().getpath(element).split("/")[1:]
    counts = [step[step.index("[") :] if "[" in step else "" for step in steps]
    return "".join(f"/{name}{count}" for name, count in zip(reversed(names), counts, strict=True))


def children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    """Yield the children of a local name."""
    return (child for child in element if local_name(child) == name)


def _forget(element: etree._Element) -> None:
    """Free what a record holds; its parent keeps nothing of it."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _web_page() -> RejectedError:
    return refused(
        "",
        "web_page",
        "tệp là trang web (HTML) hoặc XML của Excel 2003, dù tên là gì; hãy mở bằng Excel và lưu lại dạng .xlsx",
        "the file is a web page (HTML) or XML of Excel 2003, whatever its name; open it in Excel and save it as .xlsx",
    )


def _dtd() -> RejectedError:
    return refused(
        "",
        "dtd_forbidden",
        "tệp XML chứa DOCTYPE hoặc ENTITY; hãy xuất lại tệp không kèm DTD",
        "the XML holds a DOCTYPE or an ENTITY; export it again without a DTD",
    )


def _not_well_formed(place: str) -> RejectedError:
    return refused(
        place,
        "xml_not_well_formed",
        "tệp không phải XML hợp lệ; hãy xuất lại tệp từ phần mềm nguồn",
        "the file is not well-formed XML; export it again from the source system",
    )


def _too_much(rule: str, limit_vi: str, limit_en: str) -> RejectedError:
    return refused(
        "",
        rule,
        f"tệp XML vượt giới hạn {limit_vi}; hãy chia nhỏ tệp",
        f"the XML exceeds {limit_en}; split the file",
    )
