"""`ioc publish`: files in the formats of sector systems, through the gateway, with an answer for every record."""

from __future__ import annotations

import copy
import hashlib
import json
import sqlite3
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, cast
from zoneinfo import ZoneInfo

import structlog
from rich.console import Console

from connectors.formats.crosswalk import load_crosswalk
from connectors.formats.findings import refused, shown_name
from connectors.formats.format import BadRecord, Context, Event, Item, Remark, load_formats
from connectors.formats.fuels import profile_fuels
from connectors.formats.memory import Memory
from connectors.formats.readers.source import CHUNK, Source
from connectors.formats.recognition import files_of, read_document, recognise
from connectors.publishing.receipt import Fates, ReceiptWait
from connectors.publishing.report import FileResult, show, to_json
from connectors.publishing.sending import EventPublisher, progress_on, send
from ioc.errors import ConfigError, IocError, RejectedError
from ioc.feeds.feed import load_feeds
from ioc.feeds.plausibility import Calendar
from ioc.province.profile import load_profile
from ioc.pseudonym import Pseudonymiser
from ioc.settings import Settings

# Files of one second are ordered by this much, in the order in which they are named.
_STEP = timedelta(milliseconds=10)
_log = structlog.get_logger("publish")
_ARRIVED, _TAKEN = "file/arrived", "file/at"


