"""How XML from outside is parsed: no DTD, no entities, no external references, bounded in every direction.

Elements are found by local name, because vendors differ in namespaces, and never by position.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from connectors.formats.findings import refused
from ioc.errors import RejectedError

MAX_BYTES = 32 * 2**20
MAX_DEPTH = 64
MAX_ELEMENTS = 500_000

_CHUNK = 2**16
_XINCLUDE = "http://www.w3.org/2001/XInclude"
_DECLARATION = re.compile(r"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_ENCODING = re.compile(r"""<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")
_ROOT = re.compile(r"<(?:[\w.-]+:)?([\w.-]+)[\s/>]")
_PROLOG = re.compile(r"<\?.*?\?>|<!--.*?-->", re.DOTALL)


def decode_xml(data: bytes) -> str:
    """Return XML as text; raises RejectedError where it is neither UTF-8 nor UTF-16, or holds a DTD."""
    if len(data) > MAX_BYTES:
        raise _too_large("file_too_large", f"{MAX_BYTES // 2**20} MiB", f"{MAX_BYTES // 2**20} MiB")
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError:
        raise _bad_encoding() from None
    declared = _ENCODING.match(text)
    # Some encodings (UTF-7) spell "<" in a way that the check below does not see.
    if declared and declared[1].lower() not in ("utf-8", "utf8", "us-ascii", "utf-16"):
        raise _bad_encoding()
    if _DECLARATION.search(text):
        raise refused(
            "",
            "dtd_forbidden",
            "tệp XML chứa DOCTYPE hoặc ENTITY; hãy xuất lại tệp không kèm DTD",
            "the XML holds a DOCTYPE or an ENTITY; export it again without a DTD",
        )
    return text


def parse_xml(data: bytes) -> etree._Element:
    """Return the root element; raises RejectedError for XML that is hostile, too large or not well-formed."""
    text = decode_xml(data)
    content = text.encode()
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
    bounds = _Bounds()
    try:
        for start in range(0, len(content), _CHUNK):
            parser.feed(content[start : start + _CHUNK])
            bounds.check(parser)
        return parser.close()
    except etree.XMLSyntaxError as error:
        # What was read before the error says more: the parser itself gives up on depth, for one.
        bounds.check(parser)
        line, column = error.position
        raise refused(
            f"dòng {line}, cột {column}" if line else "",
            "xml_not_well_formed",
            "tệp không phải XML hợp lệ; hãy xuất lại tệp từ phần mềm nguồn",
            "the file is not well-formed XML; export it again from the source system",
        ) from None


class _Bounds:
    """Counts depth and elements while a document is parsed."""

    def __init__(self) -> None:
        self._depth = self._elements = 0

    def check(self, parser: etree.XMLPullParser) -> None:
        """Take the parser's new events; raises RejectedError where the document grows beyond the bounds."""
        for action, element in parser.read_events():
            if action == "end":
                self._depth -= 1
                continue
            assert isinstance(element, etree._Element), "comments and instructions are not asked for"
            self._depth += 1
            self._elements += 1
            _check(element, self._depth, self._elements)


def root_name(data: bytes) -> str | None:
    """Return the local name of the first element without parsing; None where the start is not XML."""
    head = data[:4096]
    wide = head.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = _PROLOG.sub("", head.decode("utf-16" if wide else "utf-8-sig", errors="replace")).lstrip()
    # A document type is refused when the file is read; its root still says whose file it is.
    text = re.sub(r"^<!DOCTYPE[^\[>]*(\[.*?\]\s*)?>", "", text, flags=re.DOTALL | re.IGNORECASE).lstrip()
    found = _ROOT.match(text)
    return found[1] if found else None


def local_name(element: etree._Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


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


def _check(element: etree._Element, depth: int, elements: int) -> None:
    if depth > MAX_DEPTH:
        raise _too_large("xml_too_deep", f"{MAX_DEPTH} cấp lồng nhau", f"{MAX_DEPTH} levels")
    if elements > MAX_ELEMENTS:
        raise _too_large("xml_too_many_elements", f"{MAX_ELEMENTS:,} phần tử", f"{MAX_ELEMENTS:,} elements")
    if str(element.tag).startswith(f"{{{_XINCLUDE}}}"):
        raise refused(
            path_of(element),
            "external_reference",
            "tệp XML tham chiếu tài liệu bên ngoài (XInclude); hãy gửi tệp đầy đủ nội dung",
            "the XML includes another document (XInclude); send a file that holds everything itself",
        )


def _too_large(rule: str, limit_vi: str, limit_en: str) -> RejectedError:
    return refused(
        "",
        rule,
        f"tệp XML vượt giới hạn {limit_vi}; hãy chia nhỏ tệp",
        f"the XML exceeds {limit_en}; split the file",
    )


def _bad_encoding() -> RejectedError:
    return refused(
        "",
        "encoding",
        "tệp XML không phải UTF-8 (hoặc UTF-16 có BOM); hãy xuất lại tệp ở UTF-8",
        "the XML is not UTF-8 (or UTF-16 with a byte order mark); export it again in UTF-8",
    )
