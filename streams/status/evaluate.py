"""Statuses of indicators: computed from figures, targets, deadlines and feeds, a block at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ioc.catalogue.edition import Edition
from ioc.catalogue.target import TargetInForce
from ioc.province.calendar import BusinessCalendar
from ioc.province.deadline import Deadlines
from streams.rules.status import classify, is_incomplete
from streams.rules.unusual import LEAST, LEAST_TET, Usual, holds_tet, is_unusual, past_buckets, usual_of
from streams.status.cases import CaseCounter
from streams.status.cells import FigureReader
from streams.status.columns import SETTLED, StatusColumns, to_frame
from streams.status.judged import PassMoment, PeriodJudge, last_day, oldest_looked_at
from streams.status.plan import Block, JudgedUnits, plan_blocks
from streams.status.target_judge import Past, TargetJudge

_NAT = np.datetime64("NaT", "D")
_STEPS = 8  # levels of a stock whose seven changes are its past
_STOCK_SCALE = 0.005  # of a stock's level: less is never far


@dataclass
class _KnownBlock:
    """A block's fixed parts, and what is kept of its past."""

    block: Block
    kept: NDArray[np.bool_]
    fixed: Mapping[str, pl.Series]
    usual: dict[tuple[date, ...], Usual] = field(default_factory=dict)


