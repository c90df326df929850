"""The gateway's ASGI application."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Annotated

from fastapi import FastAPI, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from pydantic import BaseModel
from pydantic_core import to_json

from connectors.gateway.answer import PublishResponse, RequestRefusedError
from connectors.gateway.control import ControlDesk
from connectors.gateway.desk import ReceiptDesk
from connectors.gateway.intake import Intake
from connectors.gateway.metrics import GatewayMetrics
from connectors.gateway.openapi import (
    CONTROL_RESPONSES,
    FILE_RESPONSES,
    RECEIPT_RESPONSES,
    RESPONSES,
    control_total_body,
    describe,
    file_body,
    request_body,
)
from connectors.gateway.producer import EventProducer
from connectors.gateway.receipt_source import ReceiptSource
from connectors.gateway.traced_producer import TracedProducer
from connectors.gateway.upload import Asked, Upload, charset_of, language_of
from ioc.errors import Reason
from ioc.feeds.feed import Feed
from ioc.feeds.plausibility import Calendar
from ioc.feeds.validation import reasons_from
from ioc.messaging.schema import event_schema
from ioc.province.profile import load_profile
from ioc.reading.receipt import receipt_id
from ioc.settings import Settings
from ioc.tracing import NO_TRACING, Tracing
from ioc.web.access import AccessLog
from ioc.web.guard import RequestGuard
from ioc.web.rate_limit import RateLimit
from ioc.web.tokens import TokenFile
from ioc.web.traced import TracedRequests

DryRun = Annotated[bool, Query(description="Judge only, write nothing.")]
Code = Annotated[
    str,
    Query(max_length=64, pattern=r"^[0-9A-Za-z._-]*$", description="Code, for files that do not name it."),
]
_RECEIPT_RATE, _RECEIPT_BURST = 2.0, 20.0
_SCHEMA_TYPE = "application/schema+json"
_PAGE_POLICY = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}


def create_app(
    settings: Settings,
    feeds: Mapping[str, Feed],
    tokens: TokenFile,
    producer: EventProducer,
    source: ReceiptSource | None = None,
    clock: Callable[[], float] = time.monotonic,
    tracing: Tracing = NO_TRACING,
) -> FastAPI:
    """Return the application; `feeds` by key, `clock` gives seconds. The caller closes `producer`.

    source:  answers for receipts; without it there are none.
    tracing: of requests; the caller closes it.

    Raises `ConfigError` when the profile is broken, whose time zone tells which day it is.

    It keeps its counts and rate limits to itself, so that a process may hold several.
    """
    metrics = GatewayMetrics()
    if tracing.is_on:
        producer = TracedProducer(producer, tracing)
    by_type = {feed.event_type: feed for feed in feeds.values()}
    limit = RateLimit(settings.gateway_rate, settings.gateway_burst, clock)
    calendar = Calendar.of(settings, load_profile(settings.profile).timezone)
    intake = Intake(settings, by_type, tokens, calendar=calendar, limit=limit, producer=producer, metrics=metrics)
    upload = Upload(settings, feeds, intake)
    control = ControlDesk(settings, feeds, intake)
    receipts = ReceiptDesk(settings, feeds, intake, source, RateLimit(_RECEIPT_RATE, _RECEIPT_BURST, clock))
    app = FastAPI(
        title="IOC event gateway",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # the Location would be made of the client's Host
    )
    _handle_refusals(app)
    app.add_middleware(RequestGuard, refuse=_refuse, most=settings.http_requests)
    if tracing.is_on:
        app.add_middleware(TracedRequests, tracing=tracing)
    app.add_middleware(AccessLog, name="gateway", requests=metrics.requests, failed=_failed)

    @app.post("/v1/events", status_code=202, responses=RESPONSES, openapi_extra=request_body(by_type))
    async def publish_events(request: Request, dry_run: DryRun = False) -> Response:
        """Publish one event or a batch; every event gets its own answer, in order.

        2xx comes after Kafka has acknowledged the accepted events on all in-sync replicas. Events are
        idempotent: sending one again is harmless.
        """
        taken = await intake.take(request, dry_run=dry_run)
        receipt = receipt_id(taken.record_offsets, settings.topic_prefix)
        return Response(
            taken.body,
            status_code=200 if dry_run and taken.status == 202 else taken.status,
            media_type="application/json",
            headers={"location": f"/v1/receipts/{receipt}"} if receipt else None,
        )

    @app.post("/v1/feeds/{feed}", responses=FILE_RESPONSES, openapi_extra=file_body())
    async def publish_file(
        feed: Annotated[str, Path(max_length=64)],
        request: Request,
        dry_run: DryRun = False,
        establishment: Code = "",
        reporter: Code = "",
    ) -> Response:
        """Publish a file in a sector system's format as the request's body; the content says which format it is.

        Every record gets its own answer; errors name line, row or element, field and rule, in the language that
        Accept-Language asks for. 202 = all accepted, 207 = some refused, 422 = nothing taken.
        """
        asked = Asked(language_of(request), dry_run, establishment, reporter, charset_of(request))
        answer = await upload.take(request, feed, asked)
        if not answer.refused:
            return _json(200 if dry_run else 202, answer)
        return _json(207 if answer.accepted else 422, answer)

    @app.post(
        "/v1/feeds/{feed}/control-totals",
        status_code=202,
        responses=CONTROL_RESPONSES,
        openapi_extra=control_total_body(),
    )
    async def tell_control_totals(feed: Annotated[str, Path(max_length=64)], request: Request) -> Response:
        """Tell how many records a reporter has sent for a period, and what some of their columns add up to.

        One total, or an array of them; all are taken, or none. The platform compares them with what it has, and says
        where they differ. A later word on the same period replaces the earlier one.
        """
        return _json(202, await control.take(request, feed))

    @app.get("/v1/receipts/{receipt}", responses=RECEIPT_RESPONSES, openapi_extra={"security": [{"bearer": []}]})
    async def get_receipt(receipt: str, request: Request) -> Response:
        """Tell what became of each accepted event of a request: stored, duplicate, superseded, rejected, waiting.

        `receipt` is what `Location` names in the answer to the request, or `receipts` in that to a file.
        """
        return Response(await receipts.take(request, receipt), media_type="application/json")

    @app.get("/v1/schemas")
    async def list_schemas() -> dict[str, str]:
        """List the types of events taken here, each with the address of its JSON Schema."""
        return {event_type: f"/v1/schemas/{event_type}" for event_type in by_type}

    @app.get("/v1/schemas/{event_type}", responses={404: {"description": "No such type."}})
    async def get_schema(event_type: str) -> Response:
        """JSON Schema (2020-12) of one type of event, envelope and data."""
        feed = by_type.get(event_type)
        if feed is None:
            return PlainTextResponse("no such type; GET /v1/schemas lists them\n", status_code=404)
        return Response(to_json(event_schema(feed)), media_type=_SCHEMA_TYPE)

    @app.get("/", include_in_schema=False)
    async def show_page() -> HTMLResponse:
        return HTMLResponse(page, headers=_PAGE_POLICY)

    @app.get("/live", include_in_schema=False)
    async def live() -> PlainTextResponse:
        return PlainTextResponse("live\n")

    @app.get("/ready", include_in_schema=False)
    async def ready() -> PlainTextResponse:
        if await producer.is_ready():
            return PlainTextResponse("ready\n")
        return PlainTextResponse("Kafka does not answer\n", status_code=503)

    @app.get("/metrics", include_in_schema=False)
    async def show_metrics() -> PlainTextResponse:
        return PlainTextResponse(metrics.expose())

    @app.get("/openapi.json", include_in_schema=False)
    async def show_document() -> Response:
        return Response(document, media_type="application/json")

    page = _page(feeds)
    document = to_json(describe(app.openapi(), by_type))
    return app


def _handle_refusals(app: FastAPI) -> None:
    """Let every refusal be answered in the one shape."""

    @app.exception_handler(RequestRefusedError)
    async def refused(_: Request, error: RequestRefusedError) -> Response:
        return _json(error.status, PublishResponse(reasons=list(error.reasons)), error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        return _json(422, PublishResponse(reasons=reasons_from(error.errors())))


def _json(status: int, answer: BaseModel, headers: Mapping[str, str] | None = None) -> Response:
    body = to_json(answer)
    return Response(body, status_code=status, media_type="application/json", headers=dict(headers or {}))


def _refuse(status: int, reason: Reason, headers: Mapping[str, str]) -> Response:
    return _json(status, PublishResponse(reasons=[reason]), headers)


def _failed() -> Response:
    """Return the answer to a request at which the code failed."""
    reason = Reason(
        field="",
        rule="internal_error",
        message_vi="lỗi của cổng tiếp nhận; chưa sự kiện nào được xác nhận, gửi lại không gây hại",
        message_en="the gateway failed; no event is confirmed, sending again is harmless",
    )
    return _json(500, PublishResponse(reasons=[reason]))


def _page(feeds: Mapping[str, Feed]) -> str:
    """Return the page for people, with the types of events in it."""
    rows = "".join(
        f"<tr><td>{feed.name_vi}<br><i>{feed.name_en}</i><td><a href=/v1/schemas/{feed.event_type}>"
        f"<code>{feed.event_type}</code></a>"
        for feed in feeds.values()
    )
    return files("connectors.gateway").joinpath("page.html").read_text("utf-8").replace("<!-- feeds -->", rows)
