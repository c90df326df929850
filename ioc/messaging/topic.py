"""The topics: one per feed, and those of dead letters, control totals and changed figures.

They are created once; after that they are only compared with the settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAlreadyExistsError
from pydantic import BaseModel, ConfigDict

from ioc.feeds.feed import Feed
from ioc.messaging.client import admin_client
from ioc.settings import Settings

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
# The platform needs these settings, so it alters an older topic; all others stay as the operators set them.
PROMISED: Mapping[str, str] = {
    # A record's time is the broker's; what a producer's clock says is not trusted anywhere.
    "message.timestamp.type": "LogAppendTime",
}
_DAY_MS = 86_400_000


@dataclass(frozen=True)
class TopicPlan:
    """A topic as it should be."""

    name: str
    partitions: int
    replication: int
    options: Mapping[str, str]


class TopicState(BaseModel):
    """A topic as it is; `differences` say, one sentence each, where that is not as the settings want it."""

    model_config = ConfigDict(frozen=True)

    name: str
    status: Literal["created", "altered", "exists", "differs", "missing"]
    partitions: int
    differences: tuple[str, ...] = ()

    @property
    def keeps_promises(self) -> bool:
        """Whether it exists with the settings that the platform needs."""
        return self.status != "missing" and not any(one.startswith(tuple(PROMISED)) for one in self.differences)


def dead_letter_topic(prefix: str) -> str:
    """Name of the topic of refused events."""
    return f"{prefix}.dead-letter.v1"


def control_total_topic(prefix: str) -> str:
    """Name of the topic of control totals: what reporters say they have sent."""
    return f"{prefix}.control-total.v1"


def figure_topic(prefix: str) -> str:
    """Name of the topic of changed figures, which other systems read."""
    return f"{prefix}.figure.v1"


def plan_topics(settings: Settings, feeds: Mapping[str, Feed]) -> list[TopicPlan]:
    """Return the topics that the feeds need, and those of dead letters, control totals and changed figures."""
    retention = settings.kafka_retention_days * _DAY_MS if settings.kafka_retention_days else -1
    options = {
        "cleanup.policy": "delete",
        "max.message.bytes": str(MAX_MESSAGE_BYTES),
        **PROMISED,
        "retention.ms": str(retention),
    }
    names = [feed.topic(settings.topic_prefix) for feed in feeds.values()]
    return [
        TopicPlan(name, settings.kafka_partitions, settings.kafka_replication, options)
        for name in [
            *names,
            dead_letter_topic(settings.topic_prefix),
            control_total_topic(settings.topic_prefix),
            figure_topic(settings.topic_prefix),
        ]
    ]


def list_topics(settings: Settings, feeds: Mapping[str, Feed]) -> list[TopicState]:
    """Return the state of each planned topic; raises `KafkaUnavailableError`."""
    with admin_client(settings) as admin:
        return _states(admin, plan_topics(settings, feeds))


def create_topics(settings: Settings, feeds: Mapping[str, Feed]) -> list[TopicState]:
    """Create the planned topics that are missing, alter what was `PROMISED` of the others, and return the state of all.

    Nothing else of a topic that exists is changed: more partitions would move keys between them and lose the order of
    a reporter's events. Raises `KafkaUnavailableError`.
    """
    plans = plan_topics(settings, feeds)
    with admin_client(settings) as admin:
        missing = {state.name for state in _states(admin, plans) if state.status == "missing"}
        created = {plan.name for plan in plans if plan.name in missing and _create(admin, plan)}
        if missing:
            admin.wait_for_topics(sorted(missing))
        altered = _keep_promises(admin, sorted({plan.name for plan in plans} - missing))
        done: dict[str, Literal["created", "altered"]] = dict.fromkeys(altered, "altered")
        done |= dict.fromkeys(created, "created")
        return [
            state.model_copy(update={"status": done[state.name]}) if state.name in done else state
            for state in _states(admin, plans)
        ]


def broken_promises(settings: Settings, topics: Sequence[str]) -> dict[str, str]:
    """Return by topic what it does not keep of `PROMISED`, as text; topics that do not exist are left out.

    Raises `KafkaUnavailableError`.
    """
    with admin_client(settings) as admin:
        return _broken(admin, sorted(set(admin.list_topics()) & set(topics)))


def _broken(admin: KafkaAdminClient, names: Sequence[str]) -> dict[str, str]:
    if not names:
        return {}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    options = admin.describe_configs(resources, config_filter="all")["topic"]
    broken = {}
    for name in names:
        found = [
            f"{key} is {options[name][key]['value']}"
            for key in PROMISED
            if options[name][key]["value"] != PROMISED[key]
        ]
        if found:
            broken[name] = ", ".join(found)
    return broken


def _keep_promises(admin: KafkaAdminClient, names: Sequence[str]) -> list[str]:
    """Alter the topics that do not keep what was promised; return their names."""
    broken = _broken(admin, names)
    if broken:
        wanted = [ConfigResource(ConfigResourceType.TOPIC, name, configs=dict(PROMISED)) for name in broken]
        admin.alter_configs(wanted, incremental=True)
    return list(broken)


def _create(admin: KafkaAdminClient, plan: TopicPlan) -> bool:
    """Create a topic; False when another process was faster."""
    options = {
        "num_partitions": plan.partitions,
        "replication_factor": plan.replication,
        "configs": dict(plan.options),
    }
    try:
        admin.create_topics({plan.name: options})
    except TopicAlreadyExistsError:
        return False
    return True


def _states(admin: KafkaAdminClient, plans: Sequence[TopicPlan]) -> list[TopicState]:
    """Compare the plans with what the brokers have."""
    names = set(admin.list_topics()) & {plan.name for plan in plans}
    if not names:
        return [TopicState(name=plan.name, status="missing", partitions=0) for plan in plans]
    described = {topic["name"]: topic for topic in admin.describe_topics(sorted(names))}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in sorted(names)]
    options = admin.describe_configs(resources, config_filter="all")["topic"]
    return [
        _compare(plan, described[plan.name], options[plan.name])
        if plan.name in names
        else TopicState(name=plan.name, status="missing", partitions=0)
        for plan in plans
    ]


def _compare(plan: TopicPlan, topic: Mapping[str, Any], options: Mapping[str, Any]) -> TopicState:
    """Compare one topic with its plan."""
    partitions = len(topic["partitions"])
    replication = len(topic["partitions"][0]["replica_nodes"])
    pairs = [("partitions", str(partitions), str(plan.partitions))]
    pairs += [("replication factor", str(replication), str(plan.replication))]
    pairs += [(key, options[key]["value"], wanted) for key, wanted in plan.options.items()]
    differences = tuple(f"{what} is {has}, not {wanted}" for what, has, wanted in pairs if has != wanted)
    status: Literal["differs", "exists"] = "differs" if differences else "exists"
    return TopicState(name=plan.name, status=status, partitions=partitions, differences=differences)
