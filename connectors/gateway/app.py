"""The gateway's ASGI application."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from pydantic_core import to_json

from connectors.gateway.answer import PublishResponse, RequestRefusedError, status_of
from connectors.gateway.intake import Intake
from connectors.gateway.metrics import GatewayMetrics
from connectors.gateway.openapi import RESPONSES, describe, request_body
from connectors.gateway.producer import EventProducer
from ioc.errors import Reason
from ioc.feeds.feed import Feed
from ioc.feeds.plausibility import Calendar
from ioc.messaging.schema import event_schema
from ioc.province.profile import load_profile
from ioc.settings import Settings
from ioc.web.access import AccessLog
from ioc.web.guard import RequestGuard
from ioc.web.rate_limit import RateLimit
from ioc.web.tokens import TokenFile

_SCHEMA_TYPE = "application/schema+json"
_PAGE_POLICY = {"content-security-policy": "default-src 'none'; style-src 'unsafe-inline'"}


def create_app(
    settings: Settings,
    feeds: Mapping[str, Feed],
    tokens: TokenFile,
    producer: EventProducer,
    clock: Callable[[], float] = time.monotonic,
) -> FastAPI:
    """Return the application; `feeds` by key, `clock` gives seconds. The caller closes `producer`.

    Raises `ConfigError` when the profile is broken, whose time zone tells which day it is.

    It keeps its counts and rate limits to itself, so that a process may hold several.
    """
    metrics = GatewayMetrics()
    by_type = {feed.event_type: feed for feed in feeds.values()}
    limit = RateLimit(settings.gateway_rate, settings.gateway_burst, clock)
    calendar = Calendar.of(settings, load_profile(settings.profile).timezone)
    intake = Intake(settings, by_type, tokens, calendar=calendar, limit=limit, producer=producer, metrics=metrics)
    app = FastAPI(
        title="IOC event gateway",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,  # the Location would be made of the client's Host
    )
    app.add_middleware(RequestGuard, refuse=_refuse, most=settings.http_requests)
    app.add_middleware(AccessLog, name="gateway", requests=metrics.requests, failed=_failed)

    @app.post("/v1/events", status_code=202, responses=RESPONSES, openapi_extra=request_body(by_type))
    async def publish_events(request: Request) -> Response:
        """Publish one event or a batch; every event gets its own answer, in order.

        2xx comes after Kafka has acknowledged the accepted events on all in-sync replicas. Events are
        idempotent: sending one again is harmless.
        """
        try:
            answer = await intake.take(request)
        except RequestRefusedError as refused:
            return _json(refused.status, PublishResponse(reasons=list(refused.reasons)), refused.headers)
        return _json(status_of(answer.results), answer)

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


def _json(status: int, answer: PublishResponse, headers: Mapping[str, str] | None = None) -> Response:
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
