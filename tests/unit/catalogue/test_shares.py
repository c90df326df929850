"""A share of a whole lies between 0 and 100 %; a quotient that may exceed it says why in docs/catalogue.md.

A numerator is a part of its denominator if every record (or code) that it counts is counted there too, on the same day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import sqlglot
from sqlglot import exp

from ioc.catalogue import Catalogue, Indicator

PAGE = Path(__file__).resolve().parents[3] / "docs" / "catalogue.md"
TITLE = "## Percentages that may exceed 100"
# Parts of their wholes that the conditions do not show: what a record must be to be taken says so.
HELD_BY_THE_RECORD = {
    "health_record.completeness.*": "a record holds a section within its own life",
    "health_record.linked_vneid_rate": "the same",
    "health_visit.caesarean_rate": "a caesarean is a delivery",
    "health_visit.bhyt_cost_share": "the sources of a visit's cost add up to it",
    "health_visit.out_of_pocket_share": "the same",
    "health_visit.drug_cost_share": "the items of a visit's cost do not exceed it",
    "einvoice.correction_rate": "adjustments and replacements are invoices that count",
    "dossier.reuse_rate": "a dossier that reuses papers could reuse some",
    "document.task_rate": "only a task has a state of a task",
}


def conjuncts(indicator: Indicator) -> set[str]:
    """Return the conditions that a record meets to be counted."""
    found: set[str] = set()
    for text in (indicator.where, indicator.value if indicator.kind == "ratio" else ""):
        if text and text != "TRUE":
            parsed = sqlglot.parse_one(text, read="postgres")
            found |= (
                {part.sql("postgres") for part in parsed.flatten()}
                if isinstance(parsed, exp.And)
                else {parsed.sql("postgres")}
            )
    return found


def is_part(part: Indicator, whole: Indicator) -> bool:
    """Whether whatever the part counts, the whole counts too."""
    if part.code == whole.code:
        return True
    same = (part.feed, part.kind, part.value, part.until) == (whole.feed, whole.kind, whole.value, whole.until)
    return (
        same
        and bool(part.feed)
        and part.kind != "reported"
        and part.at == whole.at
        and conjuncts(whole) <= conjuncts(part)
    )


def terms(node: exp.Expression) -> list[tuple[int, str]] | None:
    """Return the signed codes of a sum; None for what is none."""
    match node:
        case exp.Paren():
            return terms(node.this)
        case exp.Add() | exp.Sub():
            left, right = terms(node.this), terms(node.expression)
            if left is None or right is None:
                return None
            sign = 1 if isinstance(node, exp.Add) else -1
            return left + [(sign * how, code) for how, code in right]
        case exp.Column() | exp.Dot():
            return [(1, node.sql().replace('"', ""))]
    return None


def stays_within(indicator: Indicator, catalogue: Catalogue) -> bool:
    """Whether a formula `100 * part / whole` cannot leave 0 to 100."""
    found = sqlglot.parse_one(indicator.formula, read="postgres")
    if not (isinstance(found, exp.Div) and isinstance(found.this, exp.Mul) and found.this.this.sql() == "100"):
        return False
    above, below = terms(found.this.expression), terms(found.expression)
    if above is None or below is None or not {code for _, code in above + below} <= catalogue.indicators.keys():
        return False
    wholes = [catalogue.indicators[code] for how, code in below if how > 0]
    if len(wholes) != len(below):
        return False
    added = [catalogue.indicators[code] for how, code in above if how > 0]
    taken = [catalogue.indicators[code] for how, code in above if how < 0]
    if taken:  # whole - part
        return len(added) == len(wholes) == 1 and added == wholes and are_apart(taken, wholes)
    return are_apart(added, wholes)


def are_apart(parts: list[Indicator], wholes: list[Indicator]) -> bool:
    """Whether the parts lie in the wholes, and no record is in two of them."""
    by_value = [(one.breakdown, one.breakdown_value) for one in parts]
    several = len(parts) == 1 or (
        len({value for _, value in by_value}) == len(parts)
        and len({name for name, _ in by_value}) == 1
        and all(by_value[0])
    )
    return several and all(any(is_part(one, whole) for whole in wholes) for one in parts)


def listed() -> list[str]:
    """Return the codes and patterns of the page's table."""
    section = PAGE.read_text(encoding="utf-8").partition(TITLE)[2].partition("\n## ")[0]
    return [
        code for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for code in re.findall(r"`([^`]+)`", row)
    ]


def fitting(code: str, patterns: Iterable[str]) -> list[str]:
    return [pattern for pattern in patterns if fnmatchcase(code, pattern)]


def test_every_percentage_is_a_part_of_its_whole_or_says_why_not(catalogue: Catalogue) -> None:
    patterns = listed()
    used: set[str] = set()
    wrong = []
    for code, one in catalogue.indicators.items():
        if one.unit != "%" or not one.formula:
            continue
        told = fitting(code, patterns)
        held = fitting(code, HELD_BY_THE_RECORD)
        used |= {*told, *held}
        if (bool(told), bool(held), stays_within(one, catalogue)).count(True) != 1:
            wrong.append(f"{code}: {'is listed, and cannot exceed 100' if told or held else one.formula}")
    assert wrong == []
    assert used == {*patterns, *HELD_BY_THE_RECORD}, "listed, and no such percentage"
