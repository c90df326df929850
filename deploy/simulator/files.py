"""A simulated span of days as files, with the expected results beside them; the same for the same seed.

    DIRECTORY/<feed>/<YYYY-MM>.ndjson   CloudEvents, one a line, in the order of their sending: `ioc publish` takes them
    DIRECTORY/native/<YYYY-MM>/<format>/ the same systems' records in every format of their own, and beside each file
                                        what it means (`<file>.told.json`); two files each, the second with
                                        corrections, voids, late records and a broken one; only where asked for
    DIRECTORY/truth/figures.csv         what indicators must show: code, area, month, value
    DIRECTORY/truth/events.csv          what becomes of the events: feed, outcome, how many
    DIRECTORY/truth/silences.csv        which reporters fell silent, from when until when
    DIRECTORY/truth/outbreaks.csv       which diseases broke out

Making an event takes tens of microseconds, writing one again under another identity a fraction of one: `twins` gives
volume to load tests. A twin is the same record of another person, guest or invoice at the same reporter.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import IO, Any

from pydantic_core import to_json

from deploy.simulator.calendar import HOURS, SimulatedSpan, day_of, moment_of
from deploy.simulator.ledger import ExpectedOutcome, Outgoing
from deploy.simulator.native.export import write_native
from deploy.simulator.native.file import Desk, ToPseudonym
from deploy.simulator.province import Province
from deploy.simulator.record import Life
from deploy.simulator.truth import ExpectedFigure, Truth
from deploy.simulator.year import Silence, SimulatedYear, plausible_year
from ioc.catalogue import Indicator
from ioc.province.profile import Profile

MOST_TWINS = 9
_GATHERED = 4
# An identity takes the number of its twin in an event's id, in pseudonyms, in the number of an item or an invoice.
_ID, _PSEUDONYM = b'"id":"sim-', b"k1:"
_HEX = [b"%x" % digit for digit in range(16)]
_NUMBERED = frozenset({"document.flow", "infosec.event"})
# In place of an invoice's number while the parts around it are taken apart: no amount is as large.
_NUMBER = 1_000_000_000_000_000
_DIGITS = 7


@dataclass(frozen=True)
class Simulation:
    """What was written: events, their bytes, and the truth's figures."""

    events: int
    size: int
    figures: tuple[ExpectedFigure, ...]


