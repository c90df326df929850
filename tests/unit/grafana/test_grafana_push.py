"""Pushing to a server: the plan, drift by hand, what is pruned and what is left alone, and errors that name their
cause."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from grafana.bundle import Bundle
from grafana.provisioning.push import PushInterruptedError, make_plan, push_bundle, read_state
from grafana.provisioning.server import GrafanaRefusedError, GrafanaServer, GrafanaUnavailableError, ObjectKind
from grafana.standin.api import Standin, running_standin
from grafana.standin.release import RELEASES
from grafana.standin.store import RefusedError, Store
from ioc.errors import ConfigError, FatalError
from ioc.settings import Settings

PASSWORD = SecretStr("made-up")


@pytest.fixture
def standin() -> Iterator[Standin]:
    with running_standin() as running:
        yield running


@pytest.fixture(params=sorted(RELEASES))
def released(request: pytest.FixtureRequest) -> Iterator[Standin]:
    """A server of each release whose differences are known."""
    with running_standin(release=RELEASES[request.param]) as running:
        yield running


@pytest.fixture
def server(standin: Standin, defaults: Settings) -> GrafanaServer:
    return client(standin.url, defaults)


def client(url: str, defaults: Settings, key: str = "made-up") -> GrafanaServer:
    changed = {"grafana_url": url, "grafana_token": SecretStr(key)}
    return GrafanaServer(defaults.model_copy(update=changed), attempts=2)


@pytest.fixture(scope="module")
def small(bundle: Bundle) -> Bundle:
    """Fewer boards: a push asks for each."""
    return dataclasses.replace(bundle, boards=bundle.boards[:9])


def plan(bundle: Bundle, server: GrafanaServer) -> list[tuple[str, str, str]]:
    return [(c.action, str(c.kind), c.uid) for c in make_plan(bundle, read_state(bundle, server))]


def test_a_fresh_server_gets_everything_and_a_second_push_writes_nothing(
    small: Bundle, server: GrafanaServer, standin: Standin
) -> None:
    planned = plan(small, server)
    assert standin.store.writes == 0
    assert {action for action, _, _ in planned} == {"create", "change"}  # the policy was there: Grafana's own
    push_bundle(small, server, PASSWORD)
    assert set(standin.store.boards) == {board.uid for board in small.boards}
    assert set(standin.store.rules) == set(small.rules)
    assert standin.store.datasources["ioc-timescaledb"]["secureJsonData"] == {"password": "made-up"}
    assert set(standin.store.provenance.values()) == {"api"}
    before = standin.store.writes
    standin.requests.clear()
    assert push_bundle(small, server, PASSWORD) == []
    assert standin.store.writes == before
    assert {method for method, _ in standin.requests} == {"GET"}


def hidden_query(board: dict[str, Any]) -> None:
    next(p for p in board["panels"] if p.get("targets"))["targets"][0]["hide"] = True


def added_mapping(board: dict[str, Any]) -> None:
    panel = next(p for p in board["panels"] if "fieldConfig" in p)
    panel["fieldConfig"]["defaults"]["mappings"] = [{"type": "value", "options": {"x": {"text": "y"}}}]


def changed_title(board: dict[str, Any]) -> None:
    board["title"] = "của tôi"


def removed_panel(board: dict[str, Any]) -> None:
    board["panels"].pop()


@pytest.mark.parametrize("drift", [hidden_query, added_mapping, changed_title, removed_panel])
def test_what_was_changed_by_hand_is_seen_and_put_right(
    small: Bundle, server: GrafanaServer, standin: Standin, drift: Any
) -> None:
    push_bundle(small, server, PASSWORD)
    drift(standin.store.boards["ioc-overview"]["dashboard"])
    (change,) = make_plan(small, read_state(small, server))
    assert (change.action, change.uid) == ("change", "ioc-overview")
    assert "+++ wanted" in change.diff()
    push_bundle(small, server, PASSWORD)
    assert plan(small, server) == []


def test_drift_of_every_other_kind_is_seen(small: Bundle, server: GrafanaServer, standin: Standin) -> None:
    push_bundle(small, server, PASSWORD)
    store = standin.store
    store.rules["ioc-incident-open"]["data"][0]["model"]["hide"] = True
    store.contact_points["ioc-contact-operators-webhook"]["settings"]["extra"] = "x"
    store.templates["ioc"] += "{{/* mine */}}"
    store.policy["routes"][0]["mute_time_intervals"] = ["đêm"]
    store.datasources["ioc-timescaledb"]["jsonData"]["timescaledb"] = False
    store.intervals["ioc-folder-alerts", "ioc-watch"] = 600
    next(iter(store.playlists.values()))["interval"] = "5m"
    kinds = [kind for _, kind, _ in plan(small, server)]
    assert kinds == [
        ObjectKind.DATASOURCE,
        ObjectKind.TEMPLATE,
        ObjectKind.CONTACT_POINT,
        ObjectKind.POLICY,
        ObjectKind.RULE,
        ObjectKind.RULE_GROUP,
        ObjectKind.RULE_GROUP,
        ObjectKind.PLAYLIST,
    ]
    push_bundle(small, server, PASSWORD)
    assert plan(small, server) == []


def test_what_was_moved_or_renamed_by_hand_is_put_back(small: Bundle, server: GrafanaServer, standin: Standin) -> None:
    """It was made a second time, which the server refuses: its uid is taken."""
    push_bundle(small, server, PASSWORD)
    store = standin.store
    store.rules["ioc-incident-open"]["folderUID"] = "theirs"
    store.contact_points["ioc-contact-operators-webhook"]["name"] = "trực ban"
    store.folders["ioc-folder-alerts"]["title"] = "khác"
    others = copy.deepcopy(store.rules["ioc-incident-open"]) | {"uid": "ioc-theirs", "title": "theirs"}
    store.rules["ioc-theirs"] = others
    planned = plan(small, server)
    assert [one for one in planned if one[1] != ObjectKind.RULE_GROUP] == [
        ("change", "folder", "ioc-folder-alerts"),
        ("change", "contact point", "ioc-contact-operators-webhook"),
        ("change", "rule", "ioc-incident-open"),
    ]
    push_bundle(small, server, PASSWORD)
    assert plan(small, server) == []
    assert "ioc-theirs" in store.rules  # in a folder of others: not the project's to delete


@pytest.mark.parametrize(
    "by_hand",
    [
        {"isPaused": True},
        {"notification_settings": {"receiver": "on-call"}},
        {"noDataState": "Alerting"},
        {"for": "9h"},
    ],
)
def test_a_rule_that_was_silenced_by_hand_speaks_again(
    small: Bundle, server: GrafanaServer, standin: Standin, by_hand: dict[str, Any]
) -> None:
    push_bundle(small, server, PASSWORD)
    standin.store.rules["ioc-incident-open"] |= by_hand
    assert ("change", "rule", "ioc-incident-open") in plan(small, server)
    push_bundle(small, server, PASSWORD)
    assert plan(small, server) == []


def test_what_it_owns_is_pruned_and_no_more(small: Bundle, server: GrafanaServer, standin: Standin) -> None:
    push_bundle(small, server, PASSWORD)
    store = standin.store
    old = copy.deepcopy(store.boards["ioc-overview"])
    for uid, tags in (("ioc-lodging", ["ioc", "vi"]), ("ioc-mine", ["mine"]), ("theirs", ["ioc"])):
        store.boards[uid] = {**old, "dashboard": {**old["dashboard"], "uid": uid, "title": uid, "tags": tags}}
    point = next(iter(store.contact_points.values()))
    store.contact_points["old"] = {**point, "uid": "old", "name": "IOC: Sở cũ"}
    store.contact_points["on-call"] = {**point, "uid": "on-call", "name": "on-call"}
    rule = store.rules["ioc-incident-open"]
    store.rules["ioc-lag-old"] = {**rule, "uid": "ioc-lag-old", "title": "old", "ruleGroup": "old"}
    store.rules["theirs"] = {**rule, "uid": "theirs", "title": "theirs", "folderUID": "theirs"}
    store.provenance["rule", "ioc-lag-old"] = "api"
    done = push_bundle(small, server, PASSWORD)
    assert [(c.action, c.kind, c.uid) for c in done] == [
        ("delete", ObjectKind.RULE, "ioc-lag-old"),
        ("delete", ObjectKind.BOARD, "ioc-lodging"),
        ("delete", ObjectKind.CONTACT_POINT, "old"),
    ]
    assert {"ioc-mine", "theirs"} <= set(store.boards)
    assert {"on-call"} <= set(store.contact_points)
    assert "theirs" in store.rules


def test_a_policy_of_others_is_not_overwritten_unasked(small: Bundle, server: GrafanaServer, standin: Standin) -> None:
    theirs = {"receiver": "grafana-default-email", "routes": [{"receiver": "on-call", "object_matchers": []}]}
    standin.store.policy = theirs
    with pytest.raises(FatalError, match="on-call"):
        push_bundle(small, server, PASSWORD)
    assert (standin.store.writes, standin.store.policy) == (0, theirs)
    push_bundle(small, server, PASSWORD, replace_policy=True)
    assert standin.store.policy == small.policy


def test_half_of_a_push_is_told(small: Bundle, server: GrafanaServer, standin: Standin) -> None:
    # Rules that a file made: the API may not touch them.
    push_bundle(small, server, PASSWORD)
    standin.store.provenance["rule", "ioc-incident-open"] = "file"
    standin.store.rules["ioc-incident-open"]["title"] = "khác"
    changed_title(standin.store.boards["ioc-overview"]["dashboard"])
    with pytest.raises(PushInterruptedError) as caught:
        push_bundle(small, server, PASSWORD)
    text = str(caught.value)
    assert "change board ioc-overview (1 of" in text
    assert "cannot changed provenance" in text
    assert "push again" in text


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "IOC_GRAFANA_TOKEN"),
        (403, "Admin role"),
        (409, "name or changed"),
        (412, "by hand"),
        (500, "made by files"),
        (404, "IOC_GRAFANA_URL"),
    ],
)
def test_a_refusal_names_its_cause(
    server: GrafanaServer, standin: Standin, monkeypatch: pytest.MonkeyPatch, status: int, words: str
) -> None:
    def refuse(uid: str, title: str) -> dict[str, Any]:
        raise RefusedError(status, "because")

    standin.store.put_folder = refuse  # type: ignore[method-assign]
    with pytest.raises(GrafanaRefusedError, match=words) as caught:
        server.create(ObjectKind.FOLDER, "ioc-x", {"uid": "ioc-x", "title": "x"})
    assert "because" in str(caught.value)
    assert "/api/folders" in str(caught.value)


def test_a_wrong_token_is_told_as_such(small: Bundle, standin: Standin, defaults: Settings) -> None:
    with pytest.raises(FatalError, match="IOC_GRAFANA_TOKEN"):
        push_bundle(small, client(standin.url, defaults, "other"), PASSWORD)


def test_something_else_than_grafana_is_told_as_such(small: Bundle, standin: Standin, defaults: Settings) -> None:
    with pytest.raises(ConfigError, match="no Grafana server"):
        push_bundle(small, client(f"{standin.url}/elsewhere", defaults), PASSWORD)


@pytest.mark.parametrize("answer", ["<html>Đăng nhập</html>", ["x"], [{}], {"message": "sign in"}, 7])
def test_a_page_of_a_proxy_is_told_as_such(
    small: Bundle, standin: Standin, server: GrafanaServer, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    """It lets /api/health pass, and answers all else with 200 and its own page."""
    monkeypatch.setattr(standin, "_routed", lambda *_: (200, answer))
    with pytest.raises(ConfigError, match="not as Grafana's API does"):
        push_bundle(small, server, PASSWORD)


@pytest.mark.parametrize("url", ["", "grafana:3000", "ftp://host", "http://", "http://host:port", "http://[::1"])
def test_the_address_must_be_one(defaults: Settings, url: str) -> None:
    with pytest.raises(ConfigError, match="IOC_GRAFANA_URL"):
        GrafanaServer(defaults.model_copy(update={"grafana_url": url}))


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://[::1]:3000", "http://[::1]:3000"),
        ("https://[2001:db8::7]/grafana/", "https://[2001:db8::7]/grafana/"),
        ("http://grafana", "http://grafana"),
        ("HTTP://grafana:3000/a", "http://grafana:3000/a"),
    ],
)
def test_every_form_of_an_address_is_asked_as_it_is_written(defaults: Settings, url: str, address: str) -> None:
    """Of an IPv6 address, the brackets belong to it."""
    server = client(url, defaults)
    assert server.address == address
    assert server._client.url == f"{address.rstrip('/')}/api"


def test_a_wrong_address_does_not_show_its_password(defaults: Settings) -> None:
    with pytest.raises(ConfigError, match="IOC_GRAFANA_URL") as caught:
        client("http://admin:made-up-word@host:99999", defaults)
    assert "made-up-word" not in str(caught.value)


@pytest.mark.parametrize("token", ["made-up-word\nx", "made-up-word x", "made-up-từ", "made-up-word\0"])
def test_a_token_that_is_none_is_told_and_not_shown(defaults: Settings, token: str) -> None:
    with pytest.raises(ConfigError, match="IOC_GRAFANA_TOKEN") as caught:
        client("http://127.0.0.1:9", defaults, token)
    assert "made-up" not in str(caught.value)


def test_a_token_read_from_a_file_with_a_line_break_is_taken(standin: Standin, defaults: Settings) -> None:
    server = client(f"{standin.url}/", defaults, " made-up\n")
    assert server.read([]).objects[ObjectKind.BOARD] == {}


def test_a_server_that_is_away_is_told_as_such(small: Bundle, defaults: Settings) -> None:
    # Port 9 of the own machine: nothing listens there, and the answer comes at once.
    with pytest.raises(GrafanaUnavailableError, match="does not answer"):
        push_bundle(small, client("http://127.0.0.1:9", defaults), PASSWORD)


def test_a_server_that_starts_is_asked_again_but_not_for_ever(server: GrafanaServer, standin: Standin) -> None:
    standin.failures = 1
    assert server.version() == "9.4.0-standin"
    standin.failures = 9
    with pytest.raises(GrafanaUnavailableError, match="starting"):
        server.version()


def test_the_standin_refuses_what_the_real_server_refuses(small: Bundle, standin: Standin) -> None:
    store = standin.store
    store.put_folder("f", "F")
    rule = {**small.rules["ioc-incident-open"], "folderUID": "f"}
    half = {**rule, "annotations": {"__dashboardUid__": "x"}}
    with pytest.raises(RefusedError, match="both annotations"):
        store.put_rule(half, "api", new=True)
    store.put_rule(rule, "api", new=True)
    with pytest.raises(RefusedError, match="cannot changed provenance from 'api' to ''"):
        store.put_rule(rule, "", new=False)
    with pytest.raises(RefusedError, match="could not find alert rule"):
        store.put_group("f", "g", {"interval": 60, "rules": [{**rule, "uid": "unknown"}]})
    with pytest.raises(RefusedError, match="does not exist"):
        store.put_policy({"receiver": "nobody"}, "api")
    assert standin.answer("GET", "/api/v1/provisioning/alert-rules/none", "Bearer made-up", None)[0] == 500


def test_a_push_is_the_same_on_every_release(small: Bundle, released: Standin, defaults: Settings) -> None:
    """What a release puts into an object by itself is no drift; what went is pruned in an order that it takes."""
    server = client(released.url, defaults)
    push_bundle(small, server, PASSWORD)
    assert push_bundle(small, server, PASSWORD) == []
    named = small.contact_points[-1]["name"]
    fewer = dataclasses.replace(
        small,
        boards=small.boards[:5],
        rule_groups=small.rule_groups[:1],
        contact_points=tuple(point for point in small.contact_points if point["name"] != named),
        policy=small.policy | {"routes": [r for r in small.policy["routes"] if r["receiver"] != named]},
    )
    assert {c.action for c in push_bundle(fewer, server, PASSWORD)} == {"change", "delete"}
    assert plan(fewer, server) == []
    assert push_bundle(small, server, PASSWORD) != []
    assert plan(small, server) == []


@pytest.mark.parametrize("name", sorted(RELEASES))
def test_releases_refuse_in_their_own_way(small: Bundle, name: str) -> None:
    release = RELEASES[name]
    store = Store(release=release)
    store.put_folder("f", "F")
    rule = {**small.rules["ioc-incident-open"], "folderUID": "f"}
    point = small.contact_points[0]

    def status(change: Callable[[], None]) -> int:
        with pytest.raises(RefusedError) as caught:
            change()
        return caught.value.status

    half = {**rule, "annotations": {"__panelId__": "1"}}
    assert status(lambda: store.put_rule(half, "api", new=True)) == release.half_pair
    if release.uid_checked:
        long = "x" * 41
        assert status(lambda: store.put_rule({**rule, "uid": long}, "api", new=True)) == 400
        assert status(lambda: store.put_contact_point({**point, "uid": long}, "api", new=True)) == 400
    store.put_contact_point(point, "api", new=True)
    assert status(lambda: store.put_contact_point(point, "api", new=True)) == release.point_taken
    assert status(lambda: store.put_contact_point(point, "", new=False)) == release.point_provenance
    store.put_policy({"receiver": point["name"]}, "api")
    assert status(lambda: store.delete_contact_point(point["uid"])) == release.point_in_use
    group = {"interval": 60, "rules": [rule]}
    if release.new_rule_in_group:
        store.put_group("f", "g", group)
        assert rule["uid"] in store.rules
    else:
        assert status(lambda: store.put_group("f", "g", group)) == 500
