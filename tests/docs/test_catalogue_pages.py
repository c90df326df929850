"""The pages of the catalogue say what its rows say, each indicator once, and where the catalogue comes from."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from deploy.documentation import catalogue_pages
from deploy.documentation.definition import define
from deploy.documentation.words import BREAKDOWNS
from ioc.catalogue import Catalogue
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile_catalogue
from ioc.settings import ROOT, Settings

PAGES = ROOT / "docs" / "catalogue"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_profile_catalogue(Settings(_env_file=None).profile, load_feeds())


def cells_of(line: str) -> list[str]:
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def test_the_committed_pages_are_those_of_the_rows() -> None:
    committed = {path.name: path.read_text(encoding="utf-8") for path in PAGES.iterdir()}
    assert set(committed) == set(catalogue_pages())
    assert [name for name, text in catalogue_pages().items() if committed[name] != text] == [], "run `make docs`"


def test_every_code_has_one_row_on_its_sectors_page(catalogue: Catalogue) -> None:
    assert len(catalogue.indicators) == 1298
    rows = Counter(
        (name, code)
        for name, text in catalogue_pages().items()
        for code in re.findall(r"^\| `([a-z0-9_.]+)` \|", text, re.MULTILINE)
    )
    assert rows == Counter((f"{found.sector}.md", found.code) for found in catalogue.indicators.values())


def test_every_page_says_where_the_catalogue_comes_from(catalogue: Catalogue) -> None:
    assert "1.298" in catalogue.statement_vi
    for name, text in catalogue_pages().items():
        head = text.partition("\n## ")[0]
        assert catalogue.statement_vi in head, name
        assert catalogue.statement_en in head, name


def test_tables_are_even(catalogue: Catalogue) -> None:
    for name, text in catalogue_pages().items():
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            widths = {len(cells_of(line)) for line in table.splitlines()}
            assert len(widths) == 1, (name, table.splitlines()[0])


def test_the_index_counts_what_the_pages_hold(catalogue: Catalogue) -> None:
    for sector in catalogue.sectors:
        line = next(line for line in catalogue_pages()["README.md"].splitlines() if f"({sector}.md)" in line)
        kinds = [int(cell or 0) for cell in cells_of(line)[1:-1]]
        assert sum(kinds) == int(cells_of(line)[-1]) == len(catalogue.of_sector(sector))


def test_a_target_stands_with_its_day_and_source(catalogue: Catalogue) -> None:
    for found in catalogue.indicators.values():
        line = next(
            line for line in catalogue_pages()[f"{found.sector}.md"].splitlines() if f"| `{found.code}` |" in line
        )
        assert ("mục tiêu · target" in line) == (found.target is not None), found.code
        assert found.definition["target_source"].replace("|", "\\|") in line, found.code
        if found.target and found.target.on:
            assert f"{found.target.on:%d/%m/%Y}" in line, found.code


def test_breakdowns_have_names_in_both_languages(catalogue: Catalogue) -> None:
    assert {found.breakdown for found in catalogue.indicators.values()} - {""} - set(BREAKDOWNS) == set()


def test_definitions_by_hand(catalogue: Catalogue) -> None:
    told = {code: define(catalogue.indicators[code], catalogue, load_feeds()) for code in catalogue.indicators}
    occupied = told["lodging.in_house.domestic"]
    assert "từ ngày `check_in_on` đến trước ngày `check_out_on`" in occupied.vi
    assert occupied.sql == (
        "SELECT count(*) FROM tourism_stay WHERE check_in_on <= :to "
        "AND (check_out_on IS NULL OR check_out_on > :to) AND origin = 'domestic'"
    )
    share = told["citizen_app.answer_rate.assistant_citizen"]
    assert share.sql == "100 * citizen_app.answered.assistant_citizen / citizen_app.questions.assistant_citizen"
    assert share.en == (
        "100 × “Questions answered by the virtual assistant for citizens” "
        "/ “Questions to the virtual assistant for citizens”"
    )
    reported = told["citizen_app.expert_ideas"]
    assert "period_start BETWEEN :from AND :to" in reported.sql
    assert reported.vi.startswith("Cơ quan báo cáo theo tháng")
