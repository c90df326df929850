"""A file from outside as bytes that can be read again and again, and what kind of file its first bytes show.

Nothing here looks at a file's name. Text is UTF-8 or UTF-16, with or without a byte order mark. An older Vietnamese
encoding is read where it is declared, windows-1258 also where the text shows it beyond doubt. Base64 around a whole
file (as the health insurer's portal takes it) is unwrapped.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import io
import re
import tempfile
import weakref
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Literal, cast

from connectors.formats.findings import refused
from connectors.formats.readers import legacy_text
from connectors.formats.readers.advice import ADVICE, OTHER_DOCUMENTS
from ioc.errors import RejectedError

MAX_BYTES = 512 * 2**20
CHUNK = 2**16
# What is kept in memory of an unpacked or unwrapped file; more goes to a temporary file.
SPOOL = 8 * 2**20

Kind = Literal["xml", "json", "text", "workbook", "archive"]

_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}\s*")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
# How much of a file without a mark shows whether it is UTF-16: every second byte of its blanks and digits is 0.
_SHOWS_ENCODING = 4096
# How much of a text that is not UTF-8 shows which encoding it is.
_SAMPLE = 4 * CHUNK
_DECLARED = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']""")


@dataclass(frozen=True)
class Source:
    """A file's name as messages show it, its size in bytes, and `open`, which starts reading anew.

    `charset` is the encoding that its sender declared beside it, empty = none.
    """

    name: str
    size: int
    open: Callable[[], IO[bytes]]
    charset: str = ""

    def head(self, count: int = 64) -> bytes:
        """Return the first bytes."""
        with self.open() as stream:
            return stream.read(count)

    def read(self) -> bytes:
        """Return all bytes."""
        with self.open() as stream:
            return stream.read()


def bytes_source(name: str, data: bytes) -> Source:
    """Return a source of bytes in memory."""
    return Source(name, len(data), lambda: io.BytesIO(data))


def spooled_source(name: str, chunks: Iterator[bytes], charset: str = "") -> Source:
    """Return a source of what `chunks` yield; large content lies in a temporary file that goes with the source."""
    spool = _Spool()
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_BYTES:
            raise too_large(MAX_BYTES)
        spool.file.write(chunk)
    return Source(name, size, lambda: cast(IO[bytes], _View(spool)), charset)


class _Spool:
    """A temporary file that is closed when nobody can read it any more: neither the source nor a view of it is left."""

    def __init__(self) -> None:
        self.file = tempfile.SpooledTemporaryFile(max_size=SPOOL)  # noqa: SIM115 - it lives as long as the holder
        weakref.finalize(self, self.file.close)


class _View(io.RawIOBase):
    """Reads a spooled file from its start, with a position of its own; closing the view leaves the file open."""

    def __init__(self, spool: _Spool) -> None:
        self._spool = spool
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = 0 if whence == io.SEEK_SET else self._at if whence == io.SEEK_CUR else self._spool.file.seek(0, 2)
        self._at = max(0, start + offset)
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        self._spool.file.seek(self._at)
        data = self._spool.file.read(-1 if size is None else size)
        self._at += len(data)
        return data


def kind_of(source: Source) -> Kind:
    """Return what kind of file it is; raises RejectedError with advice for one that holds nothing readable."""
    if source.size > MAX_BYTES:
        raise too_large(MAX_BYTES)
    head = source.head()
    if not head:
        raise refused(
            "", "empty_file", "tệp rỗng (0 byte); hãy xuất lại tệp", "the file is empty (0 bytes); export it again"
        )
    for magic, rule, vi, en in ADVICE:
        if head.startswith(magic):
            raise refused("", rule, vi, en)
    if head.startswith(_ZIP):
        return _kind_of_zip(source)
    first = _first_sign(source)
    if first is None:
        raise refused(
            "",
            "empty_file",
            "tệp không có nội dung; hãy xuất lại tệp",
            "the file holds nothing but blanks; export it again",
        )
    return "xml" if first == "<" else "json" if first in "{[" else "text"


