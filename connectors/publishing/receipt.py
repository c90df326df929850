"""`ioc publish --wait`: asks the gateway for the receipts of what it has accepted, until each event's fate is known.

The gateway's answer says what Kafka has taken. A record of an establishment that is not registered, or one that
conflicts with another, is refused after that, by the worker; only the receipt tells.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.console import Console
from rich.text import Text

from connectors.formats.format import BadRecord, Event
from connectors.publishing.sending import MAX_KEPT, Mistakes, show_findings
from ioc.errors import RetryableError
from ioc.reading.receipt import EventFate, Fate, Receipt

_FIRST_PAUSE, _LONGEST_PAUSE = 0.3, 5.0
_FATES_VI: Mapping[Fate, str] = {
    "stored": "đã lưu",
    "duplicate": "trùng",
    "superseded": "đã có bản mới hơn",
    "rejected": "bị từ chối sau khi nhận",
    "waiting": "đang chờ",
    "unknown": "không rõ",
}


class ReceiptClient(Protocol):
    """Publishes through the gateway, and asks it what became of that."""

    def tell_receipts(self, heard: Callable[[str, int], object]) -> None:
        """Tell from now on each request's receipt, "" where it has none, and how many of its events were accepted."""

    def ask(self, receipt: str) -> Receipt:
        """Return what became of a request's events by now; raises RetryableError where it cannot be told now."""


@dataclass
class Fates:
    """What became of accepted events. `untold`: why a receipt could not be looked up to the end, where it could not.

    counts: by fate, `unknown` for events without a receipt; rejected: the first `MAX_KEPT`, at their places.
    """

    counts: Counter[Fate] = field(default_factory=Counter)
    rejected: list[BadRecord] = field(default_factory=list)
    findings: Mistakes = field(default_factory=Mistakes)
    untold: str = ""

    @property
    def good(self) -> bool:
        """Whether each event is known to be stored, or need not be."""
        return not any(self.counts[fate] for fate in ("rejected", "waiting", "unknown"))


class ReceiptWait:
    """Gathers the receipts of what a client publishes from now on, and waits for them up to `seconds` afterwards.

    `sleep` and `clock` are for tests.
    """

    def __init__(
        self,
        client: ReceiptClient,
        seconds: float,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._seconds = seconds
        self._sleep = sleep
        self._clock = clock
        self._places: dict[str, str] = {}
        self._receipts: list[tuple[str, int]] = []
        client.tell_receipts(lambda receipt, events: self._receipts.append((receipt, events)))

    def note(self, event: Event) -> None:
        """Remember where an event lies in its file."""
        self._places[event.envelope["id"]] = event.where

    def wait(self) -> Fates:
        """Return the fates, as far as they are known when the time is over."""
        fates = Fates()
        for receipt, events in self._asked(self._clock() + self._seconds, fates):
            if receipt is None:
                fates.counts["unknown"] += events
                continue
            fates.counts.update(event.fate for event in receipt.events)
            for event in receipt.events:
                if event.fate == "rejected":
                    self._reject(fates, event)
        return fates

    def _asked(self, deadline: float, fates: Fates) -> Iterator[tuple[Receipt | None, int]]:
        """Yield the last answer for each request, None where there is none; one request is asked after at a time."""
        for coded, events in self._receipts:
            pause, answer = _FIRST_PAUSE, None
            while coded:
                try:
                    answer = self._client.ask(coded)
                    if answer.complete:
                        break
                except RetryableError as error:
                    fates.untold = str(error)
                left = deadline - self._clock()
                if left <= 0:
                    break
                self._sleep(min(pause, left))
                pause = min(pause * 1.5, _LONGEST_PAUSE)
            if answer is not None and answer.complete:
                fates.untold = ""
            yield answer, events

    def _reject(self, fates: Fates, event: EventFate) -> None:
        where = self._places.get(event.id or "", event.id or "–")
        refusal = BadRecord(where, tuple(event.reasons))
        if len(fates.rejected) < MAX_KEPT:
            fates.rejected.append(refusal)
        for reason in event.reasons:
            fates.findings.add(where, reason)


def to_json(fates: Fates) -> dict[str, Any]:
    """Return the fates as a JSON object; the first `MAX_KEPT` rejections word by word."""
    return {
        "complete": not (fates.counts["waiting"] or fates.counts["unknown"]),
        "counts": dict(fates.counts),
        "rejected": [
            {"where": one.where, "reasons": [reason.model_dump() for reason in one.reasons]} for one in fates.rejected
        ],
        "untold": fates.untold,
    }


def show(fates: Fates, console: Console) -> None:
    """Print how many events had which fate, and what was rejected where and why."""
    told = ", ".join(f"{fates.counts[fate]:,} {vi} ({fate})" for fate, vi in _FATES_VI.items() if fates.counts[fate])
    console.print(Text(f"\nSau khi nhận · downstream: {told or 'không có sự kiện nào · no event'}"))
    show_findings("Rejected downstream · bị từ chối sau khi nhận", [fates.findings], console)
    if fates.counts["waiting"] or fates.counts["unknown"]:
        why = f" {fates.untold}" if fates.untold else ""
        console.print(
            Text(
                "Chưa biết hết: hãy chờ lâu hơn (--wait), hoặc gửi lại tệp để hỏi lại; gửi lại không gây hại"
                f" · Not all is known: wait longer (--wait), or publish again to ask again, which is harmless.{why}",
                style="yellow",
            )
        )
