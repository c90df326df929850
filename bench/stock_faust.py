"""An empty agent of stock Faust: `python -m bench.stock_faust TOPIC RECORDS` prints the records it had a second.

Plain iteration without acknowledgements, raw bytes, and nothing done with them: what Faust itself costs.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from mode.loop import use as use_loop

from ioc.settings import Settings


def run(settings: Settings, topic_name: str, records: int) -> None:
    """Read `records` records from the beginning of a topic, print `{"rate": ...}` and end the process."""
    use_loop("uvloop")
    import faust  # noqa: PLC0415 - the loop comes first

    app = faust.App(
        settings.consumer_group,
        broker=f"kafka://{settings.kafka_bootstrap}",
        store="memory://",
        topic_disable_leader=True,
        topic_allow_declare=False,
        stream_wait_empty=False,
        consumer_auto_offset_reset="earliest",
        broker_max_poll_records=settings.worker_fetch_records,
        web_enabled=False,
        autodiscover=False,
    )
    topic = app.topic(topic_name, value_type=bytes, value_serializer="raw", key_serializer="raw", internal=False)

    async def empty(stream: Any) -> None:
        seen, start = 0, 0.0
        async for _ in stream.noack():
            start = start or time.perf_counter()
            seen += 1
            if seen == records:
                sys.stdout.write(json.dumps({"rate": (seen - 1) / (time.perf_counter() - start)}) + "\n")
                sys.stdout.flush()
                await app.stop()

    app.agent(topic, name="empty", concurrency=1)(empty)
    faust.Worker(app, quiet=True, redirect_stdouts=False, override_logging=False).execute_from_commandline()


if __name__ == "__main__":
    run(Settings(), sys.argv[1], int(sys.argv[2]))
