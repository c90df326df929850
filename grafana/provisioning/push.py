"""Bringing a Grafana server to a bundle's state: first the plan, then its steps; other objects are left alone."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any, Literal

from pydantic import SecretStr

from grafana.alerting.contact import CREDENTIALS, RECEIPT_USER
from grafana.alerting.rule import ALERT_FOLDER
from grafana.boards.board import Json, to_text
from grafana.bundle import Bundle
from grafana.provisioning.server import OWN_RECEIVER, GrafanaServer, ObjectKind, ServerState
from ioc.errors import FatalError, IocError

Action = Literal["create", "change", "delete"]
_GRAFANA_DEFAULTS = frozenset({"", "grafana-default-email", "empty"})
# What a server puts into an object by itself.
_ADDED_TO_BOARD = ("id", "version")
_ADDED_TO_MODEL = ("intervalMs", "maxDataPoints")
_RULE_FIELDS = (
    "uid",
    "title",
    "folderUID",
    "ruleGroup",
    "condition",
    "data",
    "noDataState",
    "execErrState",
    "for",
    "annotations",
    "labels",
)


@dataclass(frozen=True)
class Change:
    """One step of a plan: `there` is what the server holds, `wanted` what it shall hold; None = nothing.

    Both are without what servers add by themselves. `target`: how the server calls the object.
    """

    kind: ObjectKind
    uid: str
    action: Action
    there: Json | None
    wanted: Json | None
    target: str

    def diff(self) -> str:
        """Return the difference as a unified diff of sorted JSON, from the server's to the wanted."""
        before, after = (to_text(side).splitlines() if side is not None else [] for side in (self.there, self.wanted))
        return "\n".join(unified_diff(before, after, f"server/{self.kind}/{self.uid}", "wanted", lineterm="", n=2))


_NONE = SecretStr("")


class PushInterruptedError(FatalError):
    """A push ended in the middle; the message says what was done and what was not."""


def make_plan(bundle: Bundle, state: ServerState, *, replace_policy: bool = False) -> list[Change]:
    """Return what has to be done, in the order in which it can be; an empty plan changes nothing.

    Boards, rules, contact points and playlists of the project that the bundle no longer holds are deleted; those of
    others stay.
    Raises FatalError where the server has notification routes of others, unless `replace_policy`: a server has only one
    policy tree.
    """
    own = {point["name"] for point in state.objects[ObjectKind.CONTACT_POINT].values()}
    _refuse_strangers(state.objects[ObjectKind.POLICY].get("", {}), own, replace_policy)
    changes: list[Change] = []
    wanted: dict[ObjectKind, set[str]] = {kind: set() for kind in ObjectKind}
    for kind, uid, body in _objects(bundle):
        wanted[kind].add(uid)
        found = state.objects[kind].get(uid)
        there = None if found is None else normal(kind, found)
        asked = normal(kind, body)
        if there != asked:
            action: Action = "create" if there is None else "change"
            changes.append(Change(kind, uid, action, there, asked, state.playlist_uids.get(uid, uid)))
    # A rule goes before what is told of it; a contact point only once no route names it any more.
    for kind in (ObjectKind.RULE, ObjectKind.BOARD, ObjectKind.CONTACT_POINT, ObjectKind.PLAYLIST):
        for uid in sorted(state.objects[kind].keys() - wanted[kind]):
            if not _is_own(kind, state.objects[kind][uid]):
                continue
            there = normal(kind, state.objects[kind][uid])
            changes.append(Change(kind, uid, "delete", there, None, state.playlist_uids.get(uid, uid)))
    return changes


def apply_plan(
    plan: Sequence[Change], server: GrafanaServer, password: SecretStr, receipt_token: SecretStr = _NONE
) -> None:
    """Do what the plan says. password: of Grafana's database role; receipt_token: with which Grafana tells the API.

    Raises PushInterruptedError, with what was done, where a step fails; pushing again goes on from there.
    """
    secrets = {ObjectKind.DATASOURCE: {"secureJsonData": {"password": password.get_secret_value()}}}
    for index, change in enumerate(plan):
        try:
            if change.wanted is None:
                server.delete(change.kind, change.target)
                continue
            write = server.create if change.action == "create" else server.update
            body = change.wanted | secrets.get(change.kind, {})
            if body.get("settings", {}).get("username") == RECEIPT_USER:
                body["settings"] = body["settings"] | {CREDENTIALS: receipt_token.get_secret_value()}
            write(change.kind, change.target, body)
        except IocError as error:
            done = ", ".join(f"{c.action} {c.kind} {c.uid or c.kind}" for c in plan[:index][-20:]) or "nothing"
            left = len(plan) - index
            raise PushInterruptedError(
                f"{change.action} {change.kind} {change.uid}: {error}\n"
                f"Done before: {done} ({index} of {len(plan)}). Not done: {left}. Mend the cause and push again: "
                "it goes on with what is left."
            ) from error


