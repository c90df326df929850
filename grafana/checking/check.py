"""Checks of finished boards and rules, from their JSON alone: faults that a server would only show as 'No data'."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from grafana.boards.board import Json
from grafana.bundle import Bundle
from grafana.query.macros import Situation, expand
from ioc.errors import ConfigError

# What is rolled up, how it stands, and what the pipeline tells of itself: what Grafana's database role may read.
# Never a record table: no panel may scan records.
TABLES = frozenset(
    {
        "area",
        "feed",
        "figure_snapshot_run",
        "incident",
        "incident_change",
        "incident_touch",
        "indicator",
        "measure_delta",
        "profile",
        "quality_measure",
        "rejected_event",
        "scheduler_job",
        "shown_cell",
        "shown_snapshot",
        "shown_status",
        "shown_status_change",
        "shown_value",
        "stream_batch",
        "stream_gap",
        "stream_position",
        "target",
    }
)
# Functions of the database that give rows.
_ROW_FUNCTIONS = frozenset({"newest_day", "jsonb_each_text", "jsonb_array_elements", "generate_series", "unnest"})
_WIDTH = 24
_CODE = re.compile(r"'([a-z][a-z0-9_]*(?:\.[a-z0-9_]+){1,2})'")
_UID = re.compile(r"[A-Za-z0-9_-]{1,40}")
# The values only have to parse; the run against the database takes real ones.
_SAMPLE = Situation(datetime(2024, 10, 1, tzinfo=UTC), datetime(2024, 11, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Query:
    """One SQL text and its place.

    variables: the board's, by name; none for a rule. choice: the text gives a variable's choices, not a panel's data.
    """

    place: str
    sql: str
    output: str
    variables: frozenset[str] = frozenset()
    choice: bool = False


def check_bundle(bundle: Bundle, names: Collection[str]) -> list[str]:
    """Return what is wrong with a bundle; see `check_all`."""
    boards = [board.model for board in bundle.boards]
    receivers = {point["name"] for point in bundle.contact_points}
    return check_all(boards, bundle.rules, receivers, bundle.policy, names)


def check_all(
    boards: Sequence[Json],
    rules: Mapping[str, Json],
    receivers: Collection[str],
    policy: Json,
    names: Collection[str],
) -> list[str]:
    """Return everything that is wrong, as sentences.

    receivers: names of all contact points; names: the codes of all indicators and the keys of all feeds.
    """
    found = [problem for board in boards for problem in check_board(board, names)]
    found += _check_unique("board uid", [board["uid"] for board in boards])
    found += check_rules(rules, {board["uid"]: {int(p.get("id") or 0) for p in all_panels(board)} for board in boards})
    found += [problem for board in boards for problem in check_links(board, {board["uid"] for board in boards})]
    routes = [policy, *policy["routes"]]
    found += [f"policy: no contact point {r['receiver']!r}" for r in routes if r["receiver"] not in receivers]
    for query in rule_queries(rules):
        found += check_query(query, names)
    return found


def check_board(model: Json, names: Collection[str]) -> list[str]:
    """Return what is wrong with a board."""
    uid = str(model.get("uid", ""))
    found = [] if _UID.fullmatch(uid) else [f"{uid!r} is not a board uid"]
    panels = list(all_panels(model))
    found += _check_unique(f"{uid}: panel id", [panel.get("id") for panel in panels])
    found += [f"{uid}: panel {p.get('title')!r} has no id" for p in panels if not p.get("id")]
    variables = model.get("templating", {}).get("list", [])
    ids = {panel["id"] for panel in panels if panel.get("id")}
    found += [
        f"{uid}: panel {panel.get('title')!r} reads the answer of panel {target['panelId']}, which is not on the board"
        for panel in panels
        for target in panel.get("targets") or []
        if target.get("panelId", panel["id"]) not in ids
    ]
    found += [f"{uid}: variable {v['name']} needs its name as id" for v in variables if v.get("id") != v["name"]]
    found += _check_layout(uid, model["panels"])
    for query in board_queries(model):
        found += check_query(query, names)
    return found


def check_rules(rules: Mapping[str, Json], panels: Mapping[str, Collection[int]]) -> list[str]:
    """Return what is wrong with the rules' frame; their SQL is checked as queries. panels: ids by board."""
    found = [f"{uid!r} is not a rule uid" for uid in rules if not _UID.fullmatch(uid)]
    found += _check_unique("rule title", [rule["title"] for rule in rules.values()])
    for uid, rule in rules.items():
        found += _check_panel(uid, rule["annotations"], panels)
        answers = {query["refId"] for query in rule["data"]}
        if rule["condition"] not in answers:
            found.append(f"{uid}: its condition {rule['condition']!r} is none of its queries")
        for query in rule["data"]:
            named = set(re.findall(r"\$(\w+)", query["model"].get("expression", "")))
            found += [f"{uid}: its expression names {name}, which no query gives" for name in sorted(named - answers)]
            if "$$" in query["model"].get("expression", ""):
                found.append(f"{uid}: its expression doubles a $; Grafana reads queries as they stand")
        texts = " ".join(rule["annotations"].values())
        asked = set(re.findall(r"\$values\.(\w+)\.", texts))
        found += [f"{uid}: a message names the number {name}, which no query gives" for name in sorted(asked - answers)]
        if "$$" in texts or "${" in texts:
            found.append(f"{uid}: an annotation holds $$ or ${{; Grafana reads annotations as they stand")
    return found


