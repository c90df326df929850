"""Sends events through the gateway as they are read, keeps their results, and reports what was refused and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn
from rich.text import Text

from connectors.formats.findings import shown_name
from connectors.formats.format import BadRecord, Event, Item, Remark
from connectors.publishing.client import DeliveryReport, GatewayClient, token_of
from ioc.errors import Reason
from ioc.settings import Settings

MAX_FINDINGS = 50
# What is kept word by word of one file, for the report as JSON; all of it is counted.
MAX_KEPT = 1_000
# Events that are read before they are sent: memory holds no more of a file.
BATCH = 2_000
_MAX_PLACES = 3
_MAX_VALUES = 3
_COUNTED = re.compile(r"\[\d+\]|(?<=!)\d+|\d+:\d+")


class EventPublisher(Protocol):
    """Sends events and answers each, in order; the gateway's client, or a stand-in."""

    def publish(self, events: Sequence[Mapping[str, Any]]) -> Iterator[list[DeliveryReport]]: ...


@dataclass
class Mistake:
    """One mistake, however often it is made and whatever its values: where it lies first, and how often."""

    at: str
    message_vi: str
    message_en: str
    count: int = 0
    last: str = ""
    places: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)


class Mistakes:
    """Mistakes gathered over any number of records, in memory that does not grow with them."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], Mistake] = {}

    def add(self, where: str, reason: Reason) -> None:
        """Count a reason in its place."""
        # `HHDVu[3]/ThTien` and `HHDVu[7]/ThTien` are one mistake, as are two values and two sentences that name them.
        path = _COUNTED.sub("", reason.field)
        key = (path, reason.rule, _COUNTED.sub("", re.sub(r"\d+", "", reason.message_en)))
        known = self._found.get(key)
        if known is None:
            known = self._found[key] = Mistake(path, reason.message_vi, reason.message_en)
        # Twice in one record is one place.
        known.count += where != known.last
        known.last = where
        if len(known.places) < _MAX_PLACES and where not in known.places:
            known.places.append(where)
        if reason.value and len(known.values) < _MAX_VALUES and reason.value not in known.values:
            known.values.append(reason.value)

    def merge(self, other: Mistakes) -> None:
        """Take in what another has gathered."""
        for key, found in other._found.items():
            known = self._found.setdefault(key, Mistake(found.at, found.message_vi, found.message_en))
            known.count += found.count
            known.places = [*known.places, *found.places][:_MAX_PLACES]
            known.values = list(dict.fromkeys([*known.values, *found.values]))[:_MAX_VALUES]

    def __iter__(self) -> Iterator[Mistake]:
        return iter(self._found.values())

    def __len__(self) -> int:
        return len(self._found)


@dataclass(kw_only=True)
class Sending:
    """Events of one origin: how many were read and accepted, and what was refused where.

    `refusals` are records that never became events and events that the gateway refused; warnings look wrong and
    were sent. Of both the first are kept, all are counted.
    """

    events: int = 0
    accepted: int = 0
    answered: int = 0
    refused: int = 0
    warned: int = 0
    refusals: list[BadRecord] = field(default_factory=list)
    warnings: list[tuple[str, Reason]] = field(default_factory=list)
    refused_findings: Mistakes = field(default_factory=Mistakes)
    warned_findings: Mistakes = field(default_factory=Mistakes)

    @property
    def unsent(self) -> int:
        """Events that the gateway has not answered."""
        return self.events - self.answered

    def refuse(self, refusal: BadRecord) -> None:
        """Note a refused record."""
        self.refused += 1
        if len(self.refusals) < MAX_KEPT:
            self.refusals.append(refusal)
        for reason in refusal.reasons:
            self.refused_findings.add(refusal.where, reason)

    def warn(self, where: str, reason: Reason) -> None:
        """Note a warning."""
        self.warned += 1
        if len(self.warnings) < MAX_KEPT:
            self.warnings.append((where, reason))
        self.warned_findings.add(where, reason)


def send(
    sending: Sending,
    items: Iterable[Item],
    publisher: EventPublisher | None,
    tell: Callable[[int], object] = lambda _: None,
    keep: Callable[[Event], object] = lambda _: None,
) -> None:
    """Send the events among `items` batch by batch, noting what became of each in `sending`.

    Without a publisher they are read only. `tell` hears how many events were read so far, `keep` sees each event.
    Raises what the publisher raises; what was answered before is noted.
    """
    batch: list[Event] = []
    for item in items:
        if isinstance(item, BadRecord):
            sending.refuse(item)
            continue
        if isinstance(item, Remark):
            sending.warn(item.where, item.warning)
            continue
        sending.events += 1
        for warning in item.warnings:
            sending.warn(item.where, warning)
        keep(item)
        if publisher is not None:
            batch.append(item)
        if len(batch) == BATCH:
            _publish(sending, batch, publisher)
            batch = []
            tell(sending.events)
    if batch:
        _publish(sending, batch, publisher)
    tell(sending.events)


def _publish(sending: Sending, batch: Sequence[Event], publisher: EventPublisher | None) -> None:
    assert publisher is not None, "a batch is gathered for a publisher only"
    done = 0
    for answers in publisher.publish([event.envelope for event in batch]):
        for event, answer in zip(batch[done:], answers, strict=False):
            if answer.accepted:
                sending.accepted += 1
            else:
                sending.refuse(BadRecord(event.where, answer.reasons))
        done += len(answers)
        sending.answered += len(answers)


def open_client(
    settings: Settings, stderr: Console, *, gateway: str, token: str, token_file: Path | None
) -> GatewayClient:
    """Return a client for the options of a command; it says on `stderr` that it waits."""
    return GatewayClient(
        gateway or settings.gateway_address,
        token_of(settings, token, token_file),
        notice=lambda text: stderr.print(Text(text, style="yellow")),
    )


def progress_on(console: Console) -> Progress:
    """Return a progress display that goes away when it ends."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
    return Progress(*columns, console=console, transient=True)


