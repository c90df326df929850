"""What `ioc publish` shows: a table of files, what was refused where and why, and the same as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.publishing import sending
from connectors.publishing.sending import Sending, show_findings, sums


@dataclass
class FileResult(Sending):
    """What became of one file; `format` is empty where no format recognised it."""

    file: str
    format: str = ""
    feeds: tuple[str, ...] = ()


def to_json(results: Sequence[FileResult], *, with_events: bool) -> dict[str, Any]:
    """Return the report as a JSON object; `with_events` adds the envelopes."""
    return {
        **sums(results),
        "files": [
            {
                "file": result.file,
                "format": result.format or None,
                "feeds": result.feeds,
                **sending.to_json(result),
                **({"envelopes": [event.envelope for event in result.events]} if with_events else {}),
            }
            for result in results
        ],
    }


def show(results: Sequence[FileResult], console: Console, *, sent: bool) -> None:
    """Print a table of the files, what was refused, and what looks wrong; `sent` = not a dry run."""
    table = Table()
    table.add_column("file", overflow="fold")
    for heading in ("events", *(("accepted", "unsent") if sent else ()), "refused", "warnings"):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        sent_counts = [result.accepted, result.unsent] if sent else []
        counts = [len(result.events), *sent_counts, len(result.refusals), len(result.warnings)]
        # Text, not markup: the names of files are not ours.
        name = Text(result.file).append(f"\n{result.format or 'unknown format'}", style="dim")
        table.add_row(name, *(f"{count:,}" for count in counts))
    console.print(table)
    show_findings("Refused · bị từ chối", [found for result in results for found in result.refused], console)
    show_findings("Warnings · cảnh báo", [found for result in results for found in result.warnings], console)
