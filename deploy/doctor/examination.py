"""All checks, in the order in which faults should be mended."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from deploy.doctor.database import (
    check_catalogue,
    check_migrations,
    check_rights,
    check_roles,
    check_server,
    check_work,
)
from deploy.doctor.finding import Check, CheckResult, run_checks
from deploy.doctor.kafka import check_brokers, check_clock, check_lag, check_topics
from deploy.doctor.machine import check_disk, check_permissions, check_python, check_secrets
from deploy.doctor.service import check_collector, check_grafana, check_processes
from ioc.feeds.feed import load_feeds
from ioc.settings import Settings


def examine(settings: Settings, *, probe: bool = True) -> Iterator[CheckResult]:
    """Yield what was found, one check after the other; every wait is bounded.

    probe: make a topic of one record to read Kafka's clock; without it Kafka's clock is not looked at.
    """
    feeds = load_feeds()
    checks: list[tuple[str, Check]] = [
        ("machine", check_python),
        ("machine", partial(check_disk, settings)),
        ("machine", partial(check_permissions, settings)),
        ("settings", partial(check_secrets, settings)),
        ("kafka", partial(check_brokers, settings)),
        *([("kafka", partial(check_clock, settings))] if probe else []),
        ("kafka", partial(check_topics, settings, feeds)),
        ("roles", partial(check_roles, settings)),
        ("database", partial(check_server, settings)),
        ("database", partial(check_migrations, settings)),
        ("database", partial(check_rights, settings)),
        ("database", partial(check_catalogue, settings, feeds)),
        ("kafka", partial(check_lag, settings, feeds)),
        ("database", partial(check_work, settings)),
        ("processes", partial(check_processes, settings)),
        ("grafana", partial(check_grafana, settings)),
        ("collector", partial(check_collector, settings)),
    ]
    yield from run_checks(checks, gates=("kafka", "database"))
