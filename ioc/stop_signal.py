"""The end of a process in good order, as its supervisor or an operator asks for it."""

from __future__ import annotations

import signal
import threading


def stop_event() -> threading.Event:
    """Return an event that SIGTERM or SIGINT (Ctrl-C) sets from now on; for the main thread of a process."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    return stopped
