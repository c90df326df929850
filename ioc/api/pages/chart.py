"""Charts as SVG, drawn by pygal; colours and fonts are the style sheet's, since the pages allow no style in them."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pygal
from markupsafe import Markup
from pygal.style import Style

from ioc.api.pages.number import number

_WIDTH, _HEIGHT = 640, 300
_MOST_LABELS = 6
_LEFT_OUT = ("defs", "desc", "script", "style")
_OVERLAYS = ("plot text-overlay", "plot tooltip-overlay")
_SIZES = ((10**12, 10**12, " nghìn tỷ"), (10**9, 10**9, " tỷ"), (10**6, 10**6, " triệu"), (10**4, 10**3, " nghìn"))


# pygal puts a finder of plugins where every later import of the process would pass it; Python warns of its old form.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != pygal.__name__]


@dataclass(frozen=True)
class PlottedCourse:
    """What a chart of one indicator shows: by period its value, and where the pace says that it should be.

    labels: of the periods; `values` and `pace` have one number or None for each.
    """

    labels: Sequence[str]
    values: Sequence[float | None]
    pace: Sequence[float | None] = ()

    @property
    def is_drawable(self) -> bool:
        """Whether there is anything to draw."""
        return any(value is not None for value in self.values)


def course_chart(course: PlottedCourse, title: str) -> Markup:
    """Return the chart as SVG for the page; `title` is read out by screen readers."""
    chart = pygal.Line(
        js=(),
        width=_WIDTH,
        height=_HEIGHT,
        explicit_size=False,
        show_legend=False,
        no_prefix=True,
        disable_xml_declaration=True,
        show_minor_x_labels=False,
        dots_size=4 if len(course.labels) <= 12 else 2,
        margin=6,
        margin_right=40,  # half of the last label
        truncate_label=-1,
        # Room for the letters at the size that they have on a phone; the sheet says what they look like.
        style=Style(label_font_size=24, major_label_font_size=24),
    )
    chart.value_formatter = _axis_label
    chart.y_labels = _ticks([value for value in (*course.values, *course.pace) if value is not None])
    chart.x_labels = list(course.labels)
    chart.x_labels_major = _spread(course.labels)
    chart.add("Giá trị", list(course.values))
    if any(value is not None for value in course.pace):
        chart.add("Tiến độ phải đạt", list(course.pace), show_dots=False)
    chart.add_xml_filter(lambda root: _cleaned(root, title))
    return Markup(chart.render(is_unicode=True))  # noqa: S704 - pygal escapes every text


def _axis_label(value: float) -> str:
    for least, size, name in _SIZES:
        if abs(value) >= least:
            return f"{number(value / size)}{name}"
    return number(value)


def _ticks(values: Sequence[float]) -> list[float]:
    """Return four to six round numbers around the values; from 0 on, unless that would flatten the course.

    >>> _ticks([12.0, 17.0, 39.0])
    [0.0, 10.0, 20.0, 30.0, 40.0]
    """
    low, high = min(values), max(values)
    if low >= 0 and low < 0.7 * high:
        low = 0.0
    if high == low:
        low, high = (0.0, high) if high > 0 else (low - 1, high + 1)
    rough = (high - low) / 4
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(step * number, 10) for number in range(first, last + 1)]


def _spread(labels: Sequence[str]) -> list[str]:
    """Return some of the labels, the last one among them, so far apart that they can be read on a phone."""
    step = max(1, -(-len(labels) // _MOST_LABELS))
    return [label for number_from_end, label in enumerate(reversed(labels)) if number_from_end % step == 0]


def _cleaned(root: Any, title: str) -> Any:
    """Take out styles and scripts, which the pages do not allow, and tooltips, which need scripts."""
    for parent in [one for one in root.iter() if isinstance(one.tag, str)]:
        for child in list(parent):
            # A comment's tag is no string; pygal's tell when and by what the chart was made.
            if not isinstance(child.tag, str) or child.tag in _LEFT_OUT or child.get("class") in _OVERLAYS:
                parent.remove(child)
        for name in ("style", "onload"):
            parent.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", title)
    found = root.find("title")
    if found is not None:
        found.text = title
    root.attrib.pop("id", None)
    return root
