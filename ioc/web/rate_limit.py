"""A token bucket per sender, counted in events."""

from __future__ import annotations

from collections.abc import Callable


class RateLimit:
    """Grants `rate` events a second and `burst` at once to each sender; `clock` gives seconds, monotonic."""

    def __init__(self, rate: float, burst: float, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}

    def wait(self, sender: str, events: int = 1) -> float:
        """Return the seconds until so many events are granted, 0 = now; a full bucket grants any number."""
        return max(0.0, (min(events, self._burst) - self._level(sender)) / self._rate)

    def take(self, sender: str, events: int) -> float:
        """Take so many events if they are granted now; otherwise take none and return the seconds to wait."""
        wait = self.wait(sender, events)
        if wait == 0:
            self._levels[sender] = (self._level(sender) - events, self._clock())
        return wait

    def _level(self, sender: str) -> float:
        level, at = self._levels.get(sender, (self._burst, 0.0))
        return min(self._burst, level + (self._clock() - at) * self._rate)
