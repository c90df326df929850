"""Text files line by line, bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from connectors.formats.findings import refused
from connectors.formats.readers.source import Source, text_chunks

MAX_LINE = 2**16
MAX_HEADING_LINES = 10


@dataclass(frozen=True)
class LinesFile:
    """A text file; `first` is its first line that is not empty."""

    source: Source
    first: str

    def head(self) -> list[str]:
        """Return the first lines that are not empty, among which headings may stand."""
        return [text for _, text in islice(self.lines(), MAX_HEADING_LINES)]

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield (line number, text) of the lines that are not empty."""
        return ((number, text) for number, text in lines_of(self.source) if text.strip())


def lines_of(source: Source, longest: int = MAX_LINE) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, text without its end) of each line; raises RejectedError for one that is too long.

    A line ends with LF, CR LF or CR alone, as Excel on a Mac once wrote it.
    """
    rest, number = "", 0
    for chunk in text_chunks(source):
        text = rest + chunk
        half = "\r" if text.endswith("\r") else ""  # its LF may come with the next chunk
        *whole, rest = text.removesuffix(half).replace("\r\n", "\n").replace("\r", "\n").split("\n")
        rest += half
        for line in whole:
            number += 1
            yield number, line.removeprefix("\ufeff")
        if len(rest) > longest:
            raise refused(
                f":{number + 1}",
                "line_too_long",
                f"dòng dài hơn {longest:,} ký tự; kiểm tra lại việc xuất dữ liệu",
                f"the line has more than {longest:,} characters; check how the file was exported",
            )
    if rest:
        yield number + 1, rest.removeprefix("\ufeff").rstrip("\r")
