"""What the API answers beside series and explanations."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict

from ioc.catalogue import Indicator
from ioc.reading.explanation.model import Version


class _ResponseModel(BaseModel):
    model_config = ConfigDict(frozen=True)


class IndicatorTarget(_ResponseModel):
    """A target: the figure is to be `op` `value`, by the day `on`, or at all times."""

    op: str
    value: float
    on: date | None
    source: str


class Summary(_ResponseModel):
    """One indicator, as lists show it."""

    code: str
    sector: str
    name_vi: str
    name_en: str
    unit: str
    kind: str
    cadence: str
    direction: str
    levels: tuple[str, ...]
    owners: tuple[str, ...]
    target: IndicatorTarget | None


class Page(_ResponseModel):
    """Indicators from place `offset` on; `total` fit the question."""

    total: int
    offset: int
    indicators: tuple[Summary, ...]


class Detail(Summary):
    """One indicator with its definition: the loaded row, what it is computed from, which indicators use it."""

    version: int
    definition: dict[str, str]
    inputs: tuple[str, ...]
    dependents: tuple[str, ...]
    feeds: tuple[str, ...]
    versions: tuple[Version, ...]


class Problem(_ResponseModel):
    """RFC 9457: what went wrong, and what to do, in English (`detail`) and Vietnamese (`detail_vi`)."""

    type: str = "about:blank"
    title: str
    status: int
    rule: str
    detail: str
    detail_vi: str


def summary_of(indicator: Indicator) -> Summary:
    """Return an indicator as lists show it."""
    return Summary(**facts_of(indicator))


def facts_of(indicator: Indicator) -> dict[str, object]:
    """Return the fields of a summary."""
    target = indicator.target
    names = ("code", "sector", "name_vi", "name_en", "unit", "kind", "cadence", "direction", "levels", "owners")
    goal = (
        None
        if target is None
        else IndicatorTarget(op=target.op, value=target.value, on=target.on, source=target.source)
    )
    return {**{name: getattr(indicator, name) for name in names}, "target": goal}
