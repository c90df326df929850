"""`ioc catalogue`: what it prints, for people and for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ioc.catalogue.cli import app
from ioc.errors import ConfigError

Write = Callable[..., Path]


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_check_counts_and_says_where_the_catalogue_comes_from() -> None:
    assert "no mistakes" in run("check")
    answer = json.loads(run("check", "--json"))
    assert answer["indicators"] == sum(sector["all"] for sector in answer["sectors"])
    assert "simulated" in answer["statement_en"]


def test_check_raises_what_is_wrong(write: Write) -> None:
    directory = write({"code": "lodging.a", "unit": "x"})
    with pytest.raises(ConfigError, match="row 2 column unit"):
        run("check", "--directory", str(directory))


def test_list_filters() -> None:
    rows = json.loads(run("list", "--sector", "petrol", "--kind", "distinct", "--json"))
    assert [row["code"] for row in rows] == ["petrol.shops_einvoice", "petrol.shops_auto"]
    codes = {row["code"] for row in json.loads(run("list", "--feed", "registry.reporter", "--json"))}
    assert {"petrol.shops", "petrol.silent_shops", "lodging.occupancy.total"} <= codes
    assert "lodging.guests.total" not in codes
    assert "petrol.shops_auto" in run("list", "--sector", "petrol")


def test_list_refuses_what_it_does_not_know() -> None:
    result = CliRunner().invoke(app, ["list", "--sector", "fishing"])
    assert result.exit_code == 2
    assert "fishing" in result.output


def test_show_tells_what_is_counted_and_what_rests_on_it() -> None:
    facts = json.loads(run("show", "petrol.shops", "--json"))
    assert facts["name_vi"] == "Số cửa hàng bán lẻ xăng dầu đang hoạt động"
    assert facts["feeds"] == ["registry.reporter"]
    assert "petrol.silent_shops" in facts["dependents"]
    assert "registry = 'petrol'" in facts["sql"][0]
    assert "lodging.rooms.total" in run("show", "lodging.occupancy.total")
    assert "count(DISTINCT" in run("show", "petrol.shops_einvoice")


def test_show_of_an_unknown_code() -> None:
    with pytest.raises(ConfigError, match="ioc catalogue list"):
        run("show", "lodging.nothing")


def test_export_gives_every_row(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run("export"))))
    file = tmp_path / "catalogue.json"
    run("export", str(file), "--json")
    exported = json.loads(file.read_text(encoding="utf-8"))
    assert exported["indicators"] == rows
    assert "không phải danh mục của tỉnh" in exported["statement_vi"]
