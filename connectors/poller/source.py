"""What a poller reads from: pages, each with the cursor from which reading goes on once the page is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ioc.errors import RetryableError

Cursor = Mapping[str, Any]  # JSON; an empty one is the beginning


class SourceUnavailableError(RetryableError):
    """The source does not answer, or not as it should; it is asked again later, from where it was."""


@dataclass(frozen=True)
class SourcePage:
    """One page: `body` as a file of a format (empty: nothing in it), and the cursor behind it.

    `remarks`, Vietnamese · English, say what is wrong with the page and was taken all the same.
    """

    body: bytes
    cursor: Cursor
    records: int
    remarks: tuple[str, ...] = ()


class PollSource(Protocol):
    """Yields pages from a cursor to the end of what is there now; raises `SourceUnavailableError`."""

    def pages(self, cursor: Cursor) -> Iterator[SourcePage]: ...
    def close(self) -> None: ...
