"""What a stranger writes into an address or a form of the pages: told as a problem, never a fault of the service."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from ioc.api.pages.form import form_of, hours_of, number_of
from ioc.api.problem import ProblemError

NO_NUMBERS = ("", "-1", "1.0", "9" * 20, "9" * 5000, "²", "١", "1e3", "NaN", " 1", "0x1")


def request(body: bytes = b"", **path: str) -> Request:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    return Request({"type": "http", "method": "POST", "headers": headers, "path_params": path}, receive)


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_nonumber_of_an_incident_is_not_found(text: str) -> None:
    with pytest.raises(ProblemError) as told:
        number_of(request(incident_id=text))
    assert told.value.problem.status == 404


def test_an_incident_is_known_by_its_number() -> None:
    assert number_of(request(incident_id="12")) == 12


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_hours_are_those_of_the_page(text: str) -> None:
    with pytest.raises(ProblemError) as told:
        hours_of(text)
    assert told.value.problem.status == 422


@pytest.mark.parametrize(
    ("body", "status"), [(b"a=1&" * 11, 422), (b"a=" + b"x" * 100_000, 413), (b";".join([b"a=1"] * 50), None)]
)
def test_a_form_is_bounded(body: bytes, status: int | None) -> None:
    if status is None:
        assert set(asyncio.run(form_of(request(body)))) == {"a"}  # type: ignore[arg-type]  # a mapping
        return
    with pytest.raises(ProblemError) as told:
        asyncio.run(form_of(request(body)))  # type: ignore[arg-type]  # a coroutine
    assert told.value.problem.status == status
