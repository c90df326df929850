"""What long steps show: a spinner on a terminal, plain lines elsewhere; always on standard error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from rich.console import Console


class Progress:
    """Announces steps and how long each took. Standard output stays free for results."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Around one step; on an error its line is left open and the error says the rest."""
        begin = time.monotonic()
        if self._console.is_terminal:
            waiting: AbstractContextManager[object] = self._console.status(title)
        else:
            waiting = nullcontext()
            self._console.print(f"  … {title}")
        with waiting:
            yield
        self.done(f"{title} ({time.monotonic() - begin:.1f} s)")

    def done(self, line: str) -> None:
        """One finished thing."""
        self._console.print(f"  [green]✓[/green] {line}")
