"""The client of Grafana's HTTP API, against a server that keeps what it is given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from grafana_http import PROVISIONING, GrafanaHttp, running_grafana
from pydantic import SecretStr

from grafana.alert_rule import ALERT_FOLDER
from grafana.bundle import Bundle
from grafana.push import push_bundle
from grafana.server import GrafanaServer, GrafanaUnavailableError, ObjectKind
from ioc.errors import ConfigError
from ioc.settings import Settings


@pytest.fixture
def http() -> Iterator[GrafanaHttp]:
    with running_grafana() as server:
        yield server


@pytest.fixture
def server(http: GrafanaHttp, defaults: Settings) -> GrafanaServer:
    return client(http, defaults, token="made-up")


def client(http: GrafanaHttp, settings: Settings, token: str) -> GrafanaServer:
    return GrafanaServer(
        settings.model_copy(update={"grafana_url": http.url, "grafana_token": SecretStr(token)}), attempts=2
    )


def test_everything_arrives_and_a_second_push_writes_nothing(
    http: GrafanaHttp, server: GrafanaServer, bundle: Bundle
) -> None:
    push_bundle(bundle, server, SecretStr("made-up"))
    assert http.objects["/api/dashboards/uid/ioc-tax"]["meta"] == {"folderUid": "ioc-folder-tax"}
    assert http.objects["/api/datasources/uid/ioc-timescaledb"]["secureJsonData"] == {"password": "made-up"}
    assert f"{PROVISIONING}/folder/{ALERT_FOLDER.uid}/rule-groups/ioc-pipeline" in http.objects
    assert http.objects[f"{PROVISIONING}/templates/ioc"] == bundle.template
    assert http.objects[f"{PROVISIONING}/policies"] == bundle.policy
    assert {rule["uid"] for rule in http.get(f"{PROVISIONING}/alert-rules")} == set(bundle.rules)

    http.requests.clear()
    changes = push_bundle(bundle, server, SecretStr("made-up"))
    assert {change.action for change in changes} == {"unchanged"}
    assert {method for method, _ in http.requests} == {"GET"}


def test_a_rule_that_went_is_deleted(http: GrafanaHttp, server: GrafanaServer) -> None:
    path = f"{PROVISIONING}/alert-rules/ioc-lag-old"
    http.objects[path] = {"uid": "ioc-lag-old", "folderUID": ALERT_FOLDER.uid}
    assert server.rule_uids() == {"ioc-lag-old"}
    server.remove_rule("ioc-lag-old")
    assert path not in http.objects


def test_what_exists_is_replaced_by_put(http: GrafanaHttp, server: GrafanaServer) -> None:
    for kind, path in (
        (ObjectKind.FOLDER, "/api/folders/x"),
        (ObjectKind.DATASOURCE, "/api/datasources/uid/x"),
        (ObjectKind.CONTACT_POINT, f"{PROVISIONING}/contact-points/x"),
        (ObjectKind.RULE, f"{PROVISIONING}/alert-rules/x"),
    ):
        server.write(kind, "x", {"uid": "x", "title": "new"}, exists=True)
        assert http.requests[-1] == ("PUT", path)
        found = server.read(kind, "x")
        assert found is not None
        assert found["title"] == "new"


def test_what_is_not_there_is_none(server: GrafanaServer) -> None:
    assert server.read(ObjectKind.BOARD, "nowhere") is None
    assert server.read(ObjectKind.CONTACT_POINT, "nowhere") is None


def test_a_server_that_starts_is_asked_again_but_not_for_ever(http: GrafanaHttp, server: GrafanaServer) -> None:
    http.failures = 1
    assert server.read(ObjectKind.POLICY, "") == {"receiver": "grafana-default-email"}
    http.failures = 9
    with pytest.raises(GrafanaUnavailableError, match="starting"):
        server.read(ObjectKind.POLICY, "")
    assert len(http.requests) == 4


def test_a_wrong_token_is_told_as_such(http: GrafanaHttp, defaults: Settings) -> None:
    with pytest.raises(ConfigError, match="IOC_GRAFANA_TOKEN"):
        client(http, defaults, token="other").read(ObjectKind.FOLDER, "x")
