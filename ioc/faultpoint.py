"""Named points at which tests kill a process; in production every one of them does nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

WORKER_POINTS = ("after_fetch", "after_copy", "before_commit", "after_commit", "before_ack")
OUTBOX_POINTS = ("after_send",)
DROP_POINTS = ("before_claim", "after_claim", "before_sending", "after_sending", "after_ledger", "after_move")
POLLER_POINTS = ("after_fetch", "before_sending", "after_sending", "after_memory", "after_move")
POINTS = tuple(dict.fromkeys(WORKER_POINTS + OUTBOX_POINTS + DROP_POINTS + POLLER_POINTS))
FaultPoint = Callable[[str], None]


def no_fault(point: str) -> None:
    """Do nothing: the fault point of production."""


class KillSwitch:
    """Kills the process with SIGKILL when it passes a point for the n-th time."""

    def __init__(self, point: str, passes: int) -> None:
        if point not in POINTS:
            raise ValueError(f"no fault point {point!r}; there are {', '.join(POINTS)}")
        self._point = point
        self._passes = passes

    def __call__(self, point: str) -> None:
        if point == self._point:
            self._passes -= 1
            if self._passes == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def fault_from(setting: str) -> FaultPoint:
    """Return the fault point that a setting names as `point:passes`; an empty one names none."""
    if not setting:
        return no_fault
    point, _, passes = setting.partition(":")
    return KillSwitch(point, int(passes or 1))
