"""Topics follow from the feeds and the settings."""

from __future__ import annotations

from testbed.secret import NO_SHIPPED_SECRETS

from ioc.feeds.feed import load_feeds
from ioc.messaging.client import client_options
from ioc.messaging.topic import plan_topics
from ioc.settings import Settings


def test_each_feed_has_a_topic_and_dead_letters_have_one() -> None:
    feeds = load_feeds()
    settings = Settings(
        _env_file=None, topic_prefix="bd", kafka_partitions=4, kafka_replication=3, kafka_retention_days=2
    )
    plans = plan_topics(settings, feeds)
    assert [plan.name for plan in plans] == [
        *(f"bd.{key}.v1" for key in feeds),
        "bd.dead-letter.v1",
        "bd.control-total.v1",
        "bd.figure.v1",
    ]
    assert {(plan.partitions, plan.replication) for plan in plans} == {(4, 3)}
    assert {plan.options["max.message.bytes"] for plan in plans} == {"16777216"}
    assert {plan.options["retention.ms"] for plan in plans} == {"172800000"}


def test_retention_may_be_without_end() -> None:
    plans = plan_topics(Settings(_env_file=None, kafka_retention_days=0), load_feeds())
    assert {plan.options["retention.ms"] for plan in plans} == {"-1"}


def test_clients_know_where_and_who() -> None:
    settings = Settings(
        _env_file=None,
        kafka_bootstrap="a:1,b:2",
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_username="gateway",
        kafka_sasl_password="secret",
        kafka_ssl_cafile="/ca.pem",
        **NO_SHIPPED_SECRETS,
    )
    options = client_options(settings, 2.5)
    assert options["bootstrap_servers"] == ["a:1", "b:2"]
    assert (options["bootstrap_timeout_ms"], options["request_timeout_ms"]) == (2500, 2500)
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("gateway", "secret")
    assert options["ssl_cafile"] == "/ca.pem"
