"""How many cases a rate rests on: one of two is 50 %, and says nothing of a district that has to reach 60 %.

Cases are what happens in a period: dossiers, doses, ratings. A rate of what exists (shops, systems, residents,
targets that are assigned) is no sample, however small: two of three shops are two thirds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ioc.catalogue import StoredMeasure
from ioc.catalogue.edition import Edition
from ioc.catalogue.formula import formula_expr, fraction_of, parse_formula
from ioc.catalogue.plan import Computed, Quotient
from streams.status.cells import FigureReader
from streams.status.plan import Block, Member

Mask = NDArray[np.bool_]
Values = NDArray[np.float64]
_COUNTED = ("flow", "distinct")


@dataclass(frozen=True)
class _Below:
    """What is below the line: a formula over figures of the same sector, by code and slot; or a measure of a feed."""

    text: str = ""
    slots: tuple[tuple[str, int], ...] = ()
    measure: StoredMeasure | None = None


class CaseCounter:
    """Finds figures with a target that rest on fewer than `least` cases; an unknown number is not few."""

    def __init__(
        self, edition: Edition, measures: Sequence[StoredMeasure], targeted: Collection[str], least: int
    ) -> None:
        self._edition = edition
        self._measures = {stored.measure: stored for stored in measures}
        self._targeted = frozenset(targeted)
        self._least = least

    def few(self, block: Block, found: Sequence[date | None], reader: FigureReader) -> Mask:
        """Return areas x members. found: the period of each member's figure."""
        few = np.zeros((len(reader.areas), len(block.members)), dtype=bool)
        for index, member in enumerate(block.members):
            bucket = found[index]
            below = self._below(member) if bucket is not None else None
            if bucket is not None and below is not None:
                cases = self._cases(block, below, bucket, reader)
                few[:, index] = np.nan_to_num(cases, nan=np.inf) < self._least
        return few

    def _cases(self, block: Block, below: _Below, bucket: date, reader: FigureReader) -> Values:
        if below.measure is not None:
            return reader.sums(below.measure, block.period, bucket)
        slots = np.array([slot - 1 for _, slot in below.slots], dtype=np.int64)
        figures = reader.of_areas(block, [bucket], slots)[bucket]
        columns = {code: figures[:, at] for at, (code, _) in enumerate(below.slots)}
        frame = pl.DataFrame(columns).with_columns(pl.all().fill_nan(None))
        return frame.select(formula_expr(below.text)).to_series().to_numpy().astype(np.float64)

    def _below(self, member: Member) -> _Below | None:
        code = member.indicator.code
        plan = self._edition.compiled.plans[code]
        if code not in self._targeted:
            return None
        if isinstance(plan, Quotient):
            stored = self._measures.get(plan.whole)
            return _Below(measure=stored) if stored is not None else None
        fraction = fraction_of(plan.formula.text) if isinstance(plan, Computed) else None
        if fraction is None:
            return None
        slots: Mapping[str, int] = self._edition.slots.get(member.indicator.sector, {})
        references = parse_formula(fraction[1]).references
        counted = all(
            not one.function and one.name in slots and self._edition.indicators[one.name].kind in _COUNTED
            for one in references
        )
        return _Below(fraction[1], tuple((one.name, slots[one.name]) for one in references)) if counted else None
