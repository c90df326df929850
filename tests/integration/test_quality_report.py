"""The platform reports its own figures of quality as any agency does: over Kafka, by command, and once."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from kafka import KafkaConsumer, TopicPartition
from testbed.feed_event import KafkaRecord
from testbed.pipeline import Pipeline
from testbed.quality_bed import (
    DAY,
    INDICATORS,
    LOSS,
    NOON,
    PROVINCE,
    REPORTS,
    commit_at,
    local,
    meter_of,
    received,
    ten_stays,
    told,
    without,
)

from ioc.catalogue import Catalogue
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from ioc.messaging.client import client_options
from ioc.settings import Settings
from streams.quality.report import QualityMeter, report_quality
from streams.rules.quality import codes


def topic_of(settings: Settings) -> list[KafkaRecord]:
    """Everything that the topic of reports holds, as the agents would fetch it, in one partition's offsets."""
    topic = f"{settings.topic_prefix}.{REPORTS}.v1"
    consumer = KafkaConsumer(**client_options(settings, 10.0), enable_auto_commit=False, group_id=None)
    try:
        places = [TopicPartition(topic, partition) for partition in range(settings.kafka_partitions)]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        wanted = sum(consumer.end_offsets(places).values())
        found: list[Any] = []
        while len(found) < wanted:
            for fetched in consumer.poll(timeout_ms=1000).values():
                found += fetched
    finally:
        consumer.close()
    assert len({one.partition for one in found}) <= 1, "one reporter, one partition"
    assert {one.key for one in found} <= {b"ioc-tinh"}
    return [KafkaRecord(one.offset, one.value, tuple(one.headers)) for one in sorted(found, key=lambda one: one.offset)]


def test_figures_go_the_way_of_every_report(
    pipeline: Pipeline,
    meter: QualityMeter,
    catalogue: Catalogue,
    db: psycopg.Connection,
    settings: Settings,
    kafka_topics: list[str],
) -> None:
    def measured(now: datetime, *, dry_run: bool = False) -> dict[str, str]:
        reports = report_quality(
            settings,
            [DAY],
            now,
            profile=pipeline.profile,
            catalogue=catalogue,
            feeds=pipeline.feeds,
            dry_run=dry_run,
        )
        return {one.figure.indicator.removeprefix("data_quality."): one.status for one in reports}

    def stored(number: int, at: datetime) -> None:
        """The agents take the topic's records from `number` on, and the roll-up folds them."""
        counts = pipeline.apply(REPORTS, topic_of(settings)[number:], partition=2)
        assert (counts.rejected, counts.duplicate) == (0, 0)
        commit_at(db, at)
        pipeline.roll_up()

    def figure(name: str, period: str = "day", bucket: str = "2024-10-20") -> float | None:
        return pipeline.figure(f"data_quality.{name}", PROVINCE, period, bucket)

    # An agency reports twice, once without a value: half of the reports are valid.
    report = told("cuc-thong-ke", LOSS, "2024-09-01", 3.5)
    pipeline.apply(REPORTS, received(0, [report, without(report, "value")], local("10-20 10:00")))
    commit_at(db, local("10-20 10:00"))
    ten_stays(pipeline, db)
    pipeline.roll_up()
    names = {
        *(
            f"{share}_rate.{source}"
            for share in ("valid", "missing", "duplicate")
            for source in ("lodging_stay", "report")
        ),
        "freshness_lag.lodging_stay",
        "freshness_lag.report",
        "indicators_total",
        "indicators_live",
        "agencies",
        "indicators_added",
    }
    assert measured(NOON, dry_run=True) == dict.fromkeys(names, "new")
    assert topic_of(settings) == []
    assert measured(NOON) == dict.fromkeys(names, "new")
    stored(0, local("10-20 12:00:01"))
    assert {name: figure(name) for name in names - {"agencies", "indicators_added"}} == {
        "valid_rate.lodging_stay": 50,
        "missing_rate.lodging_stay": 20,
        "duplicate_rate.lodging_stay": 10,
        "valid_rate.report": 50,
        "missing_rate.report": 50,
        "duplicate_rate.report": 0,
        "freshness_lag.lodging_stay": 3 * 3600 + 30,
        "freshness_lag.report": 2 * 3600,
        "indicators_total": INDICATORS,
        # The loss of September alone: the stays are of 5 October.
        "indicators_live": 1,
    }
    assert figure("agencies", "month", "2024-10-01") == 1
    assert figure("indicators_added", "month", "2024-10-01") == 0
    assert figure("live_rate") == 100 * 1 / INDICATORS

    # An hour later the platform's own reports are live; they have made no share better and no report fresher.
    assert measured(local("10-20 13:00")) == dict.fromkeys(names, "unchanged") | {
        "freshness_lag.lodging_stay": "changed",
        "freshness_lag.report": "changed",
        "indicators_live": "changed",
    }
    stored(1, local("10-20 13:00:01"))
    assert figure("freshness_lag.report") == 3 * 3600
    # The loss of September, what the platform has reported, and the rate that follows from it.
    assert figure("indicators_live") == 1 + len(names) + 1
    assert len(topic_of(settings)) == 2

    # Once the day is over its ages stand still, and measuring it again sends nothing.
    over = local("10-21 08:00")
    assert measured(over)["freshness_lag.lodging_stay"] == "changed"
    stored(2, over)
    assert set(measured(local("10-21 09:00")).values()) == {"unchanged"}
    assert len(topic_of(settings)) == 3
    assert figure("freshness_lag.lodging_stay") == 15 * 3600 + 30
    assert pipeline.reconcile().differences == ()


def test_a_profile_without_the_platform_is_told_what_to_add(pipeline: Pipeline, catalogue: Catalogue) -> None:
    reporters = tuple(one for one in pipeline.profile.reporters if one.code != "ioc-tinh")
    with pytest.raises(ConfigError, match=r"ioc-tinh must be a reporter of report\.value"):
        meter_of(pipeline, catalogue, reporters=reporters)


def test_the_command_measures_shows_and_sends(
    settings: Settings, kafka_topics: list[str], feeds: dict[str, Feed]
) -> None:
    def ioc(*words: str) -> str:
        command = [str(Path(sys.executable).with_name("ioc")), "quality", "report", *words]
        environment = settings.to_environment()
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=True)
        return done.stdout

    rows = json.loads(ioc("--json"))
    assert {row["indicator"] for row in rows} <= codes(feeds)
    # Today and yesterday: of nothing but the catalogue, which was loaded today.
    assert sorted((row["indicator"].rpartition(".")[2], row["value"]) for row in rows) == [
        ("agencies", 0.0),
        ("indicators_added", float(INDICATORS)),
        ("indicators_live", 0.0),
        ("indicators_total", float(INDICATORS)),
    ]
    (sent,) = topic_of(settings)
    assert [one["data"]["indicator"] for one in json.loads(sent.value or b"")] == [row["indicator"] for row in rows]
    assert "4 cần gửi · to send, 0 không đổi · unchanged" in ioc("--dry-run")
    assert "nothing to measure" in " ".join(ioc("--on", "2020-01-01").split())
    assert len(topic_of(settings)) == 1
