"""Boards: complete, in order, and generated from the catalogue alone."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import pytest

from grafana.board import to_text
from grafana.breakdown import breakdowns, feeds_of
from grafana.bundle import Bundle, load_bundle, make_bundle
from grafana.check import all_panels, board_queries, check_board, check_bundle
from grafana.panel import GREEN, RED, YELLOW, panel_id, target_thresholds
from grafana.sector_board import SECTOR_BOARDS, head_indicators
from grafana.text import LANGUAGES, Text, breakdown_name, short_labels
from ioc.catalogue import Catalogue, Target
from ioc.feeds.feed import Feed, load_feeds
from ioc.province.profile import load_profile_catalogue
from ioc.settings import ROOT, Settings


def board(bundle: Bundle, uid: str) -> dict[str, Any]:
    return copy.deepcopy(next(found.model for found in bundle.boards if found.uid == uid))


def test_nothing_is_wrong_with_what_is_built(bundle: Bundle, names: set[str]) -> None:
    assert check_bundle(bundle, names) == []


def test_each_sector_and_the_pipeline_have_a_board_in_both_languages(bundle: Bundle) -> None:
    assert [found.uid for found in bundle.boards] == [
        "ioc-tourism",
        "ioc-tax",
        "ioc-pipeline",
        "ioc-tourism-en",
        "ioc-tax-en",
        "ioc-pipeline-en",
    ]
    assert "Du lịch" in board(bundle, "ioc-tourism")["title"]
    assert "Tourism" in board(bundle, "ioc-tourism-en")["title"]


def test_a_board_without_any_sector_of_the_catalogue_is_left_out(defaults: Settings) -> None:
    """Bạc Liêu's catalogue knows neither e-invoices nor petrol; its boards still check out."""
    settings = defaults.model_copy(update={"profile": ROOT / "ioc" / "profiles" / "bac_lieu"})
    built = load_bundle(settings, ("vi",))
    assert [found.uid for found in built.boards] == ["ioc-tourism", "ioc-pipeline"]
    catalogue = load_profile_catalogue(settings.profile, load_feeds())
    assert check_bundle(built, {*catalogue.indicators, *load_feeds()}) == []


def test_both_languages_hold_the_same_panels(bundle: Bundle) -> None:
    for key in ("tourism", "tax", "pipeline"):
        vietnamese, english = board(bundle, f"ioc-{key}"), board(bundle, f"ioc-{key}-en")
        assert [p["id"] for p in all_panels(vietnamese)] == [p["id"] for p in all_panels(english)]


def test_a_build_is_the_same_every_time(bundle: Bundle, defaults: Settings) -> None:
    assert to_text(load_bundle(defaults, LANGUAGES).boards[0].model) == to_text(bundle.boards[0].model)


def test_every_head_indicator_is_in_the_catalogue(catalogue: Catalogue) -> None:
    for sector in SECTOR_BOARDS:
        assert [code for code in sector.heads if code not in catalogue.indicators] == []
        assert len(head_indicators(sector, catalogue)) >= len(sector.heads)


def test_every_breakdown_of_a_sector_has_its_panels(bundle: Bundle, catalogue: Catalogue) -> None:
    for sector in SECTOR_BOARDS:
        shown = [found for name in sector.sectors for found in catalogue.of_sector(name)]
        ids = {panel["id"] for panel in all_panels(board(bundle, f"ioc-{sector.key}"))}
        groups = [group for found in breakdowns(shown).values() for group in found]
        assert len(groups) > 10
        assert {panel_id(f"parts/{g.measure}/{g.dimension}") for g in groups} <= ids
        assert {panel_id(f"parts_series/{g.measure}/{g.dimension}") for g in groups} <= ids


def test_a_new_indicator_with_a_target_needs_no_code(
    catalogue: Catalogue, feeds: dict[str, Feed], defaults: Settings
) -> None:
    target = Target(">=", 90.0, None, "a decree")
    added = dataclasses.replace(catalogue.indicators["lodging.vneid_share"], code="lodging.brand_new", target=target)
    grown = dataclasses.replace(catalogue, indicators={**catalogue.indicators, added.code: added})
    built = make_bundle(grown, feeds, defaults, "Asia/Ho_Chi_Minh", Text("", ""), {}, languages=("vi",))
    ids = {panel["id"] for panel in all_panels(board(built, "ioc-tourism"))}
    assert {panel_id(f"stat/{added.code}"), panel_id(f"series/{added.code}")} <= ids
    assert {"ioc-lag-lodging-brand_new", "ioc-lasting-lodging-brand_new"} <= set(built.rules)
    assert check_bundle(built, {*grown.indicators, *feeds}) == []


