"""Reading figures in blocks: areas x indicators for one period."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import psycopg
from numpy.typing import NDArray

from ioc.catalogue import StoredMeasure
from ioc.territory.area import Area
from sql import load_queries
from streams.rules.pace import year_before
from streams.status.plan import Block, JudgedUnits

Values = NDArray[np.float64]
# So far back the newest period ended, of every period; of days a week of them.
_LEVEL_DAYS: Mapping[str, int] = {"day": 7, "week": 7, "month": 31, "quarter": 92, "year": 366}


class FigureReader:
    """Reads over a connection that the caller keeps, within the caller's transaction."""

    def __init__(self, connection: psycopg.Connection, ground: JudgedUnits) -> None:
        self._connection = connection
        self._ground = ground
        self._queries = load_queries("status")

    @property
    def areas(self) -> Sequence[Area]:
        """The units that are read, in order."""
        return self._ground.areas

    def sums(self, stored: StoredMeasure, period: str, bucket: date) -> Values:
        """Return by area what a measure adds up to in a period; NaN = nobody has counted anything."""
        rows = self._rows(
            "select_sums",
            feed=stored.measure.feed,
            period=period,
            areas=self._ground.ids,
            bucket=bucket,
            slot=stored.slot,
        )
        found = np.full(len(self._ground.areas), np.nan)
        for area_id, amount in rows:
            if amount is not None:
                found[self._ground.index[area_id]] = amount / 10**stored.measure.decimals
        return found

    def of_root(self, block: Block, since: date, until: date) -> tuple[list[date], Values]:
        """Return the periods that the province has figures of, newest first, and periods x members; NaN = no figure."""
        rows = self._rows(
            "select_root_figures",
            sector=block.sector,
            period=block.period,
            root=self._ground.root.area_id,
            since=since,
            until=until,
        )
        return [bucket for bucket, _ in rows], _matrix([figures for _, figures in rows], block.slots)

    def of_areas(
        self, block: Block, buckets: Iterable[date], slots: NDArray[np.int64] | None = None
    ) -> dict[date, Values]:
        """Return by period areas x members (or the given slots); NaN = no figure."""
        chosen = block.slots if slots is None else slots
        wanted = sorted(set(buckets))
        rows = self._rows(
            "select_figures", sector=block.sector, period=block.period, areas=self._ground.ids, buckets=wanted
        )
        found: dict[date, Values] = {
            bucket: np.full((len(self._ground.areas), len(chosen)), np.nan) for bucket in wanted
        }
        values = _matrix([figures for _, _, figures in rows], chosen)
        for at, (bucket, area_id, _) in enumerate(rows):
            found[bucket][self._ground.index[area_id]] = values[at]
        return found

    def first_known(self, block: Block, slot: int, areas: Sequence[int]) -> dict[int, tuple[date, float]]:
        """Return by area the first period with a figure of a slot (from 1), and that figure."""
        rows = self._rows("select_first_known", sector=block.sector, period=block.period, slot=slot, areas=list(areas))
        return {area_id: (bucket, value) for area_id, bucket, value in rows}

    def year_curve(self, block: Block, slot: int, through: date, due_on: date) -> dict[int, float]:
        """Return by area which share of last year's total by the day of `due_on` was reached by the day of `through`.

        For a target of 30 June, the first half of last year is the whole.

        Areas of which less than 350 days are known have none: half a year is no curve.
        """
        rows = self._rows(
            "select_year_curve",
            sector=block.sector,
            slot=slot,
            areas=self._ground.ids,
            through=year_before(through),
            due=year_before(due_on),
            start=date(through.year - 1, 1, 1),
            end=date(through.year - 1, 12, 31),
        )
        return {area_id: (reached or 0) / whole for area_id, reached, whole, days in rows if whole and days >= 350}

    def levels_at(
        self, block: Block, slot: int, starts: Mapping[int, date], through: date, due_on: date
    ) -> dict[int, tuple[float, float, float]]:
        """Return by area a slot's (from 1) level on a day of its own, on `through` and on `due_on`.

        A level is the median of the figures of the periods that ended in the week up to a day (of months: the month).
        Areas without a figure at one of the three have none.
        """
        areas = sorted(starts)
        rows = self._rows(
            "select_levels_at",
            sector=block.sector,
            period=block.period,
            slot=slot,
            areas=areas,
            starts=[starts[area] for area in areas],
            through=through,
            due=due_on,
            days=_LEVEL_DAYS[block.period],
        )
        return {area_id: (start, reached, ended) for area_id, start, reached, ended in rows}

    def last_reports(self, today: date) -> dict[str, tuple[date, str]]:
        """Return by indicator the newest period that an agency has reported, and the agency."""
        rows = self._rows("select_last_reports", today=today)
        return {code: (bucket, reporter) for code, bucket, reporter in rows}

    def _rows(self, query: str, **parameters: object) -> list[tuple[Any, ...]]:
        statement = self._queries[query].encode()
        return self._connection.cursor(binary=True).execute(statement, parameters).fetchall()


def _matrix(rows: Sequence[Sequence[float | None]], slots: NDArray[np.int64]) -> Values:
    """Return rows x slots (from 0); a row that is shorter has no figure in the slots beyond."""
    width = max([*map(len, rows), int(slots.max(initial=-1)) + 1])
    padded = [[*row, *[None] * (width - len(row))] for row in rows]
    values = np.array(padded, dtype=np.float64).reshape(len(rows), width)
    return values[:, slots]
