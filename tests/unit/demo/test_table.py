"""The live table fits its terminal, names things in Vietnamese and shows what moves."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from rich.cells import cell_len
from rich.console import Console, RenderableType

from deploy.demo.account import FeedCounts, Proof, settle_account
from deploy.demo.quality import quality_view
from deploy.demo.reading import IndicatorTitle, Snapshot, percentile
from deploy.demo.table import _GROUPS, Scene, account_view, compact, live_view, plain_line
from deploy.simulator.ledger import ExpectedOutcome, FeedTally
from deploy.simulator.roster import PUBLISHERS
from streams.quality.report import QualityReport
from streams.rules.quality import QualityValue

COLUMNS = {
    "77": "Toàn tỉnh",
    "747": "Thành phố Vũng Tàu",
    "748": "Thành phố Bà Rịa",
    "750": "Huyện Châu Đức",
    "751": "Huyện Xuyên Mộc",
    "752": "Huyện Long Điền",
    "753": "Huyện Đất Đỏ",
    "754": "Thị xã Phú Mỹ",
    "755": "Huyện Côn Đảo",
}
SHORT = ("Vũng Tàu", "Bà Rịa", "Châu Đức", "Xuyên Mộc", "Long Điền", "Đất Đỏ", "Phú Mỹ", "Côn Đảo")


def snapshot(at: float, guests: float, share: float) -> Snapshot:
    figures = {("lodging.guests.total", area): guests for area in COLUMNS}
    figures |= {("einvoice.pos_share", area): share for area in COLUMNS}
    return Snapshot(
        taken_at=at,
        counts={"tourism.stay": FeedCounts("Lượt khách lưu trú", int(guests), int(guests))},
        p50=0.21,
        p99=1.4,
        age=0.3,
        figures=figures,
        reported=238,
        expected=476,
        report_day=date(2024, 10, 4),
    )


@pytest.fixture
def scene() -> Scene:
    return Scene(
        elapsed=12.0,
        day=date(2024, 10, 5),
        hour=9,
        tallies={"tourism.stay": FeedTally(published=5_100, refused=100)},
        now=snapshot(13.0, 5_000.0, 41.5),
        before=snapshot(10.0, 4_400.0, 42.5),
        columns=COLUMNS,
        indicators=(
            IndicatorTitle("lodging.guests.total", "Tổng lượt khách lưu trú", "lượt"),
            IndicatorTitle("einvoice.pos_share", "Tỷ trọng hóa đơn khởi tạo từ máy tính tiền", "%"),
        ),
        notes=("worker: khởi động lại 1 lần",),
    )


def render(view: RenderableType, width: int) -> list[str]:
    console = Console(file=io.StringIO(), width=width, legacy_windows=False)
    with console.capture() as capture:
        console.print(view)
    return capture.get().splitlines()


@pytest.mark.parametrize("width", [80, 100, 160])
def test_the_live_table_fits(scene: Scene, width: int) -> None:
    lines = render(live_view(scene, width), width)
    assert max(cell_len(line.rstrip()) for line in lines) <= width
    text = "\n".join(lines)
    assert "Toàn tỉnh" in text and "Tổng lượt khách" in text
    assert "5.000 ▲" in text and "41,5 ▼" in text
    assert "đúng" in text and "đủ" in text and "sạch" in text and "sống" in text
    assert "khởi động lại" in text
    assert "…" not in lines[0]


def test_what_is_under_way_is_neither_clean_nor_dirty(scene: Scene) -> None:
    """5,000 of 5,100 known outcomes, however many more are published."""
    hurried = replace(scene, tallies={"tourism.stay": FeedTally(published=9_000, refused=100)})
    for one in (scene, hurried):
        assert "98,0% hợp lệ" in " ".join(render(live_view(one, 160), 160))


def test_a_wide_terminal_shows_all_districts_and_full_names(scene: Scene) -> None:
    text = "\n".join(render(live_view(scene, 160), 160))
    assert all(f" {district}" in text for district in SHORT)
    assert "Lượt khách lưu trú" in text and "đã gửi" in text


@pytest.mark.parametrize("width", [80, 100, 120, 160])
def test_the_feeds_of_a_publisher_are_one_line_with_their_sums(scene: Scene, width: int) -> None:
    counts = {feed: FeedCounts(feed, 1_000, 900, 60, 40, 30, 20) for name in PUBLISHERS for feed in PUBLISHERS[name]}
    tallies = {feed: FeedTally(published=1_000) for feed in counts}
    before = replace(scene.before, counts={})
    lines = render(
        live_view(replace(scene, now=replace(scene.now, counts=counts), tallies=tallies, before=before), width), width
    )
    assert max(cell_len(line.rstrip()) for line in lines) <= width
    row = next(line for line in lines if "health (3)" in line)
    assert row.split()[-8:] == ["3.000", "3.000", "2.700", "180", "120", "90", "60", "1.000"]
    # Headline, titles and the feeds' lines: few enough for the indicators to stay in sight.
    assert next(number for number, line in enumerate(lines) if "chỉ số tháng" in line) <= 13


def test_every_publisher_of_several_feeds_has_a_name() -> None:
    assert {name for name, feeds in PUBLISHERS.items() if len(feeds) > 1} == set(_GROUPS)


def test_on_a_narrow_terminal_districts_take_turns(scene: Scene) -> None:
    seen = ""
    for elapsed in range(0, 60, 5):
        seen += "\n".join(render(live_view(replace(scene, elapsed=float(elapsed)), 80), 80))
    assert all(f" {district}" in seen for district in SHORT)


def test_the_feed_line_counts_both_sides(scene: Scene) -> None:
    row = next(line for line in render(live_view(scene, 160), 160) if line.startswith("Lượt khách"))
    assert row.split()[4:] == ["5.100", "5.000", "5.000", "100", "0", "0", "0", "200"]


def test_the_quality_line_counts_reports_and_rejections(scene: Scene) -> None:
    text = " ".join("\n".join(render(live_view(scene, 160), 160)).split())
    assert "50,0% cơ sở đã báo cáo ngày 04/10" in text
    assert "98,0% hợp lệ" in text
    assert "p99 1,4 s" in text


def test_the_plain_line_has_one_line(scene: Scene) -> None:
    line = plain_line(scene)
    assert "\n" not in line
    assert "05/10/2024 09h" in line and "published 5,100 accepted 5,000 rejected 100" in line


@pytest.mark.parametrize("width", [80, 160])
def test_the_account_shows_what_differs(width: int) -> None:
    tally = FeedTally(published=10, expected=Counter({ExpectedOutcome.NEW: 10}))
    right = FeedCounts("Lượt khách", 10, 10)
    good = settle_account({"tourism.stay": tally}, {"tourism.stay": right}, Proof(10, 20, 30, 6))
    text = " ".join("\n".join(render(account_view(good), width)).split())
    assert "published = accepted + rejected + duplicate" in text
    assert "Khớp" in text and "✓" in text and "what does not hold" not in text
    wrong = replace(right, consumed=9, accepted=9)
    bad = settle_account({"tourism.stay": tally}, {"tourism.stay": wrong}, Proof(differences=("cell 7 [a] differs",)))
    text = " ".join("\n".join(render(account_view(bad), width)).split())
    assert "✗" in text and "cell 7 [a] differs" in text and "Khớp" not in text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0.0, "0"),
        (12.0, "12"),
        (1234.0, "1.234"),
        (999_999.0, "999.999"),
        (1.234, "1,23"),
        (41.55, "41,5"),
        (12_345.6, "12.346"),
        (3_400_000.0, "3,4 tr"),
        (131_575_301_264.0, "132 tỷ"),
        (-1_250_000_000.0, "-1,2 tỷ"),
    ],
)
def test_figures_are_short_and_vietnamese(value: float | None, text: str) -> None:
    assert compact(value) == text


def test_percentiles_weigh() -> None:
    assert percentile([], 0.5) is None
    assert percentile([(2.0, 0)], 0.5) is None
    weighted = [(5.0, 1), (0.1, 98), (9.0, 1)]
    assert (percentile(weighted, 0.5), percentile(weighted, 0.99), percentile(weighted, 1.0)) == (0.1, 5.0, 9.0)


def test_quality_is_shown_by_source_on_the_newest_day() -> None:
    def report(indicator: str, day: int, value: float) -> QualityReport:
        return QualityReport(QualityValue(indicator, "day", date(2024, 10, day), value), "77", "new", {})

    reports = [
        report("data_quality.valid_rate.lodging_stay", 5, 98.04),
        report("data_quality.freshness_lag.lodging_stay", 5, 3.21),
        report("data_quality.valid_rate.lodging_stay", 4, 11.1),
        report("data_quality.freshness_lag.einvoice", 5, 7.0),
        report("data_quality.indicators_total", 5, 1298),
    ]
    *_, stays, invoices = render(quality_view(reports), 80)
    assert stays.split() == ["lodging_stay", "98.0", "–", "–", "3.2"]
    assert invoices.split() == ["einvoice", "–", "–", "–", "7.0"]
