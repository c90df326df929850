"""What an incident says: amounts, names and plurals in each language."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from ioc.province.profile import load_english_names
from ioc.settings import Settings
from streams.rules import wording
from streams.rules.wording import Bilingual, day_text, moment_text


@pytest.mark.parametrize(
    ("value", "unit", "unit_en", "vi", "en"),
    [
        (39.5, "%", "%", "39,5 %", "39.5%"),
        (5, "chỉ tiêu", "indicators", "5 chỉ tiêu", "5 indicators"),
        (5, "chỉ tiêu", "", "5 chỉ tiêu", "5 chỉ tiêu"),
        (3_190_000_000, "đồng", "đồng", "3,19 tỷ đồng", "3.19 billion đồng"),
        (-3_190_000_000, "đồng", "đồng", "-3,19 tỷ đồng", "-3.19 billion đồng"),
        (999_999_999, "đồng", "đồng", "1 tỷ đồng", "1 billion đồng"),
        (2_500_000, "đồng/người", "đồng per person", "2,5 triệu đồng/người", "2.5 million đồng per person"),
        (950_000, "đồng", "đồng", "950.000 đồng", "950,000 đồng"),
        (0, "lượt", "occurrences", "0 lượt", "0 occurrences"),
    ],
)
def test_amounts(value: float, unit: str, unit_en: str, vi: str, en: str) -> None:
    assert wording.amount(value, unit, unit_en) == Bilingual(vi, en)


def test_the_english_side_of_owed_reports_is_english() -> None:
    owed = [Bilingual("Số vụ cháy", "Fires"), Bilingual("Số vụ nổ", "Explosions")]
    title, summary = wording.reports_missing(Bilingual("Công an tỉnh", "Provincial Police"), owed[:1])
    assert title == Bilingual("Công an tỉnh: 1 báo cáo quá hạn", "Provincial Police: 1 report overdue")
    assert summary == Bilingual("Chưa có số liệu: Số vụ cháy.", "No figure yet of: Fires.")
    title, summary = wording.reports_missing(Bilingual("Công an tỉnh", "Provincial Police"), owed)
    assert title.en == "Provincial Police: 2 reports overdue"
    assert "Explosions" in summary.en and "nổ" in summary.vi


@pytest.mark.parametrize(("missing", "en"), [(["a"], "1 reporter missing"), (["a", "b"], "2 reporters missing")])
def test_plurals(missing: list[str], en: str) -> None:
    title, _ = wording.reporters_missing(Bilingual("n", "n"), Bilingual("d", "d"), missing, 1, 3)
    assert en in title.en


def test_every_unit_and_owner_has_an_english_name() -> None:
    names = load_english_names(Settings(_env_file=None).profile)
    assert names["lượt"] == "occurrences"
    assert names["Công an tỉnh"] == "Provincial Police"


def test_days_and_moments_are_written_as_boards_write_them() -> None:
    assert day_text(date(2024, 10, 3)) == Bilingual("03/10/2024", "3 Oct 2024")
    at = datetime(2024, 12, 31, 18, 5, tzinfo=UTC)
    assert moment_text(at, ZoneInfo("Asia/Ho_Chi_Minh")) == Bilingual("01:05 01/01/2025", "01:05 1 Jan 2025")
