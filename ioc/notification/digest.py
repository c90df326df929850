"""The digest: what got worse, what got better, what is due, what is not known; daily at 07:00 and weekly on Mondays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import dict_row

from ioc.notification.address_book import DigestReader
from sql import load_queries

Kind = Literal["daily", "weekly"]
SENT_AT = time(7, 0)
_SPAN: Mapping[Kind, timedelta] = {"daily": timedelta(days=1), "weekly": timedelta(days=7)}
_AHEAD: Mapping[Kind, int] = {"daily": 7, "weekly": 30}  # targets due within so many days are listed
_SHOWN = 10
# Worse from left to right; an unknown status is in neither list.
_ORDER = ("on_track", "at_risk", "lagging")
_WORDS = {
    "on_track": "đúng tiến độ",
    "at_risk": "có nguy cơ chậm",
    "lagging": "chậm tiến độ",
    "no_target": "không có mục tiêu",
    "stale": "mất cập nhật",
    "incomplete": "chưa đủ báo cáo",
    "no_data": "chưa có số liệu",
}
_KEPT_CURRENT = timedelta(minutes=5)
_FactRows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Digest:
    """A digest as it is sent: `counts` are the numbers behind its subject."""

    kind: Kind
    day: date
    subject: str
    text: str
    counts: Mapping[str, int]


@dataclass(frozen=True)
class DigestFacts:
    """What a digest is made of; rows as `sql/queries/digest.sql` returns them."""

    judged_at: datetime | None
    statuses: Mapping[str, int]
    worse: _FactRows
    better: _FactRows
    due: _FactRows
    unknown: _FactRows
    opened: _FactRows
    ended: _FactRows


@dataclass(frozen=True)
class DigestFrame:
    """What all digests of one run share. now: of the clock; today: the business day on which figures are judged.

    due_at: when it should have been written; None = it is only looked at.
    """

    kind: Kind
    now: datetime
    today: date
    zone: ZoneInfo
    province: str
    note: str = ""
    due_at: datetime | None = None

    @property
    def since(self) -> datetime:
        """The moment with which the present is compared: that of the digest before, also where this one is late.

        Written at 11:00 because nothing ran at 07:00, it tells of yesterday from 07:00 on.
        """
        return min(self.due_at or self.now, self.now) - _SPAN[self.kind]


def due_moment(day: date, zone: ZoneInfo) -> datetime:
    """Return when the digests of a day are due."""
    return datetime.combine(day, SENT_AT, zone)


def due_kinds(now: datetime, zone: ZoneInfo) -> list[tuple[Kind, date]]:
    """Return which digests should be out by now, and the day that they are of: daily from 07:00, weekly on Mondays.

    One that could not be written at its time, because nothing ran, is written later: a daily one on the same day, a
    weekly one until the next morning's.
    """
    here = now.astimezone(zone)
    day = here.date() if here.time() >= SENT_AT else here.date() - timedelta(days=1)
    found: list[tuple[Kind, date]] = []
    if day.weekday() == 0:
        found.append(("weekly", day))
    if day == here.date():
        found.append(("daily", day))
    return found


def read_facts(connection: psycopg.Connection, reader: DigestReader, frame: DigestFrame, root: int) -> DigestFacts:
    """Read what there is to tell a reader. root: the province's area."""
    queries = load_queries("digest")
    parameters = {
        "root": root,
        "sectors": list(reader.sectors),
        "since": frame.since,
        "day": frame.today,
        "until": frame.today + timedelta(days=_AHEAD[frame.kind]),
    }

    def rows(query: str) -> list[dict[str, Any]]:
        return connection.cursor(row_factory=dict_row).execute(queries[query].encode(), parameters).fetchall()

    moved = rows("list_moved")
    (job,) = rows("select_judged_at")
    return DigestFacts(
        job["judged_at"],
        {row["status"]: row["indicators"] for row in rows("count_by_status")},
        [row for row in moved if direction_of(row["before"], row["status"]) > 0],
        [row for row in moved if direction_of(row["before"], row["status"]) < 0],
        rows("list_due"),
        rows("list_unknown"),
        rows("list_open"),
        rows("list_ended"),
    )


def direction_of(before: str, status: str) -> int:
    """Return whether a change is for the worse (1), for the better (-1) or neither; what was not known was no better.

    From stale to lagging is for the worse: it was not known to lag. That there is a figure now whose pace is not known
    is neither.
    """
    if status not in _ORDER:
        return 0
    if before not in _ORDER:
        return int(status == "lagging")
    return _ORDER.index(status) - _ORDER.index(before)


