"""The pages say what the code does: settings, commands, topics, tables, and links that lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.formats.format import load_formats
from deploy.documentation import command_page, example_files, feed_page, format_pages, settings_page
from ioc.feeds.feed import load_feeds
from ioc.settings import ROOT
from sql import load_migrations

DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "GLOSSARY.md", *DOCS.rglob("*.md")])


def test_the_settings_page_is_that_of_the_code() -> None:
    assert (DOCS / "settings.md").read_text(encoding="utf-8") == settings_page(), "run `make docs`"


def test_the_page_of_commands_is_that_of_the_code() -> None:
    assert (DOCS / "cli.md").read_text(encoding="utf-8") == command_page(), "run `make docs`"


def test_every_table_is_explained() -> None:
    text = "".join((DOCS / page).read_text(encoding="utf-8") for page in ("data.md", "feeds.md"))
    tables = {
        name
        for migration in load_migrations()
        for name in re.findall(r"^CREATE (?:TABLE|VIEW) (\w+)", migration.text, re.MULTILINE)
    }
    renamed = dict(
        pair
        for migration in load_migrations()
        for pair in re.findall(r"^ALTER TABLE (\w+) RENAME TO (\w+)", migration.text, re.MULTILINE)
    )
    tables = {renamed.get(table, table) for table in tables}
    assert tables
    assert {table for table in tables if f"`{table}`" not in text} == set()


def test_the_page_of_feeds_is_that_of_the_code() -> None:
    assert (DOCS / "feeds.md").read_text(encoding="utf-8") == feed_page(load_feeds()), "run `make docs`"


def test_the_pages_of_formats_are_those_of_the_code() -> None:
    pages = format_pages(load_feeds())
    assert {path.name for path in (DOCS / "feeds").glob("*.md")} == pages.keys(), "run `make docs`"
    for name, text in pages.items():
        assert (DOCS / "feeds" / name).read_text(encoding="utf-8") == text, "run `make docs`"


def test_every_format_has_its_example_files() -> None:
    """That each is read is tested in tests/unit/formats/test_format_round_trip.py; `make docs` writes them anew."""
    directory = DOCS / "feeds" / "examples"
    kept = {path.relative_to(directory).as_posix() for path in directory.glob("*/*")}
    assert example_files().keys() == kept, "run `make docs`"
    assert {name.partition("/")[0] for name in kept} == load_formats().keys()


def test_the_readme_begins_with_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_files(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_commands_in_the_readme_exist() -> None:
    commands = command_page()
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    called = re.findall(r"\.venv/bin/ioc ((?:[a-z-]+ ?)+)", text)
    known = set(re.findall(r"^## `ioc ([a-z -]+)`", commands, re.MULTILINE))
    assert called
    assert [words for words in called if not any(words.strip().startswith(name) for name in known)] == []