def test_a_province_without_a_head_indicator_still_gets_its_board(
    catalogue: Catalogue, feeds: dict[str, Feed], defaults: Settings
) -> None:
    poorer = dict(catalogue.indicators)
    del poorer["lodging.occupancy.total"]
    built = make_bundle(
        dataclasses.replace(catalogue, indicators=poorer),
        feeds,
        defaults,
        "Asia/Ho_Chi_Minh",
        Text("", ""),
        {},
        languages=("vi",),
    )
    assert check_bundle(built, {*poorer, *feeds}) == []


def test_the_notice_of_simulated_data_stands_on_every_sector_board(bundle: Bundle) -> None:
    for uid, words in (("ioc-tourism", "mô phỏng"), ("ioc-tax", "mô phỏng"), ("ioc-tax-en", "imulated")):
        notice = next(p for p in all_panels(board(bundle, uid)) if p["type"] == "text")
        assert words in notice["options"]["content"]


def test_an_indicator_rests_on_all_feeds_of_its_formula(catalogue: Catalogue) -> None:
    assert feeds_of(catalogue.indicators["petrol.einvoice_rate"], catalogue) == ("registry.reporter", "tax.einvoice")


@pytest.mark.parametrize(
    ("op", "value", "shown"),
    [
        (">=", 100.0, [(0, RED), (94.9, RED), (95.0, YELLOW), (99.9, YELLOW), (100.0, GREEN)]),
        ("<=", 10.0, [(0, GREEN), (10.0, GREEN), (10.1, YELLOW), (10.6, RED)]),
        ("<=", 0.0, [(0, GREEN), (1, RED)]),
    ],
)
def test_colours_follow_the_target(catalogue: Catalogue, op: str, value: float, shown: list[tuple[float, str]]) -> None:
    target = Target(op, value, None, "")
    indicator = dataclasses.replace(catalogue.indicators["petrol.einvoice_rate"], target=target)
    steps = target_thresholds(indicator).build().steps
    for figure, color in shown:
        assert [s.color for s in steps if s.value is None or s.value <= figure][-1] == color


def test_labels_drop_what_the_title_says() -> None:
    names = ["Lượt khách quốc tịch Hàn Quốc", "Lượt khách quốc tịch Nga"]
    assert short_labels(names) == ["Hàn Quốc", "Nga"]
    assert short_labels(["Guests - domestic", "Guests - international"]) == ["Domestic", "International"]
    assert short_labels(["Doanh thu", "Doanh thu buồng"]) == ["Doanh thu", "Buồng"]


def test_every_dimension_of_the_catalogue_has_a_name(catalogue: Catalogue) -> None:
    shown = {i.breakdown for i in catalogue.indicators.values() if i.breakdown}
    assert [name for name in sorted(shown) if breakdown_name(name).vi == name.replace("_", " ")] == []


class TestCheck:
    """The checks find what they are there for."""

    def test_two_panels_with_one_id(self, bundle: Bundle, names: set[str]) -> None:
        model = board(bundle, "ioc-pipeline")
        model["panels"][1]["id"] = model["panels"][0]["id"]
        assert any("stands 2 times" in problem for problem in check_board(model, names))

    def test_panels_that_cover_each_other(self, bundle: Bundle, names: set[str]) -> None:
        model = board(bundle, "ioc-pipeline")
        model["panels"][1]["gridPos"]["y"] = model["panels"][0]["gridPos"]["y"]
        assert any("covers panel" in problem for problem in check_board(model, names))

    def test_a_variable_without_its_id(self, bundle: Bundle, names: set[str]) -> None:
        model = board(bundle, "ioc-tax")
        del model["templating"]["list"][0]["id"]
        assert check_board(model, names) == ["ioc-tax: variable level needs its name as id"]

    @pytest.mark.parametrize(
        ("sql", "complaint"),
        [
            ("SELECT * FROM tax_einvoice", "reads tax_einvoice"),
            ("SELECT 1; SELECT 2", "must be one SELECT"),
            ("DELETE FROM feed", "must be one SELECT"),
            ("SELECT FROM WHERE", "Expected"),
            ("SELECT value FROM indicator_value WHERE code = 'lodging.no_such'", "lodging.no_such is in no catalogue"),
            ("SELECT $area", "must be written"),
            ("SELECT ${area}", "must be written"),
            ("SELECT ${ward:sqlstring}", "is not a variable"),
            ("SELECT $__timeWarp(x)", "not a macro"),
        ],
    )
    def test_sql(self, bundle: Bundle, names: set[str], sql: str, complaint: str) -> None:
        model = board(bundle, "ioc-tax")
        panel = next(panel for panel in model["panels"] if panel.get("targets"))
        panel["targets"][0]["rawSql"] = sql
        (problem,) = check_board(model, names)
        assert complaint in problem

    def test_queries_of_folded_rows_are_seen(self, bundle: Bundle) -> None:
        model = board(bundle, "ioc-tax")
        folded = [panel for row in model["panels"] for panel in row.get("panels") or []]
        assert len(folded) > 20
        places = {query.place for query in board_queries(model)}
        assert all(f"ioc-tax / {panel['title']} [{panel['type']}] / A" in places for panel in folded)
