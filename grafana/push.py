"""Bringing a Grafana server to a bundle's state; what is there already is left alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import SecretStr

from grafana.board import Json
from grafana.bundle import Bundle
from grafana.server import ObjectKind, Server
from ioc.errors import FatalError

OWN_RECEIVER = "IOC: "
_GRAFANA_DEFAULTS = frozenset({"", "grafana-default-email", "empty"})


@dataclass(frozen=True)
class ObjectChange:
    """What was done to one object."""

    kind: str
    uid: str
    action: Literal["created", "updated", "unchanged", "deleted"]


def push_bundle(
    bundle: Bundle, server: Server, reader_password: SecretStr, *, replace_policy: bool = False
) -> list[ObjectChange]:
    """Create or update everything, then delete rules that the bundle no longer holds; a second push changes nothing.

    Raises FatalError where the server has notification routes of others, unless `replace_policy`: a server has
    only one policy tree.
    """
    policy = server.read(ObjectKind.POLICY, "")
    strangers = sorted(_receivers(policy or {}) - _GRAFANA_DEFAULTS)
    strangers = [name for name in strangers if not name.startswith(OWN_RECEIVER)]
    if strangers and not replace_policy:
        raise FatalError(
            f"the server's notification policy routes to {', '.join(strangers)}; "
            "--replace-policy puts the project's policy in its place"
        )
    secrets = {ObjectKind.DATASOURCE: {"secureJsonData": {"password": reader_password.get_secret_value()}}}
    changes = []
    for kind, uid, body in _objects(bundle):
        there = policy if kind is ObjectKind.POLICY else server.read(kind, uid)
        if there is not None and covers(there, body):
            changes.append(ObjectChange(kind, uid, "unchanged"))
            continue
        server.write(kind, uid, body | secrets.get(kind, {}), exists=there is not None)
        changes.append(ObjectChange(kind, uid, "created" if there is None else "updated"))
    for uid in sorted(server.rule_uids() - set(bundle.rules)):
        server.remove_rule(uid)
        changes.append(ObjectChange(ObjectKind.RULE, uid, "deleted"))
    return changes


def covers(there: Any, wanted: Any) -> bool:
    """Return whether a server's object holds all that is wanted; what the server added itself does not matter."""
    match there, wanted:
        case Mapping(), Mapping():
            return all(key in there and covers(there[key], value) for key, value in wanted.items())
        case [*found], [*asked]:
            return len(found) == len(asked) and all(map(covers, found, asked))
        case str(), str():
            return there.strip() == wanted.strip()
    return bool(there == wanted)


def _objects(bundle: Bundle) -> Iterator[tuple[ObjectKind, str, Json]]:
    """Yield all objects in the order in which they may refer to each other."""
    for uid, title in bundle.folders.items():
        yield ObjectKind.FOLDER, uid, {"uid": uid, "title": title}
    yield ObjectKind.DATASOURCE, bundle.datasource["uid"], bundle.datasource
    for board in bundle.boards:
        yield ObjectKind.BOARD, board.uid, {"dashboard": board.model, "folderUid": board.folder.uid}
    yield ObjectKind.TEMPLATE, bundle.template["name"], bundle.template
    for point in bundle.contact_points:
        yield ObjectKind.CONTACT_POINT, point["uid"], point
    # Rules before their group: a group that names a rule which does not exist yet is an error 500.
    for uid, rule in bundle.rules.items():
        yield ObjectKind.RULE, uid, {name: value for name, value in rule.items() if name != "orgID"}
    for group in bundle.rule_groups:
        yield ObjectKind.RULE_GROUP, group["title"], _group(group)
    yield ObjectKind.POLICY, "", bundle.policy


def _group(group: Json) -> Json:
    rules: Sequence[Json] = group["rules"]
    bare = [{name: value for name, value in rule.items() if name != "orgID"} for rule in rules]
    return {**group, "rules": bare}


def _receivers(policy: Json) -> set[str]:
    routes = policy.get("routes") or []
    return {policy.get("receiver", "")}.union(*(_receivers(route) for route in routes))
