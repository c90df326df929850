"""Which figures have been approved, and whether they are still what was approved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Literal

import psycopg
from psycopg.rows import class_row
from pydantic import BaseModel, ConfigDict

from sql import load_queries

Approved = Literal["approved", "revised"]


class ApprovalNote(BaseModel):
    """What the last approval of a figure's period says of it.

    status: approved, while the figure is what was signed; revised, once it has changed since.
    """

    model_config = ConfigDict(frozen=True)

    approval_id: int
    signed_by: str
    signed_at: datetime
    value: float | None
    status: Approved


class _ApprovedPoint(BaseModel):
    """One row of `select_of_points`."""

    bucket: date
    area_id: int
    approval_id: int
    signed_by: str
    signed_at: datetime
    value: float | None


def approvals_of(
    connection: psycopg.Connection,
    code: str,
    sector: str,
    period: str,
    buckets: Sequence[date],
    areas: Iterable[int],
    figures: dict[tuple[int, date], float | None],
) -> dict[tuple[int, date], ApprovalNote]:
    """Return by area and bucket what the last approval says, where there is one.

    figures: what is shown, by area and bucket.
    """
    asked = {"code": code, "sector": sector, "period": period, "buckets": list(buckets), "areas": list(areas)}
    cursor = connection.cursor(row_factory=class_row(_ApprovedPoint))
    found = {}
    for row in cursor.execute(load_queries("approval")["select_of_points"], asked).fetchall():
        cell = row.area_id, row.bucket
        status: Approved = "approved" if figures.get(cell) == row.value else "revised"
        told = row.model_dump(include={"approval_id", "signed_by", "signed_at", "value"})
        found[cell] = ApprovalNote(status=status, **told)
    return found
