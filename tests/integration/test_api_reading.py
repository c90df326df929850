"""The API over a real database: its figures are those that are stored; the database goes away and comes back."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import httpx
import psycopg
import pytest
from testbed.feed_event import HOTEL, INN, PROVINCE, RIVAL, stay, void_stay
from testbed.gateway import AsgiTransport
from testbed.pipeline import Pipeline

from ioc.api.app import create_app
from ioc.api.reading import DatabaseReading, ended_after
from ioc.catalogue import DATA, load_catalogue
from ioc.catalogue.store import sync_catalogue
from ioc.database.connection import connect
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile, load_profile_catalogue
from ioc.reading.cli import explain
from ioc.settings import Settings
from ioc.web.tokens import TokenFile

GUESTS = "/v1/indicators/lodging.guests.total"


class Client:
    """Asks with a reader's token."""

    def __init__(self, settings: Settings, feeds: dict[str, Feed], profile: Profile) -> None:
        tokens = TokenFile(settings.token_file)
        _, secret = tokens.create("dashboard", (), (), reads=True)
        self.reading = DatabaseReading(settings, feeds, lambda: profile.areas, timezone=profile.timezone)
        self._client = httpx.Client(
            transport=AsgiTransport(create_app(settings, tokens, self.reading)), base_url="http://api"
        )
        self._headers = {"authorization": f"Bearer {secret}"}

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        response = self._client.get(path, params=query, headers=self._headers)
        assert response.status_code == status, response.text
        return response.json()


@pytest.fixture
def client(settings: Settings, feeds: dict[str, Feed], profile: Profile) -> Iterator[Client]:
    made = Client(settings.model_copy(update={"api_rate": 1000.0, "api_burst": 1000.0}), feeds, profile)
    yield made
    made.reading.close()


@pytest.fixture
def october(pipeline: Pipeline) -> Pipeline:
    pipeline.send(
        "tourism.stay",
        [stay(HOTEL, 1, "2024-10-05"), stay(INN, 1, "2024-10-06"), stay(RIVAL, 2, "2024-10-06"), stay(HOTEL, 3)],
    )
    pipeline.send("tourism.stay", [void_stay(HOTEL, 3)])
    pipeline.roll_up()
    return pipeline


def test_indicators_are_those_of_the_catalogue(client: Client, settings: Settings, feeds: dict[str, Feed]) -> None:
    catalogue = load_profile_catalogue(settings.profile, feeds)
    codes: list[str] = []
    while True:
        page = client.get("/v1/indicators", limit=500, offset=len(codes))
        codes += [indicator["code"] for indicator in page["indicators"]]
        if len(codes) == page["total"]:
            break
    assert sorted(codes) == sorted(catalogue.indicators) and len(set(codes)) == 1298
    found = client.get("/v1/indicators", search="KHÁCH LƯU TRÚ", sector="lodging", kind="distinct")
    assert "lodging.unique_guests.total" in {indicator["code"] for indicator in found["indicators"]}
    answered = client.get("/v1/indicators", owner="sở du lịch", limit=1000)
    mine = {code for code, row in catalogue.indicators.items() if "Sở Du lịch" in row.owners}
    assert {indicator["code"] for indicator in answered["indicators"]} == mine and len(mine) > 100
    detail = client.get("/v1/indicators/lodging.occupancy.total")
    assert "lodging.rooms.total" in detail["inputs"] and detail["versions"][0]["state"] == "live"
    assert detail["feeds"] == ["registry.reporter", "tourism.daily_report"]
    assert "GET /v1/indicators" in client.get("/v1/indicators/lodging.ghosts", 404)["detail"]


def test_series_and_explanations_are_those_of_the_database(client: Client, october: Pipeline) -> None:
    october_days = {"from": "2024-10-05", "to": "2024-10-07", "period": "day"}
    (province,) = client.get(f"{GUESTS}/series", area=PROVINCE, **october_days)["areas"]
    assert [(point["bucket"], point["value"]) for point in province["points"]] == [
        ("2024-10-05", 1),
        ("2024-10-06", 2),
        ("2024-10-07", None),
    ]
    wards = client.get(f"{GUESTS}/series", level="commune", units_on="2025-07-01", **october_days)["areas"]
    assert len(wards) == 30
    assert sum(point["value"] or 0 for ward in wards for point in ward["points"]) == 3
    month = {"area": PROVINCE, "on": "2024-10-10", "period": "month"}
    explained = client.get(f"{GUESTS}/explain", **month)
    assert (explained["value"], explained["records_total"], explained["corrections"][0]["voided"]) == (3, 3, 1)
    told = explain(
        october.settings, "lodging.guests.total", PROVINCE, date(2024, 10, 10), period="month", limit=20, offset=0
    )
    assert explained == told.model_dump(mode="json")