def unwrapped(source: Source) -> Source:
    """Return what a file wrapped whole in base64 holds, else the source itself."""
    head = b"".join(source.head(4 * CHUNK).split())
    if len(head) < 16 or not _BASE64.fullmatch(source.head(256)):
        return source
    try:
        inside = base64.b64decode(head[: len(head) // 4 * 4], validate=True)[:16].lstrip(b"\xef\xbb\xbf \t\r\n")
    except binascii.Error:
        return source
    shown = inside.replace(b"\0", b"").lstrip(b"\xff\xfe").startswith((b"<", b"{", b"["))
    if not shown and not inside.startswith(_ZIP):
        return source
    try:
        return spooled_source(source.name, _decoded(source), source.charset)
    except binascii.Error:
        raise refused(
            "",
            "base64",
            "tệp base64 bị hỏng hoặc bị cắt; hãy xuất lại tệp",
            "the base64 of the file is broken or cut off; export it again",
        ) from None


def text_chunks(source: Source) -> Iterator[str]:
    """Yield a file's text; raises RejectedError, with what to do, where its encoding is not known.

    What is valid UTF-8 is UTF-8, whatever was declared: text of another encoding that happens to be valid is nowhere
    seen, and programs that declare one out of habit are. Only then a declaration counts, the file's own (XML) before
    that of its sender, and without one what the text shows.
    """
    head = source.head(_SHOWS_ENCODING)
    encoding = encoding_of(head)
    if encoding != "utf-8-sig":
        with source.open() as stream:
            yield from _decode(codecs.getincrementaldecoder(encoding)(), stream)
        return
    own = _DECLARED.match(head)
    yield from _utf8_or_legacy(source, own[1].decode() if own else source.charset)


def _decode(decoder: codecs.IncrementalDecoder, stream: IO[bytes]) -> Iterator[str]:
    try:
        while chunk := stream.read(CHUNK):
            yield decoder.decode(chunk)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise bad_encoding() from None


def _utf8_or_legacy(source: Source, declared: str) -> Iterator[str]:
    """Yield text as UTF-8 until it proves to be none; what came before was ASCII then, the same in all encodings."""
    if legacy_text.named_encoding(declared) in legacy_text.SINGLE_BYTE and not _is_utf8(source):
        with source.open() as stream:
            yield from _legacy(b"", stream, declared)
        return
    decoder, is_ascii = codecs.getincrementaldecoder("utf-8-sig")(), True
    with source.open() as stream:
        while True:
            chunk, waiting = stream.read(CHUNK), bytes(decoder.getstate()[0])
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError:
                if not is_ascii:
                    raise broken_utf8() from None
                yield from _legacy(waiting + chunk, stream, declared)
                return
            if text:
                is_ascii = is_ascii and text.isascii()
                yield text
            if not chunk:
                return


def _is_utf8(source: Source) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with source.open() as stream:
            while chunk := stream.read(CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _legacy(begun: bytes, stream: IO[bytes], declared: str) -> Iterator[str]:
    """Yield the rest of a text that is not UTF-8 in the encoding that is declared or shown."""
    data = begun + stream.read(_SAMPLE)
    encoding = _legacy_encoding(data, declared)

    def pieces(data: bytes) -> Iterator[str]:
        while data:
            yield legacy_text.decoded(data, encoding)
            data = stream.read(CHUNK)

    try:
        yield from legacy_text.composed_pieces(pieces(data))
    except UnicodeDecodeError:
        raise bad_encoding() from None


def _legacy_encoding(sample: bytes, declared: str) -> str:
    """Return the encoding of a text that is not UTF-8; raises RejectedError where it stays in doubt."""
    if legacy_text.is_mostly_utf8(sample):
        raise broken_utf8()
    told, shown = legacy_text.named_encoding(declared), legacy_text.encoding_shown(sample)
    if told in legacy_text.VIETNAMESE:
        return told
    if told == legacy_text.WESTERN and not shown:
        return told
    if shown == legacy_text.WINDOWS or legacy_text.holds_only_units(sample):
        return legacy_text.WINDOWS
    raise old_encoding(shown) if shown else bad_encoding()


def encoding_of(head: bytes) -> str:
    """Return the encoding that a file's first bytes show: a mark, or the zeros of UTF-16 without one.

    The first sign need not be ASCII: `Địa bàn` in UTF-16 begins with two bytes that are not 0. Text in UTF-8 holds
    no zeros at all.
    """
    if head.startswith((b"\xff\xfe\0\0", b"\0\0\xfe\xff")):
        raise bad_encoding()
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if (even := head[::2].count(0)) != (odd := head[1::2].count(0)):
        return "utf-16-le" if odd > even else "utf-16-be"
    return "utf-8-sig"


def too_large(limit: int) -> RejectedError:
    """Return the error of a file beyond a limit in bytes."""
    size = f"{limit // 2**20} MiB"
    return refused("", "file_too_large", f"tệp vượt {size}; hãy chia nhỏ tệp", f"the file exceeds {size}; split it")


def bad_encoding() -> RejectedError:
    """Return the error of text in another encoding."""
    return refused(
        "",
        "encoding",
        "tệp không phải UTF-8 hoặc UTF-16 và không nhận ra bảng mã; hãy lưu lại ở UTF-8, hoặc khai báo bảng mã khi gửi "
        "(windows-1258, tcvn3, viscii, vni)",
        "the file is neither UTF-8 nor UTF-16, and its encoding cannot be told; save it as UTF-8, or declare the "
        "encoding when you send it (windows-1258, tcvn3, viscii, vni)",
    )


def broken_utf8() -> RejectedError:
    """Return the error of a text that begins as UTF-8 and holds bytes that are none."""
    return refused(
        "",
        "encoding",
        "tệp là UTF-8 nhưng có chỗ bị hỏng hoặc lẫn bảng mã khác; hãy xuất lại tệp ở UTF-8",
        "the file is UTF-8, but broken somewhere or mixed with another encoding; export it again in UTF-8",
    )


def old_encoding(name: str) -> RejectedError:
    """Return the error of a text that shows an older Vietnamese encoding which nobody declared."""
    spoken = {"tcvn3": "TCVN3 (ABC)", "viscii": "VISCII", "vni": "VNI"}[name]
    return refused(
        "",
        "old_encoding",
        f"tệp có vẻ ở bảng mã {spoken}; hãy chuyển sang Unicode UTF-8 rồi gửi lại, hoặc khai báo khi gửi: {name}",
        f"the text looks like {spoken}; convert it to UTF-8, or declare the encoding when you send it: {name}",
    )


def _kind_of_zip(source: Source) -> Kind:
    try:
        with source.open() as stream, zipfile.ZipFile(_seekable(stream)) as archive:
            names = archive.namelist()
    except Exception:  # zipfile raises errors of many kinds on broken files
        raise unreadable_archive() from None
    for name, (rule, vi, en) in OTHER_DOCUMENTS.items():
        if name in names and "xl/workbook.xml" not in names:
            raise refused("", rule, vi, en)
    return "workbook" if "xl/workbook.xml" in names or "[Content_Types].xml" in names else "archive"


def unreadable_archive() -> RejectedError:
    """Return the error of a ZIP or workbook that cannot be opened."""
    return refused(
        "",
        "workbook_unreadable",
        "không mở được tệp .zip hoặc .xlsx (hỏng, cắt dở hoặc có mật khẩu); hãy lưu lại tệp từ phần mềm nguồn",
        "the .zip or .xlsx cannot be opened (broken, cut off or encrypted); save it again from the source system",
    )


def _seekable(stream: IO[bytes]) -> IO[bytes]:
    return stream if stream.seekable() else io.BytesIO(stream.read())


def _first_sign(source: Source) -> str | None:
    for text in text_chunks(source):
        stripped = text.lstrip("\ufeff \t\r\n")
        if stripped:
            return stripped[0]
    return None


def _decoded(source: Source) -> Iterator[bytes]:
    """Yield the content of a base64 file; four characters are three bytes, and line breaks may lie anywhere."""
    rest = b""
    with source.open() as stream:
        while chunk := stream.read(CHUNK):
            packed = rest + b"".join(chunk.split())
            whole = len(packed) // 4 * 4
            rest = packed[whole:]
            yield base64.b64decode(packed[:whole], validate=True)
    if rest:
        yield base64.b64decode(rest + b"=" * (-len(rest) % 4), validate=True)
