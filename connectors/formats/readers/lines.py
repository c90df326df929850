"""Text files line by line, bounded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.formats.findings import refused
from connectors.formats.readers.source import Source, text_chunks

MAX_LINE = 2**16


@dataclass(frozen=True)
class LinesFile:
    """A text file; `first` is its first line that is not empty."""

    source: Source
    first: str

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield (line number, text) of the lines that are not empty."""
        return ((number, text) for number, text in lines_of(self.source) if text.strip())


def lines_of(source: Source, longest: int = MAX_LINE) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, text without its end) of each line; raises RejectedError for one that is too long."""
    rest, number = "", 0
    for chunk in text_chunks(source):
        *whole, rest = (rest + chunk).replace("\r\n", "\n").split("\n")
        for text in whole:
            number += 1
            yield number, text.removeprefix("\ufeff").rstrip("\r")
        if len(rest) > longest:
            raise refused(
                f":{number + 1}",
                "line_too_long",
                f"dòng dài hơn {longest:,} ký tự; kiểm tra lại việc xuất dữ liệu",
                f"the line has more than {longest:,} characters; check how the file was exported",
            )
    if rest:
        yield number + 1, rest.removeprefix("\ufeff").rstrip("\r")
