"""TLS, passwords, certificates and least rights, tried on a real Kafka and a real PostgreSQL.

The rights of Kafka's users are read from the manifest of the cluster: what is deployed is what is tried.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from kafka.admin import ACL, ACLOperation, ACLPermissionType, ACLResourcePatternType, ResourcePattern, ResourceType
from pydantic import SecretStr
from testbed.feed_event import HOTEL, stay
from testbed.run import Run
from testbed.secured import Authority, SecuredKafka

from deploy.local.stack import Stack
from ioc.database.connection import connect
from ioc.errors import DatabaseUnavailableError, KafkaUnavailableError
from ioc.feeds.feed import Feed
from ioc.messaging.client import admin_client, is_reachable, open_producer, send_all
from ioc.messaging.record import record_of
from ioc.messaging.topic import create_topics, dead_letter_topic, figure_topic, list_topics
from ioc.province.profile import Profile
from ioc.settings import ROOT, Settings

MANIFEST = ROOT / "deploy" / "kubernetes" / "operators" / "kafka.yaml"
USERS = {
    one["metadata"]["name"]: one["spec"]["authorization"]["acls"]
    for one in yaml.safe_load_all(MANIFEST.read_text())
    if one["kind"] == "KafkaUser"
}
PREFIX = "ioc"


def acls() -> list[ACL]:
    """The manifest's rights, and those of a connector that shows a certificate: one feed, by the docs' example."""
    made = []
    for user, rights in {**USERS, "hotels": [CONNECTOR]}.items():
        for right in rights:
            resource = right["resource"]
            pattern = getattr(
                ACLResourcePatternType, "PREFIXED" if resource.get("patternType") == "prefix" else "LITERAL"
            )
            kind = getattr(ResourceType, resource["type"].upper())
            name = resource.get("name", "kafka-cluster")
            for operation in right["operations"]:
                spelled = "".join(f"_{c}" if c.isupper() and at else c for at, c in enumerate(operation)).upper()
                made.append(
                    ACL(
                        principal=f"User:{user}",
                        host="*",
                        operation=getattr(ACLOperation, spelled),
                        permission_type=ACLPermissionType.ALLOW,
                        resource_pattern=ResourcePattern(kind, name, pattern),
                    )
                )
    return made


CONNECTOR: Any = {
    "resource": {"type": "topic", "name": f"{PREFIX}.tourism.stay.v1", "patternType": "literal"},
    "operations": ["Write", "Describe"],
}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who issues this test's certificates."""
    return Authority(tmp_path_factory.mktemp("authority"), "province-ca")


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[SecuredKafka]:
    """The secured Kafka, with the manifest's users and rights."""
    kafka = SecuredKafka(tmp_path_factory.mktemp("kafka"), {user: f"{user}-secret" for user in USERS}, authority)
    try:
        kafka.start()
        with admin_client(kafka.settings(Settings(_env_file=None), "admin")) as admin:
            admin.create_acls(acls())
        yield kafka
    finally:
        kafka.stop()


def send(settings: Settings, topic: str) -> None:
    """Send one event as the gateway does; raises KafkaUnavailableError where it may not."""
    producer = open_producer(settings)
    try:
        import json  # noqa: PLC0415

        send_all(producer, [record_of(topic, HOTEL, [json.dumps(stay()).encode()])])
    finally:
        producer.close(timeout=5)


