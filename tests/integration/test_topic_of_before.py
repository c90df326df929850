"""Topics of before: what the platform rests on is told and altered, all else is left."""

from __future__ import annotations

import pytest
from kafka.admin import ConfigResource, ConfigResourceType
from structlog.testing import capture_logs
from typer.testing import CliRunner

from deploy.cli import app
from ioc.feeds.feed import Feed
from ioc.messaging.client import admin_client
from ioc.messaging.topic import create_topics
from ioc.settings import Settings
from streams.worker.halt import Halts
from streams.worker.log_mark import LogMarks
from streams.worker.metrics import WorkerMetrics
from streams.worker.partition_watch import PartitionWatch


def test_a_topic_that_keeps_its_producers_time_is_told_and_altered(
    settings: Settings, feeds: dict[str, Feed], kafka_topics: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A topic of before: the check fails, the worker's start says so, `ioc topic create` mends it, and nothing else."""
    topic = feeds["tourism.stay"].topic(settings.topic_prefix)
    before = {"message.timestamp.type": "CreateTime", "retention.ms": "1000000000"}
    with admin_client(settings) as admin:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=before)])
    for name in ("kafka_bootstrap", "topic_prefix", "kafka_partitions"):
        monkeypatch.setenv(f"IOC_{name.upper()}", str(getattr(settings, name)))
    listed = CliRunner().invoke(app, ["topic", "list", "--json"])
    assert listed.exit_code == 1
    assert "ioc topic create" in listed.output
    metrics = WorkerMetrics()
    watch = PartitionWatch(
        settings, [topic], assigned=set, halts=Halts(), marks=LogMarks(), log_starts={}, metrics=metrics
    )
    with capture_logs() as logs:
        watch.look()
        watch.look()
    told = [line for line in logs if line["log_level"] == "error"]
    assert [line["topic"] for line in told] == [topic]
    states = {state.name: state for state in create_topics(settings, feeds)}
    assert (states[topic].status, states[topic].differences) == (
        "altered",
        ("retention.ms is 1000000000, not 1209600000",),
    )
    assert {state.status for name, state in states.items() if name != topic} == {"exists"}
    assert CliRunner().invoke(app, ["topic", "list"]).exit_code == 0
