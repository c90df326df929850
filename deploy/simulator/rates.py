"""How often what goes wrong in real systems goes wrong in the simulated ones."""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal


@dataclass(frozen=True)
class Rates:
    """Faults per new record, each a share from 0 to 1.

    correction: a mistake is mended later: a new revision; for an invoice also an adjustment or a replacement.
    void:       the record is cancelled later; for an invoice with a cancellation notice.
    duplicate:  the very same event is sent again.
    late:       the record comes days after its business date.
    void_first: the void overtakes the record that it removes.
    disorder:   the second revision overtakes the first.
    conflict:   the same revision is sent again with other content.
    broken:     one more event that contradicts the feed's schema.
    stranger:   one more event of a reporter that no register holds.
    implausible: one more event dated 1900 or 2099.
    """

    correction: float = 0.03
    void: float = 0.01
    duplicate: float = 0.03
    late: float = 0.04
    void_first: float = 0.005
    disorder: float = 0.01
    conflict: float = 0.005
    broken: float = 0.01
    stranger: float = 0.003
    implausible: float = 0.003

    def __post_init__(self) -> None:
        for field in fields(self):
            if not 0 <= getattr(self, field.name) <= 1:
                raise ValueError(f"rate {field.name} must lie between 0 and 1")


FAULTS = tuple(field.name for field in fields(Rates))


class Metronome:
    """Fires evenly: after n beats it has fired n × rate times, less than one off. No chance is involved.

    `phase` (0 to 1) shifts the beats, so that metronomes of the same rate do not fire on the same record.
    """

    def __init__(self, rate: float, phase: float = 0.0) -> None:
        # Exact arithmetic: 0.1 beats a million times is 100,000, not 99,999.
        self._rate = Decimal(str(rate))
        self._level = Decimal(str(phase)) % 1

    def beat(self) -> bool:
        """Count one more and say whether this one is hit."""
        self._level += self._rate
        if self._level < 1:
            return False
        self._level -= 1
        return True
