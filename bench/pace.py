"""A steady stream: records sent at the moment when their events are due."""

from __future__ import annotations

import time
from collections.abc import Sequence

from bench.drain import Curve
from ioc.errors import KafkaUnavailableError
from ioc.messaging.client import client_options
from ioc.messaging.record import OutgoingRecord
from ioc.settings import Settings


class Paced:
    """Sends `records`, which hold `sizes` events, at `rate` events a second."""

    def __init__(
        self, settings: Settings, topic: str, records: Sequence[OutgoingRecord], sizes: Sequence[int], rate: float
    ) -> None:
        self._settings = settings
        self._topic = topic
        self._records = records
        self._sizes = sizes
        self._rate = rate

    def run(self) -> Curve:
        """Send all; return when how many events had been handed to the client. Raises KafkaUnavailableError."""
        from kafka import KafkaProducer  # noqa: PLC0415 - slow import, needed only here

        failed: list[BaseException] = []
        producer = KafkaProducer(
            **client_options(self._settings, 30.0),
            acks="all",
            compression_type="lz4",
            linger_ms=5,
            max_request_size=16 * 1024 * 1024,
        )
        producer.partitions_for(self._topic)  # so that the first event does not wait for it
        start, events = time.time(), 0
        curve: list[tuple[float, int]] = []
        for record, size in zip(self._records, self._sizes, strict=True):
            time.sleep(max(0.0, start + events / self._rate - time.time()))
            sent = producer.send(self._topic, key=record.key, value=record.value, headers=list(record.headers))
            sent.add_errback(failed.append)
            events += size
            curve.append((time.time(), events))
        producer.flush(timeout=60)
        producer.close(timeout=10)
        if failed:
            raise KafkaUnavailableError(f"{len(failed)} records were not acknowledged: {failed[0]}")
        return curve