def push_bundle(
    bundle: Bundle,
    server: GrafanaServer,
    password: SecretStr,
    *,
    receipt_token: SecretStr = _NONE,
    replace_policy: bool = False,
) -> list[Change]:
    """Plan and do; return what was done. A second push does nothing."""
    plan = make_plan(bundle, read_state(bundle, server), replace_policy=replace_policy)
    apply_plan(plan, server, password, receipt_token)
    return plan


def read_state(bundle: Bundle, server: GrafanaServer) -> ServerState:
    """Return what the server holds of the project's."""
    server.version()
    return server.read([group["title"] for group in bundle.rule_groups])


def normal(kind: ObjectKind, body: Json) -> Json:
    """Return an object without what servers add by themselves, so that what people changed by hand shows."""
    model: Json = json.loads(json.dumps(body))
    match kind:
        case ObjectKind.FOLDER:
            return _only(model, ("uid", "title"))
        case ObjectKind.DATASOURCE:
            fields = ("access", "database", "isDefault", "jsonData", "name", "type", "uid", "url", "user")
            return _only(model, fields)
        case ObjectKind.BOARD:
            board = {key: value for key, value in model["dashboard"].items() if key not in _ADDED_TO_BOARD}
            return {"dashboard": board, "folderUid": model["folderUid"]}
        case ObjectKind.TEMPLATE:
            return {"name": model["name"], "template": model["template"].strip()}
        case ObjectKind.CONTACT_POINT:
            point = _only(model, ("uid", "name", "type", "settings", "disableResolveMessage"))
            point["settings"] = {name: value for name, value in point["settings"].items() if name != CREDENTIALS}
            return point
        case ObjectKind.RULE:
            return _rule(model)
        case ObjectKind.RULE_GROUP:
            rules = [_rule(rule) for rule in model["rules"]]
            return {
                "title": model["title"],
                "folderUid": model["folderUid"],
                "interval": model["interval"],
                "rules": sorted(rules, key=lambda rule: str(rule["uid"])),
            }
        case ObjectKind.POLICY:
            return {key: value for key, value in model.items() if key not in ("provenance", "orgId")}
        case ObjectKind.PLAYLIST:
            items = [_only(item, ("type", "value")) for item in model["items"]]
            return {"name": model["name"], "interval": model["interval"], "items": items}


def _rule(model: Json) -> Json:
    rule = _only(model, _RULE_FIELDS)
    rule["isPaused"] = bool(model.get("isPaused", False))  # a paused rule tells nobody anything
    if model.get("notification_settings"):  # from 10.4 on: past the policy, to a contact point of its own
        rule["notification_settings"] = model["notification_settings"]
    rule["data"] = [
        {
            "refId": query["refId"],
            "datasourceUid": query["datasourceUid"],
            "relativeTimeRange": query["relativeTimeRange"],
            "model": {key: value for key, value in query["model"].items() if key not in _ADDED_TO_MODEL},
        }
        for query in rule["data"]
    ]
    return rule


def _only(model: Mapping[str, Any], names: Sequence[str]) -> Json:
    return {name: model[name] for name in names if name in model}


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
    # Before the rules: what fires first would go to whom the old policy names.
    yield ObjectKind.POLICY, "", bundle.policy
    # Rules before their group: a group that names a rule which does not exist yet is an error 500.
    for uid, rule in bundle.rules.items():
        yield ObjectKind.RULE, uid, rule
    for group in bundle.rule_groups:
        yield ObjectKind.RULE_GROUP, group["title"], group
    yield ObjectKind.PLAYLIST, bundle.playlist["name"], bundle.playlist


def _is_own(kind: ObjectKind, body: Json) -> bool:
    """Whether an object may be deleted: what bears a uid of the project's in another folder, or by another name, may be
    somebody else's."""
    if kind is ObjectKind.RULE:
        return bool(body["folderUID"] == ALERT_FOLDER.uid)
    return kind is not ObjectKind.CONTACT_POINT or str(body["name"]).startswith(OWN_RECEIVER)


def _refuse_strangers(policy: Json, own: Collection[str], replace_policy: bool) -> None:
    strangers = sorted(_receivers(policy) - _GRAFANA_DEFAULTS - set(own))
    strangers = [name for name in strangers if not name.startswith(OWN_RECEIVER)]
    if strangers and not replace_policy:
        raise FatalError(
            f"the server's notification policy routes to {', '.join(strangers)}; "
            "--replace-policy puts the project's policy in its place"
        )


def _receivers(policy: Json) -> set[str]:
    routes = policy.get("routes") or []
    return {policy.get("receiver", "")}.union(*(_receivers(route) for route in routes))
