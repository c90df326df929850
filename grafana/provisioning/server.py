"""A Grafana server as `push` and `pull` need it: the project's own objects by kind and uid, behind its HTTP API.

Alerting objects are written with provenance `api`, all of them and always: 9.4 sets it on a rule group in any
case, and a server refuses a later write under another provenance. Grafana's own editor then cannot change them,
which is wanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

import niquests
from grafana_client.api import GrafanaApi
from grafana_client.client import GrafanaException, GrafanaTimeoutError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from grafana.alerting.rule import ALERT_FOLDER
from grafana.boards.board import OWN_TAG, Json
from grafana.query.binding import DATASOURCE_UID
from ioc.errors import ConfigError, FatalError, RetryableError
from ioc.settings import Settings

OWN_RECEIVER = "IOC: "
OWN_PLAYLIST = "IOC: "
OWN_PREFIX = "ioc-"
TEMPLATE = "ioc"
_TIMEOUT = 10.0  # seconds, one request
_PROVISIONING = "/v1/provisioning"
_PAGE = 1000
_HEADER = re.compile(r"[!-~]*")
_USERINFO = re.compile(r"(?<=//)[^/]*@")  # a name and a password
# What a status says, and what to do; the server's own words follow.
_CAUSES = {
    400: "it refuses what was sent; is the version supported (9.4 or newer), and was the object made by files?",
    401: "it refuses the token; set IOC_GRAFANA_TOKEN to a service account's",
    403: "the service account may not do this; give it the Admin role",
    404: "there is no such address; is IOC_GRAFANA_URL the server's root address, with its sub-path?",
    409: "something else has this name or changed at the same moment; look at it, then push again",
    412: "it was changed or renamed by hand meanwhile, or something else has its name; look at it, then push again",
    500: "it failed; objects made by files cannot be changed through the API, and the other way round",
}


class ObjectKind(StrEnum):
    """What Grafana keeps; the order is the one in which things may refer to each other."""

    FOLDER = "folder"
    DATASOURCE = "data source"
    BOARD = "board"
    TEMPLATE = "template"
    CONTACT_POINT = "contact point"
    RULE = "rule"
    RULE_GROUP = "rule group"
    POLICY = "policy"
    PLAYLIST = "playlist"


class GrafanaUnavailableError(RetryableError):
    """Grafana did not answer, or answered that it cannot just now."""


class GrafanaRefusedError(FatalError):
    """Grafana answered that it will not; `status` is HTTP's."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class ServerState:
    """What a server holds of the project's: bodies as the API has them, by kind and uid.

    Boards are `{"dashboard": ..., "folderUid": ...}`; playlists go by their name, and `playlist_uids` says how the
    server calls
    them.
    """

    objects: dict[ObjectKind, dict[str, Json]] = field(default_factory=lambda: {kind: {} for kind in ObjectKind})
    playlist_uids: dict[str, str] = field(default_factory=dict)


