"""The API's ASGI application."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from starlette.concurrency import run_in_threadpool

from ioc.api.approval import ApprovalReader, add_approvals
from ioc.api.assessment import AssessmentReader, add_assessment
from ioc.api.example import EXAMPLES
from ioc.api.model import Detail, Page, Problem
from ioc.api.notification import add_notifications
from ioc.api.pages.app import Pages
from ioc.api.parameter import AsOf, Day, refuse_unknown
from ioc.api.problem import ProblemError, handle_problems, internal_problem, refuse
from ioc.api.reading import Reading
from ioc.api.receipt import ReceiptAnswers, add_receipts
from ioc.api.scope import check_scope, is_bound
from ioc.api.tagged import TaggedRoute
from ioc.catalogue.indicator import KINDS
from ioc.period import PERIODS
from ioc.reading.explanation import Explanation
from ioc.reading.series import Series
from ioc.reading.series_file import FORMATS, SUFFIXES, written
from ioc.settings import Settings
from ioc.territory.area import LEVELS
from ioc.web.access import AccessLog
from ioc.web.bearer import authenticate
from ioc.web.guard import RequestGuard
from ioc.web.rate_limit import RateLimit
from ioc.web.tokens import TokenFile, utc_now

_CACHE = "private, max-age=10"
_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
Code = Annotated[str, Path(description="Code of the indicator.", examples=["lodging.guests.total"], max_length=120)]
Period = Annotated[Literal[PERIODS], Query(description="Length of the buckets.")]  # type: ignore[valid-type]
AreaCode = Annotated[str | None, Query(description="Code of one area.", examples=["747"], max_length=20)]
Level = Annotated[Literal[LEVELS] | None, Query(description="All areas of a level, instead of one.")]  # type: ignore[valid-type]
Kind = Annotated[Literal[KINDS] | None, Query(description="Only this kind.")]  # type: ignore[valid-type]
Limit = Annotated[int, Query(ge=1, le=1000, description="Most rows.")]
Offset = Annotated[int, Query(ge=0, le=1_000_000, description="Rows to pass over.")]


def create_app(
    settings: Settings,
    tokens: TokenFile,
    reading: Reading,
    clock: Callable[[], float] = time.monotonic,
    *,
    pages: Pages | None = None,
    today: Callable[[], date] = lambda: utc_now().date(),
    assessment: AssessmentReader | None = None,
    receipts: ReceiptAnswers | None = None,
    approvals: ApprovalReader | None = None,
) -> FastAPI:
    """Return the application, with pages where they are given. The caller closes `reading`.

    clock: gives seconds. today: the province's day, which tells what is provisional.
    assessment: answers about statuses, incidents and quality; without it there are no such addresses.
    receipts: answers for receipts; without it there is no such address.
    approvals: reads approvals; without it there are no such addresses.
    """
    registry = CollectorRegistry()
    requests = Counter("ioc_api_requests", "Requests answered.", ["route", "status"], registry=registry)
    seconds = Histogram(
        "ioc_api_request_seconds",
        "From a request's arrival to the end of its answer.",
        ["route"],
        buckets=_SECONDS,
        registry=registry,
    )
    limit = RateLimit(settings.api_rate, settings.api_burst, clock)

    async def admit(request: Request, response: Response) -> None:
        """Let in who may read, as often as is allowed; in the event loop, because tokens and rates have no lock."""
        token = authenticate(request, tokens)
        request.scope["facts"].token = token.id
        if not token.reads:
            raise ProblemError(
                403,
                "token_publishes",
                vi="mã truy cập này chỉ để gửi dữ liệu; hãy dùng mã đọc (ioc token create TÊN --reader)",
                en="this token publishes; read with a reader's token (ioc token create NAME --reader)",
            )
        if wait := limit.take(token.id, 1):
            pause = math.ceil(wait)
            raise ProblemError(
                429,
                "too_fast",
                vi=f"hỏi quá nhanh; hãy hỏi lại sau {pause} giây",
                en=f"too many requests; ask again in {pause} s",
                headers={"retry-after": str(pause)},
            )
        if is_bound(token):
            await check_scope(request, token, reading.place)
        refuse_unknown(request)
        response.headers["cache-control"] = _CACHE
        response.headers["vary"] = "Authorization"

    app = FastAPI(
        title="IOC figures",
        version="1",
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # the Location would be made of the client's Host
    )
    app.add_middleware(RequestGuard, refuse=refuse, most=settings.http_requests)
    app.add_middleware(AccessLog, name="api", requests=requests, seconds=seconds, failed=internal_problem)
    app.router.route_class = TaggedRoute
    handle_problems(app)
    guarded: dict[str, Any] = {"dependencies": [Depends(admit)], "responses": _RESPONSES}

    @app.get("/v1/indicators", **guarded)
    def list_indicators(
        sector: Annotated[str | None, Query(description="Only this sector.", examples=["lodging"])] = None,
        kind: Kind = None,
        owner: Annotated[
            str | None, Query(description="Only what this agency answers for.", examples=["Sở Du lịch"], max_length=100)
        ] = None,
        search: Annotated[str | None, Query(description="Part of a code or name.", max_length=100)] = None,
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> Page:
        """List the live indicators."""
        return reading.page(sector=sector, kind=kind, owner=owner, search=search, limit=limit, offset=offset)

    @app.get("/v1/indicators/{code}", **guarded)
    def get_indicator(code: Code) -> Detail:
        """Return one indicator: its definition, what it is computed from, its versions."""
        return reading.detail(code)

    @app.get("/v1/indicators/{code}/series", response_model=Series, **guarded)
    def get_series(
        code: Code,
        first: Annotated[Day, Query(alias="from", description="A day of the first bucket.", examples=["2024-10-01"])],
        last: Annotated[Day, Query(alias="to", description="A day of the last bucket.", examples=["2025-09-30"])],
        area: AreaCode = None,
        level: Level = None,
        period: Period = "month",
        units_on: Annotated[
            Day | None, Query(description="Show the figures in the units of this day.", examples=["2025-07-01"])
        ] = None,
        as_of: AsOf = None,
        form: Annotated[
            Literal["json", "csv", "parquet", "sdmx-csv", "sdmx-json"],
            Query(alias="format", description="Form of the answer."),
        ] = "json",
    ) -> Series | Response:
        """Return figures over time, of one area or of all areas of a level, as stored or in the units of another date.

        A point without a value has a note where the figure cannot be known in these units; otherwise nobody has
        reported yet, or there is nothing to divide by. `format` asks for a file instead: CSV, Parquet, SDMX-CSV
        or SDMX-JSON, with the status of each observation (A a figure, P provisional, R revised, M missing).
        """
        series = reading.series(
            code, period=period, first=first, last=last, area=area, level=level, units_on=units_on, as_of=as_of
        )
        if form == "json":
            return series
        name = f"{series.code}.{SUFFIXES[form]}"
        headers = {
            "cache-control": _CACHE,
            "vary": "Authorization",
            "content-disposition": f'attachment; filename="{name}"',
        }
        return Response(written(series, form, today()), headers=headers, media_type=FORMATS[form])

    @app.get("/v1/indicators/{code}/explain", **guarded)
    def explain(
        code: Code,
        area: Annotated[str, Query(description="Code of the area.", examples=["77"], max_length=20)],
        on: Annotated[Day, Query(description="A day of the period.", examples=["2024-10-05"])],
        period: Period = "day",
        limit: Limit = 20,
        offset: Offset = 0,
        as_of: AsOf = None,
    ) -> Explanation:
        """Explain one figure: definition and versions, what is divided by what, records that count and that do not,
        corrections, refused events, who has not reported; with `as_of` all of it as it was then, and what came since.
        Records bear no personal data.
        """
        return reading.explain(code, area=area, period=period, on=on, limit=limit, offset=offset, as_of=as_of)

    _add_answers(app, guarded, tokens, assessment, approvals)
    if settings.receipt_token.get_secret_value():
        add_notifications(app, settings, {status: _RESPONSES[status] for status in (400, 401, 422, 500, 503)})
    if receipts is not None:
        add_receipts(app, tokens, receipts, _RECEIPT_RESPONSES)

    @app.get("/live", include_in_schema=False)
    async def live() -> PlainTextResponse:
        return PlainTextResponse("live\n")

    @app.get("/ready", include_in_schema=False)
    async def ready() -> PlainTextResponse:
        if await run_in_threadpool(reading.is_ready):
            return PlainTextResponse("ready\n")
        return PlainTextResponse("PostgreSQL does not answer\n", status_code=503)

    @app.get("/metrics", include_in_schema=False)
    async def show_metrics() -> PlainTextResponse:
        return PlainTextResponse(generate_latest(registry))

    if pages is not None:
        pages.add_to(app)
    document = _described(app)

    @app.get("/openapi.json", include_in_schema=False)
    async def show_document() -> dict[str, Any]:
        return document

    return app


def _add_answers(
    app: FastAPI,
    guarded: dict[str, Any],
    tokens: TokenFile,
    assessment: AssessmentReader | None,
    approvals: ApprovalReader | None,
) -> None:
    """Add the routes of what answers there are."""
    if assessment is not None:
        add_assessment(app, guarded, tokens, assessment)
    if approvals is not None:
        add_approvals(app, guarded, approvals)


def _described(app: FastAPI) -> dict[str, Any]:
    """Return FastAPI's document with examples, the shape of problems and the kind of authorisation."""
    document = app.openapi()
    for path, example in EXAMPLES.items():
        answers = document["paths"][path]["get"]["responses"]
        answers["200"]["content"]["application/json"]["example"] = example
        answers["304"] = {"description": "Nothing has changed since the answer with this ETag."}
    document["components"]["schemas"]["Problem"] = Problem.model_json_schema()
    document["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    document["security"] = [{"bearer": []}]
    return document


def _problem(description: str, **headers: str) -> dict[str, Any]:
    described = {
        name.replace("_", "-"): {"description": text, "schema": {"type": "string"}} for name, text in headers.items()
    }
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "description": description,
        "content": content,
        **({"headers": described} if headers else {}),
    }


