"""Pages made from the code and the catalogue: `python -m deploy.documentation` writes them into `docs/`."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from deploy.documentation.catalogue_page import catalogue_pages
from deploy.documentation.example import example_files
from deploy.documentation.feed_listing import feed_page
from deploy.documentation.format_page import format_pages
from deploy.documentation.reference import command_page, settings_page
from ioc.feeds.feed import load_feeds

__all__ = [
    "catalogue_pages",
    "command_page",
    "example_files",
    "feed_page",
    "format_pages",
    "settings_page",
    "write_pages",
]


def write_pages(directory: Path) -> None:
    """Write the pages into `docs/`; pages of what is no longer there are removed."""
    (directory / "settings.md").write_text(settings_page(), encoding="utf-8")
    (directory / "cli.md").write_text(command_page(), encoding="utf-8")
    (directory / "feeds.md").write_text(feed_page(load_feeds()), encoding="utf-8")
    _write(directory / "catalogue", catalogue_pages())
    _write(directory / "feeds", format_pages(load_feeds()))
    examples = directory / "feeds" / "examples"
    shutil.rmtree(examples, ignore_errors=True)
    for name, content in example_files().items():
        (examples / name).parent.mkdir(parents=True, exist_ok=True)
        (examples / name).write_bytes(content)


def _write(directory: Path, pages: Mapping[str, str]) -> None:
    directory.mkdir(exist_ok=True)
    for stale in set(directory.glob("*.md")) - {directory / name for name in pages}:
        stale.unlink()
    for name, text in pages.items():
        (directory / name).write_text(text, encoding="utf-8")
