"""What an approval says, and what has become of its figures; the same as JSON."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

# intact: the figures are those that were signed; revised: some have changed since; broken: what is kept of the approval
# is not what was signed.
ApprovalState = Literal["intact", "revised", "broken"]


class _ApprovalPart(BaseModel):
    model_config = ConfigDict(frozen=True)


class Approval(_ApprovalPart):
    """Who has signed off which period of a sector, when, and the digest over its figures.

    reason: why the period was approved again after a revision; empty for the first approval.
    last:   no other approval of the period follows.
    """

    approval_id: int
    sector: str
    period: str
    bucket: date
    signed_by: str
    signed_at: datetime
    reason: str
    figures: int
    digest: str
    previous_id: int | None
    last: bool


class RevisedFigure(_ApprovalPart):
    """A figure that is not what the approval says.

    reason_vi, reason_en: what has come since: how many records, corrections, voids; another definition.
    """

    code: str
    area_code: str
    area_name: str
    approved: float | None
    now: float | None
    reason_vi: str = ""
    reason_en: str = ""


class Verification(_ApprovalPart):
    """What an approval's digest gives when it is computed again.

    digest_kept:    over the figures that are kept with it.
    digest_history: over the figures as history tells them of the moment of signing; None where it was not asked.
    revisions:      figures that changed since, the province's first; at most as many as were asked for.
    """

    approval: Approval
    verdict: ApprovalState
    digest_kept: str
    digest_history: str | None
    revisions: tuple[RevisedFigure, ...]