def write_span(
    directory: Path,
    profile: Profile,
    indicators: Iterable[Indicator],
    *,
    span: SimulatedSpan,
    seed: int = 1,
    hourly: float = 50.0,
    twins: int = 0,
    native: int = 0,
    pseudonymise: ToPseudonym | None = None,
    watch: Callable[[int, int], object] = lambda days, events: None,
) -> Simulation:
    """Write the files of a span; raises OSError where the directory cannot be written.

    hourly: events of an average hour, twins not counted.
    native: at the end of each month, files of every format with at most so many records; 0 = none. They need
            `pseudonymise`, as the connector has it, to tell what they mean.
    watch:  hears after each day how many days and events there are.
    """
    year = plausible_year(span, profile.reporters, seed=seed)
    province = Province(profile, seed=seed, indicators=indicators, span=span, year=year)
    truth = Truth(profile.reporters, profile.areas.roots(span.first)[0].code)
    outcomes: Counter[tuple[str, str]] = Counter()
    recent, registers = _Recent(), province.register()
    recent.take(registers, native)
    with _Files(directory) as files:
        _write(registers, f"{span.first:%Y-%m}", files, truth, outcomes, province, 0)
        for hour in range(span.days * HOURS):
            month = f"{day_of(span.clock(hour)):%Y-%m}"
            made = province.tick(hourly)
            _write(made, month, files, truth, outcomes, province, twins)
            if pseudonymise is not None and native:
                recent.take(made, native)
                if f"{day_of(span.clock(hour + 1)):%Y-%m}" != month or hour + 1 == span.days * HOURS:
                    now = moment_of(span.clock(hour), 0)
                    write_native(directory / "native" / month, recent.lives(), Desk(now, pseudonymise), at_most=native)
                    recent = _Recent()
            if (hour + 1) % HOURS == 0:
                watch((hour + 1) // HOURS, outcomes.total())
    figures = tuple(truth.figures())
    _tell(directory / "truth", figures, outcomes, year)
    return Simulation(outcomes.total(), files.size, figures)


def _write(
    events: Sequence[Outgoing],
    month: str,
    files: _Files,
    truth: Truth,
    outcomes: Counter[tuple[str, str]],
    province: Province,
    twins: int,
) -> None:
    by_feed: dict[str, list[bytes]] = {}
    for one in events:
        more = 0 if (one.feed, one.event.get("subject")) in province.by_calendar else twins
        lines = by_feed.setdefault(one.feed, [])
        made = written(one, more)
        lines += made
        truth.take(one, len(made))
        outcomes[one.feed, one.outcome.value] += len(made)
    for feed, lines in by_feed.items():
        files.write(feed, month, lines)


def written(outgoing: Outgoing, twins: int) -> list[bytes]:
    """Return an event as lines of JSON: itself, and as many twins; a record without an identity of its own has none."""
    event = outgoing.event
    line = to_json(event)
    if not twins:
        return [line]
    numbers = [b"%d" % twin for twin in range(1, twins + 1)]
    pseudonyms = line.split(_PSEUDONYM)
    if len(pseudonyms) > 1:
        parts = [pseudonyms[0], *(part[1:] for part in pseudonyms[1:])]
        own = {part[:1] for part in pseudonyms[1:]}
        digits = [digit for digit in _HEX if digit not in own] or numbers
        others = [(_PSEUDONYM + digit).join(parts) for digit in digits[:twins]]
    elif (invoice := _invoice_number(outgoing)) is not None:
        parts = to_json(_with_number(event, invoice)).split(str(_NUMBER).encode())
        others = [(number + b"%0*d" % (_DIGITS, invoice)).join(parts) for number in numbers]
    elif outgoing.feed in _NUMBERED:
        item = str(event.get("subject", "")).rpartition("/")[2].encode()
        others = [line.replace(item, item + b"-" + number) for number in numbers]
    else:
        return [line]
    return [line, *(one.replace(_ID, _ID + number, 1) for one, number in zip(others, numbers, strict=False))]


def _invoice_number(outgoing: Outgoing) -> int | None:
    """The number of an invoice, of a void too; None of any other record."""
    parts = str(outgoing.event.get("subject", "")).split("/")
    return int(parts[3]) if outgoing.feed == "tax.einvoice" and len(parts) > 3 and parts[3].isdecimal() else None


def _with_number(event: dict[str, Any], number: int) -> dict[str, Any]:
    """The event with a number in place of its own that no amount can be."""
    parts = event["subject"].split("/")
    marked = {**event, "subject": "/".join([*parts[:3], str(_NUMBER), *parts[4:]])}
    if isinstance(data := event.get("data"), dict) and data.get("number") == number:
        marked["data"] = {**data, "number": _NUMBER}
    return marked


class _Recent:
    """Records of a month as they stand, some of each feed."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Life]] = {}

    def take(self, events: Sequence[Outgoing], at_most: int) -> None:
        """Take in what was made; of each feed at most four times as many records as go into a file."""
        for one in events:
            if one.outcome in (ExpectedOutcome.NEW, ExpectedOutcome.CORRECTED):
                known, subject = self._known.setdefault(one.feed, {}), one.event["subject"]
                if subject in known or len(known) < _GATHERED * at_most:
                    known[subject] = Life(one.reporter, subject.partition("/")[2], one.event["data"])

    def lives(self) -> dict[str, list[Life]]:
        """The records by feed."""
        return {feed: list(known.values()) for feed, known in self._known.items()}


class _Files:
    """The open files of a month, by feed; a month that is over is closed."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._open: dict[str, tuple[str, IO[bytes]]] = {}
        self.size = 0

    def __enter__(self) -> _Files:
        return self

    def __exit__(self, *error: object) -> None:
        for _, file in self._open.values():
            file.close()

    def write(self, feed: str, month: str, lines: Sequence[bytes]) -> None:
        """Append lines to a feed's file of a month."""
        known, file = self._open.get(feed, ("", None))
        if known != month or file is None:
            if file is not None:
                file.close()
            path = self._directory / feed / f"{month}.ndjson"
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("wb")
            self._open[feed] = (month, file)
        self.size += file.write(b"\n".join(lines) + b"\n")


def _tell(
    directory: Path, figures: Sequence[ExpectedFigure], outcomes: Counter[tuple[str, str]], year: SimulatedYear
) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    _table(directory / "figures.csv", [one.name for one in fields(ExpectedFigure)], map(astuple, figures))
    rows = [(feed, outcome, count) for (feed, outcome), count in sorted(outcomes.items())]
    _table(directory / "events.csv", ["feed", "outcome", "events"], rows)
    _table(directory / "silences.csv", [one.name for one in fields(Silence)], map(astuple, year.silences))
    _table(
        directory / "outbreaks.csv",
        ["disease", "first", "days", "share"],
        [(one.disease, one.first, one.days, one.share) for one in year.outbreaks],
    )


def _table(path: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(rows)
