"""A thread of the scheduler beside its main one, so that what may take long holds up no status."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

_END = 15.0  # seconds that what runs has to end


class SideThread(ABC):
    """Runs within a `with` statement."""

    def __init__(self, name: str) -> None:
        self.stopped = threading.Event()
        self._thread = threading.Thread(target=self.loop, name=name, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, and wait for a while until what runs has ended."""
        self.stopped.set()
        self.interrupt()
        self._thread.join(_END)

    @abstractmethod
    def loop(self) -> None:
        """Work until `stopped` is set."""

    def interrupt(self) -> None:  # noqa: B027 - most threads have nothing to interrupt
        """Cut short what runs."""
