"""Ratios are taken within a round, verdicts follow the goals, and the page keeps what people wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from bench.report import GOALS, flat, lines_of, page_section, show, write_page

FACTS = {
    "command": "python -m bench",
    "measured_at": "2026-01-01T00:00:00+00:00",
    "events": 1000,
    "rounds": 3,
    "cores": 2,
    "cpu": "a cpu",
    "memory_gib": 8,
    "load_before": 0.1,
    "python_version": "3",
    "postgresql_version": "15",
    "timescaledb_version": "2",
    "kafka_version": "4",
    "debezium_version": "3",
    "faust_version": "0",
    "polars_version": "1",
}
# The machine was half as fast in the second round, for both.
VALUES = {"bulk_events_s": [400.0, 200.0, 410.0], "peer_rows_s": [100.0, 50.0, 100.0], "latency_p99_s": [1.5]}


def test_a_ratio_compares_what_ran_in_the_same_round() -> None:
    ratio = next(line for line in lines_of(VALUES) if line.goal.name == "bulk_vs_peer")
    assert (ratio.value, ratio.low, ratio.high) == (4.0, 4.0, 4.1)


def test_only_what_was_measured_has_a_line() -> None:
    assert [line.goal.name for line in lines_of(VALUES)] == ["bulk_vs_peer", "latency_p99_s"]


@pytest.mark.parametrize(
    ("name", "value", "verdict"),
    [
        ("bulk_vs_peer", 4.0, "met"),
        ("bulk_vs_peer", 3.9, "missed"),
        ("latency_p99_s", 1.0, "met"),
        ("latency_p99_s", 1.1, "missed"),
        ("bulk_vs_plain", 0.1, ""),
    ],
)
def test_the_verdict_follows_the_goal(name: str, value: float, verdict: str) -> None:
    goal = next(goal for goal in GOALS if goal.name == name)
    assert goal.verdict(value) == verdict


def test_the_file_is_flat_and_holds_ratios_numbers_and_facts() -> None:
    result = flat(VALUES, FACTS)
    assert result["bulk_vs_peer"] == 4.0
    assert (result["bulk_events_s"], result["bulk_events_s_min"], result["bulk_events_s_max"]) == (400.0, 200.0, 410.0)
    assert result["cores"] == 2
    assert all(isinstance(value, int | float | str) for value in result.values())


def test_the_table_names_goal_and_verdict() -> None:
    console = Console(width=160)
    with console.capture() as capture:
        show(VALUES, console)
    text = capture.get()
    assert "≥ 4 x" in text
    assert "met" in text
    assert "missed" in text


def test_the_page_gets_a_new_section_and_keeps_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text("# Top\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nBottom\n")
    write_page(page_section(VALUES, FACTS), page)
    text = page.read_text()
    assert text.startswith("# Top\n")
    assert text.endswith("Bottom\n")
    assert "old" not in text
    assert "`python -m bench` on 2026-01-01" in text
    write_page(page_section(VALUES, FACTS), page)
    assert page.read_text() == text


def test_a_page_without_its_marks_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "performance.md"
    page.write_text("# Top\n")
    with pytest.raises(ValueError, match="marks"):
        write_page("new", page)
    assert page.read_text() == "# Top\n"
