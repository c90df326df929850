"""One poller: fetch a page, read it by its format, send it, move the watermark.

The order of the steps makes a kill at any point harmless: the gateway answers once Kafka has acknowledged; only then
the cursor moves, in one transaction of the ledger. What is fetched again has the same ids and revisions: the moment at
which a content first arrived is remembered, and a record that names its own revision keeps it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import structlog

from connectors.formats.format import BadRecord, Event, Item
from connectors.poller.declaration import PollerDeclaration
from connectors.poller.ledger import PollLedger
from connectors.poller.source import PollSource, SourcePage
from connectors.publishing.publish import FileReader
from connectors.publishing.report import FileResult
from connectors.publishing.sending import EventPublisher, send
from ioc.errors import Reason
from ioc.faultpoint import FaultPoint, no_fault

_MISTAKES = 20
_log = structlog.get_logger("poller")


@dataclass(frozen=True)
class PollResult:
    """What one run did; not `whole`: the source has more, and others have their turn first."""

    pages: int
    accepted: int
    refused: int
    whole: bool = True


class Poller:
    """Runs one declaration; `fault` is where tests kill it."""

    def __init__(
        self,
        declared: PollerDeclaration,
        source: PollSource,
        reader: FileReader,
        publisher: EventPublisher,
        ledger: PollLedger,
        *,
        fault: FaultPoint = no_fault,
    ) -> None:
        self.declared = declared
        self._source = source
        self._reader = reader.naming(establishment=declared.establishment or "", reporter=declared.reporter or "")
        self._publisher = publisher
        self._ledger = ledger
        self._fault = fault

    def close(self) -> None:
        """Close the source's connections."""
        self._source.close()

    def run(self, cut: Callable[[], bool] = lambda: False) -> PollResult:
        """Take what has changed at the source since the last run; `cut` is asked after each page whether to stop there.

        Raises SourceUnavailableError, or what the publisher raises; the next run goes on behind the last page that was
        taken whole.
        """
        name = self.declared.name
        pages = accepted = refused = 0
        whole = True
        try:
            for page in self._source.pages(self._ledger.find(name).cursor):
                self._fault("after_fetch")
                result = self._take(page)
                self._fault("after_sending")
                self._reader.memory.commit()
                self._fault("after_memory")
                report = "\n\n".join(filter(None, (*page.remarks, report_of(result))))
                self._ledger.move(name, page.cursor, result.accepted, result.refused, report)
                self._fault("after_move")
                pages, accepted, refused = pages + 1, accepted + result.accepted, refused + result.refused
                for remark in page.remarks:
                    _log.warning("a page holds what moves no watermark", poller=name, remark=remark)
                if cut():
                    whole = False
                    break
        finally:
            self._reader.memory.rollback()
        if whole:
            self._ledger.end(name)
        if accepted or refused:
            _log.info("polled", poller=name, pages=pages, accepted=accepted, refused=refused)
        return PollResult(pages, accepted, refused, whole)

    def _take(self, page: SourcePage) -> FileResult:
        result = FileResult(self.declared.name)
        if page.body:
            with tempfile.TemporaryDirectory(prefix="ioc-poll-") as directory:  # mode 0700: it holds personal data
                path = Path(directory) / "page"
                path.write_bytes(page.body)
                send(result, self._own(self._reader.read(path, result, name=self.declared.name)), self._publisher)
        return result

    def _own(self, items: Iterator[Item]) -> Iterator[Item]:
        """Yield the items; an event of another feed than was declared is refused."""
        for item in items:
            foreign = isinstance(item, Event) and item.feed != self.declared.feed
            yield BadRecord(item.where, (_OTHER_FEED,)) if foreign else item
            self._fault("before_sending")


def report_of(result: FileResult) -> str:
    """Return what was wrong with a page, a mistake a block: places, field and values (masked), both languages."""
    blocks = []
    for mistake in result.refused_findings:
        at = " = ".join(part for part in (mistake.at, ", ".join(mistake.values)) if part)
        lines = [f"{', '.join(mistake.places)} ({mistake.count:,})", at, mistake.message_vi, mistake.message_en]
        blocks.append("\n".join(line for line in lines if line))
    return "\n\n".join(blocks[:_MISTAKES])


_OTHER_FEED = Reason(
    field="type",
    rule="other_feed",
    message_vi="bản ghi thuộc nguồn dữ liệu khác với nguồn mà pollers.toml khai báo",
    message_en="the record belongs to another feed than pollers.toml declares",
)
