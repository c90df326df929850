"""Options and errors of the Kafka clients, with every wait bounded."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from ioc.errors import KafkaUnavailableError
from ioc.messaging.foreign_record import read_foreign_records
from ioc.messaging.record import OutgoingRecord
from ioc.settings import Settings

ACK_SECONDS = 15.0


def client_options(settings: Settings, timeout: float) -> dict[str, object]:
    """Return what every kafka-python client is opened with; a broker has `timeout` seconds to answer."""
    read_foreign_records()
    options: dict[str, object] = {
        "bootstrap_servers": settings.kafka_bootstrap.split(","),
        "bootstrap_timeout_ms": int(timeout * 1000),
        "request_timeout_ms": int(timeout * 1000),
        # The default of 30 s would keep a client from a broker that is long back.
        "reconnect_backoff_max_ms": 1000,
        **settings.kafka_security,
    }
    for name in ("cafile", "certfile", "keyfile"):
        path = getattr(settings, f"kafka_ssl_{name}")
        if path is not None:
            options[f"ssl_{name}"] = str(path)
    return options


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """Return how the worker's client, which takes a context, talks to the brokers; None without TLS.

    Certificates and the brokers' names are checked; the process shows its own certificate where it has one.
    """
    if not settings.kafka_security_protocol.endswith("SSL"):
        return None
    context = ssl.create_default_context(cafile=settings.kafka_ssl_cafile)
    if settings.kafka_ssl_certfile is not None:
        context.load_cert_chain(settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile)
    return context


class _AdminClient(KafkaAdminClient):  # type: ignore[misc]
    """Ends its thread and sockets when it finds no broker; kafka-python's own leaves them behind."""

    def __init__(self, **options: object) -> None:
        self._closed = False
        try:
            super().__init__(**options)
        except KafkaTimeoutError:
            self.close()
            raise


def open_admin(settings: Settings, timeout: float = 10.0) -> KafkaAdminClient:
    """Open an administration client that the caller closes; raises kafka-python's errors when Kafka is away."""
    return _AdminClient(**client_options(settings, timeout))


@contextmanager
def admin_client(settings: Settings, timeout: float = 10.0) -> Iterator[KafkaAdminClient]:
    """Open an administration client; raises `KafkaUnavailableError` when Kafka is away or refuses."""
    with translated_errors(settings):
        admin = _AdminClient(**client_options(settings, timeout))
        try:
            yield admin
        finally:
            admin.close()


def open_producer(settings: Settings) -> KafkaProducer:
    """Open a producer whose every wait is bounded."""
    try:
        return KafkaProducer(
            **client_options(settings, 10.0),
            acks="all",
            max_request_size=16 * 1024 * 1024,
            max_block_ms=10_000,
            linger_ms=5,
        )
    except KafkaError as error:
        raise KafkaUnavailableError(f"Kafka at {settings.kafka_bootstrap}: {error}") from error


def send_all(producer: KafkaProducer, records: Sequence[OutgoingRecord]) -> None:
    """Send and wait until Kafka has acknowledged all of them; raises KafkaUnavailableError."""
    try:
        futures = [producer.send(one.topic, key=one.key, value=one.value, headers=list(one.headers)) for one in records]
        for future in futures:
            future.get(timeout=ACK_SECONDS)
    except KafkaError as error:
        raise KafkaUnavailableError(f"Kafka did not acknowledge: {error}") from error


def is_reachable(settings: Settings, timeout: float = 3.0) -> bool:
    """Whether a broker answers within `timeout` seconds; blocks so long."""
    try:
        with admin_client(settings, timeout) as admin:
            return bool(admin.describe_cluster()["brokers"])
    except KafkaUnavailableError:
        return False


@contextmanager
def translated_errors(settings: Settings) -> Iterator[None]:
    """Raise the project's error in place of kafka-python's."""
    try:
        yield
    except KafkaError as error:
        raise KafkaUnavailableError(
            f"Kafka at {settings.kafka_bootstrap}: {error}. Is it running "
            "(`ioc stack status`), and are IOC_KAFKA_BOOTSTRAP and the IOC_KAFKA_S... settings right?"
        ) from error