def _check_panel(uid: str, annotations: Mapping[str, str], panels: Mapping[str, Collection[int]]) -> list[str]:
    """Return what is wrong with the link to a panel: a server exits at start on half a pair."""
    board, panel = (annotations.get(name) for name in ("__dashboardUid__", "__panelId__"))
    if board is None and panel is None:
        return []
    if board is None or panel is None:
        return [f"{uid}: names a board or a panel without the other"]
    if board not in panels:
        return [f"{uid}: links to a board that is not built"]
    if not (panel.isdigit() and int(panel) in panels[board]):
        return [f"{uid}: links to panel {panel!r}, which board {board} does not have"]
    return []


def check_links(model: Json, boards: Collection[str]) -> list[str]:
    """Return links to boards that are not built."""
    text = json.dumps(model)
    named = set(re.findall(r"/d/([A-Za-z0-9_-]+)(?=[?\"])", text))
    return [f"{model['uid']}: links to board {uid}, which is not built" for uid in sorted(named - set(boards))]


def check_query(query: Query, names: Collection[str]) -> list[str]:
    """Return what is wrong with one query: macros, syntax, tables, names that the catalogue does not hold."""
    situation = Situation(_SAMPLE.start, _SAMPLE.end, variables=dict.fromkeys(query.variables, "1"))
    try:
        expanded = expand(query.sql, situation)
        statements = sqlglot.parse(expanded, read="postgres")
    except (ConfigError, SqlglotError) as error:
        return [f"{query.place}: {error}"]
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        return [f"{query.place}: must be one SELECT"]
    made = {cte.alias for cte in statements[0].find_all(exp.CTE)}
    read = {table.name for table in statements[0].find_all(exp.Table)} - {""}
    found = [
        f"{query.place}: reads {name}, which boards may not" for name in sorted(read - made - TABLES - _ROW_FUNCTIONS)
    ]
    unknown = sorted(set(_CODE.findall(query.sql)) - set(names))
    found += [f"{query.place}: {name} is in no catalogue and is no feed" for name in unknown]
    unquoted = re.findall(r"\$\{?(?!__)[a-z]\w*(?!\w|:sqlstring)", query.sql)
    return found + [f"{query.place}: {name} must be written ${{name:sqlstring}}" for name in unquoted]


def all_panels(model: Json) -> Iterator[Json]:
    """Yield every panel of a board, rows and what is folded in them too."""
    for panel in model["panels"]:
        yield panel
        yield from panel.get("panels") or []


def board_queries(model: Json) -> Iterator[Query]:
    """Yield every SQL text of a board: panels and variables."""
    variables = model.get("templating", {}).get("list", [])
    names = frozenset(variable["name"] for variable in variables)
    for variable in variables:
        if variable["type"] == "query":
            yield Query(f"{model['uid']} / ${variable['name']}", variable["query"], "table", names, choice=True)
    for annotation in model.get("annotations", {}).get("list", []):
        if "rawSql" in annotation.get("target", {}):
            yield Query(f"{model['uid']} / @{annotation['name']}", annotation["target"]["rawSql"], "table", names)
    for panel in all_panels(model):
        for target in panel.get("targets") or []:
            if "panelId" in target:
                continue  # reads what another panel was answered
            place = f"{model['uid']} / {panel.get('title', '')} [{panel['type']}] / {target['refId']}"
            yield Query(place, target["rawSql"], target["format"], names)


def rule_queries(rules: Mapping[str, Json]) -> Iterator[Query]:
    """Yield every SQL text of the rules."""
    for uid, rule in rules.items():
        for query in rule["data"]:
            if "rawSql" in query["model"]:
                yield Query(f"{uid} / {query['refId']}", query["model"]["rawSql"], query["model"]["format"])


def _check_unique(what: str, values: Collection[object]) -> list[str]:
    return [f"{what} {value!r} stands {n} times" for value, n in Counter(values).items() if n > 1]


def _check_layout(uid: str, panels: Collection[Json]) -> list[str]:
    """Return panels that leave the grid or cover each other; a folded row is a layout of its own."""
    found: list[str] = []
    taken: dict[tuple[int, int], object] = {}
    for panel in panels:
        grid = panel["gridPos"]
        if grid["x"] + grid["w"] > _WIDTH:
            found.append(f"{uid}: {panel.get('title')!r} is wider than the board")
        for x in range(grid["x"], grid["x"] + grid["w"]):
            for y in range(grid["y"], grid["y"] + grid["h"]):
                other = taken.setdefault((x, y), panel["id"])
                if other != panel["id"]:
                    return [*found, f"{uid}: {panel.get('title')!r} covers panel {other}"]
        found += _check_layout(uid, panel.get("panels") or [])
    return found
