"""Sends events through the gateway, keeps what became of them, and tells people what was refused and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.text import Text

from connectors.formats.format import BadRecord, Event
from connectors.publishing.client import DeliveryReport, GatewayClient, gateway_url, token_of
from ioc.errors import Reason
from ioc.settings import Settings

MAX_FINDINGS = 50
_MAX_PLACES = 3

Finding = tuple[str, Reason]


class EventPublisher(Protocol):
    """Sends events and answers each, in order; the gateway's client, or a stand-in."""

    def publish(self, events: Sequence[Mapping[str, Any]]) -> Iterator[list[DeliveryReport]]: ...


@dataclass(kw_only=True)
class Sending:
    """Events of one origin: how many were accepted, and what was refused where.

    `refusals` are records that never became events and events that the gateway refused; warnings look wrong and
    were sent.
    """

    events: list[Event] = field(default_factory=list)
    accepted: int = 0
    answered: int = 0
    refusals: list[BadRecord] = field(default_factory=list)

    @property
    def unsent(self) -> int:
        """Events that the gateway has not answered."""
        return len(self.events) - self.answered

    @property
    def refused(self) -> list[Finding]:
        """(where, reason) of what was refused."""
        return [(refusal.where, reason) for refusal in self.refusals for reason in refusal.reasons]

    @property
    def warnings(self) -> list[Finding]:
        """(where, warning) of the events."""
        return [(event.where, warning) for event in self.events for warning in event.warnings]


def send(sending: Sending, publisher: EventPublisher, advance: Callable[[int], None]) -> None:
    """Send the events, noting each answer in `sending`; `advance` is told how many were answered.

    Raises what the publisher raises; what was answered before is noted.
    """
    events = sending.events
    for answers in publisher.publish([event.envelope for event in events]):
        for event, answer in zip(events[sending.answered :], answers, strict=False):
            if answer.accepted:
                sending.accepted += 1
            else:
                sending.refusals.append(BadRecord(event.where, answer.reasons))
        sending.answered += len(answers)
        advance(len(answers))


def open_client(
    settings: Settings, stderr: Console, *, gateway: str, token: str, token_file: Path | None
) -> GatewayClient:
    """Return a client for the options of a command; it says on `stderr` that it waits."""
    return GatewayClient(
        gateway or gateway_url(settings),
        token_of(settings, token, token_file),
        notice=lambda text: stderr.print(Text(text, style="yellow")),
    )


def progress_on(console: Console) -> Progress:
    """Return a progress display that goes away when it ends."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, console=console, transient=True)


def sums(sendings: Sequence[Sending]) -> dict[str, int]:
    """Return the totals of sendings, as reports in JSON begin."""
    return {
        "events": sum(len(one.events) for one in sendings),
        "accepted": sum(one.accepted for one in sendings),
        "refused": sum(len(one.refusals) for one in sendings),
    }


def to_json(sending: Sending) -> dict[str, Any]:
    """Return what became of a sending as a JSON object."""
    return {
        "events": len(sending.events),
        "accepted": sending.accepted,
        "refused": len(sending.refusals),
        "unsent": sending.unsent,
        "refusals": [
            {"where": refusal.where, "reasons": [reason.model_dump() for reason in refusal.reasons]}
            for refusal in sending.refusals
        ],
        "warnings": [{"where": where, **warning.model_dump()} for where, warning in sending.warnings],
    }


def show_findings(title: str, findings: Iterable[Finding], console: Console) -> None:
    """Print findings, the same finding in many places once with the first places; nothing where there are none."""
    places: dict[Reason, list[str]] = {}
    for where, reason in findings:
        places.setdefault(reason, []).append(where)
    if not places:
        return
    console.print(Text(f"\n{title}", style="bold"))
    last: list[str] = []
    for reason, wheres in list(places.items())[:MAX_FINDINGS]:
        if wheres != last:
            # Text, not markup: the names of files are not ours.
            console.print(Text("\n".join(wheres[:_MAX_PLACES])))
            if len(wheres) > _MAX_PLACES:
                console.print(Text(f"… {len(wheres) - _MAX_PLACES:,} more places · nơi khác", style="dim"))
        last = wheres
        at = " = ".join(part for part in (reason.field, reason.value) if part)
        lines = [Text(at, style="cyan")] if at else []
        lines += [Text(reason.message_vi), Text(reason.message_en, style="dim")]
        console.print(Padding.indent(Text("\n").join(lines), 2))
    if len(places) > MAX_FINDINGS:
        console.print(f"… {len(places) - MAX_FINDINGS:,} more; --json lists all of them")
