"""Pushing to a server: once is enough, and twice is nothing."""

from __future__ import annotations

import dataclasses

import pytest
from pydantic import SecretStr

from grafana.alert_rule import ALERT_FOLDER
from grafana.bundle import Bundle
from grafana.fakes import FakeServer
from grafana.push import covers, push_bundle
from grafana.server import GrafanaServer, GrafanaUnavailableError, ObjectKind
from ioc.errors import ConfigError, FatalError
from ioc.settings import Settings

PASSWORD = SecretStr("made-up")


def test_a_fresh_server_gets_everything(bundle: Bundle) -> None:
    server = FakeServer()
    changes = push_bundle(bundle, server, PASSWORD)
    assert set(server.objects[ObjectKind.BOARD]) == {board.uid for board in bundle.boards}
    assert set(server.objects[ObjectKind.RULE]) == set(bundle.rules)
    assert server.objects[ObjectKind.POLICY][""] == bundle.policy
    (source,) = server.objects[ObjectKind.DATASOURCE].values()
    assert source["secureJsonData"] == {"password": "made-up"}
    assert {change.action for change in changes} == {"created", "updated"}


def test_a_second_push_changes_nothing(bundle: Bundle) -> None:
    server = FakeServer()
    push_bundle(bundle, server, PASSWORD)
    before = server.writes
    changes = push_bundle(bundle, server, PASSWORD)
    assert {change.action for change in changes} == {"unchanged"}
    assert server.writes == before


def test_a_rule_that_went_is_removed_and_one_of_others_stays(bundle: Bundle) -> None:
    server = FakeServer()
    push_bundle(bundle, server, PASSWORD)
    server.objects[ObjectKind.RULE]["ioc-lag-old"] = {"folderUID": ALERT_FOLDER.uid}
    server.objects[ObjectKind.RULE]["theirs"] = {"folderUID": "theirs"}
    changes = push_bundle(bundle, server, PASSWORD)
    assert [(c.uid, c.action) for c in changes if c.action != "unchanged"] == [("ioc-lag-old", "deleted")]
    assert "theirs" in server.objects[ObjectKind.RULE]


def test_only_what_differs_is_written(bundle: Bundle) -> None:
    server = FakeServer()
    push_bundle(bundle, server, PASSWORD)
    server.objects[ObjectKind.BOARD]["ioc-tax"]["dashboard"]["title"] = "edited by hand"
    changes = push_bundle(bundle, server, PASSWORD)
    assert [(c.kind, c.uid) for c in changes if c.action == "updated"] == [(ObjectKind.BOARD, "ioc-tax")]


def test_a_policy_of_others_is_not_overwritten_unasked(bundle: Bundle) -> None:
    server = FakeServer()
    theirs = {"receiver": "grafana-default-email", "routes": [{"receiver": "on-call"}]}
    server.objects[ObjectKind.POLICY][""] = theirs
    with pytest.raises(FatalError, match="on-call"):
        push_bundle(bundle, server, PASSWORD)
    assert (server.writes, server.objects[ObjectKind.POLICY][""]) == (0, theirs)
    push_bundle(bundle, server, PASSWORD, replace_policy=True)
    assert server.objects[ObjectKind.POLICY][""] == bundle.policy


def test_the_fake_refuses_what_refers_to_nothing(bundle: Bundle) -> None:
    server = FakeServer()
    board = dataclasses.replace(bundle.boards[0])
    with pytest.raises(FatalError, match="does not exist"):
        server.write(ObjectKind.BOARD, board.uid, {"dashboard": board.model, "folderUid": "nowhere"}, exists=False)
    with pytest.raises(FatalError, match="does not exist"):
        server.write(ObjectKind.RULE_GROUP, "g", {"rules": [{"uid": "unknown"}]}, exists=False)


def test_covers() -> None:
    assert covers({"a": [1, {"b": "x\n", "more": 2}], "c": 3}, {"a": [1, {"b": "x"}]})
    assert not covers({"a": [1, 2]}, {"a": [1]})
    assert not covers({}, {"a": None})


@pytest.mark.parametrize("url", ["", "grafana:3000", "ftp://host"])
def test_the_address_must_be_one(defaults: Settings, url: str) -> None:
    with pytest.raises(ConfigError, match="IOC_GRAFANA_URL"):
        GrafanaServer(defaults.model_copy(update={"grafana_url": url}))


def test_a_server_that_is_away_is_told_as_such(defaults: Settings) -> None:
    # Port 9 of the own machine: nothing listens there, and the answer comes at once.
    server = GrafanaServer(defaults.model_copy(update={"grafana_url": "http://127.0.0.1:9"}), attempts=2)
    with pytest.raises(GrafanaUnavailableError, match="IOC_GRAFANA_URL"):
        server.read(ObjectKind.FOLDER, "any")
