"""Statuses of indicators, incidents, quality of the data: `/v1/status`, `/v1/incidents`, `/v1/quality`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Path, Query, Request

from ioc.api.assessment_model import (
    Act,
    IncidentDetail,
    IncidentPage,
    IncidentRow,
    QualityPage,
    QualityRow,
    StatusPage,
    StatusRow,
)
from ioc.api.parameter import AsOf, Day
from ioc.api.problem import ProblemError
from ioc.api.reading import DatabaseReading
from ioc.database.connection import connect, translated_errors
from ioc.errors import DatabaseUnavailableError, QuestionError
from ioc.incident.acting import Actor, IncidentActs
from ioc.incident.reading import (
    KINDS,
    STATUSES,
    list_incidents,
    list_quality,
    list_statuses,
    show_incident,
)
from ioc.settings import Settings
from ioc.web.bearer import authenticate
from ioc.web.tokens import TokenFile

_InSector = Annotated[str | None, Query(description="Only this sector.", max_length=50, examples=["lodging"])]
_InArea = Annotated[str | None, Query(description="Code of an area; none = the province.", max_length=20)]
_Limit = Annotated[int, Query(ge=1, le=1000, description="Most rows.")]
_Offset = Annotated[int, Query(ge=0, le=1_000_000, description="Rows to pass over.")]
_Number = Annotated[int, Path(ge=1, le=2**62, description="Number of the incident.")]


class AssessmentReader:
    """Reads over the API's connections, and acts over one of the API's own role."""

    def __init__(self, reading: DatabaseReading, settings: Settings) -> None:
        self._reading = reading
        self._settings = settings

    def statuses(self, as_of: str | None = None, **question: Any) -> StatusPage:
        """Return statuses, as they are or were."""
        with self._reading.asked(as_of) as (connection, _):
            rows = list_statuses(connection, **question)
        return StatusPage(offset=question["offset"], statuses=tuple(StatusRow(**row) for row in rows))

    def incidents(self, **question: Any) -> IncidentPage:
        """Return incidents."""
        with self._reading.connected() as connection:
            rows = list_incidents(connection, **question)
        return IncidentPage(offset=question["offset"], incidents=tuple(IncidentRow(**row) for row in rows))

    def incident(self, incident_id: int) -> IncidentDetail:
        """Return one incident; raises ProblemError (404) for an unknown one."""
        try:
            with self._reading.connected() as connection:
                return IncidentDetail(**show_incident(connection, incident_id))
        except ProblemError as error:
            raise _unknown() if error.problem.status == 422 else error from None

    def quality(self, as_of: str | None = None, **question: Any) -> QualityPage:
        """Return measures, as they are, or were on a day (none: the moment's own)."""
        with self._reading.asked(as_of) as (connection, moment):
            if moment is not None and question["on"] is None:
                question["on"] = moment.day(self._reading.zone)
            rows = list_quality(connection, **question)
        return QualityPage(measures=tuple(QualityRow(**row) for row in rows))

    def act(self, incident_id: int, act: Act, actor: Actor, now: datetime) -> None:
        """Acknowledge, silence or assign; raises ProblemError."""
        try:
            with connect(self._settings, "api", autocommit=True) as connection, translated_errors():
                acts = IncidentActs(connection)
                acts.perform(act.what, incident_id, actor, now, hours=act.hours, to=act.to, note=act.note)
        except QuestionError as error:
            raise ProblemError(422, "question", vi=error.message_vi, en=str(error)) from None
        except DatabaseUnavailableError:
            raise ProblemError(
                503,
                "database_unavailable",
                vi="cơ sở dữ liệu tạm thời gián đoạn; hãy thử lại sau ít giây",
                en="the database is away; try again in a few seconds",
                headers={"retry-after": "5"},
            ) from None


def add_assessment(
    app: FastAPI,
    guarded: dict[str, Any],
    tokens: TokenFile,
    assessment: AssessmentReader,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Add the routes; `guarded` is what every route of the API is declared with."""

    @app.get("/v1/status", **guarded)
    def get_status(
        sector: _InSector = None,
        area: _InArea = None,
        code: Annotated[str | None, Query(description="Only this indicator; in all areas.", max_length=120)] = None,
        status: Annotated[Literal[STATUSES] | None, Query(description="Only this status.")] = None,  # type: ignore[valid-type]
        unusual: Annotated[bool, Query(description="Only what lies far from its own past.")] = False,
        as_of: AsOf = None,
        limit: _Limit = 200,
        offset: _Offset = 0,
    ) -> StatusPage:
        """Return statuses of indicators, the worst first: of the province, or another area, or of one indicator."""
        return assessment.statuses(
            sector=sector,
            area=area,
            code=code,
            status=status,
            unusual=unusual,
            as_of=as_of,
            limit=limit,
            offset=offset,
        )

    @app.get("/v1/incidents", **guarded)
    def get_incidents(
        sector: _InSector = None,
        kind: Annotated[Literal[KINDS] | None, Query(description="Only this kind.")] = None,  # type: ignore[valid-type]
        closed: Annotated[bool, Query(description="Also those that have ended.")] = False,
        limit: _Limit = 100,
        offset: _Offset = 0,
    ) -> IncidentPage:
        """Return incidents: one a cause, open ones first."""
        return assessment.incidents(sector=sector, kind=kind, closed=closed, limit=limit, offset=offset)

    @app.get("/v1/incidents/{incident_id}", **guarded)
    def get_incident(incident_id: _Number) -> IncidentDetail:
        """Return one incident with its evidence, its history, what it affects and who got a message."""
        return assessment.incident(incident_id)

    @app.get("/v1/quality", **guarded)
    def get_quality(
        feed: Annotated[str | None, Query(description="Only this feed.", max_length=60)] = None,
        area: _InArea = None,
        on: Annotated[Day | None, Query(description="Day; none = the newest of each measure.")] = None,
        reporter: Annotated[str | None, Query(description="Only this reporter; none = all.", max_length=64)] = None,
        as_of: AsOf = None,
        limit: _Limit = 500,
    ) -> QualityPage:
        """Return how correct, complete, clean and live the data is, each share with its numbers."""
        return assessment.quality(feed=feed, area=area, on=on, reporter=reporter, as_of=as_of, limit=limit)

    async def may_act(request: Request) -> None:
        token = authenticate(request, tokens)
        if not token.acts:
            raise ProblemError(
                403,
                "token_does_not_act",
                vi="mã truy cập này không được xử lý sự cố; cần mã tạo bằng ioc token create TÊN --acts",
                en="this token may not act on incidents; one made by `ioc token create NAME --acts` may",
            )
        request.state.actor = token.name

    acting = {**guarded, "dependencies": [*guarded["dependencies"], Depends(may_act)]}

    @app.post("/v1/incidents/{incident_id}/acts", **acting)
    def act(incident_id: _Number, body: Act, request: Request) -> IncidentDetail:
        """Acknowledge, silence or assign an incident; the answer is the incident as it stands then."""
        assessment.act(incident_id, body, Actor(request.state.actor, "API"), now())
        return assessment.incident(incident_id)


def _unknown() -> ProblemError:
    return ProblemError(
        404,
        "incident_unknown",
        vi="không có sự cố mang số này; GET /v1/incidents liệt kê các sự cố",
        en="no incident has this number; GET /v1/incidents lists them",
    )
