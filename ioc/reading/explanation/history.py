"""What was corrected: the revisions that do not stand, of records that lie or count in a cell, or once did.

A record that a correction moved into the cell belongs to it as well as one that was moved away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from ioc.feeds.feed import Feed
from ioc.reading.explanation.cell import Cell, CellFinder
from ioc.reading.explanation.counted import CountedMeasure
from ioc.reading.explanation.model import Correction, Corrections, Effect, shortened


class CorrectionReader:
    """Reads corrections over one connection; days are those of `timezone`."""

    def __init__(
        self, connection: psycopg.Connection, feeds: Mapping[str, Feed], finder: CellFinder, timezone: str
    ) -> None:
        self._connection = connection
        self._feeds = feeds
        self._finder = finder
        self._timezone = sql.quote(timezone)

    def read(
        self, counted: Sequence[CountedMeasure], cell: Cell, limit: int, offset: int
    ) -> tuple[tuple[Corrections, ...], tuple[Correction, ...], int]:
        """Return the corrections by day, a page of the single ones, newest first, and how many these are."""
        by_feed: dict[str, list[CountedMeasure]] = {}
        for one in counted:
            by_feed.setdefault(one.measure.feed, []).append(one)
        steps = " UNION ALL ".join(self._steps(self._feeds[feed], group, cell) for feed, group in by_feed.items())
        order = "recorded_at DESC, feed, key, revision"
        row = self._connection.execute(
            f"WITH step AS MATERIALIZED ({steps}), day AS ("
            f"  SELECT (recorded_at AT TIME ZONE {self._timezone})::date AS day, feed, count(*) AS revisions,"
            "   count(*) FILTER (WHERE late) AS late, count(*) FILTER (WHERE gone) AS voided"
            "   FROM step GROUP BY 1, 2"
            f"), page AS (SELECT * FROM step ORDER BY {order} LIMIT {limit:d} OFFSET {offset:d}) "
            "SELECT coalesce((SELECT jsonb_agg(d ORDER BY day, feed) FROM day d), '[]'), (SELECT count(*) FROM step),"
            f" coalesce((SELECT jsonb_agg(p ORDER BY {order}) FROM page p), '[]')"
        ).fetchone()
        assert row is not None
        days, total, page = row
        names = {feed: [one.adds_to for one in group] for feed, group in by_feed.items()}
        changes = tuple(_change(one, names[one["feed"]]) for one in page)
        return tuple(Corrections.model_validate(day) for day in days), changes, total

    def _steps(self, feed: Feed, counted: Sequence[CountedMeasure], cell: Cell) -> str:
        """Return SQL of the revisions that do not stand, with what each adds and what the one after it adds."""
        places = [self._finder.counting(one.measure, cell, running=one.running) for one in counted]
        pairs = [(f"({place})", one.amount) for place, one in zip(places, counted, strict=True)]
        here = " OR ".join([f"({self._finder.lying(cell)})", *(f"({place} AND {adds} <> 0)" for place, adds in pairs)])
        amounts = ", ".join(f"CASE WHEN {place} THEN {adds} ELSE 0 END" for place, adds in pairs)
        # A revision is kept without the columns that the worker adds; the conditions need where it lay and when.
        return (
            "(WITH touched AS ("
            "  SELECT h.key FROM record_revision h JOIN feed f USING (feed_id)"
            f" WHERE f.key = '{feed.key}' AND ({_dated(counted, cell)})"
            f" UNION SELECT s.key FROM {feed.table} s"
            f" WHERE ({here}) AND EXISTS (SELECT FROM record_revision h WHERE h.key = s.key)"
            "), revision AS ("
            "  SELECT h.key, h.revision, h.recorded_at, false AS standing, h.record IS NULL AS void, past AS content"
            "  FROM touched JOIN record_revision h USING (key)"
            "  LEFT JOIN area a ON a.code = h.record ->> 'area_code'"
            "   AND (h.record ->> 'effective_on')::date >= a.valid_from"
            "   AND (h.record ->> 'effective_on')::date < a.valid_to"
            f" CROSS JOIN LATERAL jsonb_populate_record(NULL::{feed.table}, h.record || jsonb_build_object("
            "   'area_id', a.area_id, 'effective_at', h.record ->> 'effective_on')) AS past"
            "  UNION ALL"
            "  SELECT i.key, i.revision, s.recorded_at, true, i.effective_at IS NULL, s"
            "  FROM touched JOIN record_identity i USING (key)"
            f" LEFT JOIN {feed.table} s ON s.key = i.key AND s.effective_at = i.effective_at"
            "), judged AS ("
            "  SELECT r.key, r.revision, r.recorded_at, r.standing, r.void, x.*"
            "  FROM revision r CROSS JOIN LATERAL ("
            f"   SELECT record_key, reporter, ({here}) IS TRUE AS here, jsonb_build_array({amounts}) AS before"
            "    FROM (SELECT (r.content).*) content) x"
            "), ordered AS ("
            "  SELECT *, coalesce(recorded_at > min(recorded_at) OVER ("
            "   PARTITION BY key ORDER BY revision ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING), false) AS late"
            "  FROM judged"
            # What replaced a revision is the next one that ever stood.
            "), followed AS ("
            "  SELECT key, revision, recorded_at, standing, late, here, before,"
            "   max(record_key) OVER record AS record_key, max(reporter) OVER record AS reporter,"
            "   bool_or(standing AND void) OVER record AS gone,"
            "   lead(before) OVER stood AS after, lead(here) OVER stood AND NOT late AS here_after"
            "  FROM ordered WINDOW record AS (PARTITION BY key), stood AS (PARTITION BY key, late ORDER BY revision)"
            f") SELECT '{feed.key}' AS feed, key, record_key, reporter, revision, recorded_at, late, gone, before,"
            " after FROM followed WHERE NOT standing AND (here OR here_after))"
        )


def _dated(counted: Sequence[CountedMeasure], cell: Cell) -> str:
    """Return a cheap condition that kept revisions of the cell's days meet: dates are texts in JSON, as in ISO 8601."""
    parts = [_between("effective_on", cell)]
    for one in counted:
        day = _day(one.measure.at)
        parts.append(f"{day} <= '{cell.end}'" if one.running else _between(one.measure.at, cell))
    return " OR ".join(dict.fromkeys(parts))


def _between(column: str, cell: Cell) -> str:
    return f"{_day(column)} BETWEEN '{cell.start}' AND '{cell.end}'"


def _day(column: str) -> str:
    return f"""(h.record ->> '{column}') COLLATE "C\""""


def _change(row: Mapping[str, Any], names: Sequence[str]) -> Correction:
    """Return a correction with the sums that it moved; one that came late moved none."""
    effects: tuple[Effect, ...] = ()
    if not row["late"]:
        sums = zip(names, row["before"], row["after"], strict=True)
        effects = tuple(
            Effect(adds_to=name, before=before, after=after) for name, before, after in sums if before != after
        )
    key = row["record_key"]
    return Correction(
        feed=row["feed"],
        reporter=row["reporter"],
        record=None if key is None else shortened(key),
        revision=row["revision"],
        recorded_at=row["recorded_at"],
        late=row["late"],
        effects=effects,
    )
