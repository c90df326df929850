"""The provisioning tree: what Grafana reads is what was built, and what went is deleted."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.cli import app
from grafana.bundle import Bundle
from grafana.check import check_all
from grafana.provisioning import PASSWORD_VARIABLE, read_tree, write_tree
from ioc.errors import ConfigError
from ioc.settings import Settings


def yaml_of(path: Path) -> dict[str, Any]:
    """JSON is YAML; the first line is a comment."""
    first, rest = path.read_text(encoding="utf-8").split("\n", 1)
    assert first.startswith("# ")
    model: dict[str, Any] = json.loads(rest)
    return model


def without(bundle: Bundle, uid: str) -> Bundle:
    groups = [{**g, "rules": [r for r in g["rules"] if r["uid"] != uid]} for g in bundle.rule_groups]
    return dataclasses.replace(bundle, rule_groups=tuple(groups))


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


def test_dollars_are_doubled_where_grafana_fills_in_the_environment(bundle: Bundle, tmp_path: Path) -> None:
    write_tree(bundle, tmp_path, tmp_path)
    for name in ("rules", "contact_points", "policies", "templates"):
        text = (tmp_path / "alerting" / f"{name}.yaml").read_text(encoding="utf-8")
        assert "$" not in text.replace("$$", "")
    board = (tmp_path / "dashboards-json" / "ioc-folder-tax" / "ioc-tax.json").read_text(encoding="utf-8")
    assert "$$" not in board


def test_the_password_is_a_reference(bundle: Bundle, defaults: Settings, tmp_path: Path) -> None:
    manifest = write_tree(bundle, tmp_path, tmp_path)
    (source,) = yaml_of(tmp_path / "datasources" / "ioc.yaml")["datasources"]
    assert source["secureJsonData"] == {"password": PASSWORD_VARIABLE}
    assert source["user"] == defaults.db_reader_user
    secret = defaults.db_reader_password.get_secret_value()
    assert all(secret not in (tmp_path / name).read_text(encoding="utf-8") for name in manifest.files)


def test_boards_lie_where_grafana_sees_them(bundle: Bundle, tmp_path: Path) -> None:
    write_tree(bundle, tmp_path, Path("/mounted"))
    for provider in yaml_of(tmp_path / "dashboards" / "ioc.yaml")["providers"]:
        path = Path(provider["options"]["path"])
        assert path.parent == Path("/mounted/dashboards-json")
        assert list((tmp_path / "dashboards-json" / path.name).glob("*.json"))


def test_rules_have_a_folder_of_their_own(bundle: Bundle, tmp_path: Path) -> None:
    write_tree(bundle, tmp_path, tmp_path)
    rules = {group["folder"] for group in yaml_of(tmp_path / "alerting" / "rules.yaml")["groups"]}
    boards = {provider["folder"] for provider in yaml_of(tmp_path / "dashboards" / "ioc.yaml")["providers"]}
    assert len(rules) == 1
    assert not rules & boards


def test_a_rule_that_went_is_deleted_in_every_build_after(bundle: Bundle, tmp_path: Path) -> None:
    gone = "ioc-pipeline-gap"
    write_tree(bundle, tmp_path, tmp_path)
    for _ in range(2):
        write_tree(without(bundle, gone), tmp_path, tmp_path)
        assert yaml_of(tmp_path / "alerting" / "rules.yaml")["deleteRules"] == [{"orgId": 1, "uid": gone}]
    write_tree(bundle, tmp_path, tmp_path)
    assert yaml_of(tmp_path / "alerting" / "rules.yaml")["deleteRules"] == []


def test_a_board_and_a_contact_point_that_went(bundle: Bundle, tmp_path: Path) -> None:
    write_tree(bundle, tmp_path, tmp_path)
    last = bundle.contact_points[-1]
    fewer = dataclasses.replace(bundle, boards=bundle.boards[:3], contact_points=bundle.contact_points[:-1])
    write_tree(fewer, tmp_path, tmp_path)
    names = {path.name for path in (tmp_path / "dashboards-json").rglob("*.json")}
    assert names == {"ioc-tourism.json", "ioc-tax.json", "ioc-pipeline.json"}
    points = yaml_of(tmp_path / "alerting" / "contact_points.yaml")
    assert points["deleteContactPoints"] == [{"orgId": 1, "uid": last["uid"]}]


def test_a_directory_of_someone_else_is_left_alone(bundle: Bundle, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="was not made by"):
        write_tree(bundle, tmp_path, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_commands(tmp_path: Path) -> None:
    run = CliRunner().invoke
    directory = str(tmp_path / "tree")
    built = run(app, ["grafana", "build", directory, "--language", "vi", "--json"])
    assert json.loads(built.stdout)["boards"] == ["ioc-pipeline", "ioc-tax", "ioc-tourism"]
    checked = run(app, ["grafana", "check", directory, "--json"])
    assert (checked.exit_code, json.loads(checked.stdout)["problems"]) == (0, [])


def test_check_fails_on_a_broken_board(tmp_path: Path) -> None:
    run = CliRunner().invoke
    run(app, ["grafana", "build", str(tmp_path), "--language", "vi"])
    path = tmp_path / "dashboards-json" / "ioc-folder-tax" / "ioc-tax.json"
    path.write_text(path.read_text(encoding="utf-8").replace("indicator_value", "tax_einvoice"), encoding="utf-8")
    checked = run(app, ["grafana", "check", str(tmp_path)])
    assert checked.exit_code == 1
    assert "reads tax_einvoice" in checked.output
