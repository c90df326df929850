"""Alert rules over the incident table, who is told, and the words of the messages."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from grafana.alerting.contact import contact_points, receiver
from grafana.alerting.incident_rule import SHOWN
from grafana.alerting.message import template_text
from grafana.alerting.policy import notification_policy
from grafana.bundle import Bundle, known_names
from grafana.checking.check import all_panels, check_rules
from grafana.standin.alerts import Alerting, Answer, Message
from grafana.standin.store import Store
from ioc.catalogue import Catalogue
from ioc.errors import ConfigError
from ioc.province.contact import Contact, load_contacts
from ioc.settings import Settings

NOON = datetime(2024, 10, 16, 5, tzinfo=UTC)
FOLDER = "ioc-folder-alerts"


def panels(bundle: Bundle) -> dict[str, set[int]]:
    return {board.uid: {panel["id"] for panel in all_panels(board.model)} for board in bundle.boards}


def test_a_handful_of_rules_and_none_an_indicator(bundle: Bundle) -> None:
    assert set(bundle.rules) == {"ioc-incident-open", "ioc-incident-closed", "ioc-watch-scheduler"}


def test_no_rule_names_a_panel(bundle: Bundle) -> None:
    """At a first start rules are evaluated before boards are there: a server logs an error for each alert."""
    assert check_rules(bundle.rules, panels(bundle)) == []
    assert not any("__dashboardUid__" in rule["annotations"] for rule in bundle.rules.values())


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({"__dashboardUid__": "ioc-incident"}, "without the other"),
        ({"__panelId__": "1"}, "without the other"),
        ({"__dashboardUid__": "ioc-none", "__panelId__": "1"}, "not built"),
        ({"__dashboardUid__": "ioc-incident", "__panelId__": "1"}, "does not have"),
    ],
)
def test_a_panel_that_is_named_must_be_there_and_whole(bundle: Bundle, named: dict[str, str], words: str) -> None:
    rules = copy.deepcopy(bundle.rules)
    rules["ioc-incident-open"]["annotations"] |= named
    (problem,) = check_rules(rules, panels(bundle))
    assert words in problem


def test_a_doubled_dollar_is_found(bundle: Bundle) -> None:
    rules = copy.deepcopy(bundle.rules)
    rules["ioc-watch-scheduler"]["data"][1]["model"]["expression"] = "$$A > 1"
    rules["ioc-watch-scheduler"]["annotations"]["summary"] = "$${labels.x}"
    found = " ".join(check_rules(rules, panels(bundle)))
    assert "doubles a $" in found
    assert "as they stand" in found


def test_an_answer_that_does_not_come_is_an_error(bundle: Bundle) -> None:
    assert {rule["execErrState"] for rule in bundle.rules.values()} == {"Error"}


def test_every_text_of_a_message_is_a_label_of_the_row(bundle: Bundle) -> None:
    for uid in ("ioc-incident-open", "ioc-incident-closed"):
        rule = bundle.rules[uid]
        sql = next(query["model"]["rawSql"] for query in rule["data"] if "rawSql" in query["model"])
        for name in SHOWN:
            assert rule["annotations"][name] == f"{{{{ $labels.{name} }}}}"
            assert f"AS {name}" in sql or f"i.{name}" in sql, name


def test_messages_are_vietnamese_first_with_an_english_line() -> None:
    text = template_text()
    assert text.rindex("Cơ quan chủ trì") < text.rindex("English:")
    assert text.count("{{") == text.count("}}")
    assert text.count("{{ define") == 3


def test_contacts_make_points_and_routes_of_their_own(defaults: Settings) -> None:
    contacts = {
        "Sở Du lịch": Contact("", ("du.lich@example.invalid", "khach@example.invalid")),
        "operators": Contact("https://example.invalid/ioc", ()),
    }
    points = {(p["name"], p["type"]): p for p in contact_points(contacts, defaults)}
    assert set(points) == {
        ("IOC: operators", "webhook"),
        ("IOC: watch", "webhook"),
        ("IOC: Sở Du lịch", "email"),
    }
    mail = points["IOC: Sở Du lịch", "email"]
    assert mail["settings"]["addresses"] == "du.lich@example.invalid;khach@example.invalid"
    assert (mail["disableResolveMessage"], points["IOC: watch", "webhook"]["disableResolveMessage"]) == (True, False)
    routes = notification_policy(contacts)["routes"]
    assert [r["receiver"] for r in routes] == ["IOC: watch", "IOC: watch", "IOC: Sở Du lịch"]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("Sở Không Có,,a@example.invalid", "is no owner of the catalogue"),
        ("Sở Du lịch,,a@example.invalid\nSở Du lịch,,b@example.invalid", "stands twice"),
        ("Sở Du lịch,,", "must hold an address"),
        ("Sở Du lịch,,không-phải-thư", "is no e-mail address"),
        ("Sở Du lịch,ftp://host/x,", r"is no http\(s\) address"),
        (",,a@example.invalid", "name"),
    ],
)
def test_contacts_are_checked(catalogue: Catalogue, tmp_path: Path, rows: str, words: str) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text(f"name,webhook,email\n{rows}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        load_contacts(path, known_names(catalogue))


def test_alerts_without_an_address_are_refused(defaults: Settings) -> None:
    with pytest.raises(ConfigError, match="IOC_ALERT_WEBHOOK_URL"):
        contact_points({}, defaults.model_copy(update={"alert_webhook_url": "", "alert_email": ""}))


# ---------------------------------------------------------------------------------------------- what is sent, and how
# often


class Table:
    """The incident table as the rules see it: rows of (incident, step, title, figure) by event; or no database."""

    def __init__(self) -> None:
        self.open: list[tuple[str, str, str, str]] = []
        self.closed: list[tuple[str, str, str, str]] = []
        self.silence = 0.0
        self.away = False

    def ask(self, sql: str) -> Answer:
        if self.away:
            raise ConnectionError
        if "scheduler_job" in sql:
            return ("silence",), [(self.silence,)]
        event = "closed" if "'closed' AS event" in sql else "open"
        rows = self.closed if event == "closed" else self.open
        columns = ("incident", "step", "title", "figure", "event", "recipient", "severity", "firing")
        return columns, [(*row, event, "Sở Du lịch", "warning", 1.0) for row in rows]


@pytest.fixture
def alerting(bundle: Bundle) -> tuple[Alerting, Table]:
    store, table = Store(), Table()
    store.put_folder(FOLDER, "x")
    for rule in bundle.rules.values():
        store.put_rule(rule, "api", new=True)
    for point in bundle.contact_points:
        # One way to the operators, so that one message counts once.
        if point["type"] == "webhook" or point["name"] not in ("IOC: operators", "IOC: watch"):
            store.put_contact_point(point, "api", new=True)
    store.put_policy(bundle.policy, "api")
    return Alerting(store, table.ask), table


def after(alerting: Alerting, minutes: float) -> list[Message]:
    return alerting.evaluate(NOON + timedelta(minutes=minutes))


def test_one_cause_is_one_message_whatever_changes_of_it(alerting: tuple[Alerting, Table]) -> None:
    server, table = alerting
    table.open = [("7", "0", "Ba huyện chậm", "18 %")]
    assert [m.receiver for m in after(server, 0)] == [receiver("operators")]
    table.open = [("7", "0", "Bốn huyện chậm", "17 %")]
    assert after(server, 5) == []
    assert len(after(server, 24 * 60 + 1)) == 1
    assert set(server.health.values()) == {"ok"}


def test_a_new_step_of_the_ladder_is_told_at_once(alerting: tuple[Alerting, Table]) -> None:
    server, table = alerting
    table.open = [("7", "0", "Chậm", "18 %")]
    after(server, 0)
    table.open = [("7", "1", "Chậm", "18 %")]
    assert len(after(server, 5)) == 1


def test_ten_incidents_are_ten_messages(alerting: tuple[Alerting, Table]) -> None:
    server, table = alerting
    table.open = [(str(n), "0", f"Sự việc {n}", "–") for n in range(10)]
    assert len(after(server, 0)) == 10
    assert after(server, 1) == []


def test_what_ends_is_told_once_and_nothing_is_resolved_by_a_gap(alerting: tuple[Alerting, Table]) -> None:
    server, table = alerting
    table.open = [("7", "0", "Chậm", "18 %")]
    after(server, 0)
    table.open = []  # acknowledged, silenced, or gone: no "back to normal"
    assert after(server, 5) == []
    table.closed = [("7", "0", "Chậm", "–")]
    (message,) = after(server, 10)
    assert dict(message.alerts[0])["event"] == "closed"
    assert after(server, 15) == []
    table.closed = []
    assert after(server, 400) == []


def test_a_database_that_is_away_is_one_message_to_the_operators_and_one_when_it_is_back(
    alerting: tuple[Alerting, Table],
) -> None:
    server, table = alerting
    table.open = [("7", "0", "Chậm", "18 %")]
    after(server, 0)
    table.away = True
    (away,) = after(server, 5)
    assert (away.receiver, away.status) == (receiver("watch"), "firing")
    assert set(server.health.values()) == {"error"}
    assert after(server, 11) == []
    table.away = False
    (back,) = after(server, 20)
    assert (back.receiver, back.status) == (receiver("watch"), "resolved")


def test_a_scheduler_that_stands_still_is_told(alerting: tuple[Alerting, Table]) -> None:
    server, table = alerting
    table.silence = 9.0
    (message,) = after(server, 0)
    assert message.receiver == receiver("watch")
