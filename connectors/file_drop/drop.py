"""Reads what is dropped and sends it through the gateway, many small files in one request, and puts each file away.

The order of the steps makes a kill at any point harmless: a file is claimed by a rename; its events are sent, with ids
and revisions that are the same each time it is read; its end is written into the ledger; only then it is moved away.
After a kill, claimed files are read again, those with an end in the ledger only moved.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path

import structlog

from connectors.file_drop.inbox import ClaimedFile, Inbox, inboxes
from connectors.file_drop.ledger import DropLedger, DroppedFile, State
from connectors.formats.findings import shown_name
from connectors.formats.format import BadRecord, Event, Item, Remark
from connectors.publishing.publish import FileReader
from connectors.publishing.report import FileResult
from connectors.publishing.sending import EventPublisher
from ioc.errors import Reason
from ioc.faultpoint import FaultPoint, no_fault
from ioc.feeds.feed import Feed

BATCH = 500
# Files that are open in one round: a file waits for the others of its batch.
ROUND = 2000
# The machine has no room for any file; no other file would fare better.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE)
_log = structlog.get_logger("file_drop")


@dataclass
class _OpenFile:
    """A claimed file while it is read and sent."""

    inbox: Inbox
    file: ClaimedFile
    result: FileResult
    left: int = 0
    whole: bool = False


@dataclass(frozen=True)
class DropRound:
    """What a round did."""

    archived: int = 0
    quarantined: int = 0


class FileDrop:
    """Works through the directories below `root`, one a feed."""

    def __init__(
        self,
        root: Path,
        feeds: Mapping[str, Feed],
        reader: FileReader,
        publisher: EventPublisher,
        ledger: DropLedger,
        *,
        settle: float,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        fault: FaultPoint = no_fault,
    ) -> None:
        self._root = root
        self._feeds = feeds
        self._reader = reader
        self._publisher = publisher
        self._ledger = ledger
        self._settle = settle
        self._now = now
        self._fault = fault
        self._counts: dict[State, int] = {}

    def work(self) -> DropRound:
        """Take what is whole, once.

        Raises what the publisher raises; files that were claimed by then are read again by the next call.
        """
        self._counts = dict.fromkeys(("archived", "quarantined"), 0)
        try:
            self._work_through(islice(self._claim(), ROUND))
        finally:
            self._reader.memory.rollback()
        return DropRound(self._counts["archived"], self._counts["quarantined"])

    def _work_through(self, works: Iterable[_OpenFile]) -> None:
        batch: list[tuple[_OpenFile, Event]] = []
        unfinished: list[_OpenFile] = []
        for work in works:
            unfinished.append(work)
            for event in self._events(work):
                batch.append((work, event))
                work.left += 1
                if len(batch) == BATCH:
                    self._send(batch, unfinished)
            work.whole = True
        self._send(batch, unfinished)

    def _claim(self) -> Iterator[_OpenFile]:
        """Claim files, those of an earlier run first; a content that was sent before is put away at once."""
        for inbox in inboxes(self._root, list(self._feeds), settle=self._settle, now=lambda: self._now().timestamp()):
            for file in inbox.resumed():
                ended = self._ledger.find(file.feed, file.reporter, file.sha256)
                if ended is None:
                    yield _OpenFile(inbox, file, FileResult(shown_name(file.name)))
                else:
                    inbox.put_away(file, ended.state, self._day(), ended.report)
            for path in inbox.whole():
                self._fault("before_claim")
                new = self._claimed(inbox, path)
                self._fault("after_claim")
                if new is None:
                    continue
                if self._ledger.find(new.feed, new.reporter, new.sha256) is None:
                    yield _OpenFile(inbox, new, FileResult(shown_name(new.name)))
                else:
                    inbox.put_away(new, "archived", self._day(), "")
                    _log.info("the same content was sent before", feed=new.feed)

    def _claimed(self, inbox: Inbox, path: Path) -> ClaimedFile | None:
        """Claim a file; None where another has it, or where it cannot be read: the others do not wait for it."""
        try:
            return inbox.claim(path, partial(self._ledger.forget_quarantined, inbox.feed, inbox.reporter))
        except OSError as error:
            if error.errno in _FULL:
                raise
            _log.error(
                "a file cannot be taken; correct its permissions, or remove it",
                feed=inbox.feed,
                file=shown_name(path.name),
                error=error.strerror,
            )
            return None

    def _events(self, work: _OpenFile) -> Iterator[Event]:
        """Yield the events of a file; what is none is noted as refused."""
        file = work.file
        reader = self._reader.naming(establishment=file.reporter, reporter=file.reporter)
        for item in reader.read(file.path, work.result, name=shown_name(file.name)):
            event = self._taken(work, item)
            if event is not None:
                yield event

    def _taken(self, work: _OpenFile, item: Item) -> Event | None:
        if isinstance(item, BadRecord):
            work.result.refuse(item)
        elif isinstance(item, Remark):
            work.result.warn(item.where, item.warning)
        elif item.feed != work.file.feed:
            work.result.refuse(BadRecord(item.where, (_OTHER_FEED,)))
        else:
            work.result.events += 1
            for warning in item.warnings:
                work.result.warn(item.where, warning)
            return item
        return None

    def _send(self, batch: list[tuple[_OpenFile, Event]], unfinished: list[_OpenFile]) -> None:
        """Send the batch, and put away the files of which all is answered."""
        self._fault("before_sending")
        answers = [
            answer for part in self._publisher.publish([event.envelope for _, event in batch]) for answer in part
        ]
        self._fault("after_sending")
        for (work, event), answer in zip(batch, answers, strict=True):
            work.left -= 1
            if answer.accepted:
                work.result.accepted += 1
            else:
                work.result.refuse(BadRecord(event.where, answer.reasons))
        batch.clear()
        self._reader.memory.commit()
        ended = [one for one in unfinished if one.whole and not one.left]
        unfinished[:] = [one for one in unfinished if not one.whole or one.left]
        self._put_away(ended)

    def _put_away(self, works: Iterable[_OpenFile]) -> None:
        """Write the ends of files into the ledger together, as each writing waits for the disk, and move the files."""
        ended: list[tuple[_OpenFile, DroppedFile]] = []
        for work in works:
            file, result = work.file, work.result
            if file.has_changed():
                work.inbox.give_back(file)
                _log.warning("still being written to; it is read again once it is whole", feed=file.feed)
                continue
            state: State = "quarantined" if result.refused else "archived"
            report = report_of(file.name, result) if result.refused else ""
            name = shown_name(file.name)
            end = DroppedFile(
                file.feed, file.reporter, file.sha256, name, state, result.accepted, result.refused, report
            )
            ended.append((work, end))
        self._ledger.put([end for _, end in ended])
        for work, end in ended:
            self._fault("after_ledger")
            work.inbox.put_away(work.file, end.state, self._day(), end.report)
            self._fault("after_move")
            self._counts[end.state] += 1
            _log.info("file taken", feed=end.feed, state=end.state, accepted=end.accepted, refused=end.refused)

    def _day(self) -> str:
        return self._now().date().isoformat()


def report_of(name: str, result: FileResult) -> str:
    """Return what the uploader of a file in quarantine reads beside it: Vietnamese first, then English."""
    lines = [
        f"Tệp {shown_name(name)}: đã nhận {result.accepted:,} bản ghi, từ chối {result.refused:,}.",
        "Hãy sửa các lỗi dưới đây rồi gửi lại tệp đã sửa; các bản ghi đã nhận gửi lại không gây hại.",
        f"File {shown_name(name)}: {result.accepted:,} records taken, {result.refused:,} refused.",
        "Mend the errors below and drop the mended file; records that were taken may be sent again.",
        "",
    ]
    for mistake in result.refused_findings:
        lines.append(f"{', '.join(mistake.places)} ({mistake.count:,})")
        if mistake.at:
            lines.append("    " + " = ".join([mistake.at, *([", ".join(mistake.values)] if mistake.values else [])]))
        lines += [f"    {mistake.message_vi}", f"    {mistake.message_en}", ""]
    return "\n".join(lines)


_OTHER_FEED = Reason(
    field="type",
    rule="other_feed",
    message_vi="bản ghi thuộc nguồn dữ liệu khác với nguồn của thư mục này",
    message_en="the record belongs to another feed than this directory is for",
)
