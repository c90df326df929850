"""`ioc publish`: files of the sectors' own formats, through the gateway, with an answer for every record."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console

from connectors.formats.findings import refused
from connectors.formats.format import BadRecord, Context, Event, load_formats, read, recognise
from connectors.publishing.report import FileResult, show, to_json
from connectors.publishing.sending import EventPublisher, progress_on, send
from ioc.errors import ConfigError, RejectedError
from ioc.feeds.feed import load_feeds
from ioc.feeds.plausibility import Calendar
from ioc.province.profile import load_profile
from ioc.pseudonym import Pseudonymiser
from ioc.settings import Settings

MAX_BYTES = 64 * 2**20


class FileReader:
    """Reads files by the formats that recognise them, with a province's settings."""

    def __init__(
        self,
        settings: Settings,
        *,
        establishment: str = "",
        received_at: datetime | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        profile = load_profile(settings.profile)
        self._formats = load_formats()
        self._feeds = load_feeds()
        self._pseudonymise = Pseudonymiser(settings.pseudonym_key_id, settings.pseudonym_key)
        self._timezone = ZoneInfo(profile.timezone)
        self._calendar = Calendar.of(settings, profile.timezone)
        self._home_province = profile.name_vi
        self._establishment = establishment
        if received_at is not None and received_at.tzinfo is None:
            received_at = received_at.replace(tzinfo=self._timezone)
        self._received_at = received_at
        self._now = now

    def read(self, path: Path) -> FileResult:
        """Return the file's events and bad records; a file in no known format is one bad record."""
        result = FileResult(path.name)
        try:
            if path.stat().st_size > MAX_BYTES:
                raise refused(
                    "",
                    "file_too_large",
                    f"tệp vượt {MAX_BYTES // 2**20} MiB; hãy chia nhỏ tệp",
                    f"the file exceeds {MAX_BYTES // 2**20} MiB; split it",
                )
            data = path.read_bytes()
            source = recognise(data, self._formats)
        except RejectedError as error:
            result.refusals.append(BadRecord(path.name, error.reasons))
            return result
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
        result.format, result.feeds = source.name, source.feeds
        for item in read(data, self._context(path), source):
            if isinstance(item, Event):
                result.events.append(item)
            else:
                result.refusals.append(item)
        return result

    def _context(self, path: Path) -> Context:
        return Context(
            file=path.name,
            received_at=self._received_at or arrived_at(path, self._now()),
            feeds=self._feeds,
            pseudonymise=self._pseudonymise,
            timezone=self._timezone,
            home_province=self._home_province,
            now=self._calendar.at(self._now()),
            establishment=self._establishment,
        )


def arrived_at(file: Path, now: datetime) -> datetime:
    """Return when a file was last modified, `now` where that lies in the future.

    It counts as the file's arrival: published again, the file gives the very same events.
    """
    return min(datetime.fromtimestamp(file.stat().st_mtime, UTC), now).replace(microsecond=0)


def run(
    files: Sequence[Path],
    reader: FileReader,
    publisher: EventPublisher | None,
    *,
    as_json: bool,
    stdout: Console,
    stderr: Console,
) -> int:
    """Read, send and report files; without a publisher print their events instead. Returns the exit status.

    Errors of the gateway pass through after what was done so far is reported.
    """
    results: list[FileResult] = []
    try:
        with progress_on(stderr) as progress:
            for path in files:
                task = progress.add_task(path.name, total=None)
                result = reader.read(path)
                results.append(result)
                progress.update(task, total=len(result.events))
                if publisher is not None:
                    send(result, publisher, partial(progress.advance, task))
                progress.remove_task(task)
    finally:
        _report(results, dry_run=publisher is None, as_json=as_json, stdout=stdout, stderr=stderr)
    return 1 if any(result.refusals for result in results) else 0


def _report(results: Sequence[FileResult], *, dry_run: bool, as_json: bool, stdout: Console, stderr: Console) -> None:
    if as_json:
        _print_json(stdout, to_json(results, with_events=dry_run))
        return
    if dry_run:
        for result in results:
            for event in result.events:
                _print_json(stdout, event.envelope)
    show(results, stderr if dry_run else stdout, sent=not dry_run)


def _print_json(console: Console, value: Mapping[str, Any]) -> None:
    """One line, never wrapped or coloured: programs read it."""
    console.out(json.dumps(value, ensure_ascii=False), highlight=False)
