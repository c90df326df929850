"""What `ioc publish` shows: a table of files, what was refused where and why, and the same as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.formats.format import BadRecord, Event
from ioc.errors import Reason

MAX_SHOWN = 50


@dataclass
class FileResult:
    """What became of one file: the events it holds, how many were accepted, and what was refused where.

    `refusals` are records that the format refused and events that the gateway refused; `warnings` look wrong
    and were sent. Events that are neither accepted nor refused were not sent.
    """

    file: str
    format: str = ""
    feeds: tuple[str, ...] = ()
    events: list[Event] = field(default_factory=list)
    accepted: int = 0
    answered: int = 0
    refusals: list[BadRecord] = field(default_factory=list)

    @property
    def warnings(self) -> list[tuple[str, Reason]]:
        """(where, warning) of the file's events."""
        return [(event.where, warning) for event in self.events for warning in event.warnings]

    @property
    def unsent(self) -> int:
        """Events that the gateway has not answered."""
        return len(self.events) - self.answered


def to_json(results: Sequence[FileResult], *, with_events: bool) -> dict[str, Any]:
    """Return the report as a JSON object; `with_events` adds the envelopes."""
    return {
        "events": sum(len(result.events) for result in results),
        "accepted": sum(result.accepted for result in results),
        "refused": sum(len(result.refusals) for result in results),
        "files": [
            {
                "file": result.file,
                "format": result.format or None,
                "feeds": result.feeds,
                "events": len(result.events),
                "accepted": result.accepted,
                "refused": len(result.refusals),
                "unsent": result.unsent,
                "refusals": [
                    {"where": refusal.where, "reasons": [reason.model_dump() for reason in refusal.reasons]}
                    for refusal in result.refusals
                ],
                "warnings": [{"where": where, **warning.model_dump()} for where, warning in result.warnings],
                **({"envelopes": [event.envelope for event in result.events]} if with_events else {}),
            }
            for result in results
        ],
    }


def show(results: Sequence[FileResult], console: Console, *, sent: bool) -> None:
    """Print a table of the files, and of what was refused; `sent` = not a dry run."""
    table = Table()
    for heading in ("file", "format", "feed"):
        table.add_column(heading, overflow="fold")
    for heading in ("events", "refused", "warnings", *(("accepted", "unsent") if sent else ())):
        table.add_column(heading, justify="right")
    for result in results:
        counts = [len(result.events), len(result.refusals), len(result.warnings)]
        if sent:
            counts += [result.accepted, result.unsent]
        # Text, not markup: the names of files are not ours.
        table.add_row(Text(result.file), result.format or "?", ", ".join(result.feeds), *map(str, counts))
    console.print(table)
    refusals = [refusal for result in results for refusal in result.refusals]
    if refusals:
        reasons = Table(title="refused", title_justify="left")
        for heading in ("where", "field", "value", "reason"):
            reasons.add_column(heading, overflow="fold")
        for refusal in refusals[:MAX_SHOWN]:
            for reason in refusal.reasons:
                reasons.add_row(Text(refusal.where), Text(reason.field), Text(reason.value), _sentence(reason))
        console.print(reasons)
    if len(refusals) > MAX_SHOWN:
        console.print(f"... and {len(refusals) - MAX_SHOWN} more; --json lists all of them")


def _sentence(reason: Reason) -> Text:
    return Text(f"{reason.message_vi}\n").append(reason.message_en, style="dim")
