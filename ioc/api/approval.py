"""Approvals over HTTP: `/v1/approvals` lists them, `/v1/approvals/{id}` verifies one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Path, Query
from pydantic import BaseModel, ConfigDict

from ioc.api.problem import ProblemError
from ioc.api.reading import DatabaseReading
from ioc.approval.model import Approval, Verification
from ioc.approval.store import Verifier, list_approvals
from ioc.feeds.feed import Feed
from ioc.period import PERIODS
from ioc.province.profile import Profile


class ApprovalPage(BaseModel):
    """Approvals, the newest first."""

    model_config = ConfigDict(frozen=True)

    approvals: tuple[Approval, ...]


class ApprovalReader:
    """Reads over the API's connections."""

    def __init__(self, reading: DatabaseReading, feeds: Mapping[str, Feed], profile: Profile) -> None:
        self._reading = reading
        self._feeds = feeds
        self._profile = profile

    def page(self, **question: Any) -> ApprovalPage:
        """Return approvals."""
        with self._reading.connected() as connection:
            return ApprovalPage(approvals=tuple(list_approvals(connection, **question)))

    def verify(self, approval_id: int, *, history: bool) -> Verification:
        """Return what has become of an approval's figures; raises ProblemError (404) for an unknown one."""
        with self._reading.lent() as connection:
            found = list_approvals(connection, approval_id=approval_id, limit=1)
            if not found:
                raise ProblemError(
                    404,
                    "approval_unknown",
                    vi="không có lần duyệt mang số này; GET /v1/approvals liệt kê tất cả",
                    en="no approval has this number; GET /v1/approvals lists them",
                )
            verifier = Verifier(connection, self._feeds, self._profile.areas, self._profile.timezone)
            return verifier.verify(found[0], history=history)


def add_approvals(app: FastAPI, guarded: dict[str, Any], approvals: ApprovalReader) -> None:
    """Add the routes; `guarded` is what every route of the API is declared with."""

    @app.get("/v1/approvals", **guarded)
    def get_approvals(
        sector: Annotated[str | None, Query(description="Only this sector.", max_length=50)] = None,
        period: Annotated[Literal[PERIODS] | None, Query(description="Only this kind of period.")] = None,  # type: ignore[valid-type]
        limit: Annotated[int, Query(ge=1, le=1000, description="Most rows.")] = 100,
    ) -> ApprovalPage:
        """List which periods of which sectors were signed off, by whom and when, with the digest over the figures."""
        return approvals.page(sector=sector, period=period, limit=limit)

    @app.get("/v1/approvals/{approval_id}", **guarded)
    def verify_approval(
        approval_id: Annotated[int, Path(ge=1, le=2**62, description="Number of the approval.")],
        history: Annotated[bool, Query(description="Compute the digest from the history of records, too.")] = False,
    ) -> Verification:
        """Verify an approval: the digest computed again, and the figures that were revised since, with the reason."""
        return approvals.verify(approval_id, history=history)
