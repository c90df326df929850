"""How one figure is computed: a small type for each way, with what it needs by name.

Sums are in units of 10^-decimals of their measure.
"""

from __future__ import annotations

from dataclasses import dataclass

from ioc.catalogue.formula import Formula
from ioc.catalogue.measure import Measure


@dataclass(frozen=True)
class IndicatorPlan:
    """What all ways have in common.

    periodic: measures that are summed up over the period.
    running:  measures that are summed up from the beginning to the end of the period.
    measures: all that it needs, those included that only open periods.
    inputs:   codes of the indicators that it is computed from.
    """

    code: str

    @property
    def periodic(self) -> tuple[Measure, ...]:
        return ()

    @property
    def running(self) -> tuple[Measure, ...]:
        return ()

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (*self.periodic, *self.running)

    @property
    def inputs(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class Total(IndicatorPlan):
    """The period's sum."""

    total: Measure

    @property
    def periodic(self) -> tuple[Measure, ...]:
        return (self.total,)


@dataclass(frozen=True)
class RunningTotal(IndicatorPlan):
    """The stock at the period's end: the sum from the beginning, less what has stopped counting."""

    stock: Measure

    @property
    def running(self) -> tuple[Measure, ...]:
        return (self.stock,)


@dataclass(frozen=True)
class DistinctCount(IndicatorPlan):
    """The number of different members of the period."""

    members: Measure

    @property
    def periodic(self) -> tuple[Measure, ...]:
        return (self.members,)


@dataclass(frozen=True)
class Quotient(IndicatorPlan):
    """`scale` x part / whole of the period; no value where the whole is zero."""

    part: Measure
    whole: Measure
    scale: float = 1.0

    @property
    def periodic(self) -> tuple[Measure, ...]:
        return (self.part, self.whole)


@dataclass(frozen=True)
class Computed(IndicatorPlan):
    """A formula over the figures of other indicators."""

    formula: Formula

    @property
    def periodic(self) -> tuple[Measure, ...]:
        return tuple(received_measure(one.name) for one in self.formula.references if one.function == "received")

    @property
    def inputs(self) -> tuple[str, ...]:
        return self.formula.inputs


def received_measure(feed: str) -> Measure:
    """Return the measure that counts every record of a feed."""
    return Measure(feed, "sum", "1")


@dataclass(frozen=True)
class Reported(IndicatorPlan):
    """What agencies report: the sum of the values, and the number of reports, without which there is no figure.

    opening: counts every report of the feed, and so opens the periods in which one begins.
    """

    amount: Measure
    reports: Measure
    opening: Measure

    @property
    def measures(self) -> tuple[Measure, ...]:
        return (self.amount, self.reports, self.opening)


@dataclass(frozen=True)
class ReportedFlow(Reported):
    """The sum of the reports that begin in the period; in other `periods` there is no figure."""

    periods: tuple[str, ...]

    @property
    def periodic(self) -> tuple[Measure, ...]:
        return (self.amount, self.reports)


@dataclass(frozen=True)
class ReportedStock(Reported):
    """The sum of the reports in force at the period's end, or of the last ones before it."""

    @property
    def running(self) -> tuple[Measure, ...]:
        return (self.amount, self.reports)


@dataclass(frozen=True)
class ReportedMean(Reported):
    """A share or a score, as its area reported it: the mean of the reports in force at the
    period's end, or of the last ones before it.
    """

    @property
    def running(self) -> tuple[Measure, ...]:
        return (self.amount, self.reports)
