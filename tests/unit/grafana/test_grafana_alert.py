"""Alert rules: one for each target and feed, routed to who can act, worded for who reads."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from grafana.alert_rule import OPERATOR
from grafana.bundle import Bundle
from grafana.check import check_rules
from grafana.notification import (
    LEADERS,
    OPERATORS,
    Contact,
    contact_points,
    load_contacts,
    notification_policy,
)
from grafana.pipeline_rule import pipeline_rules, stale_rule
from grafana.sector_board import board_of
from grafana.uid import stable_uid
from ioc.catalogue import Catalogue
from ioc.catalogue.indicator import PLATFORM
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from ioc.settings import Settings


def test_every_target_on_a_board_and_every_feed_has_its_rules(
    bundle: Bundle, catalogue: Catalogue, feeds: dict[str, Feed]
) -> None:
    targets = [i.code for i in catalogue.indicators.values() if i.target is not None and board_of(i.sector)]
    assert targets
    for code in targets:
        assert {stable_uid("lag", code), stable_uid("lasting", code)} <= set(bundle.rules)
    assert {stable_uid("stale", key) for key in feeds} <= set(bundle.rules)


def test_only_the_rule_that_watches_the_database_fires_when_it_is_away(bundle: Bundle) -> None:
    loud = {uid for uid, rule in bundle.rules.items() if rule["execErrState"] != "OK"}
    assert loud == {"ioc-pipeline-datasource"}
    assert all(bundle.rules[uid]["noDataState"] == "Alerting" for uid in loud)
    assert {rule["noDataState"] for uid, rule in bundle.rules.items() if uid not in loud} == {"OK"}


def test_messages_are_vietnamese_and_complete(bundle: Bundle) -> None:
    lag = bundle.rules["ioc-lag-petrol-einvoice_rate"]
    assert {"summary", "summary_en", "value", "expected", "lag", "cause", "link"} <= set(lag["annotations"])
    assert "chậm" in lag["annotations"]["summary"]
    assert "var-indicator=petrol.einvoice_rate" in lag["annotations"]["link"]
    for rule in bundle.rules.values():
        assert {"summary", "summary_en", "value", "expected", "cause", "link"} <= set(rule["annotations"])


def test_a_lag_is_told_to_its_owner_first_and_to_leaders_when_it_lasts(bundle: Bundle) -> None:
    first, lasting = (bundle.rules[f"ioc-{kind}-petrol-einvoice_rate"] for kind in ("lag", "lasting"))
    assert (first["for"], first["labels"]["severity"]) == ("10m", "warning")
    assert (lasting["for"], lasting["labels"]["severity"]) == ("1d", "critical")
    leaders, *own = bundle.policy["routes"]
    assert leaders["receiver"] == f"IOC: {LEADERS}"
    assert leaders["continue"] is True
    assert leaders["object_matchers"] == [["kind", "=", "lag"], ["severity", "=", "critical"]]
    assert [["owner", "=", first["labels"]["owner"]]] in [route["object_matchers"] for route in own]


def test_what_no_owner_answers_for_goes_to_operators() -> None:
    policy = notification_policy([OPERATOR, "Sở Du lịch"])
    assert policy["receiver"] == f"IOC: {OPERATORS}"
    assert [route["receiver"] for route in policy["routes"]] == [f"IOC: {LEADERS}", "IOC: Sở Du lịch"]


def test_contacts_of_the_profile_go_before_those_of_the_settings(defaults: Settings) -> None:
    contacts = {"Sở Du lịch": Contact(webhook="", email="a@example.invalid, b@example.invalid")}
    points = contact_points(["Sở Du lịch", "Cục Thuế tỉnh"], contacts, defaults)
    own = [p for p in points if p["name"] == "IOC: Sở Du lịch"]
    assert [(p["type"], p["settings"]["addresses"]) for p in own] == [("email", "a@example.invalid;b@example.invalid")]
    others = [p["type"] for p in points if p["name"] == "IOC: Cục Thuế tỉnh"]
    assert others == ["webhook", "email"]
    assert len({p["uid"] for p in points}) == len(points)


def test_alerts_must_have_somewhere_to_go(defaults: Settings) -> None:
    silent = defaults.model_copy(update={"alert_webhook_url": "", "alert_email": ""})
    with pytest.raises(ConfigError, match="IOC_ALERT_WEBHOOK_URL"):
        contact_points([], {}, silent)


def test_contacts_file(tmp_path: Path) -> None:
    path = tmp_path / "contacts.csv"
    assert load_contacts(path) == {}
    path.write_text("name,webhook,email\nleaders,,chi.huy@example.invalid\n", encoding="utf-8")
    assert load_contacts(path) == {"leaders": Contact("", "chi.huy@example.invalid")}
    path.write_text("name,webhook,email\nleaders,,\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="row 2 column email"):
        load_contacts(path)


def test_a_message_may_name_only_numbers_that_are_asked_for(bundle: Bundle) -> None:
    rules = copy.deepcopy(bundle.rules)
    rules["ioc-pipeline-gap"]["annotations"]["value"] = "{{ $values.NOWHERE.Value }}"
    boards = {board.uid for board in bundle.boards}
    assert check_rules(rules, boards) == ["ioc-pipeline-gap: a message names the number NOWHERE, which no query gives"]


def test_a_rules_condition_is_its_expression(bundle: Bundle) -> None:
    for rule in bundle.rules.values():
        expression = rule["data"][-1]
        assert rule["condition"] == expression["refId"] == "FIRING"
        assert expression["model"]["expression"].startswith("$A ")
        # Without a table format Grafana wants a time column, and no alert a row comes of it.
        assert {query["model"]["format"] for query in rule["data"][:-1]} == {"table"}


def test_rules_hold_no_variable_of_a_board(bundle: Bundle) -> None:
    assert "${" not in json.dumps([rule["data"] for rule in bundle.rules.values()])


def test_uids_are_stable_short_and_different() -> None:
    assert stable_uid("lag", "petrol.einvoice_rate") == "ioc-lag-petrol-einvoice_rate"
    long = [stable_uid("lasting", f"environment.a_very_long_measure.value_{n}") for n in range(3)]
    assert len(set(long)) == 3
    assert all(len(uid) <= 40 for uid in long)
    assert stable_uid("contact", "Sở Y tế", "email") != stable_uid("contact", "Sở Ỵ tế", "email")


def test_alerts_of_feeds_and_of_indicators_group_by_the_same_sectors(
    catalogue: Catalogue, feeds: Mapping[str, Feed]
) -> None:
    known = {*catalogue.sectors, PLATFORM}
    labels = {feed.key: stale_rule(feed, catalogue).sector for feed in feeds.values()}
    assert set(labels.values()) <= known
    assert {rule.sector for rule in pipeline_rules()} <= known
    assert labels["tourism.stay"] == "lodging"
    assert labels["health.checkout"] == "health_visit"
    assert labels["report.value"] == PLATFORM
