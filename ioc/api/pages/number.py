"""Numbers, days and spans as they are written in Viet Nam: 11.080,04; 3,19 tỷ đồng; 39,5 %; 16/10/2024."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from ioc.period import end_of

NOTHING = "–"
_TURNED = str.maketrans(",.", ".,")
# Amounts of money are shown in the largest of these that leaves a whole part.
_MONEY = ((10**12, "nghìn tỷ"), (10**9, "tỷ"), (10**6, "triệu"))
_NARROW = "\u202f"  # between a number and its sign, so that the line does not break there


def number(value: float | None, digits: int | None = None) -> str:
    """Return a number; digits after the comma: as many as given, else two at most and no zeros at the end."""
    if value is None:
        return NOTHING
    most = (0 if abs(value) >= 100_000 else 2) if digits is None else digits
    rounded = Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-most), ROUND_HALF_UP)
    text = f"{rounded + 0:,f}"  # + 0: no minus zero
    if digits is None and "." in text:
        text = text.rstrip("0").rstrip(".")
    return text.translate(_TURNED)


def amount(value: float | None, unit: str) -> str:
    """Return a value with its unit; money in triệu, tỷ or nghìn tỷ."""
    if value is None:
        return NOTHING
    if unit.startswith("đồng"):
        for size, name in _MONEY:
            if abs(value) >= size:
                return f"{number(value / size)} {name} {unit}"
    return f"{number(value)}{_NARROW if unit == '%' else ' '}{unit}"


def lag_text(lag: float | None, lag_in: str | None) -> str:
    """Return how far behind: in % of what is expected, or in points where the indicator is a percentage."""
    if lag is None:
        return NOTHING
    return f"{number(lag, 1)}{_NARROW}%" if lag_in == "%" else f"{number(lag, 1)} điểm %"


def day(value: date | None) -> str:
    """Return a day."""
    return NOTHING if value is None else f"{value:%d/%m/%Y}"


def moment(value: datetime | None, zone: ZoneInfo) -> str:
    """Return a moment of local time."""
    return NOTHING if value is None else f"{value.astimezone(zone):%H:%M %d/%m/%Y}"


def bucket(period: str | None, start: date | None) -> str:
    """Return the name of a period: `tuần 07/10 - 13/10/2024`, `tháng 10/2024`, `quý IV/2024`."""
    if period is None or start is None:
        return NOTHING
    match period:
        case "day":
            return f"ngày {day(start)}"
        case "week":
            return f"tuần {start:%d/%m} - {day(end_of('week', start))}"
        case "month":
            return f"tháng {start:%m/%Y}"
        case "quarter":
            return f"quý {('I', 'II', 'III', 'IV')[(start.month - 1) // 3]}/{start:%Y}"
        case _:
            return f"năm {start:%Y}"


def short_bucket(period: str, start: date) -> str:
    """Return a period's name for the axis of a chart."""
    match period:
        case "day" | "week":
            return f"{start.day}/{start.month}"
        case "month":
            return f"{start.month}/{start:%y}"
        case "quarter":
            return f"Q{(start.month - 1) // 3 + 1}/{start:%y}"
        case _:
            return f"{start:%Y}"


def span(length: timedelta) -> str:
    """Return a duration in the largest unit that fits."""
    minutes = max(0, int(length.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} phút"
    return f"{minutes // 60} giờ" if minutes < 48 * 60 else f"{minutes // 1440} ngày"


def days_text(days: float | None) -> str:
    """Return a number of days."""
    return NOTHING if days is None else f"{number(days, 0)} ngày"


def lead(text: str) -> str:
    """Return a text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


def within(name: str) -> str:
    """Return an area's name as it is written in a sentence: `tỉnh Bà Rịa - Vũng Tàu`, `thành phố Vũng Tàu`."""
    return name[:1].lower() + name[1:]
