"""Targets, holidays and deadlines in the database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import psycopg
from psycopg.rows import dict_row, scalar_row

from ioc.catalogue.target import TargetInForce
from ioc.errors import QuestionError
from ioc.province.calendar import BusinessCalendar
from ioc.province.deadline import Deadlines
from ioc.territory.area import AreaTree
from sql import load_queries

_OWN = ("catalogue", "profile")


@dataclass(frozen=True)
class TargetChange:
    """How many targets a load added, ended, or left alone because one that was set by command replaces them."""

    added: int = 0
    ended: int = 0
    overruled: int = 0


def load_in_force(connection: psycopg.Connection) -> list[TargetInForce]:
    """Return the targets in force."""
    rows = connection.cursor(row_factory=dict_row).execute(load_queries("status")["select_targets"]).fetchall()
    return [_from_row(row) for row in rows]


def sync_targets(connection: psycopg.Connection, targets: Sequence[TargetInForce], areas: AreaTree) -> TargetChange:
    """Bring the catalogue's and the profile's targets to what the files say; what was set by command stays."""
    in_force = {_identity(target): target for target in load_in_force(connection)}
    wanted = {_identity(target): target for target in (_located(target, areas) for target in targets)}
    outdated = [
        target.target_id
        for key, target in in_force.items()
        if target.origin in _OWN and (key not in wanted or _differs(target, wanted[key]))
    ]
    connection.execute(load_queries("status")["end_targets"], [outdated])
    added = overruled = 0
    for key, target in wanted.items():
        there = in_force.get(key)
        if there is not None and there.origin not in _OWN:
            overruled += 1
        elif there is None or there.target_id in outdated:
            insert_target(connection, target)
            added += 1
    return TargetChange(added, len(outdated), overruled)


def set_targets(
    connection: psycopg.Connection, targets: Iterable[TargetInForce], areas: AreaTree, *, by: str
) -> list[TargetInForce]:
    """Set targets by command, in place of those for the same indicator, area and date; return them as stored."""
    in_force = {_identity(target): target for target in load_in_force(connection)}
    done = []
    for target in targets:
        located = replace(_located(target, areas), origin="command")
        before = in_force.get(_identity(located))
        if before is not None:
            connection.execute(load_queries("status")["end_targets"], [[before.target_id]])
        done.append(replace(located, target_id=insert_target(connection, located, by=by)))
    return done


def insert_target(connection: psycopg.Connection, target: TargetInForce, *, by: str = "") -> int:
    """Write one target; return its id."""
    parameters = {
        **{name: getattr(target, name) for name in ("code", "area_id", "year", "op", "value", "due_on", "baseline")},
        **{name: getattr(target, name) for name in ("baseline_on", "pace", "source", "origin")},
        "steps": json.dumps([{"on": day.isoformat(), "value": value} for day, value in target.steps]),
        "set_by": by,
    }
    cursor = connection.cursor(row_factory=scalar_row)
    target_id = cursor.execute(load_queries("status")["insert_target"], parameters).fetchone()
    assert target_id is not None
    return int(target_id)


def load_business_days(connection: psycopg.Connection, calendar: BusinessCalendar, deadlines: Deadlines) -> None:
    """Write the calendar and the deadlines, for those who read them by SQL."""
    queries = load_queries("status")
    connection.execute(queries["clear_holidays"])
    with connection.cursor().copy(queries["copy_holidays"]) as copy:
        for day in calendar.days.values():
            copy.write_row((day.day, day.worked, day.name_vi, day.name_en, day.source))
    connection.execute(queries["clear_deadlines"])
    with connection.cursor().copy(queries["copy_deadlines"]) as copy:
        for row in deadlines.rows:
            copy.write_row(
                (row.feed, row.cadence, row.reporter, row.duty, row.days, row.working, row.due_at, row.basis)
            )


def _located(target: TargetInForce, areas: AreaTree) -> TargetInForce:
    """Find the unit that a target is for, as it is on the target's date; without a date, the newest of the code."""
    if not target.area:
        return target
    named = [area for area in areas.areas if area.code == target.area]
    area = max(
        named, key=lambda one: (target.due_on is not None and one.holds(target.due_on), one.valid_from), default=None
    )
    if area is None:
        raise QuestionError(
            f"no unit bears the code {target.area!r}; areas.csv lists them",
            f"không có địa bàn nào mang mã {target.area!r}; xem areas.csv",
        )
    return replace(target, area_id=area.area_id)


def _identity(target: TargetInForce) -> tuple[str, int | None, date | None]:
    return (target.code, target.area_id, target.due_on)


def _differs(one: TargetInForce, other: TargetInForce) -> bool:
    plain = {"target_id": 0, "area": ""}
    return replace(one, **plain) != replace(other, **plain)  # type: ignore[arg-type]


def _from_row(row: Mapping[str, Any]) -> TargetInForce:
    steps = tuple((date.fromisoformat(step["on"]), float(step["value"])) for step in row["steps"])
    return TargetInForce(**{**row, "steps": steps})


def end_target(connection: psycopg.Connection, target_id: int) -> None:
    """End a target; its row stays."""
    connection.execute(load_queries("status")["end_targets"], [[target_id]])
