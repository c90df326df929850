"""A file from outside as bytes that can be read again and again, and what kind of file its first bytes show.

Nothing here looks at a file's name. Text is UTF-8 or UTF-16, with or without a byte order mark; base64 around a whole
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
from ioc.errors import RejectedError

MAX_BYTES = 512 * 2**20
CHUNK = 2**16
# What is kept in memory of an unpacked or unwrapped file; more goes to a temporary file.
SPOOL = 8 * 2**20

Kind = Literal["xml", "json", "text", "workbook", "archive"]

_BASE64 = re.compile(rb"[A-Za-z0-9+/\s]+={0,2}\s*")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
# How much of a file without a mark shows whether it is UTF-16: every second byte of its blanks and digits is 0.
_SHOWS_ENCODING = 4096
# First bytes -> (rule, advice in Vietnamese, in English) of files that hold data in no readable form.
_ADVICE: tuple[tuple[bytes, str, str, str], ...] = (
    (
        _OLE,
        "old_excel",
        "tệp Excel kiểu cũ (.xls) hoặc có mật khẩu; hãy mở và lưu lại dạng .xlsx không mật khẩu",
        "an old Excel file (.xls) or one with a password; open it and save it as .xlsx without a password",
    ),
    (
        b"%PDF",
        "pdf",
        "tệp PDF không đọc được thành dữ liệu; hãy xuất XML, XLSX, CSV hoặc JSON",
        "a PDF holds no data that can be read; export XML, XLSX, CSV or JSON",
    ),
    (b"\x1f\x8b", "compressed", "tệp nén gzip; hãy giải nén trước khi gửi", "a gzip file; unpack it first"),
    (
        b"Rar!",
        "compressed",
        "tệp nén RAR; hãy giải nén, hoặc nén lại dạng .zip",
        "a RAR archive; unpack it, or pack it as .zip",
    ),
    (
        b"7z\xbc\xaf\x27\x1c",
        "compressed",
        "tệp nén 7z; hãy giải nén, hoặc nén lại dạng .zip",
        "a 7z archive; unpack it, or pack it as .zip",
    ),
)


@dataclass(frozen=True)
class Source:
    """A file's name as messages show it, its size in bytes, and `open`, which starts reading anew."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]

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


def spooled_source(name: str, chunks: Iterator[bytes]) -> Source:
    """Return a source of what `chunks` yield; large content lies in a temporary file that goes with the source."""
    spool = _Spool()
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_BYTES:
            raise too_large(MAX_BYTES)
        spool.file.write(chunk)
    return Source(name, size, lambda: cast(IO[bytes], _View(spool)))


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
    for magic, rule, vi, en in _ADVICE:
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
        return spooled_source(source.name, _decoded(source))
    except binascii.Error:
        raise refused(
            "",
            "base64",
            "tệp base64 bị hỏng hoặc bị cắt; hãy xuất lại tệp",
            "the base64 of the file is broken or cut off; export it again",
        ) from None


def text_chunks(source: Source) -> Iterator[str]:
    """Yield a file's text; raises RejectedError where it is neither UTF-8 nor UTF-16."""
    with source.open() as stream:
        decoder = codecs.getincrementaldecoder(encoding_of(source.head(_SHOWS_ENCODING)))()
        try:
            while chunk := stream.read(CHUNK):
                yield decoder.decode(chunk)
            yield decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            raise bad_encoding() from None


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
        "tệp không phải UTF-8 hoặc UTF-16; hãy xuất lại tệp ở UTF-8",
        "the file is neither UTF-8 nor UTF-16; export it again in UTF-8",
    )


def _kind_of_zip(source: Source) -> Kind:
    try:
        with source.open() as stream, zipfile.ZipFile(_seekable(stream)) as archive:
            names = archive.namelist()
    except Exception:  # zipfile raises errors of many kinds on broken files
        raise unreadable_archive() from None
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
