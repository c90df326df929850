"""Grafana's HTTP API over a store, for the requests that the project sends; every other address is a 404."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from grafana.boards.board import Json
from grafana.standin.release import OLDEST, GrafanaRelease
from grafana.standin.store import RefusedError, Store

_RULES = r"/api/v1/provisioning/alert-rules"
_GROUPS = r"/api/v1/provisioning/folder/([\w-]+)/rule-groups/(.+)"
_POINTS = r"/api/v1/provisioning/contact-points"
_RECEIVERS = "/api/alertmanager/grafana/config/api/v1/receivers"


class Standin:
    """A running server: its address, what it keeps, and how many requests of each kind it answered.

    failures:    how many of the next requests it answers with 503, as a server does that is starting.
    undelivered: why the newest message of a contact point (by its uid) could not be delivered.
    """

    def __init__(self, token: str, release: GrafanaRelease = OLDEST) -> None:
        self.store = Store(release=release)
        self.token = token
        self.failures = 0
        self.undelivered: dict[str, str] = {}
        self.requests: list[tuple[str, str]] = []
        self.url = ""

    def answer(self, method: str, target: str, authorisation: str, body: Any) -> tuple[int, Any]:
        """Return status and body of the answer."""
        address = urlsplit(target)
        path, query = unquote(address.path), parse_qs(address.query)
        self.requests.append((method, path))
        if self.failures > 0:
            self.failures -= 1
            return 503, {"message": "Grafana is starting"}
        if path == "/api/health":
            return 200, {"commit": "", "database": "ok", "version": f"{self.store.release.name}-standin"}
        if authorisation != f"Bearer {self.token}":
            return 401, {"message": "Invalid API key"}
        try:
            return self._routed(method, path, query, body)
        except RefusedError as error:
            return error.status, {"message": str(error)}

    def _routed(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        for answer in (self._boards, self._sources, self._alerting, self._playlists):
            found = answer(method, path, query, body)
            if found is not None:
                return found
        return 404, {"message": "Not found"}

    def _boards(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any] | None:
        store = self.store
        match method, path:
            case "GET", "/api/folders":
                return 200, list(store.folders.values())
            case "POST", "/api/folders":
                return 200, store.put_folder(body["uid"], body["title"])
            case "GET", "/api/search":
                tag = (query.get("tag") or [""])[0]
                found = [b["dashboard"] for b in store.boards.values() if tag in b["dashboard"].get("tags", [])]
                return 200, [{"uid": b["uid"], "title": b["title"], "type": "dash-db"} for b in found]
            case "POST", "/api/dashboards/db":
                store.put_board(body["dashboard"], body["folderUid"])
                return 200, {"status": "success", "uid": body["dashboard"]["uid"]}
        if (named := re.fullmatch(r"/api/folders/([\w-]+)", path)) and method == "PUT":
            return 200, store.put_folder(named[1], body["title"])
        if named := re.fullmatch(r"/api/dashboards/uid/([\w-]+)", path):
            return self._board(method, named[1])
        return None

    def _board(self, method: str, uid: str) -> tuple[int, Any]:
        board = self.store.boards.get(uid)
        if board is None:
            return 404, {"message": "Dashboard not found"}
        if method == "DELETE":
            self.store.writes += 1
            del self.store.boards[uid]
            return 200, {"message": "deleted"}
        return 200, {"dashboard": board["dashboard"], "meta": {"folderUid": board["folder"]}}

    def _sources(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any] | None:
        store = self.store
        if (method, path) == ("POST", "/api/datasources"):
            store.datasources[body["uid"]] = {**body, "id": 1, "readOnly": False}
            store.writes += 1
            return 200, {"datasource": body}
        named = re.fullmatch(r"/api/datasources/uid/([\w-]+)", path)
        if named is None:
            return None
        if named[1] not in store.datasources:
            return 404, {"message": "Data source not found"}
        if method == "PUT":
            store.datasources[named[1]] = {**store.datasources[named[1]], **body}
            store.writes += 1
        shown = {k: v for k, v in store.datasources[named[1]].items() if k != "secureJsonData"}
        return 200, shown | {"secureJsonFields": {"password": True}}

    def _alerting(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any] | None:
        store = self.store
        match method, path:
            case "GET", "/api/v1/provisioning/alert-rules":
                return 200, list(store.rules.values())
            case "POST", "/api/v1/provisioning/alert-rules":
                store.put_rule(body, "api", new=True)
                return 201, body
            case "GET", "/api/v1/provisioning/policies":
                return 200, {**store.policy, "provenance": store.provenance.get(("policy", ""), "")}
            case "PUT", "/api/v1/provisioning/policies":
                store.put_policy(body, "api")
                return 202, {"message": "policies updated"}
        if named := re.fullmatch(rf"{_RULES}/([\w-]+)", path):
            return self._rule(method, named[1], body)
        if path == _RECEIVERS and method == "GET":
            return 200, receivers(self.store.contact_points.values(), self.undelivered)
        if named := re.fullmatch(rf"{_POINTS}(?:/([\w-]+))?", path):
            return self._point(method, named[1], body)
        if named := re.fullmatch(_GROUPS, path):
            return self._group(method, named[1], named[2], body)
        if named := re.fullmatch(r"/api/v1/provisioning/templates/([\w-]+)", path):
            if method == "PUT":
                store.put_template(named[1], body["template"])
            elif named[1] not in store.templates:
                return 404, None
            shown = {"name": named[1], "template": store.templates[named[1]]}
            return 200, shown | store.release.template_fields
        return None

    def _point(self, method: str, uid: str | None, body: Any) -> tuple[int, Any]:
        store = self.store
        if uid is None and method == "GET":
            points = store.contact_points.items()
            return 200, [{**point, "provenance": store.provenance.get(("point", u), "")} for u, point in points]
        if uid is None:
            store.put_contact_point(body, "api", new=True)
        elif method == "PUT":
            store.put_contact_point({**body, "uid": uid}, "api", new=False)
        elif method == "DELETE":
            store.delete_contact_point(uid)
        return 202, body

    def _rule(self, method: str, uid: str, body: Any) -> tuple[int, Any]:
        store = self.store
        if method == "DELETE":
            store.delete_rule(uid, "api")
            return 204, None
        if method == "PUT":
            store.put_rule({**body, "uid": uid}, "api", new=False)
        if uid not in store.rules:
            return store.release.missing_rule, {"message": "could not find alert rule"}
        return 200, store.rules[uid]

    def _group(self, method: str, folder: str, name: str, body: Any) -> tuple[int, Any]:
        store = self.store
        if method == "PUT":
            store.put_group(folder, name, body)
        uids = store.group(folder, name)
        if not uids:
            return 404, {"message": "rulegroup not found"}
        rules = [store.rules[uid] for uid in sorted(uids)]
        interval = store.intervals.get((folder, name), 60)
        return 200, {"title": name, "folderUid": folder, "interval": interval, "rules": rules}

    def _playlists(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any] | None:
        store = self.store
        if path == "/api/playlists" and method == "GET":
            shown = ("uid", "name", "interval")
            return 200, [{key: playlist[key] for key in shown} for playlist in store.playlists.values()]
        if path == "/api/playlists" and method == "POST":
            uid = f"p{len(store.playlists) + 1}"
            store.playlists[uid] = {**body, "uid": uid}
            store.writes += 1
            return 200, store.playlists[uid]
        if named := re.fullmatch(r"/api/playlists/(\w+)(/items)?", path):
            if named[1] not in store.playlists:
                return 404, {"message": "Playlist not found"}
            if method == "PUT":
                store.playlists[named[1]] = {**body, "uid": named[1]}
                store.writes += 1
            if method == "DELETE":
                store.writes += 1
                del store.playlists[named[1]]
                return 200, {}
            playlist: Json = store.playlists[named[1]]
            return 200, playlist["items"] if named[2] else playlist
        return None


def receivers(points: Iterable[Json], undelivered: Mapping[str, str]) -> list[Json]:
    """Contact points by name, and how the newest delivery through each of their channels went."""
    found: dict[str, list[Json]] = {}
    for point in points:
        channel = {"name": point["type"], "lastNotifyAttempt": "0001-01-01T00:00:00.000Z"}
        if point["uid"] in undelivered:
            channel |= {
                "lastNotifyAttempt": "2026-11-28T06:33:10.334Z",
                "lastNotifyAttemptError": undelivered[point["uid"]],
            }
        found.setdefault(point["name"], []).append(channel)
    return [{"active": True, "name": name, "integrations": channels} for name, channels in found.items()]


@contextmanager
def running_standin(
    token: str = "made-up",  # noqa: S107 - of no real server
    release: GrafanaRelease = OLDEST,
) -> Iterator[Standin]:
    """Serve one on a free port of this machine."""
    standin = Standin(token, release)

    class StandinHandler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"null")
            status, answer = standin.answer(self.command, self.path, self.headers.get("Authorization", ""), body)
            content = b"" if answer is None else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _handle  # noqa: N815 - as the base class names them

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), StandinHandler)
    standin.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield standin
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
