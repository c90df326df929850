"""Small counts of persons, kept from readers: of figures that are computed for an answer, and of explanations.

Of stored figures the relay decides (`streams/change/disclosure.py`); here the same rule is applied at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import psycopg
from psycopg.rows import dict_row

from ioc.catalogue.compilation import Compiled
from ioc.catalogue.small_cell import SmallCellPlan, hidden_figures, plan_small_cells
from ioc.catalogue.store import load_editions
from ioc.reading.explanation.model import CalculationNode, Explanation
from ioc.territory.area import Area
from sql import load_queries

SUPPRESSED_NOTE = (
    "số nhỏ về người không hiển thị, cùng những số có thể làm lộ nó"
    " · a small count of persons is not shown, nor what would give it away"
)


def small_cell_plan(connection: psycopg.Connection, sector: str, compiled: Compiled) -> SmallCellPlan | None:
    """Return what is guarded in a sector, None where it has no rule."""
    rules = connection.cursor(row_factory=dict_row).execute(load_queries("disclosure")["select_rules"]).fetchall()
    rule = next((one for one in rules if one["sector"] == sector), None)
    if rule is None:
        return None
    indicators = [one for one in load_editions(connection).live.indicators.values() if one.sector == sector]
    return plan_small_cells(indicators, compiled, below=rule["below"], units=rule["units"])


def hidden_cells(
    figures: Mapping[tuple[str, int, date], float],
    code: str,
    buckets: Sequence[date],
    units: Sequence[Area],
    plan: SmallCellPlan,
) -> frozenset[tuple[int, date]]:
    """Return where the figure of one code is hidden; `figures` by code, area and bucket, of all `units` and codes."""
    rows = {unit.area_id: row for row, unit in enumerate(units)}
    above = [rows.get(unit.parent_id, -1) if unit.parent_id is not None else -1 for unit in units]
    column = plan.codes.index(code)
    found: set[tuple[int, date]] = set()
    for bucket in buckets:
        values = np.array(
            [[figures.get((one, unit.area_id, bucket), np.nan) for one in plan.codes] for unit in units], dtype=float
        )
        hidden = hidden_figures(values, above, plan)[:, column]
        found.update((unit.area_id, bucket) for unit, told in zip(units, hidden, strict=True) if told)
    return frozenset(found)


def is_hidden(connection: psycopg.Connection, code: str, *, period: str, area_id: int, bucket: date) -> bool:
    """Return whether there is a stored figure that readers do not see."""
    asked = {"code": code, "period": period, "area_id": area_id, "bucket": bucket}
    row = connection.execute(load_queries("disclosure")["select_hidden"], asked).fetchone()
    return row == (True,)


def without_persons(explanation: Explanation, *, hidden: bool) -> Explanation:
    """Return what readers see of an explanation in a guarded sector: no single records, and no sums of few.

    Who could page through the records of a province would count those of each commune.
    """
    return explanation.model_copy(
        update={
            "value": None if hidden else explanation.value,
            "suppressed": hidden,
            "made_of": _without_values(explanation.made_of),
            "fraction": None,
            "records": (),
            "records_total": 0,
            "excluded": (),
            "excluded_total": 0,
            "corrections": (),
            "changes": (),
            "changes_total": 0,
            "older_revisions": 0,
            "since_then": None,
            "approval": None if hidden else explanation.approval,
            "withheld": SUPPRESSED_NOTE,
        }
    )


def _without_values(node: CalculationNode) -> CalculationNode:
    inputs = tuple(_without_values(one) for one in node.inputs)
    return node.model_copy(update={"value": None, "none_vi": None, "none_en": None, "inputs": inputs})
