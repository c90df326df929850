"""Parameters are read as they are written, and none is passed over; who may not read learns nothing of them."""

from __future__ import annotations

import asyncio
import threading
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from testbed.gateway import AsgiTransport

from ioc.api.app import create_app
from ioc.api.model import Detail, Page
from ioc.api.problem import ProblemError
from ioc.reading.explanation import Explanation
from ioc.reading.series import Series
from ioc.settings import Settings
from ioc.web.tokens import Token, TokenFile

CODE = "lodging.occupancy.total"
SERIES, EXPLAIN = f"/v1/indicators/{CODE}/series", f"/v1/indicators/{CODE}/explain"
RANGE = {"from": "2024-10-01", "to": "2024-10-31"}
CELL = {"area": "747", "on": "2024-10-05"}


class Listening:
    """Remembers what it was asked, and knows only that there are no indicators."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    def page(self, **question: Any) -> Page:
        self.asked.append(question)
        return Page(total=0, offset=0, indicators=())

    def detail(self, code: str) -> Detail:
        raise self._unknown(code=code)

    def series(self, code: str, **question: Any) -> Series:
        raise self._unknown(**question)

    def explain(self, code: str, **question: Any) -> Explanation:
        raise self._unknown(**question)

    def is_ready(self) -> bool:
        return True

    def _unknown(self, **question: Any) -> ProblemError:
        self.asked.append(question)
        return ProblemError(404, "indicator_unknown", vi="không có", en="there is none")


class WatchedTokens(TokenFile):
    """Notes in which threads tokens are looked up."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.threads: set[int] = set()

    def authenticate(self, secret: str) -> Token:
        self.threads.add(threading.get_ident())
        return super().authenticate(secret)


class Bed:
    """The application with a reader's token."""

    def __init__(self, directory: Path) -> None:
        self.reading = Listening()
        self.tokens = WatchedTokens(directory / "tokens.json")
        _, self.secret = self.tokens.create("portal", (), (), reads=True)
        self.app = create_app(Settings(_env_file=None, api_burst=1000.0), self.tokens, self.reading)
        self._client = httpx.Client(transport=AsgiTransport(self.app), base_url="http://api")

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.ask(path, list(query.items()))

    def ask(self, path: str, query: list[tuple[str, Any]]) -> httpx.Response:
        return self._client.get(path, params=query, headers={"authorization": f"Bearer {self.secret}"})


@pytest.fixture
def bed(tmp_path: Path) -> Bed:
    return Bed(tmp_path)


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        (SERIES, {**RANGE, "to": "31/10/2024"}, "to"),
        (SERIES, {**RANGE, "to": "2024-02-30"}, "to"),
        (SERIES, {**RANGE, "units_on": "1727740800"}, "units_on"),  # to pydantic: 2024-10-01, in seconds since 1970
        (EXPLAIN, {**CELL, "on": "2024-10-05T00:00:00"}, "on"),
        (EXPLAIN, {**CELL, "on": "9999-12-30", "period": "month"}, "on"),  # a month that ends after the calendar
    ],
)
def test_a_day_is_what_is_written_and_lies_in_the_calendar(
    bed: Bed, path: str, query: dict[str, Any], field: str
) -> None:
    answer = bed.get(path, **query)
    assert (answer.status_code, answer.json()["rule"]) == (422, "parameters")
    assert f"{field}: " in answer.json()["detail"]
    assert answer.headers["cache-control"] == "no-store"
    assert bed.reading.asked == []


def test_days_are_passed_on(bed: Bed) -> None:
    bed.get(EXPLAIN, **CELL)
    bed.get(SERIES, **RANGE, area="747", units_on="2025-07-01")
    explained, series = bed.reading.asked
    assert explained["on"] == date(2024, 10, 5)
    assert (series["first"], series["last"]) == (date(2024, 10, 1), date(2024, 10, 31))
    assert series["units_on"] == date(2025, 7, 1)


@pytest.mark.parametrize(
    ("query", "rule", "field"),
    [
        # Passed over, it would give figures in other units than were asked for.
        ([*RANGE.items(), ("area", "747"), ("unit_on", "2025-07-01")], "parameter_unknown", "unit_on"),
        ([*RANGE.items(), ("area", "747"), ("area", "748")], "parameter_repeated", "area"),
    ],
)
def test_no_parameter_is_passed_over(bed: Bed, query: list[tuple[str, str]], rule: str, field: str) -> None:
    answer = bed.ask(SERIES, query)
    assert (answer.status_code, answer.json()["rule"]) == (422, rule)
    assert field in answer.json()["detail"] and field in answer.json()["detail_vi"]
    assert bed.reading.asked == []


def test_an_address_without_parameters_takes_none(bed: Bed) -> None:
    assert bed.get(f"/v1/indicators/{CODE}", version="2").json()["rule"] == "parameter_unknown"


def test_what_was_sent_is_not_repeated(bed: Bed) -> None:
    answer = bed.get(EXPLAIN, **CELL, **{"Nguyễn Văn A 079012345678": "x"})
    assert answer.status_code == 422
    assert "Nguy" not in answer.text and "0790" not in answer.text


def test_who_may_not_read_learns_nothing_of_parameters(bed: Bed) -> None:
    bed.secret = "ioc_000000000000_x"
    assert bed.get(EXPLAIN, **CELL, colour="red").status_code == 401
    assert bed.get(EXPLAIN).status_code == 401


def test_tokens_and_rates_are_looked_up_in_one_thread(bed: Bed) -> None:
    """A token file that is read again, and a bucket that is emptied, have no lock."""

    async def ask() -> list[httpx.Response]:
        headers = {"authorization": f"Bearer {bed.secret}"}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(bed.app), base_url="http://api") as client:
            return await asyncio.gather(*(client.get("/v1/indicators", headers=headers) for _ in range(8)))

    assert {answer.status_code for answer in asyncio.run(ask())} == {200}
    assert bed.tokens.threads == {threading.get_ident()}


def test_an_answer_is_kept_by_its_reader_alone_and_is_timed(bed: Bed) -> None:
    answer = bed.get("/v1/indicators")
    assert (answer.headers["cache-control"], answer.headers["vary"]) == ("private, max-age=10", "Authorization")
    assert 'ioc_api_request_seconds_count{route="/v1/indicators"} 1.0' in bed.get("/metrics").text
