"""Contributions that were taken from their logs and wait to be folded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple


class Delta(NamedTuple):
    """What records of one transaction add to the sums of an area and day; `placed`: in the unit where it counts."""

    feed_id: int
    area_id: int
    bucket: date
    sums: list[int]
    placed: bool
    appended_at: datetime


class MemberDelta(NamedTuple):
    """How many records more (or fewer) speak of a member (hexadecimal) in an area and day."""

    measure_id: int
    area_id: int
    bucket: date
    member: str
    n: int
    placed: bool
    appended_at: datetime


Contribution = Delta | MemberDelta


@dataclass(frozen=True)
class Waiting:
    """What one fold takes."""

    deltas: list[Delta]
    members: list[MemberDelta]

    @property
    def appended(self) -> set[datetime]:
        """When the transactions began that have appended them."""
        return {one.appended_at for one in self.deltas} | {one.appended_at for one in self.members}

    def __len__(self) -> int:
        return len(self.deltas) + len(self.members)

    @property
    def single(self) -> Contribution:
        """The only contribution."""
        return self.deltas[0] if self.deltas else self.members[0]

    def halves(self) -> tuple[Waiting, Waiting]:
        """Return it in two parts, neither of them empty; it holds two or more."""
        if self.deltas and self.members:
            return Waiting(self.deltas, []), Waiting([], self.members)
        middle = len(self) // 2
        return (
            Waiting(self.deltas[:middle], self.members[:middle]),
            Waiting(self.deltas[middle:], self.members[middle:]),
        )
