"""A day of stays and reports by which the measures of quality are checked by hand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from ioc.catalogue import Catalogue
from ioc.province.calendar import load_calendar
from ioc.province.deadline import load_deadlines
from streams.quality.report import QualityMeter, QualityReport
from testbed.feed_event import Event, KafkaRecord, record, reported, stay
from testbed.pipeline import Pipeline

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
DAY = date(2024, 10, 20)
STAYS, REPORTS, REGISTER = "tourism.stay", "report.value", "registry.reporter"
LOSS = "electricity.loss"
PROVINCE = "77"
INDICATORS = 1298


def local(text: str) -> datetime:
    return datetime.fromisoformat(f"2024-{text}").replace(tzinfo=LOCAL)


NOON = local("10-20 12:00")


def meter_of(pipeline: Pipeline, catalogue: Catalogue, **changed: Any) -> QualityMeter:
    path = pipeline.settings.profile
    return QualityMeter(
        pipeline.connection,
        profile=replace(pipeline.profile, **changed),
        catalogue=catalogue,
        feeds=pipeline.feeds,
        timezone="Asia/Ho_Chi_Minh",
        deadlines=load_deadlines(path, pipeline.feeds, load_calendar(path), LOCAL),
    )


def received(offset: int, events: Iterable[Event], at: datetime) -> list[KafkaRecord]:
    return [record(offset + n, one, timestamp=int(at.timestamp() * 1000)) for n, one in enumerate(events)]


def commit_at(db: psycopg.Connection, when: datetime, refused_at: datetime | None = None) -> None:
    """Move what was committed just now to another time: rows cannot change their chunk, so they are written anew."""
    for table, column, at in (
        ("stream_batch", "committed_at", when),
        ("rejected_event", "recorded_at", refused_at or when),
    ):
        names = [
            name
            for (name,) in db.execute(
                "SELECT column_name FROM information_schema.columns "
                "WHERE table_schema = 'public' AND table_name = %s AND column_name <> %s",
                [table, column],
            )
        ]
        others = ", ".join(names)
        db.execute(
            f"WITH gone AS (DELETE FROM {table} WHERE {column} > '2025-01-01' RETURNING *) "
            f"INSERT INTO {table} ({column}, {others}) SELECT %s, {others} FROM gone",
            [at],
        )


def without(made: Event, name: str) -> Event:
    return {**made, "data": {field: value for field, value in made["data"].items() if field != name}}


def told(agency: str, code: str, start: str, value: float, revision: int = 1, period: str = "month") -> Event:
    return reported(agency, code, PROVINCE, period, start, value, revision)


def values(reports: Iterable[QualityReport], period: str = "day", start: date = DAY) -> dict[str, float]:
    return {
        one.figure.indicator.removeprefix("data_quality."): one.figure.value
        for one in reports
        if (one.figure.period, one.figure.period_start) == (period, start)
    }


def ten_stays(pipeline: Pipeline, db: psycopg.Connection) -> None:
    """Send ten events at 09:00: 5 new, 1 twice, 2 that lack a field, 1 that is wrong, 1 of a stranger."""
    events = [
        *(stay(guest=guest) for guest in range(1, 6)),
        stay(guest=1),
        without(stay(guest=6), "purpose"),
        stay(guest=7, purpose=None),
        stay(guest=8, purpose="espionage"),
        stay("99-999-9999", 9),
    ]
    counts = pipeline.apply(STAYS, received(0, events, local("10-20 08:59:30")))
    assert (counts.consumed, counts.accepted, counts.rejected, counts.duplicate) == (10, 5, 4, 1)
    commit_at(db, local("10-20 09:00"))
