"""Text as typed values: days, moments, numbers. Each either reads a text in one known way or says that it cannot.

A day is a day in the province. A moment that names a zone is converted first: 2024-03-10T17:30:00Z is 11 March.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

_ISO_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(Z|[+-][0-9]{2}:?[0-9]{2})?")
_ISO_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[T ]([0-9]{2}:[0-9]{2})(:[0-9]{2})?(?:[.,]([0-9]{1,9}))?"
    r"\s*(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?",
    re.IGNORECASE,
)
_VIETNAMESE_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
_VIETNAMESE_MOMENT = re.compile(
    r"([0-9]{1,2})[/-]([0-9]{1,2})[/-]([0-9]{4})[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?"
)
_SLASHED = re.compile(r"([0-9]{4})/([0-9]{2})/([0-9]{2})(?: ([0-9]{2}):([0-9]{2}):([0-9]{2}))?")
_DIGITS = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:([0-9]{2})([0-9]{2})([0-9]{2})?)?")
# 15 digits before the point are more than the largest amount a feed takes, and keep sums exact in 28 digits.
_PLAIN = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?")
_COMMA = re.compile(r"-?[0-9]{1,15},[0-9]{1,12}")
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
        fraction = (found[4] or "")[:6].ljust(6, "0")
        zone = (found[5] or "").upper().replace("Z", "+00:00")
        zone = f"{zone}:00" if len(zone) == 3 else zone
        moment = datetime.fromisoformat(f"{found[1]}T{found[2]}{found[3] or ':00'}.{fraction}{zone}")
    elif found := _DIGITS.fullmatch(text) or _SLASHED.fullmatch(text):
        moment = datetime(*(int(part or 0) for part in found.groups()))  # type: ignore[arg-type] # noqa: DTZ001
    elif found := _VIETNAMESE_MOMENT.fullmatch(text):
        day, month, year, hour, minute, second = (int(part or 0) for part in found.groups())
        moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001
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
    if _PLAIN.fullmatch(text):
        return Decimal(text)
    if _COMMA.fullmatch(text):
        return Decimal(text.replace(",", "."))
    if _POINT_GROUPS.fullmatch(text):
        return Decimal(text.replace(".", "").replace(",", "."))
    if _COMMA_GROUPS.fullmatch(text):
        return Decimal(text.replace(",", ""))
    raise ValueError(text)


def whole_of(text: str) -> int:
    """Return a whole number; raises ValueError where it is none."""
    number = number_of(text) if not re.fullmatch(r"-?[0-9]{1,18}", text) else Decimal(text)
    if number != number.to_integral_value():
        raise ValueError(text)
    return int(number)
