"""Around the producer: a span for what is written, whose `traceparent` travels with the records."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.gateway.producer import EventProducer
from ioc.messaging.record import OutgoingRecord, RecordOffset
from ioc.tracing import HEADER, Tracing, enclosing


class TracedProducer:
    """An `EventProducer`; only a gateway that is traced has it."""

    def __init__(self, producer: EventProducer, tracing: Tracing) -> None:
        self._producer = producer
        self._tracing = tracing

    async def publish(self, records: Sequence[OutgoingRecord]) -> list[RecordOffset | None]:
        """Write the records within a span, as `EventProducer.publish`; without one where the request is not traced."""
        span = self._tracing.begin(
            "send",
            "producer",
            [enclosing()],
            {
                "messaging.system": "kafka",
                "messaging.operation.type": "send",
                "messaging.destination.name": ",".join(sorted({record.topic for record in records})),
                "messaging.batch.message_count": len(records),
            },
        )
        if span.traceparent:
            header = (HEADER, span.traceparent.encode())
            records = [record._replace(headers=(*record.headers, header)) for record in records]
        try:
            written = await self._producer.publish(records)
        except BaseException as error:
            span.end(error)
            raise
        span.end()
        return written

    async def is_ready(self) -> bool:
        """Whether records would be taken now."""
        return await self._producer.is_ready()

    def close(self) -> None:
        """Write out what is waiting, and stop."""
        self._producer.close()
