"""A chart shows every value, says its numbers as they are written here, and brings neither style nor script."""

from __future__ import annotations

import sys

import pytest
from lxml import etree

from ioc.api.pages.chart import PlottedCourse, _ticks, course_chart

SVG = "{http://www.w3.org/2000/svg}"


def test_values_and_pace_are_two_lines_and_a_gap_is_none() -> None:
    course = PlottedCourse(["1/10", "2/10", "3/10", "4/10"], [10, None, 1_250_000, 2_000_000], [0, 1e6, 2e6, 3e6])
    root = etree.fromstring(course_chart(course, "Lượt khách <b>"))
    assert root.get("role") == "img" and root.get("aria-label") == "Lượt khách <b>"
    lines = [one for one in root.iter(f"{SVG}path") if one.get("class") == "line reactive nofill"]
    assert len(lines) == 2
    assert len(list(root.iter(f"{SVG}circle"))) == 3
    texts = [one.text for one in root.iter(f"{SVG}text")]
    assert "2 triệu" in texts and "4/10" in texts
    assert not [one for one in root.iter() if one.tag in (f"{SVG}style", f"{SVG}script") or one.get("style")]


def test_a_single_value_is_seen() -> None:
    assert "<circle" in course_chart(PlottedCourse(["2024"], [3.5]), "x")
    assert not PlottedCourse(["2024"], [None]).is_drawable


@pytest.mark.parametrize(
    ("values", "ticks"),
    [
        ([12.0, 17.0, 39.0], [0, 10, 20, 30, 40]),
        ([91.0, 99.0], [90, 92, 94, 96, 98, 100]),
        ([5.0], [0, 2, 4, 6]),
        ([0.0], [-1, -0.5, 0, 0.5, 1]),
        ([-10.0, 30.0], [-10, 0, 10, 20, 30]),
    ],
)
def test_the_axis_has_round_numbers_around_the_values(values: list[float], ticks: list[float]) -> None:
    assert _ticks(values) == ticks


def test_the_library_leaves_no_finder_for_every_later_import() -> None:
    assert not [finder for finder in sys.meta_path if type(finder).__module__ == "pygal"]
