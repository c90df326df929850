"""The pictures of the pages are there, small, shown with words for who does not see them, and none is left over."""

from __future__ import annotations

import re

import pytest
from pictures import DIRECTORY, PAGES

from ioc.settings import ROOT

SHOWN = {
    found[2]: found[1]
    for page in (ROOT / "docs").rglob("*.md")
    for found in re.finditer(r"!\[([^\]]*)\]\(pictures/([\w.-]+)\)", page.read_text(encoding="utf-8"))
}


@pytest.mark.parametrize("name", [f"{picture.name}.webp" for picture in PAGES])
def test_a_picture_is_there_and_shown(name: str) -> None:
    content = (DIRECTORY / name).read_bytes()
    assert content[:4] == b"RIFF" and content[8:12] == b"WEBP", "run `make pictures`"
    assert 10_000 < len(content) < 200_000
    assert len(SHOWN[name]) > 40, "say in words what it shows"


def test_no_picture_is_left_over() -> None:
    assert {path.name for path in DIRECTORY.iterdir()} == set(SHOWN) == {f"{picture.name}.webp" for picture in PAGES}
    assert sum(path.stat().st_size for path in DIRECTORY.iterdir()) < 1_000_000


def test_every_page_of_people_has_one() -> None:
    assert {picture.path.split("/")[1] for picture in PAGES} == {
        "",
        "sectors",
        "indicators",
        "incidents",
        "morning",
        "sending",
    }
