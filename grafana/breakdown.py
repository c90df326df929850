"""How the catalogue's rows group: one measure, broken down by one dimension, is one panel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from grafana.text import Text, shared_words
from ioc.catalogue import Catalogue, Indicator
from ioc.catalogue.formula import parse_formula


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
    return Text(
        " ".join(shared_words([part.name_vi for part in parts])) or parts[0].name_vi,
        " ".join(shared_words([part.name_en for part in parts])) or parts[0].name_en,
    )


def feeds_of(indicator: Indicator, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the keys of all feeds that an indicator's value rests on, through its formula too."""
    if not indicator.formula:
        return (indicator.feed,)
    inputs = (catalogue.indicators[code] for code in parse_formula(indicator.formula).inputs)
    return tuple(sorted({feed for found in inputs for feed in feeds_of(found, catalogue)}))
