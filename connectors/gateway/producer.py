"""What the gateway writes records with: Kafka, or a list in memory for tests."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import structlog
from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError
from kafka.producer.future import RecordMetadata

from ioc.errors import KafkaUnavailableError
from ioc.messaging.client import client_options, is_reachable
from ioc.messaging.record import OutgoingRecord, RecordOffset
from ioc.messaging.topic import MAX_MESSAGE_BYTES
from ioc.settings import Settings

# The client's buffer has no bound of its own.
MAX_PENDING_BYTES = 64 * 1024 * 1024
_FRESH_SECONDS = 10.0
_PROBE_SECONDS = 1.5
_GIVE_UP_AFTER = 3
_log = structlog.get_logger(__name__)


class EventProducer(Protocol):
    """Writes records durably."""

    async def publish(self, records: Sequence[OutgoingRecord]) -> list[RecordOffset | None]:
        """Return where each record lies once all in-sync replicas have it; None = too large for its topic.

        Raises `KafkaUnavailableError`: some may be missing.
        """

    async def is_ready(self) -> bool:
        """Whether records would be taken now."""

    def close(self) -> None:
        """Write out what is waiting, within a bounded time, and stop."""


class InMemoryEventProducer:
    """Keeps records in `records`; `available = False` is Kafka away, `largest` what a topic takes in bytes."""

    def __init__(self) -> None:
        self.records: list[OutgoingRecord] = []
        self.available = True
        self.largest = MAX_MESSAGE_BYTES

    async def publish(self, records: Sequence[OutgoingRecord]) -> list[RecordOffset | None]:
        """Keep the records, each topic in one partition; raises `KafkaUnavailableError` when not available."""
        if not self.available:
            raise KafkaUnavailableError("the in-memory producer was told to be away")
        record_offsets: list[RecordOffset | None] = []
        for record in records:
            if len(record.value or b"") > self.largest:
                record_offsets.append(None)
                continue
            offset = sum(kept.topic == record.topic for kept in self.records)
            record_offsets.append(RecordOffset(record.topic, 0, offset))
            self.records.append(record)
        return record_offsets

    async def is_ready(self) -> bool:
        """Whether it is available."""
        return self.available

    def close(self) -> None:
        """Refuse all further records."""
        self.available = False


class KafkaEventProducer:
    """Writes with `acks=all`; every wait is bounded by `gateway_produce_timeout`.

    The client blocks while it looks for brokers, so all calls to it run in one thread; it is opened with the
    first records, which lets the gateway start, and say why it cannot serve, while Kafka is away.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._timeout = settings.gateway_produce_timeout
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="kafka-send")
        self._client: KafkaProducer | None = None
        self._pending_bytes = 0
        self._failures = 0
        self._acknowledged_at = float("-inf")

    async def publish(self, records: Sequence[OutgoingRecord]) -> list[RecordOffset | None]:
        """Send the records and wait for their acknowledgements without blocking the event loop."""
        if not records:
            return []
        size = sum(len(record.value or b"") for record in records)
        if self._pending_bytes + size > MAX_PENDING_BYTES:
            raise KafkaUnavailableError("too much waits for Kafka's acknowledgement already")
        self._pending_bytes += size
        loop = asyncio.get_running_loop()
        acknowledgement = _AcknowledgementCounter(loop, len(records))
        deadline = time.monotonic() + self._timeout
        try:
            async with asyncio.timeout(self._timeout):
                await loop.run_in_executor(self._thread, self._send, records, acknowledgement, deadline)
                if error := await acknowledgement.outcome:
                    raise error
        except (KafkaError, TimeoutError) as error:
            self._failed()
            reason = "no acknowledgement in time" if isinstance(error, TimeoutError) else str(error)
            raise KafkaUnavailableError(f"Kafka at {self._settings.kafka_bootstrap}: {reason}") from error
        finally:
            self._pending_bytes -= size
        self._failures = 0
        self._acknowledged_at = time.monotonic()
        return acknowledgement.record_offsets

    async def is_ready(self) -> bool:
        """Whether Kafka acknowledged in the last seconds, or answers now."""
        if self._failures == 0 and time.monotonic() - self._acknowledged_at < _FRESH_SECONDS:
            return True
        return await asyncio.to_thread(is_reachable, self._settings, _PROBE_SECONDS)

    def close(self) -> None:
        """Write out what is waiting and stop the client."""
        self._thread.submit(self._drop_client).result().join(self._timeout)
        self._thread.shutdown()

    def _send(
        self, records: Sequence[OutgoingRecord], acknowledgement: _AcknowledgementCounter, deadline: float
    ) -> None:
        """Hand the records to the client, in its thread; those past the deadline are not sent any more."""
        if self._client is None:
            self._client = KafkaProducer(**self._options())
        for number, record in enumerate(records):
            if time.monotonic() > deadline:
                raise TimeoutError
            try:
                sent = self._client.send(record.topic, value=record.value, key=record.key, headers=list(record.headers))
            except MessageSizeTooLargeError as error:  # larger than this client sends at all
                acknowledgement.failure(error)
                continue
            sent.add_callback(acknowledgement.success, number).add_errback(acknowledgement.failure)

    def _options(self) -> dict[str, object]:
        half = self._timeout / 2
        return client_options(self._settings, half) | {
            "client_id": "ioc-gateway",
            "acks": "all",
            # The client's own protection against writing twice makes one record that is too large for its topic
            # fatal to the client, and to all that waits in it. An event that is written twice counts once anyway.
            "enable_idempotence": False,
            "compression_type": "lz4",
            "linger_ms": 5,
            "batch_size": 256 * 1024,
            "max_request_size": MAX_MESSAGE_BYTES,
            "max_block_ms": int(half * 1000),
            "delivery_timeout_ms": int(self._timeout * 1000),
            "allow_auto_create_topics": False,
        }

    def _failed(self) -> None:
        """Count a failure; a client that only fails is replaced, because some of its errors never heal."""
        self._failures += 1
        if self._failures % _GIVE_UP_AFTER == 0:
            _log.warning("replacing the Kafka client", failures=self._failures)
            self._thread.submit(self._drop_client)

    def _drop_client(self) -> threading.Thread:
        """Let the client go, in its thread, and return the thread that ends it."""
        client, self._client = self._client, None
        closing = threading.Thread(target=_close_client, args=(client, self._timeout), daemon=True)
        closing.start()
        return closing


