"""`ioc registry publish`: the profile's registers of places, as the agencies that keep them would publish them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import typer
from pydantic_core import to_json as encode
from rich.console import Console

from connectors.formats.event import Stamp, record_event
from connectors.formats.format import Event
from connectors.publishing.publish import arrived_at
from connectors.publishing.sending import EventPublisher, Sending, progress_on, send, show_findings, sums, to_json
from ioc.command.output import show_rows
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile, registry_events


@dataclass
class RegisterResult(Sending):
    """What became of one register's entries; `agency` keeps it."""

    register: str
    agency: str
    entries: list[Event] = field(default_factory=list)


def read_registers(profile: Profile, feed: Feed, as_of: datetime) -> list[RegisterResult]:
    """Return the registers with their entries as events of `at`, which orders an entry's versions.

    `feed` is that of registers. The same profile at the same time gives the very same events.
    """
    results = {name: RegisterResult(name, agency) for name, agency in profile.registers.items()}
    for agency, entry in registry_events(profile):
        stamp = Stamp(entry.record_key(), as_of)
        results[entry.registry].entries.append(record_event(feed, agency, entry.model_dump(), stamp=stamp))
    return list(results.values())


def changed_at(profile: Path, now: datetime) -> datetime:
    """Return when a profile's reporters last changed; raises ConfigError where it has none."""
    files = [*profile.glob("reporters_*.csv")]
    if not files:
        raise ConfigError(f"{profile} holds no reporters_*.csv; IOC_PROFILE must name a profile's directory")
    return max(arrived_at(file, now) for file in files)


def publish_registers(
    profile: Profile, feed: Feed, as_of: datetime, publisher: EventPublisher, *, as_json: bool, stderr: Console
) -> int:
    """Send all registers and report; returns the exit status, 1 when an entry was refused.

    Errors of the gateway pass through after what was done so far is reported.
    """
    results = read_registers(profile, feed, as_of)
    try:
        with progress_on(stderr) as progress:
            for result in results:
                task = progress.add_task(result.register, total=len(result.entries))
                send(result, result.entries, publisher, lambda done, task=task: progress.update(task, completed=done))  # type: ignore[misc]
                progress.remove_task(task)
    finally:
        _report(results, as_of, as_json=as_json, stderr=stderr)
    return 1 if any(result.refused for result in results) else 0


def _report(results: Sequence[RegisterResult], as_of: datetime, *, as_json: bool, stderr: Console) -> None:
    if as_json:
        registers = [{"register": one.register, "agency": one.agency, **to_json(one)} for one in results]
        typer.echo(encode({"time": as_of, **sums(results), "registers": registers}, indent=2))
        return
    rows = [
        {
            "register": one.register,
            "agency": one.agency,
            "places": len(one.entries),
            "accepted": one.accepted,
            "refused": one.refused,
            "unsent": one.unsent,
        }
        for one in results
    ]
    show_rows(rows, as_json=False, title=f"Danh bạ · registers as of {as_of:%Y-%m-%d %H:%M}Z")
    show_findings("Refused · bị từ chối", [one.refused_findings for one in results], stderr)
