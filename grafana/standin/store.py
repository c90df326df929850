"""What a Grafana server keeps, and the rules by which it takes a change."""

from __future__ import annotations

import itertools
import re
from copy import deepcopy
from dataclasses import dataclass, field

from grafana.boards.board import Json
from grafana.standin.release import OLDEST, GrafanaRelease

_DEFAULT_RECEIVER = "grafana-default-email"
_UID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_DURATION = re.compile(r"(\d+[smhdwy])+|0s?")
_RULE_STATES = {"noDataState": {"NoData", "Alerting", "OK"}, "execErrState": {"Error", "Alerting", "OK"}}


class RefusedError(Exception):
    """The server does not take a change: HTTP's status and its words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Store:
    """All objects by uid, and under which provenance alerting objects were written: `api`, `file` or none.

    writes: how many changes were taken. release: by whose rules.
    """

    release: GrafanaRelease = OLDEST

    folders: dict[str, Json] = field(default_factory=dict)
    datasources: dict[str, Json] = field(default_factory=dict)
    boards: dict[str, Json] = field(default_factory=dict)
    templates: dict[str, str] = field(default_factory=dict)
    contact_points: dict[str, Json] = field(default_factory=dict)
    rules: dict[str, Json] = field(default_factory=dict)
    intervals: dict[tuple[str, str], int] = field(default_factory=dict)
    policy: Json = field(default_factory=lambda: {"receiver": _DEFAULT_RECEIVER})
    playlists: dict[str, Json] = field(default_factory=dict)
    provenance: dict[tuple[str, str], str] = field(default_factory=dict)
    writes: int = 0
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def put_folder(self, uid: str, title: str) -> Json:
        """Make or rename a folder; two may not have one title."""
        if any(f["title"] == title and f["uid"] != uid for f in self.folders.values()):
            raise RefusedError(409, "a folder or dashboard in the general folder with the same name already exists")
        self.writes += 1
        self.folders[uid] = {"id": next(self._ids), "uid": uid, "title": title}
        return self.folders[uid]

    def put_board(self, board: Json, folder: str, *, file: bool = False) -> None:
        """Take a board; one that a file made cannot be saved through the API, and every variable needs its own id."""
        uid = board.get("uid") or ""
        if not _UID.fullmatch(uid):
            raise RefusedError(400, "uid contains illegal characters")
        if folder not in self.folders:
            raise RefusedError(400, "folder not found")
        before = self.boards.get(uid)
        if before is not None and before["file"] != file:
            raise RefusedError(400, "Cannot save provisioned dashboard")
        for other in self.boards.values():
            same = other["folder"] == folder and other["dashboard"]["title"] == board["title"]
            if same and other["dashboard"]["uid"] != uid:
                raise RefusedError(412, "A dashboard with the same name in the folder already exists")
        self.writes += 1
        version = 1 if before is None else before["dashboard"]["version"] + 1
        stored = {**deepcopy(board), "id": next(self._ids), "version": version}
        self.boards[uid] = {"dashboard": stored, "folder": folder, "file": file}

    def put_rule(self, rule: Json, provenance: str, *, new: bool) -> None:
        """Take an alert rule; raises what the real server answers to half a pair of annotations, and the like."""
        uid = rule["uid"]
        if new and uid in self.rules:
            raise RefusedError(409, "a rule with this uid exists")
        if not new and uid not in self.rules:
            raise RefusedError(self.release.missing_rule, "could not find alert rule")
        if not new:
            self._keep_provenance("rule", uid, provenance)
        self._check_uid("rule", uid, new)
        _check_rule(rule, self.release.half_pair)
        if rule["folderUID"] not in self.folders:
            raise RefusedError(500, "folder not found")
        titles = {r["title"] for r in self.rules.values() if r["folderUID"] == rule["folderUID"] and r["uid"] != uid}
        if rule["title"] in titles:
            raise RefusedError(
                500, "a conflicting alert rule is found: rule title under the same organisation and folder"
            )
        self.writes += 1
        dropped = () if self.release.keeps_paused else ("isPaused",)
        kept = {key: value for key, value in deepcopy(rule).items() if key not in dropped}
        for query in kept["data"]:
            query["model"].setdefault("intervalMs", 1000)
            query["model"].setdefault("maxDataPoints", 43200)
        self.rules[uid] = {
            **self.release.rule_fields,
            **kept,
            "id": next(self._ids),
            "orgID": 1,
            "updated": "2024-10-01T00:00:00Z",
        }
        self.provenance["rule", uid] = provenance

    def put_group(self, folder: str, name: str, group: Json) -> None:
        """Set a group's interval and rules; it sets provenance `api` whatever is asked, and knows no rule that is
        new."""
        if group["interval"] <= 0 or group["interval"] % 10:
            raise RefusedError(400, "interval should be a multiple of 10 seconds")
        unknown = {rule["uid"] for rule in group["rules"]} - set(self.rules)
        if unknown and not self.release.new_rule_in_group:
            raise RefusedError(500, "failed to calculate diff for alert rules: could not find alert rule")
        for rule in group["rules"]:
            self.put_rule({**rule, "folderUID": folder, "ruleGroup": name}, "api", new=rule["uid"] in unknown)
        for uid in self.group(folder, name) - {rule["uid"] for rule in group["rules"]}:
            self.delete_rule(uid, "api")
        self.intervals[folder, name] = group["interval"]
        self.writes += 1

    def group(self, folder: str, name: str) -> set[str]:
        """Return the rules of a group."""
        return {u for u, rule in self.rules.items() if (rule["folderUID"], rule["ruleGroup"]) == (folder, name)}

    def delete_rule(self, uid: str, provenance: str) -> None:
        """Remove a rule; one that is not there is no error."""
        self._keep_provenance("rule", uid, provenance)
        self.writes += 1
        self.rules.pop(uid, None)
        self.provenance.pop(("rule", uid), None)

    def put_contact_point(self, point: Json, provenance: str, *, new: bool) -> None:
        """Take a contact point; its kind must be known and its settings whole."""
        uid = point["uid"]
        if not point.get("name") or point.get("type") not in ("email", "webhook"):
            raise RefusedError(400, "invalid object specification: type")
        needed = {"email": "addresses", "webhook": "url"}[point["type"]]
        if not point.get("settings", {}).get(needed):
            raise RefusedError(400, f"invalid object specification: could not find {needed} in settings")
        if new and uid in self.contact_points:
            taken = f"receiver configuration with UID '{uid}' already exist in contact point"
            raise RefusedError(self.release.point_taken, taken)
        if not new and uid not in self.contact_points:
            raise RefusedError(404, f"contact point with uid '{uid}' not found")
        self._check_uid("contact point", uid, new)
        self._keep_provenance("point", uid, provenance)
        self.writes += 1
        self.contact_points[uid] = deepcopy(point)
        self.provenance["point", uid] = provenance

    def delete_contact_point(self, uid: str) -> None:
        """Remove a contact point; the last of a name must not be in use."""
        found = self.contact_points.get(uid)
        if found is not None:
            others = [p for u, p in self.contact_points.items() if u != uid and p["name"] == found["name"]]
            if not others and found["name"] in _receivers(self.policy):
                used = f"contact point '{found['name']}' is currently used by a notification policy"
                raise RefusedError(self.release.point_in_use, used)
        self.writes += 1
        self.contact_points.pop(uid, None)

    def put_policy(self, policy: Json, provenance: str) -> None:
        """Take the one policy tree; every receiver must exist, every duration be one."""
        known = {point["name"] for point in self.contact_points.values()} | {_DEFAULT_RECEIVER}
        if missing := sorted(_receivers(policy) - known):
            raise RefusedError(400, f"invalid object specification: receiver '{missing[0]}' does not exist")
        _check_route(policy)
        self._keep_provenance("policy", "", provenance)
        self.writes += 1
        self.policy = deepcopy(policy)
        self.provenance["policy", ""] = provenance

    def put_template(self, name: str, text: str) -> None:
        """Take a template file; an unclosed action is refused."""
        if not text or text.count("{{") != text.count("}}"):
            raise RefusedError(400, "invalid object specification: template is not valid")
        self.writes += 1
        self.templates[name] = text

    def _check_uid(self, what: str, uid: str, new: bool) -> None:
        if new and self.release.uid_checked and not _UID.fullmatch(uid):
            raise RefusedError(400, f"cannot create {what} with UID '{uid}': UID is longer than 40 symbols")

    def _keep_provenance(self, kind: str, uid: str, provenance: str) -> None:
        stored = self.provenance.get((kind, uid), "")
        if stored not in ("", provenance):
            status = self.release.point_provenance if kind == "point" else 500
            raise RefusedError(status, f"cannot changed provenance from '{stored}' to '{provenance}'")


def _check_rule(rule: Json, half_pair: int) -> None:
    annotations = rule.get("annotations") or {}
    board, panel = annotations.get("__dashboardUid__", ""), annotations.get("__panelId__", "")
    if bool(board) != bool(panel):
        raise RefusedError(half_pair, "both annotations __dashboardUid__ and __panelId__ must be specified")
    if panel and not re.fullmatch(r"-?\d+", panel):
        raise RefusedError(half_pair, "annotation __panelId__ must be a valid integer Panel ID")
    if not _UID.fullmatch(rule["uid"]) or not rule["title"] or len(rule["title"]) > 190:
        raise RefusedError(400, "invalid alert rule")
    if not rule.get("data") or rule["condition"] not in {query["refId"] for query in rule["data"]}:
        raise RefusedError(400, "invalid alert rule: condition does not exist")
    if not _DURATION.fullmatch(rule["for"]):
        raise RefusedError(400, f"invalid alert rule: {rule['for']!r} is no duration")
    for name, values in _RULE_STATES.items():
        if rule[name] not in values:
            raise RefusedError(400, f"unknown {name} {rule[name]!r}")
    for texts in (annotations, rule.get("labels") or {}):
        if not all(isinstance(value, str) for value in texts.values()):
            raise RefusedError(400, "bad request data: cannot unmarshal into a string")


def _check_route(route: Json) -> None:
    for name in ("group_wait", "group_interval", "repeat_interval"):
        if name in route and not _DURATION.fullmatch(route[name]):
            raise RefusedError(400, f"invalid object specification: {name}")
    for matcher in route.get("object_matchers") or []:
        if len(matcher) != 3 or matcher[1] not in ("=", "!=", "=~", "!~"):
            raise RefusedError(400, "invalid object specification: matcher")
    for inner in route.get("routes") or []:
        _check_route(inner)


def _receivers(route: Json) -> set[str]:
    return {route["receiver"]}.union(*(_receivers(inner) for inner in route.get("routes") or []))
