"""The arithmetic of docs/capacity.md follows from what the page says was measured and assumed."""

from __future__ import annotations

import re

import pytest

from ioc.settings import ROOT

PAGE = (ROOT / "docs" / "capacity.md").read_text(encoding="utf-8")
PEOPLE = (1.2e6, 14e6, 101e6)


def row(label: str) -> list[float]:
    """The numbers of a row of the page, by how it begins."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {label}")]
    return [float(cell.strip().replace(",", "")) for cell in line.strip("|").split("|")[1:]]


def bytes_a_row(table: str) -> float:
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{table}` |")]
    return float(line.split("|")[2].replace(",", ""))


def test_the_parts_of_an_event_are_those_measured() -> None:
    found = re.search(r"takes (\d+) bytes in\s+the database: ([^.]+)\.", PAGE)
    assert found is not None
    parts = [int(number) for number in re.findall(r"(\d+) \(", found[2])]
    assert sum(parts) == int(found[1])
    assert parts[1] == bytes_a_row("record_identity")
    assert parts[2] == round(0.05 * bytes_a_row("record_revision"))
    assert parts[5] == round(0.006 * bytes_a_row("rejected_event"))


def test_what_comes_and_what_it_takes_follows() -> None:
    per_person = 66
    events = [people * per_person for people in PEOPLE]
    units = row("units")
    year = 365 * 86_400
    expected = {
        "events a year": [one / 1e6 for one in events],
        "events a second, average": [one / year for one in events],
        "events a second, busiest": [10 * one / year for one in events],
        "records and": [one * 913 / 1e9 for one in events],
        "sums": [14 * unit * (434 + 365) * bytes_a_row("measure_cell") / 1e9 for unit in units],
        "figures": [31 * unit * 434 * bytes_a_row("indicator_cell") / 1e9 for unit in units],
        "Kafka, 14 days": [one / 365 * 14 * 178 * 3 / 1e9 for one in events],
        "processor": [10 * one / year * 999e-6 for one in events],
        "catching up": [one / 365 * 383e-6 / 3600 for one in events],
    }
    for label, numbers in expected.items():
        assert row(label) == pytest.approx(numbers, rel=0.2 if min(numbers) < 0.1 else 0.06), label
