"""An entry of the roster: a system, who publishes for it, and what its records must show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from deploy.simulator.ledger import Witness, no_witness
from deploy.simulator.record import System
from deploy.simulator.season import Outbreak
from deploy.simulator.territory import Population
from ioc.catalogue import Indicator
from ioc.province.reporter import Reporter


@dataclass(frozen=True)
class Ground:
    """What a system may know of its province: its own reporters, where people live, the catalogue's rows, outbreaks."""

    reporters: Sequence[Reporter]
    territory: Population
    indicators: Iterable[Indicator]
    outbreaks: Sequence[Outbreak] = ()


@dataclass(frozen=True)
class Entry:
    """A system of the roster; its module in `deploy/simulator/systems/` bears the name of the feed's table.

    publisher: who sends its events, under a token of its own; several feeds may have the same.
    share:     of all new records that chance makes, beside the other systems' shares; 0 for a system that sends by
               its calendar alone.
    witness:   the winning revision's content -> what it adds to indicators, by their codes. Written down here a second
               time, on purpose: neither the catalogue nor its engines are asked.
    """

    feed: str
    publisher: str
    share: float
    build: Callable[[Random, Ground], System]
    witness: Witness = no_witness
