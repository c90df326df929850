"""The provisioning tree: files that a Grafana server reads at its start.

The directory is the one that Grafana's `[paths] provisioning` names: below it Grafana reads these directories and no
others.

    datasources/ioc.yaml   dashboards/ioc.yaml   alerting/*.yaml   dashboards-json/<folder>/<uid>.json   manifest.json
    emails/ng_alert_notification.txt

The YAML files hold JSON, which is YAML too, sorted so that a change is a readable diff. Grafana never removes rules
and contact points that a file no longer names: the manifest of the build before says which to delete.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from grafana.alerting.contact import RECEIPT_TOKEN
from grafana.alerting.rule import ALERT_FOLDER
from grafana.boards.board import Json, to_text
from grafana.bundle import Bundle
from ioc.errors import ConfigError

_ORG = 1
_HEADER = "# Made by `ioc grafana build`; changes are overwritten.\n"
# A plain variable, not $__env{...}: Grafana would expand that one's value once more, and with it a $ in the password.
PASSWORD_VARIABLE = "$IOC_DB_GRAFANA_PASSWORD"  # noqa: S105 - the name of a variable
_MANIFEST = "manifest.json"
_BOARDS = "dashboards-json"
_RULE_FIELDS = (
    "uid",
    "title",
    "condition",
    "data",
    "noDataState",
    "execErrState",
    "for",
    "annotations",
    "labels",
)
_RAW_FIELDS = frozenset({"annotations", "data"})
# The plain-text part of e-mails. Grafana up to 10.0.1 puts all labels there in place of the message (issue 64658,
# mended by PR 69951); with this file it has the message. Grafana reads it where `[emails] templates_pattern` says.
PLAIN_TEXT = "emails/ng_alert_notification.txt"
PLAIN_TEXT_TEMPLATE = "{{ if .Message }}{{ .Message }}{{ else }}{{ .Title }}{{ end }}\n"
# Grafana looks into these too, and calls one that is missing an error.
_EMPTY = ("notifiers", "plugins", "access-control")


class Manifest(BaseModel):
    """What a build wrote, and what builds before it wrote and this one does not."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: tuple[str, ...] = ()
    boards: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    deleted_rules: tuple[str, ...] = ()
    contact_points: tuple[str, ...] = ()
    deleted_contact_points: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tree:
    """A provisioning tree as it was read back."""

    boards: tuple[Json, ...]
    rules: Mapping[str, Json]
    receivers: frozenset[str]
    policy: Json


def write_tree(bundle: Bundle, directory: Path, mount: Path, password: str = PASSWORD_VARIABLE) -> Manifest:
    """Write the tree; files that the build before wrote and this one does not are removed, others stay.

    mount:    where Grafana sees `directory`.
    password: what stands for the password of Grafana's database role; Grafana replaces it.
    """
    before = read_manifest(directory)
    manifest = _manifest(bundle, before)
    texts = _files(bundle, manifest, mount, password)
    manifest = manifest.model_copy(update={"files": tuple(sorted(texts))})
    for name, text in texts.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name in _EMPTY:
        (directory / name).mkdir(exist_ok=True)
    for name in set(before.files) - set(texts):
        (directory / name).unlink(missing_ok=True)
    (directory / _MANIFEST).write_text(to_text(manifest.model_dump(mode="json")), encoding="utf-8")
    return manifest


def read_manifest(directory: Path) -> Manifest:
    """Return the manifest of the build before; an empty one where there was none."""
    path = directory / _MANIFEST
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        if directory.is_dir() and any(directory.iterdir()):
            raise ConfigError(
                f"{directory} holds files but no {_MANIFEST}: it was not made by `ioc grafana build`; "
                "name an empty or a new directory"
            ) from None
        return Manifest()
    except ValidationError as error:
        raise ConfigError(f"{path}: {error}; restore it, or build into a new directory") from error


def read_tree(directory: Path) -> Tree:
    """Read a tree back as Grafana would; raises ConfigError for a file that is missing or no JSON."""
    manifest = read_manifest(directory)
    if not manifest.files:
        raise ConfigError(f"{directory} holds no boards; run `ioc grafana build {directory}` first")
    boards = tuple(_read(directory / name) for name in manifest.files if name.startswith(f"{_BOARDS}/"))
    groups = _read(directory / "alerting" / "rules.yaml")["groups"]
    points = _unescape(_read(directory / "alerting" / "contact_points.yaml"))["contactPoints"]
    return Tree(
        boards=boards,
        rules={rule["uid"]: _read_rule(rule) for group in groups for rule in group["rules"]},
        receivers=frozenset(point["name"] for point in points),
        policy=_unescape(_read(directory / "alerting" / "policies.yaml"))["policies"][0],
    )


