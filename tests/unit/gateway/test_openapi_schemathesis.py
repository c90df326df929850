"""Schemathesis asks the gateway and the API what their OpenAPI documents allow, and some of what they do not.

Every answer has a status, a content type and a shape that the document tells, and none is a fault of the service.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from pydantic_core import to_json
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from testbed.gateway import AsgiTransport, GatewayBed

from ioc.api.app import create_app as create_api
from ioc.api.problem import ProblemError
from ioc.settings import Settings
from ioc.web.tokens import TokenFile

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
BOUNDED = settings(
    max_examples=12,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def sent(client: httpx.Client, case: schemathesis.Case) -> httpx.Response:
    """Send a case. Its own way of sending needs a urllib3 that another library here takes the place of."""
    wanted = case.as_transport_kwargs(base_url="http://service")
    body = wanted.get("data")
    content = body.encode() if isinstance(body, str) else body
    if "json" in wanted:
        content = to_json(wanted["json"])
    answer = client.request(
        wanted["method"], wanted["url"], params=wanted.get("params"), headers=dict(wanted["headers"]), content=content
    )
    answer.elapsed = timedelta(0)
    return answer


def ask(app: Any, secret: str) -> list[str]:
    """Ask every operation of an application's document; returns what was asked."""
    document = schemathesis.openapi.from_asgi("/openapi.json", app)
    client = httpx.Client(transport=AsgiTransport(app), base_url="http://service")
    asked = []
    for result in document.get_all_operations():
        operation = result.ok()

        @BOUNDED
        @given(case=operation.as_strategy())
        def conforms(case: schemathesis.Case) -> None:
            case.headers["authorization"] = f"Bearer {secret}"
            case.validate_response(sent(client, case), checks=CHECKS)

        conforms()
        asked.append(f"{operation.method.upper()} {operation.path}")
    return asked


def test_the_gateway(tmp_path: Path) -> None:
    bed = GatewayBed(tmp_path, gateway_rate=1e6, gateway_burst=1e6)
    asked = ask(bed.app, bed.secret)
    assert "POST /v1/events" in asked
    assert "POST /v1/feeds/{feed}" in asked


class Asked:
    """Answers nothing but that something is unknown: what matters here is what reaches it, and how that is told."""

    def __getattr__(self, name: str) -> Any:
        def unknown(*_: object, **__: object) -> Any:
            raise ProblemError(422, "question", vi="không có", en="there is none")

        return unknown


def test_the_api(tmp_path: Path) -> None:
    tokens = TokenFile(tmp_path / "tokens.json")
    _, secret = tokens.create("Reader", (), (), reads=True, acts=True)
    unknown: Any = Asked()
    calm = Settings(_env_file=None, api_rate=1e6, api_burst=1e6)
    asked = ask(create_api(calm, tokens, unknown, assessment=unknown, approvals=unknown), secret)
    assert "GET /v1/indicators/{code}/series" in asked
    assert "POST /v1/incidents/{incident_id}/acts" in asked
