"""The course of an indicator on its page: every period from the first to the last, and the pace beside it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from ioc.api.pages.view import CoursePoint, FoundRow
from ioc.period import end_of, start_of


def course_points(
    rows: Sequence[FoundRow], period: str, status: FoundRow | None, *, limit: int, summed: bool
) -> list[CoursePoint]:
    """Return the points of a chart, oldest first: one for each period, so that time is as long as it was.

    rows:   `bucket` and `value`, newest first. A period between them without a row has no value, and the line breaks
            there; what is summed up stands still.
    limit:  so many periods, at most.
    summed: what the periods add up to is shown.
    """
    if not rows:
        return []
    values = {row["bucket"]: row["value"] for row in rows}
    total = 0.0
    points = []
    for bucket in _buckets(period, rows[-1]["bucket"], rows[0]["bucket"], limit):
        value = values.get(bucket)
        total += value or 0.0
        expected = expected_by(status, end_of(period, bucket), summed=summed)
        points.append(CoursePoint(bucket, total if summed else value, expected))
    return points


def _buckets(period: str, first: date, last: date, limit: int) -> list[date]:
    """Return the periods from the first to the last, of more than `limit` the newest, oldest first."""
    found = [last]
    while found[-1] > first and len(found) < limit:
        found.append(start_of(period, found[-1] - timedelta(days=1)))
    return found[::-1]


def expected_by(status: FoundRow | None, day: date, *, summed: bool) -> float | None:
    """Return what is asked by a day: the target where it holds at all times, a straight pace, or the steps that have
    come; None for last year's curve, which the boards draw.
    """
    if status is None or status["target"] is None:
        return None
    target = float(status["target"])
    is_floor = status["target_op"] == ">="
    if status["pace"] == "at_once":
        return target
    if status["target_on"] is None:
        return None
    if status["pace"] == "steps":
        return _step(status, day, target, is_floor=is_floor, summed=summed)
    if status["pace"] != "linear":
        return None
    start, low = status["baseline_on"], status["baseline"]
    if summed:
        start, low = status["bucket"] - timedelta(days=1), 0.0
    if start is None or low is None or day < start:
        return None
    if not summed and (low >= target if is_floor else low <= target):
        return target  # 99.35 % where 90 % is asked: it may fall to 90, and no lower
    share = min(1.0, (day - start).days / max(1, (status["target_on"] - start).days))
    return float(low + (target - low) * share)


def _step(status: FoundRow, day: date, target: float, *, is_floor: bool, summed: bool) -> float | None:
    """Return the last step that has come; of a total's ceiling, the next one: it may be used up until then."""
    if day >= status["target_on"]:
        return target
    steps = sorted((date.fromisoformat(one["on"]), float(one["value"])) for one in status["steps"] or ())
    if summed and not is_floor:
        return next((value for on, value in steps if on >= day), target)
    reached = [value for on, value in steps if on <= day]
    value = reached[-1] if reached else status["baseline"]
    if value is None:
        value = 0.0 if summed else None
    if value is None:
        return None
    return min(value, target) if is_floor else max(value, target)
