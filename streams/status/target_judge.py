"""What targets say of the figures of one block: which target counts, expected, lag, forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from ioc.catalogue import Indicator
from ioc.catalogue.target import TargetInForce, from_new_year, grows_with_the_year, is_rate, of_year
from ioc.period import end_of, start_of
from streams.rules import pace
from streams.status.cells import FigureReader
from streams.status.columns import OPS, PACES, PROVISIONAL, SETTLED, StatusColumns
from streams.status.plan import Block, JudgedUnits, Member

Values = NDArray[np.float64]

_SAMPLES: Mapping[str, int] = {"day": 26, "week": 26, "month": 15, "quarter": 10, "year": 6}


@dataclass
class Past:
    """What is read once and kept: it changes with a new period, not with an event."""

    first: dict[tuple[str, date], dict[int, tuple[date, float]]] = field(default_factory=dict)
    course: dict[tuple[str, str, date], tuple[list[date], Mapping[date, Values]]] = field(default_factory=dict)
    curve: dict[tuple[str, date, date], dict[int, float]] = field(default_factory=dict)
    ways: dict[tuple[str, date, date], dict[int, tuple[float, float, float]]] = field(default_factory=dict)
    weeks: dict[tuple[str, date], Values] = field(default_factory=dict)


class TargetJudge:
    """Judges the figures that have a target."""

    def __init__(self, targets: Sequence[TargetInForce], ground: JudgedUnits) -> None:
        self._by_code: dict[str, list[TargetInForce]] = {}
        for target in targets:
            self._by_code.setdefault(target.code, []).append(target)
        self._ground = ground

    def has_targets(self, block: Block) -> bool:
        """Whether any indicator of a block has one."""
        return any(code in self._by_code for code in block.index)

    def judge(
        self,
        block: Block,
        columns: StatusColumns,
        reader: FigureReader,
        past: Past,
        today: date,
        newest_day: date | None,
    ) -> None:
        """Fill the columns that come from targets.

        newest_day: the newest day that is judged; totals of a year run up to it.
        """
        for index, member in enumerate(block.members):
            targets = self._by_code.get(member.indicator.code)
            if not targets:
                continue
            through = columns.through[0, index].item()
            begins_anew = through is not None and grows_with_the_year(member.indicator)
            adds_up = member.indicator.kind in ("flow", "distinct")
            judged = (newest_day or today) if adds_up else (through or today)
            for asked, rows in self._in_force(member.indicator, targets, judged).items():
                target = asked
                if begins_anew and asked.due_on is None:
                    target = of_year(asked, through.year)
                elif begins_anew and asked.due_on is not None:
                    if asked.due_on.year != through.year:
                        continue  # another year's figures say nothing of it
                    target = from_new_year(asked)
                if adds_up and target.due_on is not None:
                    if target.due_on.year <= judged.year:  # else its year has not begun, and asks for nothing yet
                        self._judge_total(block, index, target, rows, columns, reader, past, judged)
                else:
                    self._judge_level(block, index, target, rows, columns, reader, past)

    def _in_force(
        self, indicator: Indicator, targets: list[TargetInForce], judged: date
    ) -> dict[TargetInForce, list[int]]:
        """Return which areas (rows) each target is in force for; of several, one an area.

        One of the area itself goes before one of all areas; then what holds at once, is due next, was due last: as of
        `judged`, the last day of the figure. On 1 January the figures of 31 December are judged by that year's target.
        """

        def order(target: TargetInForce) -> tuple[bool, int, int]:
            if target.due_on is None:
                return (target.area_id is None, 0, 0)
            days = (target.due_on - judged).days
            return (target.area_id is None, 1 if days >= 0 else 2, abs(days))

        chosen: dict[TargetInForce, list[int]] = {}
        everywhere = is_rate(indicator)
        for row, area in enumerate(self._ground.areas):
            fitting = [
                target
                for target in targets
                if target.area_id == area.area_id or (target.area_id is None and (everywhere or row == 0))
            ]
            if fitting and area.level in indicator.levels:
                chosen.setdefault(min(fitting, key=order), []).append(row)
        return chosen

    def _judge_level(
        self,
        block: Block,
        at: int,
        target: TargetInForce,
        rows: list[int],
        columns: StatusColumns,
        reader: FigureReader,
        past: Past,
    ) -> None:
        """A level (a rate, a stock, a score): on a line from its baseline to the target."""
        member = block.members[at]
        first: Mapping[int, tuple[date, float]] = {}
        if target.due_on is not None and target.baseline_on is None and target.pace != "steps":
            first = self._first_known(block, member, reader, past)
        ways = self._ways(block, member, target, first, columns, reader, past)
        forecast = self._forecast(block, at, target, columns, reader, past)
        percentage = bool(block.percentages[at])
        for row in rows:
            value = columns.value[row, at]
            self._note(columns, row, at, target)
            if np.isnan(value):
                continue
            through = columns.through[row, at].item()
            base = first.get(self._ground.areas[row].area_id)
            if base is not None:
                base = (end_of(block.period, base[0]), base[1])
            share = _share_of_way(target, base, ways.get(self._ground.areas[row].area_id))
            expected = pace.expected_value(target, through, first=base, curve=share)
            if target.pace == "seasonal" and share is None:
                columns.pace[row, at] = PACES.index("linear")  # what it is judged by: last year gives no curve
            self._judge_value(columns, row, at, target, float(value), expected, through, percentage, base)
            if forecast is not None and not np.isnan(forecast[0][row]):
                ahead = tuple(float(part[row]) for part in forecast)
                if percentage and member.indicator.kind == "ratio" and 0 <= value <= 100:
                    # A straight line leads beyond; what is a share today stays one. A reported rate of growth may not.
                    ahead = tuple(min(max(part, 0.0), 100.0) for part in ahead)
                columns.forecast[row, at], columns.forecast_low[row, at], columns.forecast_high[row, at] = ahead
                columns.misses[row, at] = not target.is_met(ahead[0])

    def _judge_total(
        self,
        block: Block,
        at: int,
        target: TargetInForce,
        rows: list[int],
        columns: StatusColumns,
        reader: FigureReader,
        past: Past,
        newest_day: date,
    ) -> None:
        """A total of the year of the target's date."""
        assert target.due_on is not None
        member = block.members[at]
        start = target.due_on.replace(month=1, day=1)
        through = min(newest_day, target.due_on.replace(month=12, day=31))
        slots = np.array([member.slot - 1])
        yearly = Block(block.sector, "year", (member,))
        found = reader.of_areas(yearly, [start], slots)[start][:, 0]
        curve = self._curve(block, member, target, reader, past, through) if target.pace == "seasonal" else {}
        weeks = self._weeks(block, member, reader, past, through)
        for row in rows:
            self._note(columns, row, at, target)
            value = found[row]
            columns.value[row, at] = value
            columns.yearly[row, at] = True
            columns.bucket[row, at] = start
            columns.through[row, at] = through
            columns.settlement[row, at] = PROVISIONAL if through < end_of("year", start) else SETTLED
            if np.isnan(value):
                continue
            share = curve.get(self._ground.areas[row].area_id)
            expected = pace.expected_total(target, start, through, curve=share)
            if target.pace == "seasonal" and share is None:
                columns.pace[row, at] = PACES.index("linear")
            base = (start - timedelta(days=1), 0.0)
            percentage = bool(block.percentages[at])
            self._judge_value(columns, row, at, target, float(value), expected, through, percentage, base)
            left = (target.due_on - through).days
            if left > 0 and (ahead := pace.forecast_total(float(value), weeks[row], left)) is not None:
                columns.forecast[row, at] = ahead.value
                columns.forecast_low[row, at], columns.forecast_high[row, at] = ahead.low, ahead.high
                columns.misses[row, at] = not target.is_met(ahead.value)

    def _judge_value(
        self,
        columns: StatusColumns,
        row: int,
        at: int,
        target: TargetInForce,
        value: float,
        expected: float | None,
        through: date,
        percentage: bool,
        base: pace.DatedValue | None,
    ) -> None:
        columns.met[row, at] = target.is_met(value)
        needed = pace.needed_per_week(target, value, through)
        if needed is not None:
            columns.needed_per_week[row, at] = needed
        if expected is None:
            return
        columns.expected[row, at] = expected
        columns.lag[row, at] = pace.lag_of(target, value, expected, percentage=percentage).amount
        behind = pace.lag_days(target, value, expected, through, base)
        if behind is not None:
            columns.lag_days[row, at] = behind

    def _note(self, columns: StatusColumns, row: int, at: int, target: TargetInForce) -> None:
        columns.target_id[row, at] = target.target_id
        columns.target_op[row, at] = OPS.index(target.op)
        columns.target[row, at] = target.value
        columns.pace[row, at] = PACES.index(target.pace)
        if target.due_on is not None:
            columns.target_on[row, at] = target.due_on

    def _first_known(
        self, block: Block, member: Member, reader: FigureReader, past: Past
    ) -> Mapping[int, tuple[date, float]]:
        key = (member.indicator.code, date.min)
        if key not in past.first:
            past.first[key] = reader.first_known(block, member.slot, self._ground.ids)
        return past.first[key]

    def _forecast(
        self, block: Block, at: int, target: TargetInForce, columns: StatusColumns, reader: FigureReader, past: Past
    ) -> tuple[Values, Values, Values] | None:
        """Return value, low and high by area; None where there is nothing ahead."""
        newest = columns.bucket[0, at].item()
        through = columns.through[0, at].item()
        if target.due_on is None or newest is None or through >= target.due_on:
            return None
        slots = tuple(m.slot - 1 for m in block.members if m.indicator.code in self._by_code)
        key = (block.sector, block.period, newest)
        if key not in past.course:
            buckets = _course(block.period, newest)
            past.course[key] = (buckets, reader.of_areas(block, buckets, np.array(slots)))
        buckets, found = past.course[key]
        column = slots.index(block.members[at].slot - 1)
        values = np.stack([found[bucket][:, column] for bucket in buckets], axis=1)
        values[:, -1] = columns.value[:, at]
        ends = [end_of(block.period, bucket) for bucket in buckets]
        if grows_with_the_year(block.members[at].indicator):  # last year's course ended with last year
            values[:, [end.year != through.year for end in ends]] = np.nan
        days = [end.toordinal() for end in ends]
        return pace.forecast_values(days, values, (target.due_on - through).days)

    def _curve(
        self,
        block: Block,
        member: Member,
        target: TargetInForce,
        reader: FigureReader,
        past: Past,
        through: date,
    ) -> Mapping[int, float]:
        assert target.due_on is not None
        key = (member.indicator.code, through, target.due_on)
        if key not in past.curve:
            past.curve[key] = reader.year_curve(block, member.slot, through, target.due_on)
        return past.curve[key]

    def _ways(
        self,
        block: Block,
        member: Member,
        target: TargetInForce,
        first: Mapping[int, tuple[date, float]],
        columns: StatusColumns,
        reader: FigureReader,
        past: Past,
    ) -> Mapping[int, tuple[float, float, float]]:
        """Return by area where last year's way began, how far it was by the same day, and where it ended.

        None where the pace is not seasonal, does not follow last year's curve yet, or is over.
        """
        through = columns.through[0, block.index[member.indicator.code]].item()
        if target.pace != "seasonal" or target.due_on is None or through is None or through >= target.due_on:
            return {}
        key = (member.indicator.code, through, target.due_on)
        if key not in past.ways:
            starts: dict[int, date] = {}
            for area_id in self._ground.ids:
                base = first.get(area_id)
                base_on = target.baseline_on if base is None else end_of(block.period, base[0])
                if base_on is not None and (begins := pace.season_start(base_on, target.due_on)) <= through:
                    starts[area_id] = pace.year_before(begins)
            days = pace.year_before(through), pace.year_before(target.due_on)
            found = reader.levels_at(block, member.slot, starts, *days)
            if grows_with_the_year(member.indicator):  # the day before it began, it stood at last year's whole
                found = {area_id: (0.0, reached, ended) for area_id, (_, reached, ended) in found.items()}
            past.ways[key] = found
        return past.ways[key]

    def _weeks(self, block: Block, member: Member, reader: FigureReader, past: Past, through: date) -> Values:
        """Return areas x weeks: what each of the last weeks that are over added; nothing for what does not add up."""
        if member.indicator.kind != "flow":
            return np.full((len(self._ground.areas), 0), np.nan)
        last = start_of("week", through - timedelta(days=6))
        key = (member.indicator.code, last)
        if key not in past.weeks:
            buckets = [last - timedelta(weeks=n) for n in range(_SAMPLES["week"])]
            weekly = Block(block.sector, "week", (member,))
            found = reader.of_areas(weekly, buckets)
            past.weeks[key] = np.stack([found[bucket][:, 0] for bucket in buckets], axis=1)
        return past.weeks[key]


def _share_of_way(
    target: TargetInForce, base: pace.DatedValue | None, way: tuple[float, float, float] | None
) -> float | None:
    start = target.baseline if target.baseline_on is not None else None if base is None else base[1]
    if way is None or start is None:
        return None
    return pace.share_of_way(*way, target.value - start)


def _course(period: str, newest: date) -> list[date]:
    """Return the periods that a forecast looks back on, oldest first: of days one a week."""
    if period in ("day", "week"):
        return [newest - timedelta(weeks=n) for n in reversed(range(_SAMPLES[period]))]
    buckets = [newest]
    while len(buckets) < _SAMPLES[period]:
        buckets.append(start_of(period, buckets[-1] - timedelta(days=1)))
    return buckets[::-1]
