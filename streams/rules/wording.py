"""What an incident says to people: Vietnamese first, short enough for a phone's lock screen, then English."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

_SHOWN = 5
# As the database's amount_text: 999,995 million are a billion once rounded.
_SCALES = ((999_995_000, 1e9, "tỷ", "billion"), (1e6, 1e6, "triệu", "million"))
_PARTS = 3


@dataclass(frozen=True)
class Bilingual:
    """The same in Vietnamese and English."""

    vi: str
    en: str


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def number_vi(value: float, digits: int = 1) -> str:
    """Return a number as it is written in Viet Nam: 1.234,5; no digits after the comma where they are zero."""
    return number_en(value, digits).translate(str.maketrans(",.", ".,"))


def number_en(value: float, digits: int = 1) -> str:
    """Return a number as it is written in English: 1,234.5."""
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def amount(value: float, unit: str, unit_en: str = "") -> Bilingual:
    """Return a value with its unit, money as boards write it: 3,19 tỷ đồng, 3.19 billion đồng.

    unit_en: the unit's English name; none = the same word.
    """
    unit_en = unit_en or unit
    if unit == "%":
        return Bilingual(f"{number_vi(value)} %", f"{number_en(value)}%")
    if unit.partition("/")[0] == "đồng":
        for least, by, vi, en in _SCALES:
            if abs(value) >= least:
                return Bilingual(
                    f"{number_vi(value / by, 2)} {vi} {unit}", f"{number_en(value / by, 2)} {en} {unit_en}"
                )
    return Bilingual(f"{number_vi(value)} {unit}", f"{number_en(value)} {unit_en}")


def day_text(day: date) -> Bilingual:
    """Return a day: 22/10/2024, 22 Oct 2024."""
    return Bilingual(f"{day:%d/%m/%Y}", f"{day.day} {_MONTHS[day.month - 1]} {day.year}")


def moment_text(at: datetime, zone: ZoneInfo) -> Bilingual:
    """Return a moment of local time: 17:05 22/10/2024, 17:05 22 Oct 2024; as boards write it."""
    here = at.astimezone(zone)
    day = day_text(here.date())
    return Bilingual(f"{here:%H:%M} {day.vi}", f"{here:%H:%M} {day.en}")


def duration_text(span: timedelta) -> Bilingual:
    """Return a duration in the largest unit that fits."""
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return Bilingual(f"{minutes} phút", f"{minutes} min")
    hours = minutes // 60
    if hours < 48:
        return Bilingual(f"{hours} giờ", f"{hours} h")
    return Bilingual(f"{hours // 24} ngày", f"{hours // 24} days")


def listed(names: Sequence[str], shown: int = _SHOWN) -> Bilingual:
    """Return the first names, and how many more there are."""
    first = ", ".join(names[:shown])
    more = len(names) - shown
    if more <= 0:
        return Bilingual(first, first)
    return Bilingual(f"{first} và {more} đơn vị khác", f"{first} and {more} more")


def feed_silent(
    name: Bilingual, span: timedelta | None, last: Bilingual | None, refused: int, figures: int
) -> tuple[Bilingual, Bilingual]:
    """Return title and summary of a feed that sends nothing usable."""
    if span is None or last is None:
        title = Bilingual(f"{name.vi}: chưa từng có dữ liệu dùng được", f"{name.en}: nothing usable has ever come")
        since = Bilingual("", "")
    else:
        long = duration_text(span)
        title = Bilingual(f"{name.vi}: mất dữ liệu {long.vi}", f"{name.en}: silent for {long.en}")
        since = Bilingual(
            f"Bản ghi hợp lệ gần nhất nhận lúc {last.vi}. ", f"The newest accepted record came at {last.en}. "
        )
    only = (
        Bilingual(
            f"Trong 1 giờ qua chỉ có {number_vi(refused)} sự kiện và đều bị từ chối. ",
            f"The last hour brought {number_en(refused)} events, all refused. ",
        )
        if refused
        else Bilingual("", "")
    )
    summary = Bilingual(
        f"{since.vi}{only.vi}{number_vi(figures)} số liệu dựa vào nguồn này được ghi là chưa cập nhật, "
        "không xét chậm tiến độ.",
        f"{since.en}{only.en}{number_en(figures)} figures that rest on it are shown as stale "
        "and are not judged against targets.",
    )
    return title, summary


def rejections_up(
    name: Bilingual, share: float, usual: float, rule: str, reason: Bilingual, since: Bilingual
) -> tuple[Bilingual, Bilingual]:
    """Return title and summary of a feed whose events are refused far more often than before."""
    title = Bilingual(
        f"{name.vi}: {number_vi(share)} % sự kiện bị từ chối", f"{name.en}: {number_en(share)}% of events refused"
    )
    summary = Bilingual(
        f"Bình thường {number_vi(usual)} %. Lý do nhiều nhất: {reason.vi} (quy tắc {rule}), bắt đầu từ {since.vi}.",
        f"Usually {number_en(usual)}%. Most frequent reason: {reason.en} (rule {rule}), since {since.en}.",
    )
    return title, summary


def reporters_missing(
    name: Bilingual, day: Bilingual, missing: Sequence[str], reported: int, due: int
) -> tuple[Bilingual, Bilingual]:
    """Return title and summary of reporters that have not reported by their deadline."""
    title = Bilingual(
        f"{name.vi}: {len(missing)} đơn vị chưa báo cáo ngày {day.vi}",
        f"{name.en}: {len(missing)} reporter{'s' if len(missing) > 1 else ''} missing for {day.en}",
    )
    names = listed(missing)
    summary = Bilingual(
        f"Đã có {reported}/{due}. Chưa có: {names.vi}.", f"{reported} of {due} are in. Missing: {names.en}."
    )
    return title, summary


def reports_missing(agency: Bilingual, owed: Sequence[Bilingual]) -> tuple[Bilingual, Bilingual]:
    """Return title and summary of reports that an agency owes: the names of their indicators."""
    title = Bilingual(
        f"{agency.vi}: {len(owed)} báo cáo quá hạn",
        f"{agency.en}: {len(owed)} report{'s' if len(owed) > 1 else ''} overdue",
    )
    names = Bilingual(listed([one.vi for one in owed]).vi, listed([one.en for one in owed]).en)
    return title, Bilingual(f"Chưa có số liệu: {names.vi}.", f"No figure yet of: {names.en}.")


def lagging(
    name: Bilingual,
    area: Bilingual,
    value: Bilingual,
    expected: Bilingual,
    lag: Bilingual,
    areas: Sequence[Bilingual],
    breakdowns: Sequence[Bilingual],
    forecast: Bilingual | None,
    due: Bilingual | None,
    source: str,
) -> tuple[Bilingual, Bilingual]:
    """Return title and summary of an indicator that is behind its pace."""
    title = Bilingual(f"{name.vi} chậm {lag.vi} – {area.vi}", f"{name.en} behind by {lag.en} – {area.en}")
    parts_vi = [f"{area.vi}: {value.vi}, đến nay cần {expected.vi}."]
    parts_en = [f"{area.en}: {value.en}, {expected.en} expected by now."]
    if areas:
        parts_vi.append(f"Chậm nhất: {listed([place.vi for place in areas]).vi}.")
        parts_en.append(f"Furthest behind: {listed([place.en for place in areas]).en}.")
    if breakdowns:
        shown = breakdowns[:_PARTS]
        parts_vi.append(f"Thành phần kéo chậm: {', '.join(part.vi for part in shown)}.")
        parts_en.append(f"Held back by: {', '.join(part.en for part in shown)}.")
    if forecast is not None and due is not None:
        parts_vi.append(f"Dự báo đến {due.vi}: {forecast.vi}.")
        parts_en.append(f"Forecast for {due.en}: {forecast.en}.")
    parts_vi.append(f"Căn cứ: {source}.")
    parts_en.append(f"Source: {source}.")
    return title, Bilingual(" ".join(parts_vi), " ".join(parts_en))


def pipeline_stopped(parts: Sequence[Bilingual], since: Bilingual) -> tuple[Bilingual, Bilingual]:
    """Return title and summary of a stopped platform."""
    title = Bilingual(f"Luồng dữ liệu dừng: {parts[0].vi}", f"The pipeline has stopped: {parts[0].en}")
    summary = Bilingual(
        f"Từ {since.vi}: {'; '.join(part.vi for part in parts)}. Số liệu giữ nguyên như trước đó.",
        f"Since {since.en}: {'; '.join(part.en for part in parts)}. Figures are not updated meanwhile.",
    )
    return title, summary
