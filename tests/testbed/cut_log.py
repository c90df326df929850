"""A log as a broker leaves it that lost a part of its disk: cut between two batches while the broker is stopped."""

from __future__ import annotations

import struct
from pathlib import Path

from deploy.local.stack import Stack
from ioc.settings import Settings

_HEAD = struct.Struct(">qi")  # a batch begins with its first offset, and how many bytes follow


def cut_logs(stack: Stack, settings: Settings, topic: str, keep: int) -> None:
    """Stop the broker, cut partition 0 of a topic before the batch that begins at offset `keep`, start the broker.

    Raises AssertionError where no batch begins there.
    """
    stack.kafka.stop()
    data = settings.state_dir / "kafka" / "data"
    (data / ".kafka_cleanshutdown").unlink(missing_ok=True)
    # What the broker remembers of ends that are no more; it recovers the logs from their segments.
    for checkpoint in data.glob("*-offset-checkpoint"):
        checkpoint.unlink()
    _cut(data / f"{topic}-0", keep)
    stack.kafka.start()


def _cut(directory: Path, keep: int) -> None:
    (segment,) = directory.glob("*.log")
    content = segment.read_bytes()
    place = 0
    while place < len(content):
        first, length = _HEAD.unpack_from(content, place)
        if first == keep:
            break
        place += _HEAD.size + length
    assert 0 < place < len(content), f"no batch of {segment} begins at {keep}"
    segment.write_bytes(content[:place])
    for other in directory.iterdir():
        if other.suffix in (".index", ".timeindex", ".snapshot", ".txnindex"):
            other.unlink()
