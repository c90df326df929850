"""Catalogues to test with: the real one, and small ones written for the occasion."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from ioc.catalogue import Catalogue, Compiled, compile_measures
from ioc.catalogue.indicator import COLUMNS
from ioc.feeds.feed import Feed, load_feeds
from ioc.province.profile import load_profile_catalogue
from ioc.settings import Settings

ROW = {
    "sector": "lodging",
    "unit": "lượt",
    "kind": "flow",
    "feed": "tourism.stay",
    "cadence": "daily",
    "direction": "higher",
    "levels": "province;district",
    "owner": "Sở Du lịch",
    "basis": "design",
}
Write = Callable[..., Path]


@pytest.fixture(scope="session")
def feeds() -> Mapping[str, Feed]:
    return load_feeds()


@pytest.fixture(scope="session")
def catalogue(feeds: Mapping[str, Feed]) -> Catalogue:
    return load_profile_catalogue(Settings(_env_file=None).profile, feeds)


@pytest.fixture(scope="session")
def compiled(catalogue: Catalogue) -> Compiled:
    return compile_measures(catalogue)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a catalogue of one sector; each row is given by what differs from `ROW`."""

    def write_rows(*rows: Mapping[str, str]) -> Path:
        names = "name_vi = 'x'\nname_en = 'x'\n"
        (tmp_path / "catalogue.toml").write_text(
            f"{names}statement_vi = 'x'\nstatement_en = 'x'\n[sectors.lodging]\n{names}", encoding="utf-8"
        )
        (tmp_path / "units.csv").write_text("unit,name_en\nlượt,occurrences\n", encoding="utf-8")
        (tmp_path / "owners.csv").write_text("owner,name_en\nSở Du lịch,Tourism\n", encoding="utf-8")
        with (tmp_path / "lodging.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS, restval="")
            writer.writeheader()
            for row in rows:
                names_of_row = {"name_vi": f"Tên {row['code']}", "name_en": f"Name {row['code']}"}
                writer.writerow({**ROW, **names_of_row, **row})
        return tmp_path

    return write_rows
