"""When things happen: how busy an hour of the week is for a system, beside its average hour."""

from __future__ import annotations

from dataclasses import dataclass

from deploy.simulator.calendar import HOURS, day_of, hour_of

_WEEK = 7


@dataclass(frozen=True)
class Habit:
    """Shares of the hours of a day and of the days of a week from Monday; only their proportions matter."""

    by_hour: tuple[float, ...]
    by_weekday: tuple[float, ...]

    def of(self, tick: int) -> float:
        """How busy an hour is; the hours of a week average 1."""
        hour = self.by_hour[hour_of(tick)] * HOURS / sum(self.by_hour)
        return hour * self.by_weekday[day_of(tick).weekday()] * _WEEK / sum(self.by_weekday)


# Shops and hotels: afternoons, and the days before and of a weekend.
TOWN = Habit(
    (2, 1, 1, 1, 1, 3, 6, 8, 9, 9, 9, 9, 8, 8, 10, 10, 10, 9, 9, 8, 7, 6, 4, 3),
    (0.85, 0.85, 0.85, 0.9, 1.2, 1.35, 1.0),
)
# Offices: a long morning, a shorter afternoon, Mondays above all; evenings and weekends belong to the online portal.
OFFICE = Habit(
    (0.2, 0.1, 0.1, 0.1, 0.1, 0.2, 1, 6, 12, 13, 12, 6, 2, 7, 11, 10, 8, 3, 2, 2, 2, 2, 1, 0.5),
    (1.25, 1.1, 1.05, 1.05, 1.0, 0.2, 0.13),
)
# Citizens with a telephone in their hand: before work, at noon and in the evening; weekends too.
CITIZEN = Habit(
    (1.5, 0.8, 0.5, 0.4, 0.5, 1.5, 4, 6, 6.5, 6, 5.5, 6, 6, 5, 5, 5, 5.5, 6, 6.5, 7, 7.5, 7, 5, 3),
    (1.05, 1.0, 1.0, 1.0, 1.0, 0.95, 0.95),
)
# Clinics and hospitals: early mornings; emergencies come at night, too.
CLINIC = Habit(
    (1, 0.8, 0.7, 0.7, 0.8, 1.5, 5, 12, 14, 12, 9, 6, 4, 8, 9, 8, 6, 4, 4, 4, 3, 3, 2, 1.5),
    (1.25, 1.1, 1.05, 1.05, 1.05, 0.8, 0.7),
)
# Machines do not sleep; scanners prefer the night.
ALWAYS = Habit(
    (5, 5.2, 5.2, 5, 4.6, 4.2, 3.8, *[4.0] * 10, 3.8, 3.8, 3.8, 4, 4.2, 4.6, 4.8), (1, 1, 1, 1, 1, 1.05, 1.05)
)
