"""The boards: one a sector by one design, in two languages, with every rule that a server does not check for us."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from grafana_foundation_sdk.models.alerting import Rule
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.boards.board import MapView, to_json
from grafana.boards.breakdown import breakdowns
from grafana.boards.panel import panel_id
from grafana.boards.scope import COLORS, STATUSES
from grafana.boards.sector_board import sector_key
from grafana.bundle import Bundle
from grafana.checking.check import all_panels, board_queries, check_board, check_bundle, check_links
from grafana.text import BREAKDOWNS, short_labels
from ioc.catalogue import Catalogue

LIVE = ("ioc-overview", "ioc-overview-en")


def models(bundle: Bundle) -> dict[str, dict[str, Any]]:
    return {board.uid: board.model for board in bundle.boards}


def test_nothing_is_wrong(bundle: Bundle, names: set[str]) -> None:
    assert check_bundle(bundle, names) == []


def test_every_sector_has_a_board_in_both_languages(bundle: Bundle, catalogue: Catalogue) -> None:
    assert len(catalogue.sectors) == 31
    for sector in catalogue.sectors:
        assert {f"ioc-{sector_key(sector)}", f"ioc-{sector_key(sector)}-en"} <= set(models(bundle))
    for key in ("overview", "indicator", "area", "quality", "pipeline", "incident"):
        assert {f"ioc-{key}", f"ioc-{key}-en"} <= set(models(bundle))


def test_both_languages_have_the_same_panels(bundle: Bundle) -> None:
    found = models(bundle)
    for uid in (uid for uid in found if not uid.endswith("-en")):
        vi, en = ([(p["id"], p["type"]) for p in all_panels(found[name])] for name in (uid, f"{uid}-en"))
        assert vi == en


def test_every_board_says_first_what_it_is_and_that_it_is_simulated(bundle: Bundle) -> None:
    """In kiosk mode title and drop-downs are hidden; on a phone panels stand in order."""
    for uid, model in models(bundle).items():
        header, notice = model["panels"][:2]
        assert " AS shown" in header["targets"][0]["rawSql"], uid
        text = notice["options"]["content"]
        assert "mô phỏng" in text or "Simulated" in text, uid
        # What is read of it; the address of a link is not.
        assert len(re.sub(r"\]\([^)]*\)", "]", text)) < 90, uid


def test_the_home_fits_a_phone(bundle: Bundle) -> None:
    """A phone shows each panel over its whole width of 358 pixels: a tile needs 80 of them, and a sector a panel."""
    for uid in LIVE:
        panels = models(bundle)[uid]["panels"]
        asked = [
            p for p in panels if any(t.get("rawSql", "").startswith("SELECT sector.name") for t in p.get("targets", []))
        ]
        (source,) = asked
        readers = [p for p in panels if any(t.get("panelId") == source["id"] for t in p.get("targets", []))]
        shown = [
            p["transformations"][0]["options"]["filters"][0]["config"]["options"]["value"] for p in [source, *readers]
        ]
        assert shown == list(range(1, 32))
        assert all(p["datasource"]["uid"] == "-- Dashboard --" for p in readers)


def test_an_answer_of_a_panel_that_is_not_there_is_found(bundle: Bundle, names: set[str]) -> None:
    model = copy.deepcopy(models(bundle)["ioc-overview"])
    model["panels"] = [p for p in model["panels"] if p["id"] != panel_id("sector/1")]
    assert "not on the board" in " ".join(check_board(model, names))


def test_one_query_a_panel(bundle: Bundle) -> None:
    for uid, model in models(bundle).items():
        for panel in all_panels(model):
            assert len(panel.get("targets") or []) <= 1, (uid, panel.get("title"))


def test_the_live_board_reads_what_is_rolled_up(bundle: Bundle) -> None:
    for uid in LIVE:
        model = models(bundle)[uid]
        assert model["refresh"] == "5s"
        for query in board_queries(model):
            assert "rejected_event" not in query.sql


def test_colours_mean_a_status_and_nothing_else(bundle: Bundle) -> None:
    meaning = {COLORS["lagging"], COLORS["at_risk"], COLORS["on_track"]}
    for uid, model in models(bundle).items():
        for panel in all_panels(model):
            if panel["type"] in ("timeseries", "bargauge"):
                assert not any(color in json.dumps(panel) for color in meaning), (uid, panel["title"])
    unknown = {COLORS[status] for status in ("stale", "incomplete", "no_data")}
    assert len(unknown) == 1
    assert not unknown & meaning
    assert set(STATUSES) == set(COLORS) - {""}


def test_lines_break_and_axes_begin_at_zero(bundle: Bundle) -> None:
    for model in models(bundle).values():
        for panel in all_panels(model):
            if panel["type"] == "timeseries":
                custom = panel["fieldConfig"]["defaults"]["custom"]
                assert (custom["spanNulls"], custom["axisSoftMin"]) == (False, 0)


def test_no_unit_that_a_browser_writes_in_its_own_way(bundle: Bundle) -> None:
    for uid, model in models(bundle).items():
        for panel in all_panels(model):
            text = json.dumps(panel)
            for unit in ("locale", "short", "percent", "eps", "s"):
                assert f'"unit": "{unit}"' not in text, (uid, panel.get("title"), unit)


def test_vietnamese_boards_hold_no_english_words(bundle: Bundle) -> None:
    english = re.compile(r"\b(overdue|All|lagging|Value|target|Owner|No data|deadline)\b")
    for uid, model in models(bundle).items():
        if uid.endswith("-en"):
            continue
        for panel in all_panels(model):
            title = panel.get("title", "")
            assert not english.search(title), (uid, title)
            shown = [v["value"] for o in panel.get("fieldConfig", {}).get("overrides", []) for v in o["properties"]]
            assert not [text for text in shown if isinstance(text, str) and english.search(text)], (uid, title)
        for variable in model.get("templating", {}).get("list", []):
            assert not english.search(str(variable.get("current", {}).get("text", ""))), uid


def test_titles_of_breakdowns_do_not_end_in_a_word_that_leads_to_a_part(catalogue: Catalogue) -> None:
    last = re.compile(r"\b(cho|theo|của|từ|có|ở|tại|do|với|trong|là|by|for|with|from|of|to|in|at)$")
    for sector in catalogue.sectors:
        for found in breakdowns(catalogue.of_sector(sector)).values():
            for breakdown in found:
                assert not last.search(breakdown.name.vi), breakdown
                assert not last.search(breakdown.name.en), breakdown


def test_every_dimension_of_the_catalogue_has_a_name(catalogue: Catalogue) -> None:
    used = {i.breakdown for i in catalogue.indicators.values() if i.breakdown}
    assert used <= set(BREAKDOWNS)


def test_what_is_empty_is_neither_green_nor_english(bundle: Bundle) -> None:
    """Grafana colours a tile without a row green, and says "No data" in a panel that has no word of its own."""
    for board in bundle.boards:
        for panel in all_panels(board.model):
            defaults = panel.get("fieldConfig", {}).get("defaults", {})
            if panel["type"] in ("stat", "table", "timeseries", "bargauge", "status-history"):
                assert defaults.get("noValue") == "–", (board.uid, panel["title"])
            if panel["type"] == "stat":
                assert defaults["color"] in (
                    {"mode": "fixed", "fixedColor": "text"},
                    {"mode": "fixed", "fixedColor": COLORS[""]},
                ), (board.uid, panel["title"])


def test_no_column_is_pushed_out_of_its_table(bundle: Bundle) -> None:
    """At 1440 pixels a board has 1350 beside Grafana's menu; the overview is made for a wall of 1920."""
    found = []
    for board in bundle.boards:
        pixels = 1820 if board.uid.startswith("ioc-overview") else 1350
        for panel in all_panels(board.model):
            if panel["type"] != "table":
                continue
            columns = []
            for override in panel["fieldConfig"]["overrides"]:
                given = {one["id"]: one["value"] for one in override["properties"]}
                columns.append((override["matcher"]["options"], given))
            names = {name for name, given in columns if "displayName" in given}
            widths = {name: given["custom.width"] for name, given in columns if "custom.width" in given}
            least = {name: given["custom.minWidth"] for name, given in columns if "displayName" in given}
            wide = sum(widths.get(name, least[name]) for name in names)
            if wide > pixels * panel["gridPos"]["w"] / 24 - 20:
                found.append((board.uid, panel["title"], wide))
    assert found == []


