"""The provisioning tree, read back by a server's own rules: what is built starts, twice, and what went is deleted."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner

from grafana.boards.board import TimeRange
from grafana.bundle import Bundle
from grafana.checking.check import check_all
from grafana.cli import app
from grafana.days import range_around
from grafana.provisioning.tree import PASSWORD_VARIABLE, read_tree, write_tree
from grafana.standin.files import StartError, start
from grafana.standin.store import Store
from ioc.errors import ConfigError
from ioc.settings import Settings

ENVIRONMENT = {PASSWORD_VARIABLE.removeprefix("$"): "mật$khẩu"}
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def yaml_of(path: Path) -> dict[str, Any]:
    """JSON is YAML; the first line is a comment."""
    first, rest = path.read_text(encoding="utf-8").split("\n", 1)
    assert first.startswith("# ")
    model: dict[str, Any] = json.loads(rest)
    return model


def without(bundle: Bundle, uid: str) -> Bundle:
    groups = [{**g, "rules": [r for r in g["rules"] if r["uid"] != uid]} for g in bundle.rule_groups]
    return dataclasses.replace(bundle, rule_groups=tuple(groups))


def test_a_server_starts_with_the_tree_and_holds_what_was_built(bundle: Bundle, tmp_path: Path) -> None:
    write_tree(bundle, tmp_path, tmp_path)
    store = Store()
    assert start(store, tmp_path, ENVIRONMENT) == []
    assert set(store.boards) == {board.uid for board in bundle.boards}
    for board in bundle.boards:
        stored = store.boards[board.uid]
        assert {k: v for k, v in stored["dashboard"].items() if k not in ("id", "version")} == board.model
        assert stored["folder"] == board.folder.uid
    for uid, rule in bundle.rules.items():
        for name in ("title", "labels", "annotations", "condition"):
            assert store.rules[uid][name] == rule[name], name
        texts = [query["model"].get("rawSql", query["model"].get("expression")) for query in store.rules[uid]["data"]]
        assert texts == [q["model"].get("rawSql", q["model"].get("expression")) for q in rule["data"]]
    assert store.policy == bundle.policy
    assert store.templates == {bundle.template["name"]: bundle.template["template"]}
    points = {p["uid"]: p["settings"] for p in bundle.contact_points}
    assert {uid: p["settings"] for uid, p in store.contact_points.items()} == points
    assert store.datasources["ioc-timescaledb"]["secureJsonData"] == {"password": "mật$khẩu"}


def test_a_second_start_changes_no_board_and_keeps_every_rule(bundle: Bundle, tmp_path: Path) -> None:
    write_tree(bundle, tmp_path, tmp_path)
    store = Store()
    start(store, tmp_path, ENVIRONMENT)
    versions = {uid: board["dashboard"]["version"] for uid, board in store.boards.items()}
    start(store, tmp_path, ENVIRONMENT)
    assert {uid: board["dashboard"]["version"] for uid, board in store.boards.items()} == versions
    assert set(store.rules) == set(bundle.rules)


def test_a_server_ends_on_half_a_pair_and_on_a_missing_receiver(bundle: Bundle, tmp_path: Path) -> None:
    write_tree(bundle, tmp_path, tmp_path)
    path = tmp_path / "alerting" / "rules.yaml"
    whole = path.read_text(encoding="utf-8")
    half = whole.replace('"annotations": {', '"annotations": {"__panelId__": "1",', 1)
    path.write_text(half, encoding="utf-8")
    with pytest.raises(StartError, match="both annotations"):
        start(Store(), tmp_path, ENVIRONMENT)
    path.write_text(whole, encoding="utf-8")
    (tmp_path / "alerting" / "contact_points.yaml").write_text('# x\n{"contactPoints": []}', encoding="utf-8")
    with pytest.raises(StartError, match="does not exist"):
        start(Store(), tmp_path, ENVIRONMENT)


def test_a_directory_below_the_one_that_grafana_reads_is_not_seen(bundle: Bundle, tmp_path: Path) -> None:
    write_tree(bundle, tmp_path / "ioc", tmp_path / "ioc")
    store = Store()
    errors = start(store, tmp_path, ENVIRONMENT)
    assert (store.boards, store.rules) == ({}, {})
    assert len(errors) == 6


def test_a_rule_that_went_is_deleted_at_the_next_start_and_stays_listed(bundle: Bundle, tmp_path: Path) -> None:
    write_tree(bundle, tmp_path, tmp_path)
    store = Store()
    start(store, tmp_path, ENVIRONMENT)
    write_tree(without(bundle, "ioc-incident-closed"), tmp_path, tmp_path)
    start(store, tmp_path, ENVIRONMENT)
    assert "ioc-incident-closed" not in store.rules
    third = write_tree(without(bundle, "ioc-incident-closed"), tmp_path, tmp_path)
    assert third.deleted_rules == ("ioc-incident-closed",)


def test_a_board_that_went_is_removed_with_its_file(bundle: Bundle, tmp_path: Path) -> None:
    write_tree(bundle, tmp_path, tmp_path)
    store = Store()
    start(store, tmp_path, ENVIRONMENT)
    fewer = dataclasses.replace(bundle, boards=tuple(b for b in bundle.boards if b.uid != "ioc-area"))
    write_tree(fewer, tmp_path, tmp_path)
    start(store, tmp_path, ENVIRONMENT)
    assert "ioc-area" not in store.boards


def test_a_tree_reads_back_as_it_was_built(bundle: Bundle, names: set[str], tmp_path: Path) -> None:
    write_tree(bundle, tmp_path / "tree", Path("/etc/grafana/ioc"))
    tree = read_tree(tmp_path / "tree")
    assert {board["uid"] for board in tree.boards} == {board.uid for board in bundle.boards}
    assert {uid: rule["data"] for uid, rule in tree.rules.items()} == {u: r["data"] for u, r in bundle.rules.items()}
    assert check_all(tree.boards, tree.rules, tree.receivers, tree.policy, names) == []


def test_a_second_build_changes_nothing(bundle: Bundle, tmp_path: Path) -> None:
    first = write_tree(bundle, tmp_path, tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in (*first.files, "manifest.json")}
    assert write_tree(bundle, tmp_path, tmp_path) == first
    assert {name: (tmp_path / name).read_bytes() for name in before} == before


def test_the_password_is_a_reference(bundle: Bundle, defaults: Settings, tmp_path: Path) -> None:
    manifest = write_tree(bundle, tmp_path, tmp_path)
    (source,) = yaml_of(tmp_path / "datasources" / "ioc.yaml")["datasources"]
    assert source["secureJsonData"] == {"password": "$IOC_DB_GRAFANA_PASSWORD"}
    assert source["user"] == defaults.db_grafana_user
    secret = defaults.db_grafana_password.get_secret_value()
    assert not [name for name in manifest.files if secret in (tmp_path / name).read_text(encoding="utf-8")]


def test_providers_name_where_grafana_sees_the_boards(bundle: Bundle, tmp_path: Path) -> None:
    write_tree(bundle, tmp_path, Path("/etc/grafana/provisioning"))
    providers = yaml_of(tmp_path / "dashboards" / "ioc.yaml")["providers"]
    paths = {provider["options"]["path"] for provider in providers}
    assert paths == {f"/etc/grafana/provisioning/dashboards-json/{board.folder.uid}" for board in bundle.boards}


def test_a_directory_of_someone_else_is_left_alone(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="was not made by"):
        write_tree(bundle, tmp_path, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_commands(tmp_path: Path) -> None:
    run = CliRunner().invoke
    directory = str(tmp_path / "tree")
    environment = {"IOC_DB_PORT": "9", "IOC_DB_CONNECT_TIMEOUT": "1"}
    built = run(app, ["build", directory, "--language", "vi", "--json"], env=environment)
    boards = json.loads(built.stdout)["boards"]
    assert len([uid for uid in boards if uid.startswith("ioc-sector-")]) == 31
    checked = run(app, ["check", directory, "--json"])
    assert (checked.exit_code, json.loads(checked.stdout)["problems"]) == (0, [])
    path = tmp_path / "tree" / "dashboards-json" / "ioc-folder-general" / "ioc-overview.json"
    path.write_text(path.read_text(encoding="utf-8").replace("shown_status s", "tax_einvoice s"), encoding="utf-8")
    broken = run(app, ["check", directory])
    assert broken.exit_code == 1
    assert "reads tax_einvoice" in broken.output


@pytest.mark.parametrize(
    ("newest", "wanted"),
    [
        (None, TimeRange()),
        (date(2026, 11, 26), TimeRange()),
        (date(2024, 10, 31), TimeRange("2024-09-30T17:00:00.000Z", "2024-10-31T17:00:00.000Z")),
        (date(2024, 10, 16), TimeRange("2024-09-30T17:00:00.000Z", "2024-10-31T17:00:00.000Z")),
        (date(2024, 10, 3), TimeRange("2024-08-31T17:00:00.000Z", "2024-10-05T17:00:00.000Z")),
        (date(2024, 10, 9), TimeRange("2024-08-31T17:00:00.000Z", "2024-10-15T17:00:00.000Z")),
        (date(2024, 12, 20), TimeRange("2024-11-30T17:00:00.000Z", "2024-12-31T17:00:00.000Z")),
    ],
)
def test_boards_open_where_the_data_are(newest: date | None, wanted: TimeRange) -> None:
    assert range_around(newest, date(2026, 11, 27), ZONE) == wanted