def sums(sendings: Sequence[Sending]) -> dict[str, int]:
    """Return the totals of sendings, as reports in JSON begin."""
    return {
        "events": sum(one.events for one in sendings),
        "accepted": sum(one.accepted for one in sendings),
        "refused": sum(one.refused for one in sendings),
    }


def to_json(sending: Sending) -> dict[str, Any]:
    """Return what became of a sending as a JSON object; the first `MAX_KEPT` refusals and warnings word by word."""
    return {
        "events": sending.events,
        "accepted": sending.accepted,
        "refused": sending.refused,
        "unsent": sending.unsent,
        "warned": sending.warned,
        "refusals": [
            {"where": refusal.where, "reasons": [reason.model_dump() for reason in refusal.reasons]}
            for refusal in sending.refusals
        ],
        "warnings": [{"where": where, **warning.model_dump()} for where, warning in sending.warnings],
    }


def show_findings(title: str, gathered: Iterable[Mistakes], console: Console) -> None:
    """Print findings, the same mistake once with its first places; nothing where there are none."""
    findings = Mistakes()
    for one in gathered:
        findings.merge(one)
    if not len(findings):
        return
    console.print(Text(f"\n{title}", style="bold"))
    last: list[str] = []
    for found in list(findings)[:MAX_FINDINGS]:
        if found.places != last:
            # Text, not markup, and nothing that steers the terminal: the names of files are not ours.
            console.print(Text("\n".join(map(shown_name, found.places))))
            if found.count > len(found.places):
                console.print(Text(f"… {found.count - len(found.places):,} more places · nơi khác", style="dim"))
        last = found.places
        at = " = ".join(part for part in (found.at, ", ".join(found.values)) if part)
        lines = [Text(at, style="cyan")] if at else []
        lines += [Text(found.message_vi), Text(found.message_en, style="dim")]
        console.print(Padding.indent(Text("\n").join(lines), 2))
    if len(findings) > MAX_FINDINGS:
        console.print(f"… {len(findings) - MAX_FINDINGS:,} more; --json lists the records")
