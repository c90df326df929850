"""File provisioning: what a server does with a tree at its start. It ends at the first file that it cannot take.

Variables of the environment are filled in in data sources, contact points, policies, and in a rule except for its
annotations and queries (source: pkg/services/provisioning/values and alerting/rules_types.go, `Annotations.Raw` and
`Model.Raw`); templates are not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from grafana.boards.board import Json
from grafana.standin.store import RefusedError, Store

_FOLDERS = ("datasources", "dashboards", "notifiers", "plugins", "access-control", "alerting")
_VARIABLE = re.compile(r"\$\$|\$\{(\w+)\}|\$(\w+)")


class StartError(Exception):
    """The server ends at its start."""


def start(store: Store, directory: Path, environment: Mapping[str, str]) -> list[str]:
    """Read a tree into the store as a start does; return the lines of the log that are errors. Other directories are
    not seen.

    Raises StartError where the real server exits.
    """
    errors = [f"can't read {name} provisioning files" for name in _FOLDERS if not (directory / name).is_dir()]
    try:
        for content in _files(directory / "datasources"):
            for source in content.get("datasources", []):
                store.datasources[source["uid"]] = _expanded(source, environment)
        for content in _files(directory / "alerting"):
            _rules(store, content, environment)
            _contact_points(store, content, environment)
        for content in _files(directory / "alerting"):
            for template in content.get("templates", []):
                store.put_template(template["name"], template["template"])
        for content in _files(directory / "alerting"):
            for policy in content.get("policies", []):
                tree = {key: value for key, value in _expanded(policy, environment).items() if key != "orgId"}
                store.put_policy(tree, "file")
        for content in _files(directory / "alerting"):
            for gone in content.get("deleteContactPoints", []):
                store.delete_contact_point(gone["uid"])
        for content in _files(directory / "dashboards"):
            for provider in content.get("providers", []):
                _boards(store, provider)
    except RefusedError as error:
        raise StartError(f"provisioning: {error}") from error
    return errors


def _files(directory: Path) -> Iterator[Json]:
    for path in sorted(directory.glob("*.y*ml")):
        yield json.loads("\n".join(s for s in path.read_text(encoding="utf-8").splitlines() if not s.startswith("#")))


def _rules(store: Store, content: Json, environment: Mapping[str, str]) -> None:
    for group in content.get("groups", []):
        title = _expanded(group["folder"], environment)
        folder = next((f["uid"] for f in store.folders.values() if f["title"] == title), None)
        # One that a rule makes gets a uid of the server's own.
        folder = folder or store.put_folder(f"made-{len(store.folders)}", title)["uid"]
        for rule in group["rules"]:
            raw = {name: rule[name] for name in ("annotations", "data")}
            made = _expanded({name: value for name, value in rule.items() if name not in raw}, environment) | raw
            made |= {"folderUID": folder, "ruleGroup": group["name"]}
            store.put_rule(made, "file", new=rule["uid"] not in store.rules)
        store.intervals[folder, group["name"]] = int(group["interval"].removesuffix("s"))
    for gone in content.get("deleteRules", []):
        store.delete_rule(gone["uid"], "file")


def _contact_points(store: Store, content: Json, environment: Mapping[str, str]) -> None:
    for point in content.get("contactPoints", []):
        for receiver in point["receivers"]:
            made = _expanded(receiver, environment) | {"name": _expanded(point["name"], environment)}
            store.put_contact_point(made, "file", new=receiver["uid"] not in store.contact_points)


def _boards(store: Store, provider: Json) -> None:
    uid, title = provider["folderUid"], provider["folder"]
    if uid not in store.folders:
        store.put_folder(uid, title)
    wanted: set[str] = set()
    for path in sorted(Path(provider["options"]["path"]).glob("*.json")):
        board = json.loads(path.read_text(encoding="utf-8"))
        wanted.add(board["uid"])
        stored = store.boards.get(board["uid"])
        # A second start writes nothing where the file is as it was.
        if stored is None or {k: v for k, v in stored["dashboard"].items() if k not in ("id", "version")} != board:
            store.put_board(board, uid, file=True)
    gone = [u for u, board in store.boards.items() if board["file"] and board["folder"] == uid and u not in wanted]
    for old in gone:
        del store.boards[old]


def _expanded(value: Any, environment: Mapping[str, str]) -> Any:
    match value:
        case str():
            return _VARIABLE.sub(lambda m: "$" if m[0] == "$$" else environment.get(m[1] or m[2], ""), value)
        case Mapping():
            return {key: _expanded(inner, environment) for key, inner in value.items()}
        case list():
            return [_expanded(inner, environment) for inner in value]
    return value
