"""A reader's token that is bound to sectors or areas sees those, at every address, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from test_api_requests import CODE, Canned
from testbed.gateway import AsgiTransport

from ioc.api.app import create_app
from ioc.api.scope import _ADDRESSES, AskedPlace
from ioc.settings import Settings
from ioc.web.tokens import TokenFile

DAYS = {"from": "2024-10-01", "to": "2024-12-31"}
VUNG_TAU = frozenset({"77", "747"})


class Placed(Canned):
    """Knows one indicator, and Vũng Tàu (747) with a ward (26508) in it."""

    def place(self, code: str | None, area: str | None) -> AskedPlace:
        areas = {"747": (VUNG_TAU,), "26508": (VUNG_TAU | {"26508"},), "748": (frozenset({"77", "748"}),)}
        # A code that two units bore, of which only one lies in Vũng Tàu.
        areas["26000"] = (VUNG_TAU | {"26000"}, frozenset({"77", "748", "26000"}))
        return AskedPlace("lodging" if code == CODE else "vaccination" if code else None, areas.get(area or ""))


class Assessment:
    """Answers nothing: what a bound token may not ask never comes here."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked")


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., httpx.Response]:
    tokens = TokenFile(tmp_path / "tokens.json")
    assessment: Any = Assessment()
    app = create_app(Settings(_env_file=None), tokens, Placed(), assessment=assessment, approvals=assessment)
    client = httpx.Client(transport=AsgiTransport(app), base_url="http://api")

    def send(path: str, *, sectors: tuple[str, ...] = (), areas: tuple[str, ...] = (), **query: str) -> httpx.Response:
        _, secret = tokens.create("centre", (), (), reads=True, acts=True, sectors=sectors, areas=areas)
        method = "POST" if path.endswith("/acts") else "GET"
        return client.request(method, path, params=query, headers={"authorization": f"Bearer {secret}"})

    send.app = app  # type: ignore[attr-defined]
    return send


SERIES, EXPLAIN = f"/v1/indicators/{CODE}/series", f"/v1/indicators/{CODE}/explain"
ALLOWED = [
    ("/v1/indicators", {"sector": "lodging"}),
    (f"/v1/indicators/{CODE}", {}),
    (SERIES, DAYS | {"area": "747"}),
    (SERIES, DAYS | {"area": "26508"}),
    (SERIES, DAYS | {"area": "747", "format": "csv"}),
    (SERIES, DAYS | {"area": "747", "format": "sdmx-json"}),
]
REFUSED = [
    ("/v1/indicators", {}),
    ("/v1/indicators", {"sector": "vaccination"}),
    ("/v1/indicators/vaccination.doses", {}),
    ("/v1/indicators/vaccination.doses/series", DAYS | {"area": "747"}),
    (SERIES, DAYS | {"area": "748"}),
    (SERIES, DAYS | {"area": "77"}),
    (SERIES, DAYS | {"area": "26000"}),
    (SERIES, DAYS | {"area": "unknown"}),
    (SERIES, DAYS | {"level": "district"}),
    (SERIES, DAYS | {"level": "district", "format": "parquet"}),
    (EXPLAIN, {"area": "748", "on": "2024-10-05"}),
    ("/v1/status", {"sector": "lodging"}),
    ("/v1/status", {"sector": "lodging", "area": "77"}),
    ("/v1/status", {"area": "747"}),
    ("/v1/status", {"code": CODE}),
]


@pytest.mark.parametrize(("path", "query"), ALLOWED)
def test_what_lies_within_is_answered(ask: Callable[..., httpx.Response], path: str, query: dict[str, str]) -> None:
    answer = ask(path, sectors=("lodging",), areas=("747",), **query)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(("path", "query"), REFUSED)
def test_what_lies_outside_is_not(ask: Callable[..., httpx.Response], path: str, query: dict[str, str]) -> None:
    answer = ask(path, sectors=("lodging",), areas=("747",), **query)
    assert (answer.status_code, answer.json()["rule"]) == (403, "token_scope"), answer.text
    assert answer.json()["detail_vi"]


def test_each_bound_holds_by_itself(ask: Callable[..., httpx.Response]) -> None:
    assert ask(SERIES, sectors=("lodging",), **DAYS, level="district").status_code == 200
    assert ask("/v1/indicators/vaccination.doses/series", areas=("747",), **DAYS, area="747").status_code == 200
    assert ask("/v1/indicators/vaccination.doses/series", areas=("747",), **DAYS, area="748").status_code == 403
    assert ask(SERIES, **DAYS, level="district").status_code == 200


def test_every_other_address_is_shut(ask: Callable[..., httpx.Response]) -> None:
    """An address that is added is shut to bound tokens until somebody has thought about it."""
    routes = [one for one in ask.app.routes if isinstance(one, APIRoute) and one.include_in_schema]  # type: ignore[attr-defined]
    shut = [route.path for route in routes if route.path not in _ADDRESSES]
    assert {"/v1/incidents", "/v1/incidents/{incident_id}", "/v1/quality"} <= set(shut)
    for path in shut:
        answer = ask(re.sub(r"{\w+}", "1", path), sectors=("lodging",), areas=("747",))
        assert (answer.status_code, answer.json()["rule"]) == (403, "token_scope"), path
