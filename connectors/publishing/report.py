"""What `ioc publish` shows: a table of files, what was refused where and why, and the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.formats.findings import shown_name
from connectors.publishing import receipt, sending
from connectors.publishing.receipt import Fates
from connectors.publishing.sending import Sending, show_findings, sums
from ioc.command.heading import heading_of

# As many files are listed one by one; of more, only those of which there is something to say.
FEW = 10


@dataclass
class FileResult(Sending):
    """What became of one file; `format` is empty where no format recognised it, several are joined."""

    file: str
    format: str = ""
    feeds: tuple[str, ...] = ()
    envelopes: list[Mapping[str, Any]] = field(default_factory=list)


def to_json(results: Sequence[FileResult], fates: Fates | None, *, with_events: bool) -> dict[str, Any]:
    """Return the report as a JSON object; `with_events` adds the envelopes, `fates` what became of accepted events."""
    return {
        **sums(results),
        **({} if fates is None else {"downstream": receipt.to_json(fates)}),
        "files": [
            {
                "file": result.file,
                "format": result.format or None,
                "feeds": result.feeds,
                **sending.to_json(result),
                **({"envelopes": result.envelopes} if with_events else {}),
            }
            for result in results
        ],
    }


def show(results: Sequence[FileResult], fates: Fates | None, console: Console, *, sent: bool) -> None:
    """Print a table of the files, what was refused, what looks wrong, and `fates`; `sent` = not a dry run.

    Of many files those without a finding are one line together.
    """
    told = [one for one in results if one.refused or one.warned or (sent and one.unsent) or not one.format]
    listed = list(results) if len(results) <= FEW else told
    quiet = [one for one in results if one not in listed]
    table = Table()
    table.add_column(heading_of("file"), overflow="fold")
    for column in ("events", *(("accepted", "unsent") if sent else ()), "refused", "warnings"):
        table.add_column(heading_of(column), justify="right", no_wrap=True)
    for result in listed:
        # Text, not markup: the names of files are not ours.
        recognised = result.format or "không rõ định dạng · unknown format"
        name = Text(shown_name(result.file)).append(f"\n{recognised}", style="dim")
        table.add_row(name, *_counts([result], sent=sent))
    if quiet:
        name = Text(f"{len(quiet):,} tệp không có lỗi · files without findings", style="green")
        table.add_row(name, *_counts(quiet, sent=sent))
    if len(results) > 1:
        table.add_section()
        table.add_row(Text(f"{len(results):,} tệp · files", style="bold"), *_counts(results, sent=sent))
    console.print(table)
    show_findings("Refused · bị từ chối", [result.refused_findings for result in results], console)
    show_findings("Warnings · cảnh báo", [result.warned_findings for result in results], console)
    if fates is not None:
        receipt.show(fates, console)


def _counts(results: Sequence[FileResult], *, sent: bool) -> list[str]:
    columns = ("events", *(("accepted", "unsent") if sent else ()), "refused", "warned")
    return [f"{sum(getattr(result, column) for result in results):,}" for column in columns]
