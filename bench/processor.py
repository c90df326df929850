"""Processor time of processes and of database sessions, as Linux counts it."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import psycopg

from sql import load_queries

_TICKS = os.sysconf("SC_CLK_TCK")


def processor_seconds(pid: int) -> float | None:
    """Return the seconds that a process has used so far, its threads included; None where there is none."""
    try:
        # The second field is the program's name in parentheses and may hold anything.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return (int(fields[11]) + int(fields[12])) / _TICKS


class ProcessorTime:
    """Adds up the processor time of processes, each under a name; those that have ended keep what was last seen."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, int], float] = {}

    def sample(self, processes: Iterable[tuple[str, int | None]]) -> None:
        """Look at processes (name, process id)."""
        for name, pid in processes:
            seconds = None if pid is None else processor_seconds(pid)
            if pid is not None and seconds is not None:
                self._seen[name, pid] = seconds

    @property
    def seconds(self) -> Mapping[str, float]:
        """Seconds by name, from the start of each process."""
        total: defaultdict[str, float] = defaultdict(float)
        for (name, _), seconds in self._seen.items():
            total[name] += seconds
        return total


def writer_sessions(reader: psycopg.Connection) -> list[tuple[str, int | None]]:
    """Return the sessions of worker and roll-up in the connection's database, each under the name `database`."""
    return [("database", pid) for (pid,) in reader.execute(load_queries("bench")["writer_sessions"]).fetchall()]
