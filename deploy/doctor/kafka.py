"""Kafka: whether it answers, its version, its clock, its topics, and how far behind the workers are."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping

from kafka.errors import KafkaError

from deploy.doctor.finding import CheckResult, clock_finding
from ioc.feeds.feed import Feed
from ioc.messaging.client import admin_client, open_producer
from ioc.messaging.topic import MAX_MESSAGE_BYTES, PROMISED, TopicState, list_topics
from ioc.settings import Settings
from streams.worker.acceptance import list_positions

_CLOCK_SECONDS = 2.0
_LEAST = (3, 0)
_BEHIND = 100_000  # events of one partition


def check_brokers(settings: Settings) -> Iterator[CheckResult]:
    """How many brokers there are, and their version."""
    with admin_client(settings) as admin:
        brokers = admin.describe_cluster()["brokers"]
        found = tuple(admin.get_broker_version_data(brokers[0]["broker_id"]).broker_version) if brokers else ()
    enough = len(brokers) >= settings.kafka_replication
    yield CheckResult(
        part="kafka",
        check="brokers",
        verdict="good" if enough else "fault",
        message=f"{len(brokers)} broker, {settings.kafka_bootstrap}",
        advice=""
        if enough
        else f"Chủ đề cần {settings.kafka_replication} bản sao · IOC_KAFKA_REPLICATION={settings.kafka_replication} "
        "needs as many brokers: start them, or lower it.",
    )
    known = ".".join(map(str, found))
    yield CheckResult(
        part="kafka",
        check="version",
        verdict="good" if found >= _LEAST else "fault",
        message=f"giao thức của Kafka · speaks the protocol of Kafka {known} or later",
        advice="" if found >= _LEAST else "Cần Kafka 3.x hoặc 4.x · Kafka 3.x or 4.x is needed.",
    )


def check_clock(settings: Settings) -> Iterator[CheckResult]:
    """Kafka's clock, by the time that a broker stamps on one record of a topic made for it and deleted at once."""
    name = f"{settings.topic_prefix}.doctor.{uuid.uuid4().hex[:12]}"
    with admin_client(settings) as admin:
        try:
            options = {"message.timestamp.type": "LogAppendTime", "retention.ms": "60000"}
            admin.create_topics({name: {"num_partitions": 1, "replication_factor": 1, "configs": options}})
            admin.wait_for_topics([name])
        except KafkaError as error:
            yield CheckResult(
                part="kafka",
                check="clock",
                verdict="unknown",
                message=f"không tạo được topic thử · no topic for a try could be made: {error}",
                advice=f"Cho phép CREATE và DELETE trên topic {settings.topic_prefix}.doctor.* · Allow CREATE and "
                "DELETE on them, or give --no-probe.",
            )
            return
        try:
            producer = open_producer(settings)
            try:
                producer.send(name, b"0").get(timeout=10)  # metadata and connection are paid for here
                before = time.time()
                stamped = producer.send(name, b"1").get(timeout=10).timestamp / 1000
                after = time.time()
            finally:
                producer.close(timeout=5)
        finally:
            admin.delete_topics([name])
    yield clock_finding("kafka", stamped - (before + after) / 2, (after - before) / 2, _CLOCK_SECONDS)


def check_topics(settings: Settings, feeds: Mapping[str, Feed]) -> Iterator[CheckResult]:
    """Whether every topic exists with the settings that the platform needs, and those that it would give."""
    yield from judge_topics(list_topics(settings, feeds))


def judge_topics(states: list[TopicState]) -> Iterator[CheckResult]:
    """Judge topics as they are."""
    missing = [one.name for one in states if one.status == "missing"]
    if missing:
        yield CheckResult(
            part="kafka",
            check="topics",
            verdict="fault",
            message=f"thiếu {len(missing)} topic · missing: {', '.join(missing)}",
            advice="`ioc topic create`",
        )
    for one in states:
        needed = [text for text in one.differences if text.startswith((*PROMISED, "max.message.bytes"))]
        if needed:
            yield CheckResult(
                part="kafka",
                check="topics",
                verdict="fault",
                message=f"{one.name}: {'; '.join(needed)}",
                advice="`ioc topic create` sửa loại thời gian · mends the type of time; max.message.bytes: "
                f"`kafka-configs.sh --alter --add-config max.message.bytes={MAX_MESSAGE_BYTES}`.",
            )
        if other := [text for text in one.differences if text not in needed]:
            yield CheckResult(
                part="kafka",
                check="topics",
                verdict="warning",
                message=f"{one.name}: {'; '.join(other)}",
                advice="Sửa topic hoặc cấu hình cho khớp · Alter the topic, or the IOC_KAFKA_... settings, so that "
                "they agree. Retention says how far back a restore can replay.",
            )
    fine = sum(one.status == "exists" for one in states)
    if fine == len(states):
        yield CheckResult(
            part="kafka", check="topics", verdict="good", message=f"{fine} topic đúng · are as they should be"
        )


def check_lag(settings: Settings, feeds: Mapping[str, Feed]) -> Iterator[CheckResult]:
    """Events that wait in Kafka, and partitions that are halted."""
    rows = list_positions(settings, feeds.values())
    halted = [f"{row['topic']}-{row['partition']}" for row in rows if row["halted"]]
    if halted:
        yield CheckResult(
            part="worker",
            check="halts",
            verdict="fault",
            message=f"phân vùng bị dừng · partitions are halted: {', '.join(halted)}",
            advice="`ioc position list` cho biết vì sao, `ioc position accept` cho đọc tiếp · says why, and lets "
            "them go on.",
        )
    lost = [
        f"{row['topic']}-{row['partition']}: {row['log_start'] - row['position']:,}"
        for row in rows
        if row["position"] is not None and row["log_start"] is not None and row["log_start"] > row["position"]
    ]
    if lost:
        yield CheckResult(
            part="worker",
            check="lost",
            verdict="fault",
            message=f"Kafka đã xóa sự kiện chưa đọc · Kafka deleted events that were not read: {'; '.join(lost)}",
            advice="`ioc heal` nêu khoảng mất; nhờ bên gửi gửi lại · names what is gone; ask the senders to send "
            "it again.",
        )
    waiting = sum(row["lag"] or 0 for row in rows)
    longest = max(rows, key=lambda row: row["lag"] or 0, default=None)
    behind = longest is not None and (longest["lag"] or 0) > _BEHIND
    yield CheckResult(
        part="worker",
        check="lag",
        verdict="warning" if behind else "good",
        message=f"{waiting:,} sự kiện chờ đọc · records wait to be read",
        advice=""
        if longest is None or not behind
        else f"{longest['topic']}-{longest['partition']}: {longest['lag']:,}. Thêm worker · Add workers, up to one a "
        "partition; see ioc_stage_seconds of /metrics.",
    )
