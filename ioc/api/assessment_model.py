"""What the API answers about statuses, incidents and quality; names are those of the tables (docs/data.md)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ioc.incident.acting import What


class _Listed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class StatusRow(_Listed):
    """The status of one indicator in one area; `lag` in % of what is expected, or in points (`lag_in`)."""

    code: str
    name_vi: str
    name_en: str
    sector: str
    unit: str
    owner: str
    area_id: int
    area_code: str
    area_name: str
    area_level: str
    status: str
    since: datetime
    period: str
    bucket: date | None
    through: date | None
    value: float | None
    target_op: str | None
    target: float | None
    target_on: date | None
    target_source: str | None
    pace: str | None
    expected: float | None
    lag: float | None
    lag_in: str | None
    lag_days: float | None
    forecast: float | None
    forecast_low: float | None
    forecast_high: float | None
    needed_per_week: float | None
    unusual: bool
    unusual_score: float | None
    usual: float | None
    settlement: str | None
    reported: int | None
    due: int | None
    cause: str | None
    computed_at: datetime


class StatusPage(_Listed):
    """Statuses from place `offset` on, the worst first."""

    offset: int
    statuses: tuple[StatusRow, ...]


class IncidentRow(_Listed):
    """One cause, open or closed."""

    incident_id: int
    kind: str
    severity: str
    sector: str
    feed: str | None
    code: str | None
    owner: str
    title_vi: str
    title_en: str
    summary_vi: str
    summary_en: str
    area_code: str | None
    area_name: str | None
    period: str | None
    bucket: date | None
    value: float | None
    expected: float | None
    lag: float | None
    unit: str | None
    forecast: float | None
    indicators: int
    areas: int
    since: datetime
    opened_at: datetime
    changed_at: datetime
    closed_at: datetime | None
    reopened: int
    step: int
    told: str
    assigned_to: str | None
    acknowledged_by: str | None
    acknowledged_at: datetime | None
    silenced_until: datetime | None
    silence_reason: str | None


class IncidentPage(_Listed):
    """Incidents from place `offset` on: open ones first, the worst first."""

    offset: int
    incidents: tuple[IncidentRow, ...]


class IncidentDetail(IncidentRow):
    """An incident with its evidence, its history, what it affects and who got a message."""

    evidence: dict[str, Any]
    link: dict[str, Any]
    changes: tuple[dict[str, Any], ...]
    touches: tuple[dict[str, Any], ...]
    receipts: tuple[dict[str, Any], ...]


class QualityRow(_Listed):
    """A measure of a day: `share` = 100 x `numerator` / `denominator`."""

    day: date
    measure: str
    feed: str
    sector: str
    reporter: str
    area_code: str
    area_name: str
    numerator: float
    denominator: float
    share: float | None
    detail: dict[str, Any]
    measured_at: datetime


class QualityPage(_Listed):
    """Measures, by feed."""

    measures: tuple[QualityRow, ...]


class Act(BaseModel):
    """What is done about an incident: `acknowledge`; `silence` (`hours`, 0 ends it; `note`: why); `assign` (`to`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    what: What
    hours: float = Field(24, ge=0, le=720)
    to: str = Field("", max_length=200)
    note: str = Field("", max_length=1000)
