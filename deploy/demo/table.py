"""What the demo shows: the live table, a plain line where there is no terminal, and the account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from deploy.demo.account import Account, FeedCounts, FeedLine, feed_line
from deploy.demo.reading import IndicatorTitle, Snapshot
from deploy.simulator.ledger import FeedTally
from deploy.simulator.roster import PUBLISHERS

_WIDE = 120
_NAME_WIDTH = 26
_FIGURE_WIDTH = 11
_PAGE_SECONDS = 5
_WEEKDAYS = ("Thứ Hai", "Thứ Ba", "Thứ Tư", "Thứ Năm", "Thứ Sáu", "Thứ Bảy", "Chủ Nhật")
_TITLES = (
    "đã gửi\npublished",
    "nhận\nreceived",
    "chấp nhận\naccepted",
    "từ chối\nrejected",
    "trùng\nduplicate",
    "sửa\ncorrected",
    "hủy\nvoided",
    "mỗi giây\na second",
)
_SHORT_TITLES = ("sent", "recv", "accept", "reject", "dup", "corr", "void", "/s")
_LEVELS = ("Thành phố ", "Thị xã ", "Huyện ")
# Publishers of several feeds; in the live table they are one line each.
_GROUPS = {"lodging": "Lưu trú", "health": "Y tế", "administration": "Hành chính", "monitoring": "Giám sát"}


@dataclass(frozen=True)
class Scene:
    """One moment of the demo, all that the table needs.

    before: the snapshot that arrows and speeds refer to. columns: area code -> name, the province first.
    notes: what the operator should know, a service that was started again for instance.
    """

    elapsed: float
    day: date
    hour: int
    tallies: Mapping[str, FeedTally]
    now: Snapshot
    before: Snapshot
    columns: Mapping[str, str]
    indicators: Sequence[IndicatorTitle]
    notes: Sequence[str] = ()


def live_view(scene: Scene, width: int) -> RenderableType:
    """The whole table for a terminal of a width."""
    blank = Text()
    parts: list[RenderableType] = [_headline(scene), blank, _feed_table(scene, width), blank]
    parts += [_indicator_table(scene, width), blank, _quality(scene)]
    parts += [Text(note, style="yellow") for note in scene.notes]
    parts.append(Text("Ctrl-C: dừng và đối soát · stop and settle the account", style="dim"))
    return Group(*parts)


def plain_line(scene: Scene) -> str:
    """One line for a log."""
    lines = _lines(scene)
    total = {name: sum(getattr(line, name) for line in lines) for name in ("published", "accepted", "rejected")}
    duplicate = sum(line.duplicate for line in lines)
    return (
        f"{scene.elapsed:5.0f} s · {scene.day:%d/%m/%Y} {scene.hour:02d}h · published {total['published']:,} "
        f"accepted {total['accepted']:,} rejected {total['rejected']:,} duplicate {duplicate:,} · "
        f"p50 {_seconds(scene.now.p50)} p99 {_seconds(scene.now.p99)}" + "".join(f" · {note}" for note in scene.notes)
    )


def account_view(account: Account) -> RenderableType:
    """The account with its proof, and what does not hold."""
    table = Table(title="Đối soát · The account", title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("feed", no_wrap=True)
    for title in ("published", "= accepted", "+ rejected", "+ duplicate", "corr", "void", ""):
        table.add_column(title, justify="right", no_wrap=True)
    for line in _heard(account.lines):
        mark = Text("✓", style="green") if line.is_balanced else Text("✗", style="bold red")
        numbers = (line.published, line.accepted, line.rejected, line.duplicate, line.corrected, line.voided)
        table.add_row(line.feed, *map(_count, numbers), mark)
    proof = account.proof
    parts: list[RenderableType] = [
        table,
        Text(
            f"đúng: {_count(proof.cells)} sums and {_count(proof.figures)} figures recomputed from the records, "
            f"{_count(proof.records)} records and {proof.witnesses} province totals compared with the simulator; "
            f"{len(proof.differences)} differ"
        ),
    ]
    if account.holds:
        parts.append(Text("Khớp: mọi con số đều đúng. · Everything balances.", style="bold green"))
    else:
        problems = Table("what does not hold", box=None, pad_edge=False, header_style="bold red")
        for problem in account.problems:
            problems.add_row(Text(problem))
        parts.append(problems)
    return Group(*parts)


def compact(value: float | None) -> str:
    """A figure in at most seven characters, written the Vietnamese way: 1.234 · 12,5 · 3,4 tr · 1,2 tỷ."""
    if value is None:
        return "–"
    for size, unit in ((1e9, " tỷ"), (1e6, " tr")):
        if abs(value) >= size:
            scaled = value / size
            return _vietnamese(f"{scaled:,.1f}" if abs(scaled) < 100 else f"{scaled:,.0f}") + unit
    if abs(value) >= 1000 or float(value).is_integer():
        return _vietnamese(f"{value:,.0f}")
    return _vietnamese(f"{value:,.2f}" if abs(value) < 10 else f"{value:,.1f}")


def _headline(scene: Scene) -> Text:
    day = f"{_WEEKDAYS[scene.day.weekday()]} {scene.day:%d/%m/%Y} {scene.hour:02d}:00"
    return Text.assemble(
        ("Tỉnh mô phỏng · Simulated province", "bold"), f"   {day}", (f"   {scene.elapsed:.0f} s", "dim")
    )


def _feed_table(scene: Scene, width: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1) if width >= _WIDE else (0, 1, 0, 0))
    wide = width >= _WIDE
    table.add_column("nguồn\nfeed" if wide else "feed", no_wrap=True)
    for title in _TITLES if wide else _SHORT_TITLES:
        table.add_column(title, justify="right")
    heard = {line.feed: line for line in _heard(_lines(scene))}
    for publisher, feeds in PUBLISHERS.items():
        lines = [heard.pop(feed) for feed in feeds if feed in heard]
        if len(lines) > 1:
            name = f"{_GROUPS[publisher]} · {publisher}" if wide else publisher
            _add_row(table, scene, f"{name} ({len(lines)})", lines)
        elif lines:
            _add_row(table, scene, lines[0].name_vi if wide else lines[0].feed, lines)
    for line in heard.values():
        _add_row(table, scene, line.name_vi if wide else line.feed, [line])
    return table


def _add_row(table: Table, scene: Scene, name: str, lines: Sequence[FeedLine]) -> None:
    """One line for feeds, with their sums."""
    names = ("published", "received", "accepted", "rejected", "duplicate", "corrected", "voided")
    numbers = [sum(getattr(line, column) for line in lines) for column in names]
    speed = sum(_speed(scene, line.feed) for line in lines)
    table.add_row(name, *map(_count, (*numbers, round(speed))))


def _indicator_table(scene: Scene, width: int) -> Table:
    """Indicators by area; where not all districts fit beside each other, they take turns."""
    areas = list(scene.columns.items())
    districts = areas[1:]
    fits = max(1, min(len(districts), (width - _NAME_WIDTH) // _FIGURE_WIDTH - 1))
    name_width = max(_NAME_WIDTH, width - (fits + 1) * _FIGURE_WIDTH)
    pages = max(1, -(-len(districts) // fits))
    page = int(scene.elapsed / _PAGE_SECONDS) % pages
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(f"chỉ số tháng {scene.day:%m/%Y}", width=name_width - 1, no_wrap=True)
    shown = areas[:1] + districts[page * fits : (page + 1) * fits]
    for _, name in shown:
        table.add_column(_short(name), justify="right", width=_FIGURE_WIDTH - 1, no_wrap=True)
    for indicator in scene.indicators:
        cells = [_cell(scene, indicator.code, area) for area, _ in shown]
        table.add_row(Text(f"{indicator.name_vi} ({indicator.unit})", overflow="ellipsis"), *cells)
    return table


def _cell(scene: Scene, code: str, area: str) -> Text:
    value, before = scene.now.figures.get((code, area)), scene.before.figures.get((code, area))
    text = compact(value)
    if value is None or before is None or value == before:
        return Text(f"{text}  ")
    up = value > before
    return Text.assemble(f"{text} ", ("▲", "green") if up else ("▼", "red"))


def _quality(scene: Scene) -> Text:
    """đúng, đủ, sạch, sống: what can be said of each while events flow."""
    lines, now = _lines(scene), scene.now
    # Of what is under way nobody can say yet.
    rejected = sum(line.rejected for line in lines)
    accepted = sum(line.accepted + line.duplicate for line in lines)
    clean = 100 * accepted / (accepted + rejected) if accepted + rejected else 100.0
    complete = _vietnamese(f"{100 * now.reported / now.expected:.1f}%") if now.reported else "chưa có"
    return Text.assemble(
        ("đúng ", "bold"),
        "đối soát khi dừng   ",
        ("đủ ", "bold"),
        f"{complete} cơ sở đã báo cáo ngày {now.report_day:%d/%m}   ",
        ("sạch ", "bold"),
        f"{_vietnamese(f'{clean:.1f}')}% hợp lệ   ",
        ("sống ", "bold"),
        _vietnamese(f"p50 {_seconds(now.p50)} · p99 {_seconds(now.p99)} · mới nhất {_seconds(now.age)} trước"),
    )


def _heard(lines: Iterable[FeedLine]) -> Iterator[FeedLine]:
    """The feeds of which something was sent or received; the simulated province does not speak of all."""
    return (line for line in lines if line.published or line.received)


def _lines(scene: Scene) -> list[FeedLine]:
    tallies, counts = scene.tallies, scene.now.counts
    return [
        feed_line(feed, tallies.get(feed, FeedTally()), counts.get(feed, FeedCounts(feed)))
        for feed in sorted(tallies.keys() | counts.keys())
    ]


def _speed(scene: Scene, feed: str) -> float:
    seconds = scene.now.taken_at - scene.before.taken_at
    if seconds <= 0:
        return 0.0
    none = FeedCounts(feed)
    now, before = scene.now.counts.get(feed, none), scene.before.counts.get(feed, none)
    return (now.consumed - before.consumed) / seconds


def _short(name: str) -> str:
    """A district's name without its level, as people say it."""
    for level in _LEVELS:
        name = name.removeprefix(level)
    return name


def _count(number: int) -> str:
    return _vietnamese(f"{number:,}")


def _seconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def _vietnamese(number: str) -> str:
    """Swap the separators of a number that Python has formatted."""
    return number.translate(str.maketrans(",.", ".,"))
