"""`python -m deploy.documentation.site DIRECTORY`: docs/ as a site (mkdocs-material); what `make docs-site` runs.

The pages link to each other, to the pages at the top of the checkout, and to files of the code. All of them are staged
side by side as in the checkout, so that every link leads somewhere; one that does not ends the build.
"""

from __future__ import annotations

import json
import logging
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from ioc.settings import ROOT

TOP: Final = ("README.md", "GLOSSARY.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
# Title of a section -> its pages; a directory means all pages in it. The build fails where a page is in no section.
SECTIONS: Final[dict[str, Sequence[str]]] = {
    "Bắt đầu · Start": ("README.md", "docs/demo.md", "docs/install.md", "docs/containers.md", "CHANGELOG.md"),
    "Khái niệm · Concepts": (
        *("GLOSSARY.md", "docs/architecture.md", "docs/data.md", "docs/areas.md", "docs/status.md", "docs/quality.md"),
        *("docs/history.md", "docs/small-cells.md", "docs/approval.md", "docs/profile.md", "docs/model"),
    ),
    "Gửi dữ liệu · Publish": (
        *("docs/gateway.md", "docs/formats.md", "docs/file-drop.md", "docs/pollers.md", "docs/adding-a-feed.md"),
    ),
    "Vận hành · Operate": (
        *("docs/operate.md", "docs/security.md", "docs/audit.md", "docs/capacity.md", "docs/performance.md"),
        *("docs/notification.md", "docs/changes.md", "docs/settings.md", "docs/cli.md", "docs/testing.md"),
        *("SECURITY.md", "CONTRIBUTING.md"),
    ),
    "Luồng dữ liệu · Feeds": ("docs/feeds.md", "docs/feeds"),
    "Danh mục · Catalogue": (
        *("docs/catalogue.md", "docs/catalogue-health.md", "docs/catalogue-services.md", "docs/catalogue-reported.md"),
        "docs/catalogue",
    ),
    "Bảng và trang · Boards": ("docs/grafana.md", "docs/pages.md"),
    "API": ("docs/api.md",),
    "Quyết định · Decisions": ("docs/decisions",),
}
_LISTING = "listing.md"
_LINK = re.compile(r"(!?\[[^\]]*\]\()([^)\s#]+)((?:#[^)\s]*)?\))")


def write_site(target: Path) -> None:
    """Write the site. Raises SystemExit where a link leads nowhere, or a page is in no section."""
    from mkdocs.commands.build import build  # noqa: PLC0415 - of the development's packages
    from mkdocs.config import load_config  # noqa: PLC0415
    from mkdocs.exceptions import Abort  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as directory:
        staged, file = Path(directory).resolve() / "pages", Path(directory) / "mkdocs.yml"
        stage(ROOT, staged)
        file.write_text(json.dumps(configuration(staged, target.resolve())), encoding="utf-8")  # JSON is YAML
        try:
            build(load_config(str(file)))
        except Abort as error:
            raise SystemExit(f"the site is not whole: {error}") from None


def stage(root: Path, staged: Path) -> None:
    """Copy the pages, and every file that they link to."""
    shutil.copytree(root / "docs", staged / "docs")
    for name in TOP:
        shutil.copyfile(root / name, staged / name)
    for page in sorted(staged.rglob("*.md")):
        here = page.relative_to(staged).parent

        def lead(found: re.Match[str], here: Path = here) -> str:
            source = (root / here / found[2]).resolve()
            if not source.is_relative_to(root) or not source.exists():
                return found[0]
            link = found[2]
            if source.is_dir():  # there is no page of it: its first one
                first = min(source.glob("*.md"))
                link, source = f"{link.rstrip('/')}/{first.name}", first
            copy = staged / source.relative_to(root)
            copy.parent.mkdir(parents=True, exist_ok=True)
            if not copy.exists():
                shutil.copyfile(source, copy)
            return f"{found[1]}{_renamed(link)}{found[3]}"

        page.write_text(_LINK.sub(lead, page.read_text(encoding="utf-8")), encoding="utf-8")
    for page in sorted(staged.rglob("index.md")):
        page.rename(page.with_name(_LISTING))


def _renamed(link: str) -> str:
    """Return where a link leads in the site, in which `index.md` and `README.md` of a directory would be one page."""
    return f"{link.removesuffix('index.md')}{_LISTING}" if link.rpartition("/")[2] == "index.md" else link


def pages_of(staged: Path, listed: Sequence[str]) -> Iterator[str]:
    """Yield the pages of a section."""
    for name in listed:
        if name.endswith(".md"):
            yield name
        else:
            yield from sorted(str(page.relative_to(staged)) for page in (staged / name).glob("*.md"))


def configuration(staged: Path, target: Path) -> dict[str, Any]:
    """Return mkdocs' configuration; nothing is fetched from elsewhere when a page is opened."""
    return {
        "site_name": "IOC: luồng dữ liệu của tỉnh",
        "docs_dir": str(staged),
        "site_dir": str(target),
        "strict": True,
        "use_directory_urls": False,
        "theme": {
            "name": "material",
            "font": False,
            "language": "vi",
            "features": ["navigation.sections", "toc.follow"],
        },
        "plugins": ["search"],
        "markdown_extensions": ["tables", "fenced_code", "sane_lists", {"toc": {"permalink": True}}],
        "validation": {"omitted_files": "warn", "absolute_links": "warn", "unrecognized_links": "warn"},
        "nav": [{title: list(pages_of(staged, listed))} for title, listed in SECTIONS.items()],
    }


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m deploy.documentation.site DIRECTORY")
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    write_site(Path(sys.argv[1]))
