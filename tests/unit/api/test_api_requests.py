"""The API over a reading that is passed in: who may ask, what is asked, how errors are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from testbed.gateway import AsgiTransport

from ioc.api.app import create_app
from ioc.api.example import EXAMPLES
from ioc.api.model import Detail, Page, facts_of, summary_of
from ioc.api.problem import ProblemError
from ioc.catalogue import DATA, load_catalogue
from ioc.errors import ConfigError
from ioc.feeds.feed import load_feeds
from ioc.reading.explanation import Explanation
from ioc.reading.series import Series
from ioc.settings import Settings
from ioc.web.tokens import TokenFile

CODE = "lodging.guests.total"
INDICATOR = load_catalogue(DATA, load_feeds()).indicators[CODE]


class Canned:
    """Answers the same to everybody and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.fails: Exception | None = None

    def _asked(self, name: str, **question: Any) -> None:
        self.asked.append((name, question))
        if self.fails is not None:
            raise self.fails

    def page(self, **question: Any) -> Page:
        self._asked("page", **question)
        return Page(total=1, offset=question["offset"], indicators=(summary_of(INDICATOR),))

    def detail(self, code: str) -> Detail:
        self._asked("detail", code=code)
        return Detail(**facts_of(INDICATOR), version=2, definition={}, inputs=(), dependents=(), feeds=(), versions=())

    def series(self, code: str, **question: Any) -> Series:
        self._asked("series", code=code, **question)
        names = {"name_vi": "x", "name_en": "x", "unit": "x", "kind": "flow", "period": question["period"]}
        return Series(
            code=code, version=1, first=question["first"], last=question["last"], units_on=None, areas=(), **names
        )

    def explain(self, code: str, **question: Any) -> Explanation:
        self._asked("explain", code=code, **question)
        raise ProblemError(422, "question", vi="không có địa bàn", en="no such area")

    def is_ready(self) -> bool:
        return self.fails is None


@pytest.fixture
def reading() -> Canned:
    return Canned()


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "tokens.json")


@pytest.fixture
def clock() -> list[float]:
    return [0.0]


@pytest.fixture
def client(reading: Canned, tokens: TokenFile, clock: list[float]) -> httpx.Client:
    settings = Settings(_env_file=None, api_rate=1.0, api_burst=5.0)
    return httpx.Client(
        transport=AsgiTransport(create_app(settings, tokens, reading, lambda: clock[0])), base_url="http://api"
    )


@pytest.fixture
def get(client: httpx.Client, tokens: TokenFile) -> Callable[..., Any]:
    _, secret = tokens.create("dashboard", (), (), reads=True)
    return lambda path, **query: client.get(path, params=query, headers={"authorization": f"Bearer {secret}"})


def test_questions_reach_the_reading(get: Callable[..., Any], reading: Canned) -> None:
    assert (
        get("/v1/indicators", sector="lodging", kind="flow", owner="x", search="khách", limit=5, offset=10).json()[
            "total"
        ]
        == 1
    )
    assert get(f"/v1/indicators/{CODE}").json()["version"] == 2
    series = get(
        f"/v1/indicators/{CODE}/series",
        **{"from": "2024-10-01", "to": "2024-12-31", "level": "district", "units_on": "2025-07-01"},
    )
    assert series.json()["first"] == "2024-10-01"
    assert reading.asked == [
        ("page", {"sector": "lodging", "kind": "flow", "owner": "x", "search": "khách", "limit": 5, "offset": 10}),
        ("detail", {"code": CODE}),
        (
            "series",
            {
                "code": CODE,
                "period": "month",
                "first": date(2024, 10, 1),
                "last": date(2024, 12, 31),
                "area": None,
                "level": "district",
                "units_on": date(2025, 7, 1),
                "as_of": None,
            },
        ),
    ]
    assert series.headers["cache-control"] == "private, max-age=10"
    assert series.headers["x-request-id"]


def test_an_indicator_bears_its_target_and_both_names(get: Callable[..., Any]) -> None:
    (shown,) = get("/v1/indicators").json()["indicators"]
    assert shown["name_vi"] == INDICATOR.name_vi and shown["name_en"] == INDICATOR.name_en
    assert shown["target"] is None and shown["owners"] == ["Sở Du lịch"]


