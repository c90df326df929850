"""Where Grafana reports what it sent to whom: `POST /v1/notifications/grafana`."""

from __future__ import annotations

import secrets
from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Body, FastAPI, Query, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from ioc.api.problem import ProblemError
from ioc.database.connection import connect, translated_errors
from ioc.errors import DatabaseUnavailableError
from ioc.notification.channel import ChannelName
from ioc.notification.receipt import GrafanaNotification, enter_notification
from ioc.settings import Settings

_Via = Annotated[list[ChannelName], Query(description="The channels of the contact point.", max_length=4)]


class EnteredReceipts(BaseModel):
    """How many receipts are new; the same notification told twice enters none the second time."""

    entered: int


def add_notifications(
    app: FastAPI,
    settings: Settings,
    responses: dict[int | str, dict[str, Any]],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Add the address; only who has the settings' `receipt_token` may tell."""

    def enter(told: GrafanaNotification, via: list[ChannelName]) -> int:
        with translated_errors(), connect(settings, "api", autocommit=True) as connection:
            return enter_notification(connection, told, via, now())

    @app.post("/v1/notifications/grafana", responses=responses)
    async def take_notification(
        request: Request, via: _Via, told: Annotated[GrafanaNotification, Body()]
    ) -> EnteredReceipts:
        """Enter a notification of Grafana's as receipts: which incident and step, to whom, through which channels.

        Grafana sends it by the webhook that each contact point has beside its channels, with `IOC_RECEIPT_TOKEN`.
        """
        _authenticate(request, settings)
        request.scope["facts"].token = "grafana"  # noqa: S105 - a name for the log
        try:
            return EnteredReceipts(entered=await run_in_threadpool(enter, told, via))
        except DatabaseUnavailableError:
            raise ProblemError(
                503,
                "database_unavailable",
                vi="cơ sở dữ liệu tạm thời gián đoạn; hãy gửi lại sau ít giây",
                en="the database is away; send it again in a few seconds",
                headers={"retry-after": "5"},
            ) from None


def _authenticate(request: Request, settings: Settings) -> None:
    expected = settings.receipt_token.get_secret_value().encode()
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    secret = given.strip().encode()
    if scheme.lower() == "basic":  # Grafana's way; the user's name says nothing
        try:
            secret = b64decode(secret, validate=True).partition(b":")[2]
        except ValueError:
            secret = b""
    known = scheme.lower() in ("bearer", "basic") and secrets.compare_digest(secret, expected)
    if not (expected and known):
        raise ProblemError(
            401,
            "receipt_token",
            vi="cần mã IOC_RECEIPT_TOKEN trong tiêu đề Authorization",
            en="the header Authorization must bear IOC_RECEIPT_TOKEN",
            headers={"www-authenticate": 'Bearer realm="ioc"'},
        )