def compose(reader: DigestReader, frame: DigestFrame, facts: DigestFacts) -> Digest:
    """Return the digest of a reader: a subject that fits a lock screen, the rest below, one English line."""
    count = {status: facts.statuses.get(status, 0) for status in _WORDS}
    unknown = count["stale"] + count["incomplete"] + count["no_data"]
    counts = {
        "worse": len(facts.worse),
        "better": len(facts.better),
        "due": len(facts.due),
        "unknown": unknown,
        "incidents": len(facts.opened),
    }
    title = "Bản tin ngày" if frame.kind == "daily" else "Bản tin tuần"
    here = frame.now.astimezone(frame.zone)
    told = [f"{number} {word}" for number, word in _heads(counts) if number]
    subject = f"{title} {here:%d/%m/%Y}: {', '.join(told) if told else 'không có gì thay đổi'}"
    lines = [f"{title} của {frame.province}, gửi {reader.name}.", f"Số liệu đến {frame.today:%d/%m/%Y}."]
    if frame.note:
        lines.append(frame.note)
    if facts.judged_at is None or frame.now - facts.judged_at > _KEPT_CURRENT:
        since = "" if facts.judged_at is None else f" từ {_moment(facts.judged_at, frame.zone)}"
        lines.append(f"Lưu ý: hệ thống không đánh giá được{since}; tình hình có thể đã khác.")
    lines += ["", f"Hiện có {count['lagging']} chỉ tiêu chậm, {count['at_risk']} có nguy cơ chậm, "
              f"{count['on_track']} đúng tiến độ, {unknown} chưa biết."]  # fmt: skip
    span = "24 giờ qua" if frame.kind == "daily" else "7 ngày qua"
    lines += _section(f"Xấu đi trong {span}", [_moved(row) for row in facts.worse])
    lines += _section(f"Tốt lên trong {span}", [_moved(row) for row in facts.better])
    lines += _section(f"Đến hạn trong {_AHEAD[frame.kind]} ngày tới", [_due(row, frame.today) for row in facts.due])
    lines += _section("Chưa biết", [_unknown(row, frame.zone) for row in facts.unknown])
    lines += _section("Sự cố đang mở", [_incident(row, frame.zone) for row in facts.opened])
    lines += _section(f"Sự cố đã kết thúc trong {span}", [row["title"] for row in facts.ended])
    english = (
        f"English: {counts['worse']} worse, {counts['better']} better, {counts['due']} due within "
        f"{_AHEAD[frame.kind]} days, {unknown} not known, {counts['incidents']} incidents open."
    )
    return Digest(frame.kind, here.date(), subject, "\n".join([*lines, "", english]), counts)


def _heads(counts: Mapping[str, int]) -> list[tuple[int, str]]:
    names = {"worse": "xấu đi", "better": "tốt lên", "due": "sắp đến hạn", "unknown": "chưa biết", "incidents": "sự cố"}
    return [(counts[key], word) for key, word in names.items()]


def _section(title: str, rows: Sequence[str]) -> list[str]:
    """Return a section; an empty one says so, because a missing one could mean that nothing was checked."""
    if not rows:
        return ["", f"{title}: không có."]
    more = [f"- và {len(rows) - _SHOWN} mục khác"] if len(rows) > _SHOWN else []
    return ["", f"{title} ({len(rows)}):", *(f"- {row}" for row in rows[:_SHOWN]), *more]


def _moved(row: Mapping[str, Any]) -> str:
    text = f"{row['name']}: {_WORDS[row['status']]}, trước đó {_WORDS[row['before']]}"
    if row["value"] is not None:
        text += f"; {row['period']} đạt {row['value']}"
    if row["status"] != "on_track" and row["expected"] is not None:
        text += f", đến nay cần {row['expected']}"
    if row["status"] == "lagging" and row["lag"] is not None:
        text += f", chậm {row['lag']}"
    return text + (f"; chậm nhất: {row['areas']}" if row["areas"] else "")


def _due(row: Mapping[str, Any], today: date) -> str:
    late = "đã quá hạn" if row["due_on"] < today else "hạn"
    value = f"đạt {row['value']}" if row["value"] is not None else "chưa có số liệu"
    return f"{row['name']}: {value}, mục tiêu {row['target']}, {late} {row['due_on']:%d/%m/%Y}"


def _unknown(row: Mapping[str, Any], zone: ZoneInfo) -> str:
    since = f"từ {_moment(row['since'], zone)}"
    if row["source"] is None:
        return f"{row['indicators']} chỉ tiêu chưa có số liệu, {since}"
    if row["is_agency"]:
        return f"{row['indicators']} chỉ tiêu chờ báo cáo của {row['source']}, {since}"
    return f"{row['indicators']} chỉ tiêu vì nguồn {row['source']} chưa đủ hoặc chưa mới, {since}"


def _incident(row: Mapping[str, Any], zone: ZoneInfo) -> str:
    grave = "NGHIÊM TRỌNG: " if row["severity"] == "critical" else ""
    new = " (mới)" if row["is_new"] else ""
    by = row["acknowledged_by"]
    return f"{grave}{row['title']}{new}, từ {_moment(row['since'], zone)}; " + (
        f"{by} đã nhận xử lý" if by else "chưa ai nhận xử lý"
    )


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%H:%M %d/%m/%Y}"
