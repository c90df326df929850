"""The site of docs/ builds without a warning, with every page in it; what would be a dead end does not build."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from deploy.documentation import site
from ioc.settings import ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    site.write_site(target)
    return target


def test_every_page_is_in_the_site(built: Path) -> None:
    for page in [*(ROOT / "docs").rglob("*.md"), *(ROOT / name for name in site.TOP)]:
        name = page.relative_to(ROOT).with_suffix(".html")
        if page.name in ("README.md", "index.md"):
            name = name.with_name("index.html" if page.name == "README.md" else "listing.html")
        assert (built / name).is_file(), page
    assert "Vận hành · Operate" in (built / "index.html").read_text(encoding="utf-8")


def test_a_page_fetches_nothing_from_elsewhere(built: Path) -> None:
    """The province's network may have no way out, and readers are nobody else's business."""
    for page in built.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        fetched = re.findall(r"<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\"?(https?://[^\"\s>]+)", text)
        assert fetched == [], page


@pytest.mark.parametrize(
    ("page", "text"),
    [("docs/api.md", "[nowhere](no-such-page.md)"), ("docs/an-extra-page.md", "# Of no section\n")],
    ids=["a link that leads nowhere", "a page of no section"],
)
def test_what_is_not_whole_does_not_build(
    page: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT / "docs", checkout / "docs")
    for name in site.TOP:
        shutil.copyfile(ROOT / name, checkout / name)
    # Files of the code are linked to; their place is enough.
    for linked in {found for file in checkout.rglob("*.md") for found in _linked(file, checkout)}:
        linked.parent.mkdir(parents=True, exist_ok=True)
        linked.touch()
    with (checkout / page).open("a", encoding="utf-8") as file:
        file.write(f"\n{text}\n")
    monkeypatch.setattr(site, "ROOT", checkout)
    with pytest.raises(SystemExit, match="not whole"):
        site.write_site(tmp_path / "site")


def _linked(page: Path, checkout: Path) -> list[Path]:
    links = re.findall(r"\]\(([^)\s#]+)", page.read_text(encoding="utf-8"))
    found = [(page.parent / link).resolve() for link in links]
    return [
        one
        for one in found
        if one.is_relative_to(checkout) and (ROOT / one.relative_to(checkout)).is_file() and not one.exists()
    ]