def test_each_process_does_its_work_on_a_secured_kafka_and_nothing_else(
    secured: SecuredKafka,
    authority: Authority,
    settings: Settings,
    infrastructure: Stack,
    feeds: dict[str, Feed],
    profile: Profile,
    tmp_path: Path,
) -> None:
    own = settings.model_copy(update={"topic_prefix": PREFIX, "consumer_group": "ioc-streams"})
    stays = feeds["tourism.stay"].topic(PREFIX)
    admin, gateway, worker, scheduler, api = (
        secured.settings(own, f"ioc-{name}") for name in ("admin", "gateway", "worker", "scheduler", "api")
    )
    assert all(state.status == "created" for state in create_topics(admin, feeds))

    # Who does not get in at all.
    assert not is_reachable(own.model_copy(update={"kafka_bootstrap": f"127.0.0.1:{secured.port}"}), 3.0)  # no TLS
    wrong = gateway.model_copy(update={"kafka_sasl_password": SecretStr("guessed")})
    assert not is_reachable(wrong, 5.0)
    stranger = Authority(tmp_path, "another-ca")
    assert not is_reachable(gateway.model_copy(update={"kafka_ssl_cafile": stranger.file}), 5.0)
    forged = secured.settings_with(own, stranger.issue("hotels"))
    assert not is_reachable(forged, 5.0)
    bare = forged.model_copy(update={"kafka_ssl_certfile": None, "kafka_ssl_keyfile": None})
    assert not is_reachable(bare, 5.0)

    # Who gets in does what the manifest allows, and nothing else.
    send(gateway, stays)
    hotels = secured.settings_with(own, authority.issue("hotels"))
    send(hotels, stays)
    for who, topic in (
        (hotels, feeds["tax.einvoice"].topic(PREFIX)),  # a connector's certificate opens its own feed only
        (api, stays),
        (worker, stays),
        (scheduler, stays),
        (worker, figure_topic(PREFIX)),
    ):
        with pytest.raises(KafkaUnavailableError):
            send(who, topic)
    send(worker, dead_letter_topic(PREFIX))
    send(scheduler, figure_topic(PREFIX))
    for who in (gateway, worker, scheduler, api):
        with admin_client(who) as client, pytest.raises(Exception, match=r"(?i)authoriz"):
            client.create_topics({f"{PREFIX}.mine.v1": {"num_partitions": 1, "replication_factor": 1}})
        with admin_client(who) as client, pytest.raises(Exception, match=r"(?i)authoriz"):
            client.delete_topics([stays])
    assert {state.status for state in list_topics(worker, feeds)} == {"exists"}

    # The real worker reads through TLS and SCRAM what gateway and connector have sent.
    run = Run(worker, infrastructure, feeds, profile, tmp_path)
    try:
        run.worker()
        run.wait_for(lambda: run.progress() >= 2, "the worker has stored what was sent")
    finally:
        run.close()


@pytest.fixture
def server_certificate(authority: Authority, infrastructure: Stack, settings: Settings) -> Iterator[None]:
    """The run's PostgreSQL with a certificate for 127.0.0.1; the reader may come over TLS only. Undone afterwards."""
    issued = authority.issue("database", "127.0.0.1")
    home = infrastructure.postgres.home
    data = home / "data"
    user = data.owner()
    for source, name in ((issued.certificate, "server.crt"), (issued.key, "server.key")):
        shutil.copyfile(source, data / name)
        (data / name).chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(data / name, user, user)
    rules = data / "pg_hba.conf"
    before = rules.read_text()
    password = (home / "superuser").read_text()
    superuser = {"host": "127.0.0.1", "port": settings.db_port, "user": "postgres", "password": password}
    try:
        with psycopg.connect(**superuser, dbname="postgres", autocommit=True) as connection:  # type: ignore[arg-type]
            rules.write_text(f"hostnossl all {settings.db_reader_user} all reject\n{before}")
            connection.execute("ALTER SYSTEM SET ssl = on")
            connection.execute("SELECT pg_reload_conf()")
        yield
    finally:
        rules.write_text(before)
        with psycopg.connect(**superuser, dbname="postgres", autocommit=True) as connection:  # type: ignore[arg-type]
            connection.execute("ALTER SYSTEM RESET ssl")
            connection.execute("SELECT pg_reload_conf()")


@pytest.mark.usefixtures("server_certificate")
def test_the_database_is_reached_over_tls_with_its_certificate_checked(
    settings: Settings, authority: Authority, tmp_path: Path
) -> None:
    checked = settings.model_copy(update={"db_sslmode": "verify-full", "db_sslrootcert": authority.file})

    def over_tls() -> bool:
        with connect(checked, "reader", autocommit=True) as connection:
            row = connection.execute("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").fetchone()
            return row == (True,)

    from deploy.local.process import wait_until  # noqa: PLC0415

    def works() -> bool:
        try:
            return over_tls()
        except DatabaseUnavailableError:
            return False

    assert wait_until(works, 20.0, poll=0.2)
    refused = {
        "another authority": {"db_sslrootcert": Authority(tmp_path, "another-ca").file},
        "another host": {"db_host": "localhost"},  # the certificate is for 127.0.0.1
        "no TLS": {"db_sslmode": "disable"},
    }
    for why, change in refused.items():
        with pytest.raises(DatabaseUnavailableError, match=r"(?i)certificate|no encryption|reject"):
            connect(checked.model_copy(update=change), "reader").close()
            pytest.fail(why)
