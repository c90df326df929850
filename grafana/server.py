"""A Grafana server as `push` needs it: objects by kind and uid, and the real one behind its HTTP API."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import niquests
from grafana_client.api import GrafanaApi
from grafana_client.client import (
    GrafanaClientError,
    GrafanaException,
    GrafanaServerError,
    GrafanaTimeoutError,
    GrafanaUnauthorizedError,
)
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from grafana.alert_rule import ALERT_FOLDER
from grafana.board import Json
from ioc.errors import ConfigError, FatalError, RetryableError
from ioc.settings import Settings

_TIMEOUT = 10.0  # seconds, one request
T = TypeVar("T")


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


class GrafanaUnavailableError(RetryableError):
    """Grafana did not answer, or answered that it cannot just now."""


class Server(Protocol):
    """Objects of a server; boards are `{"dashboard": ..., "folderUid": ...}`, all else as the API has it."""

    def read(self, kind: ObjectKind, uid: str) -> Json | None:
        """Return an object, None where there is none."""

    def write(self, kind: ObjectKind, uid: str, body: Json, *, exists: bool) -> None:
        """Create or replace an object."""

    def rule_uids(self) -> set[str]:
        """Return the rules in the project's own folder."""

    def remove_rule(self, uid: str) -> None:
        """Delete a rule."""


class GrafanaServer:
    """The server at `settings.grafana_url`, with bounded waits and a few retries.

    Objects are written without provenance, all of them: mixing the two ways makes Grafana refuse later writes.
    """

    def __init__(self, settings: Settings, attempts: int = 4) -> None:
        address = urlsplit(settings.grafana_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ConfigError("set IOC_GRAFANA_URL to the address of the Grafana server, such as http://host:3000")
        self._attempts = attempts
        path = address.path.strip("/")
        # The client's methods carry no types.
        self._api: Any = GrafanaApi(
            settings.grafana_token.get_secret_value() or _userinfo(address.username, address.password),
            host=address.hostname,
            port=address.port,
            protocol=address.scheme,
            url_path_prefix=f"{path}/" if path else "",
            timeout=_TIMEOUT,
        )
        self._rules: Any = self._api.alertingprovisioning

    def read(self, kind: ObjectKind, uid: str) -> Json | None:
        """Return an object, None where there is none."""
        return self._call(lambda: self._read(kind, uid), missing_is_none=True)

    def write(self, kind: ObjectKind, uid: str, body: Json, *, exists: bool) -> None:
        """Create or replace an object; trying twice is harmless, since every object carries its uid."""
        self._call(lambda: self._write(kind, uid, body, exists))

    def rule_uids(self) -> set[str]:
        """Return the rules in the project's own folder."""
        rules: list[Json] = self._call(self._rules.get_alertrules_all) or []
        return {rule["uid"] for rule in rules if rule["folderUID"] == ALERT_FOLDER.uid}

    def remove_rule(self, uid: str) -> None:
        """Delete a rule; one that is gone already is fine."""
        self._call(lambda: self._rules.delete_alertrule(uid), missing_is_none=True)

    def _read(self, kind: ObjectKind, uid: str) -> Json | None:
        match kind:
            case ObjectKind.FOLDER:
                found = self._api.folder.get_folder(uid)
            case ObjectKind.DATASOURCE:
                found = self._api.datasource.get_datasource_by_uid(uid)
            case ObjectKind.BOARD:
                answer = self._api.dashboard.get_dashboard(uid)
                found = {"dashboard": answer["dashboard"], "folderUid": answer["meta"].get("folderUid", "")}
            case ObjectKind.TEMPLATE:
                found = self._rules.get_template(uid)
            case ObjectKind.CONTACT_POINT:
                found = next((p for p in self._rules.get_contactpoints() if p["uid"] == uid), None)
            case ObjectKind.RULE:
                found = self._rules.get_alertrule(uid)
            case ObjectKind.RULE_GROUP:
                found = self._rules.get_rule_group(ALERT_FOLDER.uid, uid)
            case ObjectKind.POLICY:
                found = self._rules.get_notification_policy_tree()
        model: Json | None = found
        return model

    def _write(self, kind: ObjectKind, uid: str, body: Json, exists: bool) -> Any:
        match kind:
            case ObjectKind.FOLDER if exists:
                return self._api.folder.update_folder(uid, title=body["title"], overwrite=True)
            case ObjectKind.FOLDER:
                return self._api.folder.create_folder(body["title"], uid)
            case ObjectKind.DATASOURCE if exists:
                return self._api.datasource.update_datasource_by_uid(uid, body)
            case ObjectKind.DATASOURCE:
                return self._api.datasource.create_datasource(body)
            case ObjectKind.BOARD:
                return self._api.dashboard.update_dashboard({**body, "overwrite": True})
            case ObjectKind.TEMPLATE:
                return self._rules.create_or_update_template(uid, body, disable_provenance=True)
            case ObjectKind.CONTACT_POINT if exists:
                return self._rules.update_contactpoint(uid, body, disable_provenance=True)
            case ObjectKind.CONTACT_POINT:
                return self._rules.create_contactpoint(body, disable_provenance=True)
            case ObjectKind.RULE if exists:
                return self._rules.update_alertrule(uid, body, disable_provenance=True)
            case ObjectKind.RULE:
                return self._rules.create_alertrule(body, disable_provenance=True)
            case ObjectKind.RULE_GROUP:
                return self._rules.update_rule_group(ALERT_FOLDER.uid, uid, body, disable_provenance=True)
            case ObjectKind.POLICY:
                return self._rules.set_notification_policy_tree(body, disable_provenance=True)

    def _call(self, request: Callable[[], T], *, missing_is_none: bool = False) -> T | None:
        retrying = Retrying(
            retry=retry_if_exception_type(GrafanaUnavailableError),
            stop=stop_after_attempt(self._attempts),
            wait=wait_exponential(multiplier=0.5, max=5),
            reraise=True,
        )
        return retrying(_translated, request, missing_is_none)


def _userinfo(user: str | None, password: str | None) -> tuple[str, str] | None:
    return (user, password) if user and password else None


def _translated(request: Callable[[], T], missing_is_none: bool) -> T | None:
    """Raise the project's errors in place of the client's."""
    try:
        return request()
    except GrafanaUnauthorizedError as error:
        raise ConfigError("Grafana refuses the token; set IOC_GRAFANA_TOKEN to a service account's") from error
    except (GrafanaServerError, GrafanaTimeoutError, niquests.exceptions.RequestException) as error:
        raise GrafanaUnavailableError(f"Grafana: {error}. Does IOC_GRAFANA_URL answer?") from error
    except GrafanaClientError as error:
        if missing_is_none and error.status_code == 404:
            return None
        raise FatalError(f"Grafana refuses a request: {error}. May the service account edit everything?") from error
    except GrafanaException as error:
        raise FatalError(f"Grafana: {error}") from error