def test_what_cannot_be_answered_is_said(client: Client, october: Pipeline) -> None:
    days = {"from": "2024-10-01", "to": "2024-10-31"}
    assert "no area bears the code '999'" in client.get(f"{GUESTS}/series", 422, area="999", **days)["detail"]
    assert "one of the two" in client.get(f"{GUESTS}/series", 422, **days)["detail"]
    long = {"from": "1900-01-01", "to": "2024-10-31", "period": "day", "level": "commune"}
    assert "20,000 points" in client.get(f"{GUESTS}/series", 422, **long)["detail"]
    refused = client.get(f"{GUESTS}/explain", 422, area="999", on="2024-10-05")
    assert "999" in refused["detail"]
    assert refused["detail_vi"].startswith("không có địa bàn nào mang mã '999' vào ngày 05/10/2024")


def test_a_catalogue_that_is_loaded_is_read_at_once(
    client: Client, db: psycopg.Connection, settings: Settings, feeds: dict[str, Feed]
) -> None:
    code = "lodging.guests.total"
    assert client.get(GUESTS)["version"] == 1
    catalogue = load_profile_catalogue(settings.profile, feeds)
    assert catalogue.indicators.keys() == load_catalogue_of(feeds)
    row = catalogue.indicators[code]
    definition = {**row.definition, "where": "age_years > 77"}
    changed = type(row)(**{**vars(row), "where": "age_years > 77", "definition": definition})
    sync_catalogue(db, type(catalogue)(**{**vars(catalogue), "indicators": {**catalogue.indicators, code: changed}}))
    detail = client.get(GUESTS)
    assert (detail["version"], detail["definition"]["where"]) == (2, "age_years > 77")
    assert [version["state"] for version in detail["versions"]] == ["retired", "live"]


def load_catalogue_of(feeds: dict[str, Feed]) -> Any:
    """Codes of the catalogue that comes with the project."""
    return load_catalogue(DATA, feeds).indicators.keys()


def test_the_database_goes_away_and_comes_back(client: Client, settings: Settings) -> None:
    assert client.get("/v1/indicators", limit=1)["total"] == 1298
    with (
        connect(settings, "owner", autocommit=True, database="postgres") as admin,
        connect(settings, "reader", autocommit=True, database="postgres") as itself,
    ):
        admin.execute(f"ALTER DATABASE {settings.db_name} ALLOW_CONNECTIONS false")
        itself.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [settings.db_name])
        try:
            assert client.get("/v1/indicators", 503, limit=1)["rule"] == "database_unavailable"
            assert not client.reading.is_ready()
        finally:
            admin.execute(f"ALTER DATABASE {settings.db_name} ALLOW_CONNECTIONS true")
    assert client.get("/v1/indicators", limit=1)["total"] == 1298
    assert client.reading.is_ready()


def test_an_answer_of_many_statements_is_bounded_as_a_whole(settings: Settings) -> None:
    """None of the statements takes long by itself."""
    begun = time.monotonic()
    with (
        connect(settings, "reader", autocommit=True) as connection,
        pytest.raises(psycopg.errors.QueryCanceled),
        ended_after(0.5, connection),
    ):
        for _ in range(100):
            connection.execute("SELECT pg_sleep(0.2)")
    assert 0.4 < time.monotonic() - begun < 10


def test_an_answer_that_takes_too_long_is_given_up(
    settings: Settings, feeds: dict[str, Feed], profile: Profile, october: Pipeline
) -> None:
    impatient = Client(settings.model_copy(update={"api_timeout": 1}), feeds, profile)
    try:
        with connect(settings, "owner") as owner:
            owner.execute("LOCK TABLE tourism_stay IN ACCESS EXCLUSIVE MODE")
            answer = impatient.get(f"{GUESTS}/explain", 504, area=PROVINCE, on="2024-10-05")
        assert "1 s" in answer["detail"] and answer["rule"] == "too_long"
        assert impatient.get(f"{GUESTS}/explain", area=PROVINCE, on="2024-10-05")["value"] == 1
    finally:
        impatient.reading.close()
