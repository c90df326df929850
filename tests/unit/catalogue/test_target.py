"""A province's own targets: strictly read, and part of the definition that is stored."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ioc.catalogue import load_catalogue
from ioc.catalogue.target import TargetInForce, fields_of, read_steps, read_targets, with_targets, write_steps
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


CELLS = st.decimals(-(10**14), 10**14, allow_nan=False, places=3).map(float)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(CELLS, st.lists(CELLS, min_size=1, max_size=4))
def test_a_target_is_shown_with_all_its_digits(value: float, steps: list[float]) -> None:
    """11.080,04 was shown as 11080, and 12.345.678 as 1.23457e+07: neither is what the document asks."""
    dated = tuple((date(2024, 3 * n + 1, 1), step) for n, step in enumerate(steps))
    shown = fields_of(TargetInForce("x", ">=", value, date(2024, 12, 31), "s", pace="steps", steps=dated))
    assert float(str(shown["target"]).removeprefix(">=")) == value
    assert "e" not in str(shown["target"])
    assert read_steps(write_steps(dated)) == dated


@pytest.mark.parametrize("value", [11080.04, 12345678.0, 9980000.0, 1e-7, 0.1, 95.0])
def test_numbers_of_targets_read_back(value: float) -> None:
    assert write_steps([(date(2024, 3, 31), value)]).partition("=")[2] in (
        ["11080.04", "12345678", "9980000", "0.0000001", "0.1", "95"]
    )
    assert read_steps(write_steps([(date(2024, 3, 31), value)])) == ((date(2024, 3, 31), value),)


@pytest.mark.parametrize(
    "text",
    ["20240331=5", "2024-W01-1=5", "2024-03-31=1_0", "2024-03-31=٣", "2024-03-31=nan", "2024-03-31=1e999", "2024-03-31",
     "2024-02-30=5", "2023-02-29=5", "2024-06-30=5;2024-03-31=6", "2024-03-31=5;2024-03-31=6", "=5"],
)  # fmt: skip
def test_steps_are_read_as_days_and_numbers_are_everywhere(text: str) -> None:
    assert read_steps(text) is None


@pytest.mark.parametrize(
    ("year", "due_on", "is_read"),
    [
        ("2025", "2025-12-31", True),
        ("2025", "2026-01-31", True),  # what a plan of 2025 may still pay out
        ("", "2026-01-31", True),
        ("2026", "2025-12-31", False),
        ("2023", "2025-12-31", False),
        ("99999", "2025-12-31", False),  # beyond what the table's column holds
        ("-1", "", False),
        ("2030", "", True),
    ],
)
def test_the_year_of_a_target_is_that_of_its_date(
    write: Write, feeds: Mapping[str, Feed], tmp_path: Path, year: str, due_on: str, is_read: bool
) -> None:
    catalogue = load_catalogue(write({"code": "lodging.a"}), feeds)
    path = tmp_path / "own.csv"
    path.write_text(f"code,year,target,target_on,target_source\nlodging.a,{year},>=5,{due_on},x\n", encoding="utf-8")
    if is_read:
        (target,) = read_targets(path, catalogue, origin="command")
        assert target.year == (int(year) if year else 2026)
    else:
        with pytest.raises(ConfigError, match="row 2 column year"):
            read_targets(path, catalogue, origin="command")
