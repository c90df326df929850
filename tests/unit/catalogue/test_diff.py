"""What a change of the catalogue does to figures: by meaning, not by the way it is written."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ioc.catalogue import Indicator, load_catalogue
from ioc.catalogue.cli import app
from ioc.catalogue.diff import CatalogueDiff, FieldChange, compare_catalogues
from ioc.catalogue.edition import Edition, Editions
from ioc.catalogue.loading import read_definitions, read_export
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed

Write = Callable[..., Path]
Read = Callable[..., Mapping[str, Indicator]]

GUESTS = {"code": "lodging.guests"}
WOMEN = {"code": "lodging.women", "where": "sex = 'female'"}
SHARE = {"code": "lodging.share", "kind": "ratio", "feed": "", "formula": "100 * lodging.women / lodging.guests"}
DOUBLE = {"code": "lodging.double", "kind": "ratio", "feed": "", "formula": "2 * lodging.share"}


@pytest.fixture
def read(write: Write, feeds: Mapping[str, Feed]) -> Read:
    return lambda *rows: load_catalogue(write(*rows), feeds).indicators


def diff(read: Read, old: list[dict[str, str]], new: list[dict[str, str]]) -> CatalogueDiff:
    return compare_catalogues(read(*old), read(*new))


def test_the_same_catalogue_does_not_change(read: Read) -> None:
    found = diff(read, [GUESTS, WOMEN, SHARE], [GUESTS, WOMEN, SHARE])
    assert (found.changes, found.measures_added, found.measures_removed) == ({}, (), ())


def test_what_uses_a_changed_row_follows_at_any_distance(read: Read) -> None:
    found = diff(read, [GUESTS, WOMEN, SHARE, DOUBLE], [GUESTS, WOMEN | {"where": "sex = 'male'"}, SHARE, DOUBLE])
    assert {code: one.change for code, one in found.changes.items()} == {
        "lodging.women": "recomputed",
        "lodging.share": "follows",
        "lodging.double": "follows",
    }
    assert found.changes["lodging.women"].cells == (FieldChange("where", "sex = 'female'", "sex = 'male'"),)
    assert found.changes["lodging.double"].because == ("lodging.women",)
    assert [measure.condition for measure in found.measures_added] == ["sex = 'male'"]
    assert [measure.condition for measure in found.measures_removed] == ["sex = 'female'"]


@pytest.mark.parametrize(
    ("row", "other"),
    [
        (WOMEN, {"where": "sex  =  'female'"}),
        (SHARE, {"formula": "100*lodging.women/lodging.guests"}),
        (GUESTS, {"value": "1"}),
    ],
)
def test_another_way_of_writing_is_no_other_computation(read: Read, row: dict[str, str], other: dict[str, str]) -> None:
    before = [GUESTS, WOMEN, SHARE]
    found = diff(read, before, [row | other if old is row else old for old in before])
    assert {code: one.change for code, one in found.changes.items()} == {row["code"]: "reworded"}


@pytest.mark.parametrize(
    "change", [{"name_en": "Guests of all kinds"}, {"direction": "lower"}, {"owner": "Sở Du lịch;"}]
)
def test_words_change_no_figure(read: Read, change: dict[str, str]) -> None:
    assert diff(read, [GUESTS], [GUESTS | change]).change("lodging.guests") == "reworded"


@pytest.mark.parametrize(
    "change",
    [{"value": "age_years"}, {"kind": "stock"}, {"at": "check_out_on"}, {"kind": "average", "value": "age_years"}],
)
def test_what_is_counted_changes_figures(read: Read, change: dict[str, str]) -> None:
    assert diff(read, [GUESTS], [GUESTS | change]).change("lodging.guests") == "recomputed"


def test_rows_that_come_and_go(read: Read) -> None:
    found = diff(read, [GUESTS, WOMEN], [GUESTS, SHARE | {"formula": "2 * lodging.guests"}])
    assert {code: one.change for code, one in found.changes.items()} == {
        "lodging.share": "added",
        "lodging.women": "removed",
    }


def test_candidates_are_swapped_in_with_what_they_use_and_what_uses_them(read: Read) -> None:
    rows = read(GUESTS, WOMEN, SHARE, DOUBLE)
    live = Edition(rows, {"lodging": {"lodging.guests": 1}})
    waiting = Edition(rows, {"lodging": {"lodging.women": 2, "lodging.share": 3, "lodging.double": 4}})
    editions = Editions(live, waiting, 1)
    assert editions.together(["lodging.share"]) == {"lodging.women", "lodging.share", "lodging.double"}
    assert editions.together(["lodging.guests"]) == frozenset()
    assert Editions(live, None, 1).together(["lodging.share"]) == frozenset()


def test_stored_rows_that_no_longer_read_are_told_and_left_out(feeds: Mapping[str, Feed], read: Read) -> None:
    rows = [{**row.definition} for row in read(GUESTS, WOMEN).values()]
    rows[1]["where"] = "height > 3"
    found, problems = read_definitions(rows, feeds)
    assert list(found) == ["lodging.guests"]
    assert "lodging.women" in problems.found[0] and "height" in problems.found[0]


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["diff", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_diff_against_a_directory_and_against_an_export(write: Write, tmp_path: Path) -> None:
    directory = str(write(GUESTS, WOMEN, SHARE))
    exports = [tmp_path / "old" / name for name in ("old.csv", "old.json")]
    exports[0].parent.mkdir()
    for path, options in zip(exports, ([], ["--json"]), strict=True):
        CliRunner().invoke(app, ["export", str(path), "--directory", directory, *options], catch_exceptions=False)
    assert "Nothing changes" in run(directory, "--directory", directory)
    write(GUESTS | {"where": "overnight"}, WOMEN, SHARE)
    for path in exports:
        told = run(str(path), "--directory", directory)
        assert "1 recomputed, 1 follows" in told and "1 measures are new" in told
        answer = json.loads(run(str(path), "--directory", directory, "--json"))
        assert [(one["code"], one["change"]) for one in answer["changes"]] == [
            ("lodging.guests", "recomputed"),
            ("lodging.share", "follows"),
        ]
        assert answer["measures_added"][0]["condition"] == "overnight"


@pytest.mark.parametrize("name", ["nothing.csv", "nothing.json"])
def test_a_file_that_is_not_there(name: str, tmp_path: Path, feeds: Mapping[str, Feed]) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        read_export(tmp_path / name, feeds)