_RESPONSES: dict[int | str, dict[str, Any]] = {
    400: _problem("The address or a parameter has a character that no text can hold."),
    401: _problem("The token is missing, unknown, revoked or expired.", WWW_Authenticate="Bearer"),
    403: _problem("The token publishes events and may not read, or is bound to other sectors or areas."),
    404: _problem("There is no such indicator."),
    422: _problem("The question cannot be answered; `detail` says what to ask instead."),
    429: _problem("Too many requests for now.", Retry_After="Seconds to wait."),
    500: _problem("The service failed; report it with the request's id."),
    503: _problem("The database is away, or the service is busy.", Retry_After="Seconds to wait."),
    504: _problem("The answer takes too long; ask for less."),
}
_RECEIPT_RESPONSES: dict[int | str, dict[str, Any]] = {
    **{status: _RESPONSES[status] for status in (400, 401, 422, 429, 500)},
    403: _problem("The token reads figures; only tokens that publish can read receipts."),
    404: _problem("No such receipt, or one of another token."),
    503: _problem("Kafka or the database is away, or the service is busy.", Retry_After="Seconds to wait."),
}
_ABOUT = (
    "Figures of the province's Intelligent Operations Centre, read-only. Danh mục mô phỏng: chỉ con số 1.298 chỉ tiêu "
    "lấy theo báo cáo của tỉnh. The catalogue is simulated from public indicator sets; only the number of 1,298 "
    "indicators comes from the province's report."
)
