"""The rows whose meaning was mended: the list is what the catalogue says now, and the page names each of them."""

from __future__ import annotations

import csv
import re
from collections import Counter
from fnmatch import fnmatchcase

from ioc.catalogue import Catalogue
from ioc.settings import ROOT

_DOCS = ROOT / "docs"
_CODE = re.compile(r"`([a-z_0-9]+(?:\.[a-z_0-9*]+)+|\.[a-z_0-9*]+)`")


def changes() -> list[dict[str, str]]:
    """The rows of the list."""
    with (_DOCS / "catalogue-changes.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_what_was_changed_is_so_now(catalogue: Catalogue) -> None:
    wrong = []
    for row in changes():
        indicator = catalogue.indicators.get(row["code"])
        now = "" if indicator is None else indicator.definition.get(row["column"], "")
        if now != row["after"] or row["before"] == row["after"]:
            wrong.append((row["code"], row["column"], now))
    assert wrong == []
    assert len({row["code"] for row in changes()}) > 140


def test_the_page_names_every_changed_row() -> None:
    """In the two tables of changed rows, by itself or by its family."""
    text = (_DOCS / "catalogue.md").read_text(encoding="utf-8")
    tables = text.partition("## Rows that time changed")[2].partition("## Percentages that may exceed 100")[0]
    named: set[str] = set()
    for line in tables.splitlines():
        family = ""
        for code in _CODE.findall(line.split(" | ")[0]):
            # `.doctors_10k` beside `health_system.beds_10k`
            family = family.rpartition(".")[0] + code if code.startswith(".") else code
            named.add(family)
    # `lodging.occupancy.total`, `.star_0` to `.star_5`
    named |= {f"lodging.occupancy.star_{star}" for star in range(6)}
    codes = {row["code"] for row in changes()}
    assert sorted(code for code in codes if not any(fnmatchcase(code, one) for one in named)) == []
    assert Counter(row["column"] for row in changes())["formula"] > 30
