"""What a demo writes is its own: database, topics, ports, tokens; and only one runs in a checkout."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from deploy.demo.run import Signals
from deploy.demo.stage import demo_settings, free_ports, only_one
from ioc.errors import ConfigError
from ioc.feeds.feed import load_feeds
from ioc.settings import Settings


def test_a_demo_shares_servers_but_no_database_topic_port_or_token(tmp_path: Path) -> None:
    shared = Settings(_env_file=None, state_dir=tmp_path)
    own = demo_settings(shared, "0123abcd", (1, 2, 3, 4, 5))
    assert (own.kafka_bootstrap, own.db_port, own.state_dir) == (
        shared.kafka_bootstrap,
        shared.db_port,
        shared.state_dir,
    )
    for name in (
        "db_name",
        "topic_prefix",
        "consumer_group",
        "token_file",
        "gateway_port",
        "worker_port",
        "rollup_port",
        "api_port",
        "link_key",
        "scheduler_port",
    ):
        assert getattr(own, name) != getattr(shared, name), name
    assert own.token_file.is_relative_to(tmp_path)
    assert all(feed.topic(own.topic_prefix).startswith("demo-0123abcd.") for feed in load_feeds().values())


def test_a_second_demo_is_refused_while_the_first_runs(tmp_path: Path) -> None:
    lock = tmp_path / "demo" / "lock"
    with only_one(lock), pytest.raises(ConfigError, match="runs already"), only_one(lock):
        pass
    with only_one(lock):
        pass


def test_free_ports_differ() -> None:
    assert len(set(free_ports(5))) == 5


def test_the_first_signal_ends_publishing_and_the_second_everything() -> None:
    signals = Signals()
    before = signal.getsignal(signal.SIGTERM)
    with signals.handled():
        signals.publishing = True
        signal.raise_signal(signal.SIGTERM)
        assert signals.stop.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)  # processes are being stopped: nothing disturbs that
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_signal_during_set_up_ends_everything() -> None:
    signals = Signals()
    with signals.handled(), pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    assert not signals.stop.is_set()
