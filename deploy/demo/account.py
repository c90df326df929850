"""The account: what was published against what was received, and what must hold. Pure arithmetic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from deploy.simulator.ledger import ACCEPTED, ExpectedOutcome, FeedTally

_SHOWN = 20


@dataclass(frozen=True)
class FeedCounts:
    """What the agents counted of one feed, from their batches."""

    name_vi: str
    consumed: int = 0
    accepted: int = 0
    rejected: int = 0
    duplicate: int = 0
    corrected: int = 0
    voided: int = 0


@dataclass(frozen=True)
class FeedLine:
    """One feed's line of the account.

    An event that was sent again because its first answer never came counts as published again where both
    arrived (`arrived_unanswered`); the gateway's refusals and the agents' rejections are both `rejected`.
    """

    feed: str
    name_vi: str
    published: int
    received: int
    accepted: int
    refused: int
    rejected_by_agents: int
    duplicate: int
    corrected: int
    voided: int
    arrived_unanswered: int

    @property
    def rejected(self) -> int:
        """Refused by the gateway or rejected by an agent."""
        return self.refused + self.rejected_by_agents

    @property
    def is_balanced(self) -> bool:
        """Whether published = accepted + rejected + duplicate."""
        return self.published == self.accepted + self.rejected + self.duplicate


@dataclass(frozen=True)
class Proof:
    """What was compared beyond the counts, and what differs, a line each.

    records: winning revisions compared with the simulator's; cells and figures: stored values compared with
    their recompute; witnesses: province totals compared with the simulator's own sums.
    """

    records: int = 0
    cells: int = 0
    figures: int = 0
    witnesses: int = 0
    differences: tuple[str, ...] = ()


@dataclass(frozen=True)
class Account:
    """The end of a demo; `problems` is empty when everything holds."""

    lines: tuple[FeedLine, ...]
    proof: Proof
    problems: tuple[str, ...] = field(default=())

    @property
    def holds(self) -> bool:
        """Whether the demo has shown what it promises."""
        return not self.problems

    def to_plain(self) -> dict[str, object]:
        """The account as plain data, for JSON."""
        feeds = [asdict(line) | {"rejected": line.rejected, "balanced": line.is_balanced} for line in self.lines]
        return {
            "holds": self.holds,
            "feeds": feeds,
            "proof": asdict(self.proof),
            "problems": list(self.problems),
        }


def feed_line(feed: str, tally: FeedTally, counts: FeedCounts) -> FeedLine:
    """Put one feed's two sides together; what arrived unanswered follows from them, within its bounds."""
    reached_kafka = tally.published - tally.refused
    arrived = min(max(counts.consumed - reached_kafka, 0), tally.unknown)
    return FeedLine(
        feed=feed,
        name_vi=counts.name_vi,
        published=tally.published + arrived,
        received=counts.consumed,
        accepted=counts.accepted,
        refused=tally.refused,
        rejected_by_agents=counts.rejected,
        duplicate=counts.duplicate,
        corrected=counts.corrected,
        voided=counts.voided,
        arrived_unanswered=arrived,
    )


def settle_account(
    tallies: Mapping[str, FeedTally],
    counts: Mapping[str, FeedCounts],
    proof: Proof,
    *,
    surprises: tuple[str, ...] = (),
    unsettled: int = 0,
) -> Account:
    """Draw up the account.

    surprises: valid events that the gateway refused; unsettled: events whose answer had not come at the end.
    """
    lines = tuple(
        feed_line(feed, tallies.get(feed, FeedTally()), counts.get(feed, FeedCounts(feed)))
        for feed in sorted(tallies.keys() | counts.keys())
    )
    problems: list[str] = []
    for line in lines:
        problems += _problems(line, tallies.get(line.feed, FeedTally()))
    if not any(line.accepted for line in lines):
        problems.append("nothing was accepted at all")
    if unsettled:
        problems.append(f"{unsettled} events were sent and never answered")
    for found in (surprises, proof.differences):
        problems += found[:_SHOWN]
        if len(found) > _SHOWN:
            problems.append(f"… and {len(found) - _SHOWN} more like these")
    return Account(lines, proof, tuple(problems))


def _problems(line: FeedLine, tally: FeedTally) -> list[str]:
    problems = []
    if not line.is_balanced:
        problems.append(
            f"{line.feed}: published {line.published} is not accepted {line.accepted} "
            f"+ rejected {line.rejected} + duplicate {line.duplicate}"
        )
    expected = tally.expected
    accepted = sum(expected[outcome] for outcome in ACCEPTED)
    others = expected[ExpectedOutcome.REJECTED] + expected[ExpectedOutcome.DUPLICATE]
    if line.accepted != accepted:
        problems.append(f"{line.feed}: accepted {line.accepted}, the simulator expects {accepted}")
    if line.rejected + line.duplicate != others + line.arrived_unanswered:
        problems.append(
            f"{line.feed}: rejected {line.rejected} + duplicate {line.duplicate}, the simulator expects "
            f"{others + line.arrived_unanswered} together"
        )
    elif not line.arrived_unanswered and line.duplicate != expected[ExpectedOutcome.DUPLICATE]:
        problems.append(
            f"{line.feed}: {line.duplicate} duplicates, the simulator expects {expected[ExpectedOutcome.DUPLICATE]}"
        )
    return problems