def assert_problem(response: Any, status: int, rule: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (body["status"], body["rule"]) == (status, rule)
    assert body["detail"] and body["detail_vi"]
    return body


def test_who_may_not_read(client: httpx.Client, tokens: TokenFile, reading: Canned) -> None:
    answer = client.get("/v1/indicators")
    assert_problem(answer, 401, "token_missing")
    assert answer.headers["www-authenticate"] == 'Bearer realm="ioc"'
    wrong = {"authorization": "Bearer ioc_0_nothing"}
    assert_problem(client.get("/v1/indicators", headers=wrong), 401, "token_unknown")
    _, publisher = tokens.create("hotel", ("tourism.stay",), ("77-*",))
    answer = client.get("/v1/indicators", headers={"authorization": f"Bearer {publisher}"})
    assert "--reader" in assert_problem(answer, 403, "token_publishes")["detail"]
    token, reader = tokens.create("gone", (), (), reads=True)
    tokens.revoke(token.id)
    assert_problem(client.get("/v1/indicators", headers={"authorization": f"Bearer {reader}"}), 401, "token_revoked")
    assert reading.asked == []


def test_wrong_questions_are_told(get: Callable[..., Any], clock: list[float]) -> None:
    series, days = f"/v1/indicators/{CODE}/series", {"from": "2024-10-01", "to": "2024-10-31"}
    assert "to" in assert_problem(get(series, **{"from": "2024-10-01"}), 422, "parameters")["detail"]
    assert "period" in assert_problem(get(series, period="decade", **days), 422, "parameters")["detail"]
    wrong = assert_problem(get("/v1/indicators", limit=0, offset=-1), 422, "parameters")
    assert "limit: phải lớn hơn hoặc bằng 1; offset: phải lớn hơn hoặc bằng 0" in wrong["detail_vi"]
    assert "limit: Input should be greater than or equal to 1" in wrong["detail"]
    clock[0] += 10
    assert_problem(get("/v1/nothing"), 404, "route")
    assert (
        assert_problem(get(f"/v1/indicators/{CODE}/explain", area="999", on="2024-10-05"), 422, "question")["detail_vi"]
        == "không có địa bàn"
    )


def test_who_has_the_answer_already_gets_no_body(client: httpx.Client, tokens: TokenFile, reading: Canned) -> None:
    _, secret = tokens.create("portal", (), (), reads=True)
    headers = {"authorization": f"Bearer {secret}"}
    first = client.get(f"/v1/indicators/{CODE}", headers=headers)
    tag = first.headers["etag"]
    again = client.get(f"/v1/indicators/{CODE}", headers={**headers, "if-none-match": f'W/"other", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert again.headers["cache-control"] == first.headers["cache-control"]
    assert client.get("/v1/indicators", headers={**headers, "if-none-match": tag}).status_code == 200
    assert client.get(f"/v1/indicators/{CODE}", headers={"if-none-match": tag}).status_code == 401
    assert len(reading.asked) == 3


def test_too_many_requests_wait(get: Callable[..., Any], clock: list[float]) -> None:
    for _ in range(5):
        assert get("/v1/indicators").status_code == 200
    refused = get("/v1/indicators")
    assert_problem(refused, 429, "too_fast")
    clock[0] += float(refused.headers["retry-after"])
    assert get("/v1/indicators").status_code == 200


def test_a_fault_of_the_service_is_not_the_askers(get: Callable[..., Any], reading: Canned) -> None:
    reading.fails = ConfigError("a stored row no longer fits its feed")
    assert_problem(get("/v1/indicators"), 500, "internal_error")


def test_examples_are_answers() -> None:
    models: dict[str, type[BaseModel]] = {"": Page, "/{code}": Detail, "/{code}/series": Series}
    for path, model in {**models, "/{code}/explain": Explanation}.items():
        example = EXAMPLES[f"/v1/indicators{path}"]
        assert model.model_validate(example).model_dump(mode="json", exclude_unset=True) == example


def test_a_failure_says_nothing_of_the_inside(get: Callable[..., Any], reading: Canned) -> None:
    reading.fails = RuntimeError("secret place")
    answer = get("/v1/indicators")
    assert_problem(answer, 500, "internal_error")
    assert "secret" not in answer.text
    assert get("/ready").status_code == 503
    assert get("/live").status_code == 200


def test_the_document_describes_every_route(client: httpx.Client, get: Callable[..., Any]) -> None:
    get("/v1/indicators")
    document = client.get("/openapi.json").json()
    assert set(document["paths"]) == {
        "/v1/indicators",
        "/v1/indicators/{code}",
        "/v1/indicators/{code}/series",
        "/v1/indicators/{code}/explain",
    }
    for path in document["paths"].values():
        responses = path["get"]["responses"]
        assert {"200", "401", "403", "404", "422", "429", "503", "504"} <= responses.keys()
        assert responses["200"]["content"]["application/json"]["example"]
        assert list(responses["404"]["content"]) == ["application/problem+json"]
    assert document["security"] == [{"bearer": []}]
    assert 'ioc_api_requests_total{route="/v1/indicators",status="200"} 1.0' in client.get("/metrics").text


@pytest.mark.parametrize(
    ("form", "content_type", "name"),
    [
        ("csv", "text/csv; charset=utf-8", "csv"),
        ("parquet", "application/vnd.apache.parquet", "parquet"),
        ("sdmx-csv", "application/vnd.sdmx.data+csv;version=2.0.0;charset=utf-8", "csv"),
        ("sdmx-json", "application/vnd.sdmx.data+json;version=2.0.0", "json"),
    ],
)
def test_a_series_comes_as_a_file_too(get: Callable[..., Any], form: str, content_type: str, name: str) -> None:
    query = {"from": "2024-10-01", "to": "2024-12-31", "area": "747"}
    answer = get(f"/v1/indicators/{CODE}/series", **query, format=form)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == content_type
    assert answer.headers["content-disposition"] == f'attachment; filename="{CODE}.{name}"'
    assert answer.headers["cache-control"] == "private, max-age=10" and answer.headers["etag"]
    assert answer.content
    assert get(f"/v1/indicators/{CODE}/series", **query, format="xls").status_code == 422