def _close_client(client: KafkaProducer | None, timeout: float) -> None:
    """End a client; what it holds is written out, or has expired, within `timeout` seconds."""
    if client is None:
        return
    # With something left to write out, `close` gives up before it ends the client's thread: flush first.
    with contextlib.suppress(KafkaError):
        client.flush(timeout)
    with contextlib.suppress(KafkaError):
        client.close(timeout=1)


class _AcknowledgementCounter:
    """Counts a request's acknowledgements in the client's threads and tells the event loop once."""

    def __init__(self, loop: asyncio.AbstractEventLoop, expected: int) -> None:
        self.outcome: asyncio.Future[Exception | None] = loop.create_future()
        self.record_offsets: list[RecordOffset | None] = [None] * expected
        self._loop = loop
        self._left = expected
        self._lock = threading.Lock()

    def success(self, number: int, metadata: RecordMetadata) -> None:
        """The record of this number is on all in-sync replicas."""
        self.record_offsets[number] = RecordOffset(metadata.topic, metadata.partition, metadata.offset)
        self._done()

    def failure(self, error: Exception) -> None:
        """One record was given up: where it is too large, it alone; any other failure is the request's, at once."""
        if isinstance(error, MessageSizeTooLargeError):
            self._done()
        else:
            self._tell(error)

    def _done(self) -> None:
        with self._lock:
            self._left -= 1
            done = self._left == 0
        if done:
            self._tell(None)

    def _tell(self, error: Exception | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, no caller waits any more
            self._loop.call_soon_threadsafe(self._settle, error)

    def _settle(self, error: Exception | None) -> None:
        if not self.outcome.done():
            self.outcome.set_result(error)