class GrafanaServer:
    """The server at `settings.grafana_url`, with bounded waits and a few retries."""

    def __init__(self, settings: Settings, attempts: int = 4) -> None:
        address = _address(settings.grafana_url)
        self._attempts = attempts
        # Of an IPv6 address the split takes the brackets away, without which it is no address: http://[::1]:3000.
        host = f"[{address.hostname}]" if ":" in (address.hostname or "") else address.hostname
        self.address = f"{address.scheme}://{host}{f':{address.port}' if address.port else ''}{address.path}"
        path = address.path.strip("/")
        # The client's methods carry no types.
        self._client: Any = GrafanaApi(
            _token(settings) or _userinfo(address),
            host=host,
            port=address.port,
            protocol=address.scheme,
            url_path_prefix=f"{path}/" if path else "",
            timeout=_TIMEOUT,
        ).client

    def version(self) -> str:
        """Return the server's version; raises ConfigError where something else than Grafana answers."""
        try:
            health = self._call("GET", "/health")
        except GrafanaRefusedError as error:
            if error.status in (401, 403):  # a proxy asks who it is; that says nothing of what lies behind
                raise
            raise ConfigError(f"{self.address} is no Grafana server: {error}. Is IOC_GRAFANA_URL right?") from error
        if not (isinstance(health, dict) and "database" in health):
            raise ConfigError(f"{self.address} answers, but not as Grafana does. Is IOC_GRAFANA_URL right?")
        return str(health.get("version", "?"))

    def read(self, groups: Iterable[str]) -> ServerState:
        """Return what the server holds of the project's. groups: names of the rule groups to look for.

        Raises ConfigError where an answer has another form, such as the sign-in page of a proxy that lets only
        /api/health pass.
        """
        try:
            return self._read(groups)
        except (TypeError, KeyError, AttributeError) as error:
            raise ConfigError(
                f"{self.address} answers, but not as Grafana's API does ({type(error).__name__}). Is IOC_GRAFANA_URL "
                "right, and does a proxy with a sign-in page of its own lie before it?"
            ) from error

    def _read(self, groups: Iterable[str]) -> ServerState:
        state = ServerState()
        for folder in self._call("GET", f"/folders?limit={_PAGE}") or []:
            if folder["uid"].startswith(OWN_PREFIX):
                state.objects[ObjectKind.FOLDER][folder["uid"]] = folder
        source = self._optional(f"/datasources/uid/{DATASOURCE_UID}")
        if source is not None:
            state.objects[ObjectKind.DATASOURCE][DATASOURCE_UID] = source
        for found in self._call("GET", f"/search?type=dash-db&tag={OWN_TAG}&limit={_PAGE}") or []:
            if found["uid"].startswith(OWN_PREFIX):
                answer = self._call("GET", f"/dashboards/uid/{found['uid']}")
                board = {"dashboard": answer["dashboard"], "folderUid": answer["meta"].get("folderUid", "")}
                state.objects[ObjectKind.BOARD][found["uid"]] = board
        self._read_alerting(state, groups)
        for playlist in self._call("GET", "/playlists") or []:
            if playlist["name"].startswith(OWN_PLAYLIST):
                state.playlist_uids[playlist["name"]] = playlist["uid"]
                items = self._call("GET", f"/playlists/{playlist['uid']}/items") or []
                state.objects[ObjectKind.PLAYLIST][playlist["name"]] = {**playlist, "items": items}
        return state

    def _read_alerting(self, state: ServerState, groups: Iterable[str]) -> None:
        template = self._optional(f"{_PROVISIONING}/templates/{TEMPLATE}")
        if template is not None:
            state.objects[ObjectKind.TEMPLATE][TEMPLATE] = template
        for point in self._call("GET", f"{_PROVISIONING}/contact-points") or []:
            # By its uid too: one that was renamed is changed back, not made a second time.
            if point["name"].startswith(OWN_RECEIVER) or point["uid"].startswith(OWN_PREFIX):
                state.objects[ObjectKind.CONTACT_POINT][point["uid"]] = point
        # All at once: a rule that is not there answers 500 on 9.x when it is asked for by its uid.
        for rule in self._call("GET", f"{_PROVISIONING}/alert-rules") or []:
            if rule["folderUID"] == ALERT_FOLDER.uid or rule["uid"].startswith(OWN_PREFIX):
                state.objects[ObjectKind.RULE][rule["uid"]] = rule
        for name in groups:
            group = self._optional(f"{_PROVISIONING}/folder/{ALERT_FOLDER.uid}/rule-groups/{quote(name)}")
            if group is not None:
                state.objects[ObjectKind.RULE_GROUP][name] = group
        state.objects[ObjectKind.POLICY][""] = self._call("GET", f"{_PROVISIONING}/policies")

    def create(self, kind: ObjectKind, uid: str, body: Json) -> None:
        """Make an object."""
        match kind:
            case ObjectKind.FOLDER:
                self._call("POST", "/folders", body)
            case ObjectKind.DATASOURCE:
                self._call("POST", "/datasources", body)
            case ObjectKind.CONTACT_POINT:
                self._call("POST", f"{_PROVISIONING}/contact-points", body)
            case ObjectKind.RULE:
                self._call("POST", f"{_PROVISIONING}/alert-rules", body)
            case ObjectKind.PLAYLIST:
                self._call("POST", "/playlists", body)
            case _:
                self.update(kind, uid, body)

    def update(self, kind: ObjectKind, uid: str, body: Json) -> None:
        """Replace an object. uid: of a playlist the server's own."""
        match kind:
            case ObjectKind.FOLDER:
                self._call("PUT", f"/folders/{uid}", {"title": body["title"], "overwrite": True})
            case ObjectKind.DATASOURCE:
                self._call("PUT", f"/datasources/uid/{uid}", body)
            case ObjectKind.BOARD:
                self._call("POST", "/dashboards/db", {**body, "overwrite": True, "message": "ioc grafana push"})
            case ObjectKind.TEMPLATE:
                self._call("PUT", f"{_PROVISIONING}/templates/{uid}", {"template": body["template"]})
            case ObjectKind.CONTACT_POINT:
                self._call("PUT", f"{_PROVISIONING}/contact-points/{uid}", body)
            case ObjectKind.RULE:
                self._call("PUT", f"{_PROVISIONING}/alert-rules/{uid}", body)
            case ObjectKind.RULE_GROUP:
                self._call("PUT", f"{_PROVISIONING}/folder/{ALERT_FOLDER.uid}/rule-groups/{quote(uid)}", body)
            case ObjectKind.POLICY:
                self._call("PUT", f"{_PROVISIONING}/policies", body)
            case ObjectKind.PLAYLIST:
                self._call("PUT", f"/playlists/{uid}", {**body, "uid": uid})

    def delete(self, kind: ObjectKind, uid: str) -> None:
        """Remove a board, a contact point, a rule or a playlist; one that is gone already is fine."""
        path = {
            ObjectKind.BOARD: f"/dashboards/uid/{uid}",
            ObjectKind.CONTACT_POINT: f"{_PROVISIONING}/contact-points/{uid}",
            ObjectKind.RULE: f"{_PROVISIONING}/alert-rules/{uid}",
            ObjectKind.PLAYLIST: f"/playlists/{uid}",
        }[kind]
        try:
            self._call("DELETE", path)
        except GrafanaRefusedError as error:
            if error.status != 404:
                raise

    def _optional(self, path: str) -> Json | None:
        """Return an object, None where the server says that there is none."""
        try:
            found: Json | None = self._call("GET", path)
        except GrafanaRefusedError as error:
            if error.status == 404:
                return None
            raise
        return found or None

    def _call(self, method: str, path: str, body: Json | None = None) -> Any:
        retrying = Retrying(
            retry=retry_if_exception_type(GrafanaUnavailableError),
            stop=stop_after_attempt(self._attempts),
            wait=wait_exponential_jitter(multiplier=0.5, max=5, jitter=0.5),
            reraise=True,
        )
        return retrying(self._once, method, path, body)

    def _once(self, method: str, path: str, body: Json | None) -> Any:
        """Send one request; raise the project's errors in place of the client's."""
        where = f"{method} {self.address.rstrip('/')}/api{path}"
        send: Callable[..., Any] = getattr(self._client, method)
        try:
            return send(path, json=body, accept_empty_json=True)
        except (GrafanaTimeoutError, niquests.exceptions.ConnectionError, niquests.exceptions.Timeout) as error:
            raise GrafanaUnavailableError(
                f"Grafana at {self.address} does not answer ({type(error).__name__}). Does it run, and is "
                "IOC_GRAFANA_URL right?"
            ) from error
        except GrafanaException as error:
            status = int(error.status_code or 0)
            if status in (429, 502, 503, 504):
                raise GrafanaUnavailableError(f"{where}: {status}, not now: {_words(error)}") from error
            cause = _CAUSES.get(status, "it refuses")
            raise GrafanaRefusedError(f"{where}: {status}, {cause}. Grafana says: {_words(error)}", status) from error
        except (niquests.exceptions.RequestException, ValueError) as error:
            raise ConfigError(f"{where}: the answer is not Grafana's ({error}). Is IOC_GRAFANA_URL right?") from error


def _words(error: GrafanaException) -> str:
    """Return what the server said, short."""
    response = error.response
    said = response.get("message", response) if isinstance(response, dict) else response
    return str(said or error.message)[:300]


def _address(url: str) -> SplitResult:
    try:
        address = urlsplit(url)
        usable = address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        usable = False
    if not usable:
        shown = _USERINFO.sub("***@", url)
        raise ConfigError(
            f"IOC_GRAFANA_URL is {shown!r}; set it to the address of the Grafana server, such as http://host:3000"
        )
    return address


def _token(settings: Settings) -> str:
    """Return the token without outer blanks: one that is read from a file ends in a line break.

    A sign within it that no header takes is told here: the client's own error would show the token.
    """
    token = settings.grafana_token.get_secret_value().strip()
    if not _HEADER.fullmatch(token):
        raise ConfigError(
            "IOC_GRAFANA_TOKEN holds blanks, line breaks or letters that no token has; copy the service account's anew"
        )
    return token


def _userinfo(address: SplitResult) -> tuple[str, str] | None:
    if address.username and address.password:
        return unquote(address.username), unquote(address.password)
    return None
