"""Spans of a worker: of each fetch that holds events of a traced request, and of the transaction that writes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from ioc.tracing import HEADER, MOST_LINKS, NO_SPAN, TraceSpan, Tracing
from streams.rules.batch import Fetched, ParsedBatch
from streams.rules.raw import RawRecord

# As the Kafka binding of CloudEvents writes its extension for distributed tracing, in binary mode.
_HEADERS = (HEADER, f"ce_{HEADER}")


def carried(records: Sequence[RawRecord]) -> list[str]:
    """Return what records say of their traces, each once, at most as many as a span has links and a parent."""
    found: dict[str, None] = {}
    for record in records:
        for name, value in record.headers:
            if name in _HEADERS and value:
                found[value.decode("latin-1")] = None
        if len(found) > MOST_LINKS:
            break
    return list(found)


def begin_batches(tracing: Tracing, feed: str, fetches: Sequence[Fetched], at_ns: int) -> list[TraceSpan]:
    """Begin a span for each fetch; it belongs to the first traced request in it, and is linked with the others."""
    return [
        tracing.begin(
            f"process {one.topic}",
            "consumer",
            carried(one.records),
            {
                "messaging.system": "kafka",
                "messaging.operation.type": "process",
                "messaging.destination.name": one.topic,
                "messaging.destination.partition.id": str(one.partition),
                "messaging.batch.message_count": len(one.records),
                "messaging.kafka.offset": one.records[0].offset,
                "ioc.feed": feed,
            },
            at_ns,
        )
        for one in fetches
    ]


@contextmanager
def traced_commit(
    tracing: Tracing, spans: Sequence[TraceSpan], batches: Sequence[ParsedBatch]
) -> Iterator[list[ParsedBatch]]:
    """Around a transaction: gives the batches, each with the span of its commit, which the roll-up goes on from.

    spans: of the batches, in their order; all end with the block.
    """
    commits = [
        tracing.begin("commit", "internal", [span.traceparent], {"ioc.events": sum(batch.consumed.values())})
        if span.traceparent
        else NO_SPAN
        for span, batch in zip(spans, batches, strict=True)
    ]
    failure: BaseException | None = None
    try:
        yield [
            replace(batch, traceparent=commit.traceparent) if commit.traceparent else batch
            for commit, batch in zip(commits, batches, strict=True)
        ]
    except BaseException as error:
        failure = error
        raise
    finally:
        for one in (*commits, *spans):
            one.end(failure)
