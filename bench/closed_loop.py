"""Clients that keep connections open and send prepared requests: in a closed loop, or at a steady pace.

It is a process of its own, so that it takes no time of the server's. It speaks as much HTTP/1.1 as a server on loopback
needs; requests are made ready before the clock starts. `python -m bench.closed_loop FILE` reads a `Task` as JSON and
prints a `ClosedLoop`.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import uvloop
from pydantic import BaseModel

from ioc.errors import FatalError


class Task(BaseModel):
    """What to send: `bodies` in turn, over so many connections, for `seconds` seconds.

    rate: requests a second, spread evenly; 0 = as fast as the answers come (a closed loop).
    """

    host: str
    port: int
    path: str
    headers: dict[str, str]
    bodies: list[str]
    connections: int
    seconds: float
    rate: float = 0.0


class ClosedLoop(BaseModel):
    """What came of it: answered requests, the seconds that they took together, and each one's latency in seconds.

    The latency of a paced request counts from the moment when it was due, so that a server which stalls is not
    forgiven the requests that had to wait (coordinated omission).
    """

    requests: int
    seconds: float
    latencies: list[float]


async def send(task: Task) -> ClosedLoop:
    """Send; raises FatalError at the first answer that is no 2xx."""
    requests = cycle([_request(task, body) for body in task.bodies])
    latencies: list[float] = []
    connections = [await asyncio.open_connection(task.host, task.port) for _ in range(task.connections)]
    begin = time.perf_counter()
    due = _due(task, begin)
    async with asyncio.TaskGroup() as group:
        for reader, writer in connections:
            group.create_task(_client(reader, writer, requests, due, begin + task.seconds, latencies))
    return ClosedLoop(requests=len(latencies), seconds=time.perf_counter() - begin, latencies=sorted(latencies))


def _due(task: Task, begin: float) -> Iterator[float]:
    """Yield when each request is due; in a closed loop at once."""
    number = 0
    while True:
        yield begin + number / task.rate if task.rate else time.perf_counter()
        number += 1


async def _client(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    requests: Iterator[bytes],
    due: Iterator[float],
    end: float,
    latencies: list[float],
) -> None:
    try:
        while (due_at := next(due)) < end:
            if (early := due_at - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            writer.write(next(requests))
            await _answer(reader)
            latencies.append(time.perf_counter() - due_at)
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> None:
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), timeout=60)
    status, _, fields = head.partition(b"\r\n")
    length = next(
        int(field.partition(b":")[2]) for field in fields.split(b"\r\n") if field.lower().startswith(b"content-length:")
    )
    body = await reader.readexactly(length)
    if status.split()[1][:1] != b"2":
        raise FatalError(f"the server answered {status.decode()}: {body[:500].decode(errors='replace')}")


def _request(task: Task, body: str) -> bytes:
    content = body.encode()
    told = {"host": f"{task.host}:{task.port}", "content-length": str(len(content)), **task.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"POST {task.path} HTTP/1.1\r\n{head}\r\n".encode() + content


def main() -> None:
    """Do the task of the file that is named."""
    task = Task.model_validate_json(Path(sys.argv[1]).read_bytes())
    sys.stdout.write(uvloop.run(send(task)).model_dump_json())


if __name__ == "__main__":
    main()
