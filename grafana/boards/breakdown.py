"""How the catalogue's rows group: one measure, broken down by one dimension, is one panel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grafana.text import Text, shared_words
from ioc.catalogue import Indicator

# Words that lead to a part's own name; a title does not end in one.
_LEADING = frozenset(
    [
        "cho",
        "theo",
        "của",
        "từ",
        "có",
        "ở",
        "tại",
        "do",
        "với",
        "trong",
        "là",
        "bằng",
        "qua",
        "về",
        "đến",
        "các",
        "loại",
        "mức",
        "hình",
        "thức",
        "nhóm",
        "by",
        "for",
        "with",
        "from",
        "of",
        "to",
        "in",
        "at",
        "on",
        "through",
        "the",
        "that",
        "are",
        "is",
        "as",
        "who",
        "whose",
        "per",
        "via",
        "under",
        "and",
    ]
)


@dataclass(frozen=True)
class Breakdown:
    """The parts of one measure by one dimension, in the catalogue's order; `name` is what they share."""

    measure: str
    dimension: str
    name: Text
    parts: tuple[Indicator, ...]


def measure_of(indicator: Indicator) -> str:
    """Return `sector.measure`, the part of the code that all breakdowns of a measure share."""
    return ".".join(indicator.code.split(".")[:2])


def breakdowns(indicators: Iterable[Indicator]) -> dict[str, list[Breakdown]]:
    """Return the breakdowns by dimension; a dimension with a single part is no breakdown."""
    totals: dict[str, Indicator] = {}
    groups: dict[tuple[str, str], list[Indicator]] = {}
    for indicator in indicators:
        if indicator.breakdown:
            groups.setdefault((indicator.breakdown, measure_of(indicator)), []).append(indicator)
        else:
            totals.setdefault(measure_of(indicator), indicator)
    found: dict[str, list[Breakdown]] = {}
    for (dimension, measure), parts in groups.items():
        if len(parts) > 1:
            name = _shared_name(totals.get(measure), parts)
            found.setdefault(dimension, []).append(Breakdown(measure, dimension, name, tuple(parts)))
    return found


def _shared_name(total: Indicator | None, parts: list[Indicator]) -> Text:
    if total is not None:
        return Text(total.name_vi, total.name_en)
    return Text(_stem([part.name_vi for part in parts]), _stem([part.name_en for part in parts]))


def _stem(names: list[str]) -> str:
    """Return what all names begin with, without the word that only led to the part: 'Số lần bán xăng dầu cho'."""
    words = shared_words(names)
    while len(words) > 1 and words[-1].strip(",:;–-").lower() in _LEADING:
        words.pop()
    return " ".join(words).rstrip(" ,:;–-") or names[0]