class FileReader:
    """Reads files by the formats that recognise them, with a province's settings.

    `memory` remembers, between files and runs, when a content first arrived and what records told first; `charset` is
    the encoding that the sender declares for text that is not UTF-8.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        establishment: str = "",
        reporter: str = "",
        received_at: datetime | None = None,
        charset: str = "",
        memory: Memory | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        profile = load_profile(settings.profile)
        self._formats = load_formats()
        self._timezone = ZoneInfo(profile.timezone)
        if received_at is not None and received_at.tzinfo is None:
            received_at = received_at.replace(tzinfo=self._timezone)
        self._received_at = received_at
        self._charset = charset
        self._now = now
        self.memory = memory or Memory()
        self._calendar = Calendar.of(settings, profile.timezone)
        self._context = Context(
            file="",
            received_at=now(),
            feeds=load_feeds(),
            pseudonymise=pseudonymiser_of(settings),
            timezone=self._timezone,
            home_province=profile.name_vi,
            now=self._calendar.at(now()),
            establishment=establishment,
            reporter=reporter,
            crosswalk=load_crosswalk(settings.profile, profile.reporters),
            fuels=profile_fuels(settings.profile),
            memory=self.memory,
        )

    def read(
        self, path: Path, result: FileResult, progress: Callable[[int], object] = lambda _: None, name: str = ""
    ) -> Iterator[Item]:
        """Yield what a file holds, noting its format in `result`; a file that cannot be read is one bad record.

        `progress` hears how many bytes were read; `name` is what messages call the file, its path by default.
        """
        name = name or shown_name(str(path))
        try:
            source = replace(_opened(name, path), charset=self._charset)
            arrived = self._arrival(path, source)
            course = _ReadingCourse(path, progress)
            watched = replace(source, open=lambda: cast("IO[bytes]", _Watched(path.open("rb"), course)))
            for file in files_of(watched):
                if isinstance(file, RejectedError):
                    yield BadRecord(name, file.reasons)
                    continue
                yield from self._read_file(file, arrived, result)
            course.end()
        except RejectedError as error:
            yield BadRecord(name, error.reasons)
        except OSError as error:
            yield BadRecord(name, _unreadable(error).reasons)
        except (IocError, sqlite3.Error):
            raise
        except Exception as error:
            # The last line: one file that a reader trips over stops no other. The message may quote a record.
            place = traceback.extract_tb(error.__traceback__)[-1]
            told = f"{type(error).__name__}, {Path(place.filename).name}:{place.lineno}"
            _log.error("a reader fails", file=name, error=told)
            yield BadRecord(name, _tripped(told).reasons)

    def naming(self, *, establishment: str = "", reporter: str = "", charset: str = "") -> FileReader:
        """Return this reader for files that do not name their establishment, reporter or encoding; memory is shared."""
        other = copy.copy(self)
        other._charset = charset
        other._context = replace(self._context, establishment=establishment, reporter=reporter)
        return other

    def due(self) -> Iterator[Item]:
        """Yield what time alone has brought about in records of earlier files."""
        context = replace(
            self._context, received_at=self._received_at or self._now(), now=self._calendar.at(self._now())
        )
        for declared in self._formats.values():
            if declared.due is not None:
                yield from declared.due(context)

    def _read_file(self, source: Source, arrived: datetime, result: FileResult) -> Iterator[Item]:
        name = shown_name(source.name)
        context = replace(self._context, file=name, received_at=arrived, now=self._calendar.at(self._now()))
        try:
            found = recognise(source, self._formats)
        except RejectedError as error:
            yield BadRecord(name, error.reasons)
            return
        for one in found:
            if isinstance(one, Remark):
                yield one
                continue
            formats = dict.fromkeys([*filter(None, result.format.split(", ")), one.format.name])
            result.format = ", ".join(formats)
            result.feeds = tuple(dict.fromkeys([*result.feeds, *one.format.feeds]))
            yield from read_document(one, context)

    def _arrival(self, path: Path, source: Source) -> datetime:
        """Return when a content arrived: as given, else as remembered, else when the file was last modified.

        No two contents arrive at the same moment, so that the order of their records is told by it.
        """
        digest = _digest(source)
        known = self.memory.get(_ARRIVED, digest)
        if self._received_at is None and known is not None:
            return datetime.fromisoformat(known)
        arrival = self._received_at or arrived_at(path, self._now())
        while self.memory.first(_TAKEN, arrival.astimezone(UTC).isoformat(), digest) != digest:
            arrival += _STEP
        self.memory.put(_ARRIVED, digest, arrival.isoformat())
        return arrival


def arrived_at(file: Path, now: datetime) -> datetime:
    """Return when a file was last modified, `now` where that lies in the future: its arrival when it is first read."""
    return min(datetime.fromtimestamp(file.stat().st_mtime, UTC), now).replace(microsecond=0)


def run(
    files: Sequence[Path],
    reader: FileReader,
    publisher: EventPublisher | None,
    *,
    as_json: bool,
    stdout: Console,
    stderr: Console,
    receipts: ReceiptWait | None = None,
) -> int:
    """Read, send and report files; without a publisher print their events instead. Returns the exit status.

    With `receipts` it waits for them after the last file, and reports the fates as well.

    Errors of the gateway pass through after what was done so far is reported.
    """
    results: list[FileResult] = []
    fates: Fates | None = None
    dry_run = publisher is None

    def keep(result: FileResult, event: Event) -> None:
        if receipts is not None:
            receipts.note(event)
        if dry_run and as_json:
            result.envelopes.append(event.envelope)
        elif dry_run:
            _print_json(stdout, event.envelope)

    try:
        with progress_on(stderr) as progress:
            for path in [None, *files]:
                name = "planned departures · dự kiến" if path is None else shown_name(str(path))
                result = FileResult(name, format="" if path is not None else "due")
                size = path.stat().st_size if path is not None and path.is_file() else 0
                task = progress.add_task(name, total=size or None)
                items = (
                    reader.due()
                    if path is None
                    else reader.read(path, result, lambda done, task=task: progress.update(task, completed=done))  # type: ignore[misc]
                )
                if path is not None:
                    results.append(result)
                send(result, items, publisher, keep=lambda event, result=result: keep(result, event))  # type: ignore[misc]
                if path is None and result.events:
                    results.append(result)
                progress.remove_task(task)
                if dry_run:
                    continue
                reader.memory.commit()
            if receipts is not None:
                progress.add_task("biên nhận · receipts", total=None)
                fates = receipts.wait()
    finally:
        reader.memory.rollback()
        if as_json:
            _print_json(stdout, to_json(results, fates, with_events=dry_run))
        else:
            show(results, fates, stderr if dry_run else stdout, sent=not dry_run)
    return 1 if any(result.refused for result in results) or (fates and not fates.good) else 0


def _print_json(console: Console, value: Mapping[str, Any]) -> None:
    """One line, never wrapped or coloured: programs read it."""
    console.out(json.dumps(value, ensure_ascii=False), highlight=False)


def pseudonymiser_of(settings: Settings) -> Pseudonymiser:
    """Return the pseudonymiser of the settings; raises ConfigError without a key, and for a rotation set up by half."""
    if not settings.pseudonym_key.get_secret_value():
        # Who has the sectors' numbers would find each pseudonym's: an empty key is one that everyone knows.
        raise ConfigError(
            "IOC_PSEUDONYM_KEY is empty: files hold identity documents, which only leave as pseudonyms. Give this "
            "process the province's key."
        )
    previous = settings.pseudonym_previous_key.get_secret_value()
    if bool(previous) != bool(settings.pseudonym_key_from) or (
        previous and settings.pseudonym_previous_key_id in ("", settings.pseudonym_key_id)
    ):
        raise ConfigError(
            "A rotation of the pseudonym key needs IOC_PSEUDONYM_PREVIOUS_KEY, IOC_PSEUDONYM_PREVIOUS_KEY_ID (another "
            "name than IOC_PSEUDONYM_KEY_ID) and IOC_PSEUDONYM_KEY_FROM; set all three or none."
        )
    return Pseudonymiser(
        settings.pseudonym_key_id,
        settings.pseudonym_key,
        key_from=settings.pseudonym_key_from,
        previous=(settings.pseudonym_previous_key_id, settings.pseudonym_previous_key) if previous else None,
    )


class _ReadingCourse:
    """How far a file has been read. XML is read twice, to its end and then record by record: half a bar for each."""

    def __init__(self, path: Path, tell: Callable[[int], object]) -> None:
        self._size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(64).replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
        self._readings = 2 if head.startswith(b"<") else 1
        self._read = 0
        self._tell = tell

    def advance(self, count: int) -> None:
        """Count bytes that were read."""
        self._read += count
        self._tell(min(self._read // self._readings, self._size))

    def end(self) -> None:
        """Everything was read."""
        self._tell(self._size)


class _Watched:
    """A file that tells how much of it was read."""

    def __init__(self, stream: IO[bytes], course: _ReadingCourse) -> None:
        self._stream, self._course = stream, course

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._course.advance(len(data))
        return data

    def __enter__(self) -> IO[bytes]:
        return cast("IO[bytes]", self)

    def __exit__(self, *error: object) -> None:
        self._stream.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _opened(name: str, path: Path) -> Source:
    if path.is_dir():
        raise refused(
            "",
            "directory",
            "đây là thư mục; hãy nêu các tệp bên trong, ví dụ thư-mục/*.xml, hoặc nén thành một .zip",
            "this is a directory; name the files in it (directory/*.xml), or pack them into one .zip",
        )
    return Source(name, path.stat().st_size, lambda: path.open("rb"))


def _digest(source: Source) -> str:
    digest = hashlib.sha256()
    with source.open() as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _tripped(told: str) -> RejectedError:
    return refused(
        "",
        "reader_failed",
        f"chương trình đọc tệp gặp lỗi ({told}); phần còn lại của tệp chưa được đọc, hãy báo cho quản trị viên",
        f"the reader fails ({told}); the rest of the file was not read, tell the operator",
    )


def _unreadable(error: OSError) -> RejectedError:
    missing = isinstance(error, FileNotFoundError)
    return refused(
        "",
        "file_missing" if missing else "file_unreadable",
        "không có tệp này; kiểm tra đường dẫn" if missing else "không đọc được tệp; kiểm tra quyền truy cập",
        "there is no such file; check the path" if missing else "the file cannot be read; check its permissions",
    )