def _manifest(bundle: Bundle, before: Manifest) -> Manifest:
    rules = sorted(bundle.rules)
    points = sorted(point["uid"] for point in bundle.contact_points)
    return Manifest(
        boards=tuple(sorted(board.uid for board in bundle.boards)),
        rules=tuple(rules),
        # What went earlier stays listed: a server may have missed the build in between.
        deleted_rules=_gone((*before.rules, *before.deleted_rules), rules),
        contact_points=tuple(points),
        deleted_contact_points=_gone((*before.contact_points, *before.deleted_contact_points), points),
    )


def _gone(before: Iterable[str], now: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(before) - set(now)))


def _files(bundle: Bundle, manifest: Manifest, mount: Path, password: str) -> dict[str, str]:
    boards = {f"{_BOARDS}/{board.folder.uid}/{board.uid}.json": to_text(board.model) for board in bundle.boards}
    return boards | {
        "datasources/ioc.yaml": _yaml({"datasources": [_datasource(bundle.datasource, password)]}),
        "dashboards/ioc.yaml": _yaml({"providers": _providers(bundle, mount)}),
        "alerting/rules.yaml": _yaml(_rules(bundle, manifest)),
        # What Grafana is to read of its environment is no text of ours.
        "alerting/contact_points.yaml": _yaml(_escape(_contact_points(bundle, manifest))).replace(
            f"${RECEIPT_TOKEN}", RECEIPT_TOKEN
        ),
        "alerting/policies.yaml": _yaml(_escape({"policies": [{"orgId": _ORG, **bundle.policy}]})),
        "alerting/templates.yaml": _yaml({"templates": [{"orgId": _ORG, **bundle.template}]}),
        PLAIN_TEXT: PLAIN_TEXT_TEMPLATE,
    }


def _yaml(value: Json) -> str:
    return _HEADER + to_text({"apiVersion": 1, **value})


def _datasource(model: Json, password: str) -> Json:
    escaped: Json = _escape(model)
    return escaped | {"orgId": _ORG, "editable": False, "secureJsonData": {"password": password}}


def _providers(bundle: Bundle, mount: Path) -> list[Json]:
    folders = {board.folder.uid: board.folder for board in bundle.boards}
    return [
        {
            "allowUiUpdates": False,
            "disableDeletion": False,
            "folder": folder.name,
            "folderUid": folder.uid,
            "name": folder.uid,
            "options": {"path": str(mount / _BOARDS / folder.uid)},
            "orgId": _ORG,
            "type": "file",
            "updateIntervalSeconds": 30,
        }
        for folder in folders.values()
    ]


def _rules(bundle: Bundle, manifest: Manifest) -> Json:
    groups = [
        {
            "orgId": _ORG,
            "name": _escape(group["title"]),
            # A folder of their own: rules are read before boards and would make the boards' folder without its uid.
            "folder": _escape(ALERT_FOLDER.name),
            "interval": f"{group['interval']}s",
            "rules": [_written_rule(rule) for rule in group["rules"]],
        }
        for group in bundle.rule_groups
    ]
    return {"groups": groups, "deleteRules": [{"orgId": _ORG, "uid": uid} for uid in manifest.deleted_rules]}


def _written_rule(rule: Json) -> Json:
    """Return a rule as a file holds it: annotations and queries are read as they stand, all else is expanded."""
    return {n: rule[n] if n in _RAW_FIELDS else _escape(rule[n]) for n in _RULE_FIELDS}


def _read_rule(rule: Json) -> Json:
    return {n: value if n in _RAW_FIELDS else _unescape(value) for n, value in rule.items()}


def _contact_points(bundle: Bundle, manifest: Manifest) -> Json:
    receivers: defaultdict[str, list[Json]] = defaultdict(list)
    for point in bundle.contact_points:
        receivers[point["name"]].append({name: value for name, value in point.items() if name != "name"})
    return {
        "contactPoints": [{"orgId": _ORG, "name": name, "receivers": found} for name, found in receivers.items()],
        "deleteContactPoints": [{"orgId": _ORG, "uid": uid} for uid in manifest.deleted_contact_points],
    }


def _escape(value: Any) -> Any:
    """Double every `$`: Grafana fills in environment variables in data sources, contact points, policies, and in a
    rule's
    title and labels. It does not in a rule's annotations and queries, nor in templates."""
    return _each_text(value, lambda text: text.replace("$", "$$"))


def _unescape(value: Any) -> Any:
    return _each_text(value, lambda text: text.replace("$$", "$"))


def _each_text(value: Any, change: Any) -> Any:
    match value:
        case str():
            return change(value)
        case Mapping():
            return {key: _each_text(inner, change) for key, inner in value.items()}
        case list() | tuple():
            return [_each_text(inner, change) for inner in value]
    return value


def _read(path: Path) -> Json:
    try:
        model: Json = json.loads(path.read_text(encoding="utf-8").removeprefix(_HEADER))
    except (FileNotFoundError, json.JSONDecodeError) as error:
        raise ConfigError(f"{path}: {error}; run `ioc grafana build` again") from error
    return model
