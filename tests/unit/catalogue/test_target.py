"""A province's own targets: strictly read, and part of the definition that is stored."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest

from ioc.catalogue import load_catalogue
from ioc.catalogue.target import with_targets
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from ioc.province.profile import load_profile_catalogue
from ioc.settings import Settings

Write = Callable[..., Path]
HEADER = "code,target,target_on,target_source\n"


def targets(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "targets.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


def test_a_target_replaces_that_of_the_catalogue(write: Write, feeds: Mapping[str, Feed], tmp_path: Path) -> None:
    rows = [{"code": "lodging.a", "target": ">=5", "target_source": "target: nghị quyết"}, {"code": "lodging.b"}]
    catalogue = load_catalogue(write(*rows), feeds)
    changed = with_targets(
        catalogue,
        targets(tmp_path, "lodging.a,<=7,2025-12-31,target: tỉnh giao", "lodging.b,>=1,,target: tỉnh giao"),
    )
    target = changed.indicators["lodging.a"].target
    assert target is not None
    assert (target.op, target.value, target.on, target.source) == ("<=", 7, date(2025, 12, 31), "target: tỉnh giao")
    assert changed.indicators["lodging.a"].definition["target"] == "<=7"
    assert changed.indicators["lodging.b"].target is not None
    assert list(changed.indicators) == list(catalogue.indicators)


def test_an_empty_target_takes_one_away(write: Write, feeds: Mapping[str, Feed], tmp_path: Path) -> None:
    row = {"code": "lodging.a", "target": ">=5", "target_source": "target: nghị quyết"}
    changed = with_targets(load_catalogue(write(row), feeds), targets(tmp_path, "lodging.a,,,benchmark: không giao"))
    assert changed.indicators["lodging.a"].target is None


def test_every_mistake_is_told(write: Write, feeds: Mapping[str, Feed], tmp_path: Path) -> None:
    catalogue = load_catalogue(write({"code": "lodging.a"}, {"code": "lodging.b"}), feeds)
    path = targets(
        tmp_path,
        "lodging.none,>=1,,target: x",
        "lodging.a,about 5,,target: x",
        "lodging.b,>=5,31/12/2025,",
        "lodging.b,>=6,,target: x",
    )
    with pytest.raises(ConfigError) as told:
        with_targets(catalogue, path)
    message = str(told.value)
    for place in ("row 2 column code", "row 3 column target", "row 4 column target_on", "row 4 column target_source"):
        assert f"targets.csv {place}" in message
    assert "row 5 column code: lodging.b is there twice" in message


def test_a_profile_reads_its_own_catalogue_and_targets(write: Write, feeds: Mapping[str, Feed], tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    shutil.copytree(write({"code": "lodging.a"}), profile / "catalogue", ignore=shutil.ignore_patterns("profile"))
    assert load_profile_catalogue(profile, feeds).indicators["lodging.a"].target is None
    targets(profile, "lodging.a,>=3,,target: tỉnh giao")
    found = load_profile_catalogue(profile, feeds).indicators["lodging.a"].target
    assert found is not None and found.value == 3
    assert len(load_profile_catalogue(Settings().profile, feeds).indicators) == 1298
