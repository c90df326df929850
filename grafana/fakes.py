"""A Grafana server in memory, for tests of `push`; it refuses what the real one refuses."""

from __future__ import annotations

from collections import defaultdict
from copy import deepcopy

from grafana.alert_rule import ALERT_FOLDER
from grafana.board import Json
from grafana.server import ObjectKind
from ioc.errors import FatalError


class FakeServer:
    """Keeps objects as they were written. `writes` counts what changed, so that a test sees a no-op."""

    def __init__(self) -> None:
        self.objects: defaultdict[ObjectKind, dict[str, Json]] = defaultdict(dict)
        # A fresh server has a policy already.
        self.objects[ObjectKind.POLICY][""] = {"receiver": "grafana-default-email"}
        self.writes = 0

    def read(self, kind: ObjectKind, uid: str) -> Json | None:
        """Return an object, with the fields that a server adds by itself."""
        found = self.objects[kind].get(uid)
        return None if found is None else deepcopy(found) | {"version": 1}

    def write(self, kind: ObjectKind, uid: str, body: Json, *, exists: bool) -> None:
        """Keep an object; raises FatalError for what the real server refuses."""
        if exists != (uid in self.objects[kind]):
            raise FatalError(f"{kind} {uid}: created twice, or updated before it was created")
        if missing := self._missing(kind, body):
            raise FatalError(f"{kind} {uid} names {missing}, which does not exist")
        self.objects[kind][uid] = deepcopy(body)
        self.writes += 1

    def rule_uids(self) -> set[str]:
        """Return the rules in the project's own folder."""
        return {uid for uid, rule in self.objects[ObjectKind.RULE].items() if rule["folderUID"] == ALERT_FOLDER.uid}

    def remove_rule(self, uid: str) -> None:
        """Delete a rule."""
        del self.objects[ObjectKind.RULE][uid]
        self.writes += 1

    def _missing(self, kind: ObjectKind, body: Json) -> set[str]:
        match kind:
            case ObjectKind.BOARD:
                return {body["folderUid"]} - set(self.objects[ObjectKind.FOLDER])
            case ObjectKind.RULE:
                return {body["folderUID"]} - set(self.objects[ObjectKind.FOLDER])
            case ObjectKind.RULE_GROUP:
                return {rule["uid"] for rule in body["rules"]} - set(self.objects[ObjectKind.RULE])
            case ObjectKind.POLICY:
                names = {point["name"] for point in self.objects[ObjectKind.CONTACT_POINT].values()}
                return {body["receiver"], *(route["receiver"] for route in body["routes"])} - names
        return set()