class Evaluator:
    """Computes the statuses of the areas of one day; made anew when day, catalogue or targets change."""

    def __init__(
        self,
        edition: Edition,
        targets: Sequence[TargetInForce],
        ground: JudgedUnits,
        deadlines: Deadlines,
        calendar: BusinessCalendar,
        cases: CaseCounter,
    ) -> None:
        self.edition = edition
        self.ground = ground
        self.targets = tuple(targets)
        self._judge_targets = TargetJudge(targets, ground)
        self._deadlines = deadlines
        self._calendar = calendar
        self._cases = cases
        self._past = Past()
        self._known = [_known(block, ground) for block in plan_blocks(edition)]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """All blocks, by sector."""
        return tuple(known.block for known in self._known)

    def forget_past(self) -> None:
        """Read medians, courses and first values anew: history may have been corrected."""
        self._past = Past()
        for known in self._known:
            known.usual.clear()

    def run(
        self, reader: FigureReader, moment: PassMoment, sectors: Collection[str] | None = None
    ) -> Iterator[tuple[Block, pl.DataFrame]]:
        """Yield the rows of each block (of some sectors, or of all), in an order that stays the same."""
        judge = PeriodJudge(self.edition, self._deadlines, self._calendar, moment)
        for known in self._known:
            if sectors is None or known.block.sector in sectors:
                columns = self._judge(known, reader, moment, judge)
                yield known.block, to_frame(columns, known.kept, known.fixed, known.block.period)

    def _judge(self, known: _KnownBlock, reader: FigureReader, moment: PassMoment, judge: PeriodJudge) -> StatusColumns:
        block = known.block
        columns = StatusColumns(known.kept.shape)
        wanted = [judge.bucket(member, block.period) for member in block.members]
        buckets, root = reader.of_root(block, oldest_looked_at(block.period, moment.today), max(wanted))
        found = [_newest(buckets, root[:, index], wanted[index]) for index in range(len(block.members))]
        present = sorted({bucket for bucket in found if bucket is not None})
        figures = reader.of_areas(block, present)
        for index, bucket in enumerate(found):
            if bucket is not None:
                columns.value[:, index] = figures[bucket][:, index]
                columns.bucket[:, index] = bucket
                columns.through[:, index] = last_day(block.period, bucket, moment.today)
                columns.settlement[:, index] = SETTLED
        self._score(known, columns, reader, found)
        if self._judge_targets.has_targets(block):
            newest_day = judge.newest_over("day")
            self._judge_targets.judge(block, columns, reader, self._past, moment.today, newest_day)
            columns.take_back_judgement(self._cases.few(block, found, reader))
        stale, incomplete = self._faults(block, columns, moment, judge, found, wanted)
        columns.status = classify(
            known=np.isfinite(columns.value),
            stale=stale,
            incomplete=incomplete,
            targeted=columns.target_id > 0,
            met=columns.met,
            lag=columns.lag,
            misses=columns.misses,
        )
        nothing = np.isnan(columns.value)
        columns.settlement[nothing] = 0
        columns.bucket[nothing] = _NAT
        columns.through[nothing] = _NAT
        return columns

    def _faults(
        self,
        block: Block,
        columns: StatusColumns,
        moment: PassMoment,
        judge: PeriodJudge,
        found: Sequence[date | None],
        wanted: Sequence[date],
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return where figures are stale, and where they are incomplete; fill reported, due and cause."""
        stale = np.zeros(columns.shape, dtype=bool)
        incomplete = np.zeros(columns.shape, dtype=bool)
        for index, member in enumerate(block.members):
            bucket = found[index]
            silent = judge.silent_feed(member)
            if silent is not None:
                stale[:, index] = True
                columns.cause[:, index] = silent
            elif bucket is not None and judge.is_outdated(member, block.period, bucket):
                stale[:, index] = True
                columns.cause[:, index] = member.feeds[0] if member.feeds else None
            call = judge.call(member, wanted[index], block.period)
            if call is not None:
                columns.due[:, index], columns.reported[:, index] = call.due, call.reported
                short = [is_incomplete(int(r), int(d)) for r, d in zip(call.reported, call.due, strict=True)]
                incomplete[:, index] = short
                if silent is None:
                    columns.cause[short, index] = next(f for f in member.feeds if (f, wanted[index]) in moment.calls)
            if member.reported:
                reported, due, agency = judge.reports(member)
                before = np.maximum(columns.due[:, index], 0), np.maximum(columns.reported[:, index], 0)
                columns.due[:, index], columns.reported[:, index] = before[0] + due, before[1] + reported
                if agency is not None:
                    incomplete[:, index] = True
                    columns.cause[:, index] = agency
                stale[:, index] |= judge.is_report_outdated(member)
        return stale, incomplete

    def _score(
        self, known: _KnownBlock, columns: StatusColumns, reader: FigureReader, found: Sequence[date | None]
    ) -> None:
        """Fill how far figures lie from their own past."""
        block = known.block
        for bucket in sorted({bucket for bucket in found if bucket is not None}):
            past = past_buckets(block.period, bucket, self._calendar.is_holiday)
            if not past:
                continue
            key = (bucket,)
            if key not in known.usual:
                known.usual[key] = self._usual(block, reader, bucket, past)
            usual = known.usual[key]
            here = np.array([at for at, one in enumerate(found) if one == bucket])
            values = columns.value[:, here]
            score = Usual(usual.median[:, here], usual.scale[:, here]).score(values)
            columns.unusual_score[:, here] = np.round(score, 2)
            columns.usual[:, here] = usual.median[:, here]
            columns.unusual[:, here] = is_unusual(score)

    def _usual(self, block: Block, reader: FigureReader, bucket: date, past: list[date]) -> Usual:
        is_off = self._calendar.is_holiday
        # A stock's change from one period to the next is compared, so that of weeks and months none may be left out.
        steps = past[:_STEPS] if block.period == "day" else past_buckets(block.period, bucket)[:_STEPS]
        figures = reader.of_areas(block, {*past, *steps} if block.stocks.any() else past)
        stack = np.stack([figures[one] for one in past])
        least = LEAST_TET if holds_tet(block.period, bucket, is_off) else LEAST
        usual = usual_of(stack, counts=block.counts, percentages=block.percentages, least=least)
        if not block.stocks.any() or len(steps) < _STEPS:
            return usual
        # A stock grows from day to day: its change is compared, not its value.
        levels = np.stack([figures[one] for one in steps])
        change = usual_of(levels[:-1] - levels[1:], counts=np.ones(len(block.members), dtype=bool))
        scale = np.maximum(change.scale, _STOCK_SCALE * np.abs(levels[0]))
        return Usual(
            np.where(block.stocks, levels[0] + change.median, usual.median),
            np.where(block.stocks, scale, usual.scale),
        )


def _newest(buckets: Sequence[date], values: NDArray[np.float64], wanted: date) -> date | None:
    """Return the newest period up to the wanted one in which the province has a figure."""
    return next(
        (bucket for bucket, value in zip(buckets, values, strict=True) if bucket <= wanted and np.isfinite(value)),
        None,
    )


def _known(block: Block, ground: JudgedUnits) -> _KnownBlock:
    kept = block.levels(ground.areas)
    rows, places = np.nonzero(kept)
    codes = np.array([member.indicator.code for member in block.members], dtype=object)
    units = np.array([member.indicator.unit for member in block.members], dtype=object)
    owners = np.array([member.indicator.owner for member in block.members], dtype=object)
    fixed = {
        "code": pl.Series(codes[places].tolist(), dtype=pl.String),
        "area_id": pl.Series(np.array(ground.ids, dtype=np.int32)[rows]),
        "sector": pl.Series([block.sector] * len(rows), dtype=pl.String),
        "unit": pl.Series(units[places].tolist(), dtype=pl.String),
        "owner": pl.Series(owners[places].tolist(), dtype=pl.String),
        "percentage": pl.Series(block.percentages[places]),
    }
    return _KnownBlock(block, kept, fixed)
