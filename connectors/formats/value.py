"""Text as typed values: days, moments, numbers. Each either reads a text in one known way or says that it cannot.

A day is a day in the province. A moment that names a zone is converted first: 2024-03-10T17:30:00Z is 11 March.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

_ISO_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?", re.IGNORECASE)
_ISO_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?(?:[.,]([0-9]{1,9}))?"
    r"(?:\s*(Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)(?:\[[A-Za-z_/+-]{1,40}\])?)?",
    re.IGNORECASE,
)
_VIETNAMESE_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_VIETNAMESE_MOMENT = re.compile(
    r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?: (SA|AM|CH|PM))?",
    re.IGNORECASE,
)
_SLASHED = re.compile(r"([0-9]{4})/([0-9]{2})/([0-9]{2})(?: ([0-9]{2}):([0-9]{2}):([0-9]{2}))?")
_DIGITS = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:([0-9]{2})([0-9]{2})([0-9]{2})?)?")
# 15 digits before the point are more than the largest amount a feed takes, and keep sums exact in 28 digits.
_PLAIN = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?")
_TYPED = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")
_LARGEST = Decimal(10) ** 15
# Numbers that are no amounts: programs write a third as 0.3333333333333333.
_POINT = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,20})?")
_COMMA = re.compile(r"-?[0-9]{1,15},[0-9]{1,20}")
_POINT_GROUPS = re.compile(r"-?[0-9]{1,3}(\.[0-9]{3})+(,[0-9]{1,12})?")
_COMMA_GROUPS = re.compile(r"-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]{1,12})?")
_AMBIGUOUS = re.compile(r"-?[1-9][0-9]{0,2}[.,][0-9]{3}")


def day_of(text: str, timezone: ZoneInfo) -> date:
    """Return the day that a text means in the province; raises ValueError where it means none.

    `2024-10-05`, the same with a time and a zone, `05/10/2024`, `2024/10/05`, `20241005`, `202410050830`.
    """
    found = _ISO_DAY.fullmatch(text)
    if found:
        return date.fromisoformat(found[1])
    found = _VIETNAMESE_DAY.fullmatch(text)
    if found:
        return date(int(found[3]), int(found[2]), int(found[1]))
    found = _DIGITS.fullmatch(text) or _SLASHED.fullmatch(text)
    if found and not found[4]:
        return date(int(found[1]), int(found[2]), int(found[3]))
    return moment_of(text, timezone).astimezone(timezone).date()


@lru_cache(maxsize=4096)  # rows of one moment follow one another
def moment_of(text: str, timezone: ZoneInfo) -> datetime:
    """Return the moment that a text means, in UTC; raises ValueError where it means none. Day alone = its begin."""
    found = _ISO_MOMENT.fullmatch(text)
    if found:
        fraction = (found[5] or "")[:6].ljust(6, "0")
        zone = found[6] or ""
        if zone.upper() in ("Z", "UTC", "GMT"):
            zone = "+00:00"
        zone = f"{zone}:00" if len(zone) == 3 else zone
        begin = datetime.fromisoformat(f"{found[1]}T00:00:00.{fraction}{zone}")
        moment = begin + _clock(int(found[2]), int(found[3]), int(found[4] or 0))
    elif found := _DIGITS.fullmatch(text) or _SLASHED.fullmatch(text):
        year, month, day, *clock = (int(part or 0) for part in found.groups())
        moment = datetime(year, month, day) + _clock(*clock)  # noqa: DTZ001
    elif found := _VIETNAMESE_MOMENT.fullmatch(text):
        day, month, year, *clock = (int(part or 0) for part in found.groups()[:6])
        moment = datetime(year, month, day) + _half_day(found[7], *clock)  # noqa: DTZ001
    else:
        found = _ISO_DAY.fullmatch(text) or _VIETNAMESE_DAY.fullmatch(text)
        if not found:
            raise ValueError(text)
        day_only = day_of(text, timezone)
        moment = datetime(day_only.year, day_only.month, day_only.day)  # noqa: DTZ001
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=timezone)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


def _clock(hour: int, minute: int, second: int) -> timedelta:
    """Return how far into the day a clock's time lies; raises ValueError for one that no clock shows.

    24:00 is the day's end, and the second 60 is a leap second (ISO 8601): both are the begin of what follows.
    """
    leap = second == 60 and minute == 59
    if (hour, minute, second) != (24, 0, 0) and not (hour < 24 and minute < 60 and (second < 60 or leap)):
        raise ValueError(f"{hour}:{minute}:{second}")
    return timedelta(hours=hour, minutes=minute, seconds=second)


def _half_day(half: str | None, hour: int, minute: int, second: int) -> timedelta:
    """Return the same of a clock of twelve hours, as Vietnamese Windows writes it: `5:30:00 CH` is 17:30."""
    if half is None:
        return _clock(hour, minute, second)
    if not 1 <= hour <= 12:
        raise ValueError(half)
    return _clock(hour % 12 + (12 if half.upper() in ("CH", "PM") else 0), minute, second)


def decimal_of(text: str) -> Decimal:
    """Return a plain decimal (`-12.5`); raises ValueError for any other spelling."""
    if not _PLAIN.fullmatch(text):
        raise ValueError(text)
    return Decimal(text)


def number_of(text: str) -> Decimal:
    """Return a number as people of the province or their software write it: `1234.5`, `1234,5`, `1.234,5`, `1,234.5`.

    Raises ValueError for anything else, and for `1.234`, which is 1234 to one reader and 1.234 to another.
    """
    text = text.replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
    if _AMBIGUOUS.fullmatch(text):
        raise ValueError(text)
    if _POINT.fullmatch(text):
        return Decimal(text)
    if _COMMA.fullmatch(text):
        return Decimal(text.replace(",", "."))
    if _POINT_GROUPS.fullmatch(text):
        return Decimal(text.replace(".", "").replace(",", "."))
    if _COMMA_GROUPS.fullmatch(text):
        return Decimal(text.replace(",", ""))
    raise ValueError(text)


def typed_number_of(text: str) -> Decimal:
    """Return a number that was one already in its file (a number of JSON, a cell of a workbook): `1.234` is 1.234.

    Its text is the computer's own, never a person's, so that a point is always the decimal one: `1e-05` is 0.00001.
    Raises ValueError beyond 15 digits before the point.
    """
    if not _TYPED.fullmatch(text):
        return number_of(text)
    number = Decimal(text)
    if abs(number) >= _LARGEST:
        raise ValueError(text)
    return number


def whole_of(text: str, read: Callable[[str], Decimal] = number_of) -> int:
    """Return a whole number; raises ValueError where it is none."""
    number = read(text) if not re.fullmatch(r"-?[0-9]{1,18}", text) else Decimal(text)
    if number != number.to_integral_value():
        raise ValueError(text)
    return int(number)