def test_links_carry_variables_and_time(bundle: Bundle) -> None:
    links = [
        link
        for model in models(bundle).values()
        for panel in all_panels(model)
        for link in re.findall(r'"url": "(/d/[^"]*)"', json.dumps(panel))
    ]
    assert len(links) > 100
    assert all("${__url_time_range}" in link for link in links)
    assert any("var-indicator=" in link and "var-area=" in link for link in links)


def test_a_broken_link_is_found(bundle: Bundle) -> None:
    model = copy.deepcopy(models(bundle)["ioc-overview"])
    text = json.dumps(model).replace("/d/ioc-quality?", "/d/ioc-nowhere?")
    assert check_links(json.loads(text), set(models(bundle))) != []


def test_a_panel_over_another_and_an_id_that_stands_twice_are_found(bundle: Bundle, names: set[str]) -> None:
    model = copy.deepcopy(models(bundle)["ioc-overview"])
    model["panels"][1]["gridPos"] = model["panels"][2]["gridPos"]
    model["panels"][1]["id"] = model["panels"][2]["id"]
    found = " ".join(check_board(model, names))
    assert "stands 2 times" in found


def test_the_overview_fits_a_wall_of_1080_lines(bundle: Bundle) -> None:
    """A unit of the grid is 30 pixels high with 8 between; kiosk mode shows nothing else."""
    panels = models(bundle)["ioc-overview"]["panels"]
    assert max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in panels) * 38 <= 1080


def test_short_labels() -> None:
    assert short_labels(["Lượt khách quốc tịch Hàn Quốc", "Lượt khách quốc tịch Nga"]) == ["Hàn Quốc", "Nga"]


def test_a_map_shows_all_its_places() -> None:
    view = MapView.around([(8.7, 106.6), (10.7, 107.6)])
    assert (view.latitude, view.longitude) == (9.7, 107.1)
    assert 7 < view.zoom < 9
    assert MapView.around([]).zoom == 5


def test_boards_and_rules_are_of_the_schema_of_the_sdk(bundle: Bundle) -> None:
    """Read by the types that are generated from Grafana's own schemas and written again, nothing is lost or added."""
    for uid, model in models(bundle).items():
        # It has no SQL target of annotations.
        plain = copy.deepcopy(model) | {"annotations": {"list": []}}
        assert to_json(Dashboard.from_json(copy.deepcopy(plain))) == plain, uid
    for uid, rule in bundle.rules.items():
        again = to_json(Rule.from_json({**copy.deepcopy(rule), "data": []}))
        assert {**again, "data": rule["data"]} == rule, uid
