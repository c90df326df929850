"""Links between boards: each leads to a board that is built, with variables that it has and the time that is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from grafana.bundle import Bundle
from grafana.checking.check import all_panels

_LINK = re.compile(r"/d/(?P<uid>[^?\s\"]+)\?(?P<query>[^\s\")]*)")
# What a tile's labels are made of: `tile_stat`.
_LABELS = {"code", "sector", "page"}


def texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from texts(inner)
        case list():
            for inner in value:
                yield from texts(inner)


def variables(model: dict[str, Any]) -> set[str]:
    return {variable["name"] for variable in model.get("templating", {}).get("list", [])}


def targets(uid: str, sectors: list[str]) -> set[str]:
    """The boards that a link may open: one, or that of any sector."""
    return {re.sub(r"\$\{__(field\.labels|data\.fields)\.sector\}", sector, uid) for sector in sectors}


def test_every_link_leads_to_a_board_with_its_variables_and_the_time(bundle: Bundle) -> None:
    boards = {board.uid: board.model for board in bundle.boards}
    sectors = sorted({uid.removeprefix("ioc-sector-") for uid in boards if re.fullmatch(r"ioc-sector-\w+", uid)})
    seen = 0
    for uid, model in boards.items():
        suffix = "-en" if uid.endswith("-en") else ""
        for panel in all_panels(model):
            columns = {override["matcher"]["options"] for override in panel.get("fieldConfig", {}).get("overrides", [])}
            for text in texts({key: value for key, value in panel.items() if key not in ("targets", "panels")}):
                for link in _LINK.finditer(text):
                    seen += 1
                    place = f"{uid} / {panel.get('title')}: {text}"
                    opened = targets(link["uid"], sectors)
                    assert opened <= boards.keys(), place
                    assert all(other.endswith("-en") == bool(suffix) for other in opened), place
                    assert link["query"].startswith("${__url_time_range}"), place
                    known = set.intersection(*(variables(boards[other]) for other in opened))
                    assert set(re.findall(r"var-(\w+)=", link["query"])) <= known, place
                    assert set(re.findall(r"\$\{(\w+):raw\}", link["query"])) <= variables(model), place
                    assert set(re.findall(r"__data\.fields\.(\w+)", text)) <= columns, place
                    assert set(re.findall(r"__field\.labels\.(\w+)", text)) <= _LABELS, place
    assert seen > 200


def test_the_list_of_boards_carries_variables_and_time(bundle: Bundle) -> None:
    for board in bundle.boards:
        (link,) = board.model["links"]
        assert (link["keepTime"], link["includeVars"]) == (True, True)


def test_the_playlist_shows_boards_that_are_built(bundle: Bundle) -> None:
    boards = {board.uid for board in bundle.boards}
    assert {item["value"] for item in bundle.playlist["items"]} <= boards


def test_an_indicator_opens_the_page_that_explains_it(bundle: Bundle) -> None:
    (model,) = [board.model for board in bundle.boards if board.uid == "ioc-indicator"]
    figures = next(panel for panel in model["panels"] if "/indicators/" in str(panel.get("targets")))
    assert figures["fieldConfig"]["defaults"]["links"][0]["url"] == "${__field.labels.page}"
