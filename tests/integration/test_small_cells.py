"""Small counts of persons are kept from every reader: API, files, explanations, pages, boards and the topic."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from typing import Any

import psycopg
import pytest
from test_api_reading import Client
from test_figure_changes import NOW, Reader, reader, relay
from test_health_pipeline import CHECK_OUT, STAY, sent
from testbed.health import pseudonym
from testbed.pipeline import Pipeline

from ioc.database.connection import connect
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile, load_profile_catalogue
from ioc.province.store import load_into_database
from ioc.settings import Settings
from sql import load_queries

__all__ = ["reader"]
VISITS, COST, MALE = "health_visit.visits.total", "health_visit.cost.total", "health_visit.visits.sex_male"
DISTRICT = "747"
MONTH = {"period": "month", "from": "2024-10-01", "to": "2024-10-31"}


@pytest.fixture
def client(settings: Settings, feeds: dict[str, Feed], profile: Profile) -> Iterator[Client]:
    made = Client(
        settings.model_copy(update={"api_rate": 1000.0, "api_burst": 1000.0, "api_timeout": 60}), feeds, profile
    )
    yield made
    made.reading.close()


def guard(pipeline: Pipeline, below: int) -> None:
    """What `ioc profile load` does with the setting."""
    catalogue = load_profile_catalogue(pipeline.settings.profile, pipeline.feeds)
    load_into_database(pipeline.settings.model_copy(update={"small_cell_below": below}), pipeline.profile, catalogue)


def visits(pipeline: Pipeline, station: str, number: int, *, first: int) -> None:
    """Visits that ended in October at a station."""
    made = [
        STAY | CHECK_OUT | {"visit_id": pseudonym(one), "person_id": pseudonym(one)}
        for one in range(first, first + number)
    ]
    pipeline.send("health.checkout", [sent("health.checkout", station, one, 1) for one in made])
    pipeline.roll_up()


def values(client: Client, code: str, **asked: Any) -> dict[str, Any]:
    """By area: the value, or "Q" where it is suppressed; zero is left out."""
    answer = client.get(f"/v1/indicators/{code}/series", **MONTH, **asked)
    points = {area["area_code"]: area["points"][0] for area in answer["areas"] if area["points"]}
    return {
        area: "Q" if point["suppressed"] else point["value"]
        for area, point in points.items()
        if point["suppressed"] or point["value"]
    }


def test_small_counts_are_kept_from_every_reader(
    pipeline: Pipeline, client: Client, reader: Reader, settings: Settings
) -> None:
    guard(pipeline, 5)
    stations: dict[str, str] = {}
    for station, commune in pipeline.rows(
        "SELECT r.code, r.area_code FROM reporter r JOIN feed f USING (feed_id) WHERE f.key = 'health.checkout'"
        " AND r.code LIKE 'yt-747-%%' ORDER BY r.code"
    ):
        stations.setdefault(str(commune), str(station))
    (small, first), (next_one, second), (large, third) = [*stations.items()][:3]
    for place, (station, number) in enumerate(((first, 3), (second, 8), (third, 20))):
        visits(pipeline, station, number, first=100 * place + 1)

    with closing(relay(pipeline)) as own:
        # Until it was decided what may be seen, nothing of the sector is.
        assert values(client, VISITS, area=DISTRICT) == {DISTRICT: "Q"}
        own.run(NOW, seconds=120)
        # The small one is hidden, and the next smallest beside it: the district's total would give it away.
        assert values(client, VISITS, area=DISTRICT) == {DISTRICT: 31}
        shown = values(client, VISITS, level="commune")
        assert shown == {small: "Q", next_one: "Q", large: 20}
        assert values(client, COST, level="commune") == {small: "Q", next_one: "Q", large: 20 * 9_000_000}

        # Also in the units of a date, and as of a moment, where figures are computed for the answer.
        assert values(client, VISITS, level="commune", units_on="2024-10-31") == shown
        moment = {"as_of": datetime.now(UTC).isoformat()}
        assert values(client, VISITS, level="commune", **moment) == shown
        then = client.get(f"/v1/indicators/{VISITS}/explain", area=small, period="month", on="2024-10-05", **moment)
        assert (then["value"], then["suppressed"], then["records"]) == (None, True, [])

        # Files say that it is suppressed.
        asked = {**MONTH, "level": "commune", "format": "csv"}
        text = client._client.get(f"/v1/indicators/{VISITS}/series", params=asked, headers=client._headers).text
        rows = {
            row["area_code"]: row
            for row in csv.DictReader(io.StringIO(text))
            if row["value"] not in ("", "0.0") or row["status"] == "Q"
        }
        assert {area: row["status"] for area, row in rows.items()} == {small: "Q", next_one: "Q", large: "A"}
        assert rows[small]["value"] == "" and "không hiển thị" in rows[small]["note"]

        # An explanation tells neither the figure nor its records, also where the figure itself is shown.
        hidden = client.get(f"/v1/indicators/{VISITS}/explain", area=small, period="month", on="2024-10-05")
        assert (hidden["value"], hidden["suppressed"]) == (None, True)
        seen = client.get(f"/v1/indicators/{VISITS}/explain", area=DISTRICT, period="month", on="2024-10-05")
        assert (seen["value"], seen["suppressed"]) == (31, False)
        for one in (hidden, seen):
            assert (one["records"], one["records_total"], one["changes"], one["made_of"]["value"]) == ([], 0, [], None)

        # The topic never tells it.
        reader.read()
        told = {key[1]: value for key, value in reader.figures().items() if key[0] == VISITS and key[2] == "month"}
        ids: dict[str, int] = dict(
            pipeline.connection.execute(
                "SELECT code, area_id FROM area WHERE valid_from <= '2024-10-01' AND valid_to > '2024-10-31'"
            ).fetchall()
        )
        assert ids[small] not in told and ids[next_one] not in told
        assert (told[ids[large]], told[ids[DISTRICT]]) == (20, 31)

        # A sixth visit: nothing is small any more, and all is shown.
        visits(pipeline, first, 3, first=51)
        assert values(client, VISITS, level="commune")[small] == "Q", "until it was decided"
        own.run(NOW, seconds=120)
        assert values(client, VISITS, level="commune") == {small: 6, next_one: 8, large: 20}
        reader.read()
        told = {key[1]: value for key, value in reader.figures().items() if key[0] == VISITS and key[2] == "month"}
        assert (told[ids[small]], told[ids[next_one]]) == (6, 8)

        # A rule that is stricter takes back what was shown.
        guard(pipeline, 10)
        own.run(NOW, seconds=120)
        reader.read()
        assert values(client, VISITS, level="commune") == {small: "Q", next_one: "Q", large: 20}
        taken = [event["data"] for event in reader.events if event["data"]["status"] == "Q"]
        assert {(one["area_code"], one["value"]) for one in taken if one["indicator"] == VISITS} == {
            (small, None), (next_one, None)
        }  # fmt: skip
        guard(pipeline, 0)
        assert values(client, VISITS, level="commune") == {small: 6, next_one: 8, large: 20}


def test_the_boards_role_cannot_reach_behind(pipeline: Pipeline, reader: Reader, settings: Settings) -> None:
    guard(pipeline, 5)
    visits(pipeline, "yt-747-01", 3, first=1)
    with closing(relay(pipeline)) as own, connect(settings, "grafana", autocommit=True) as boards:
        own.run(NOW, seconds=120)
        asked = "SELECT count(*) FROM shown_value WHERE code = %s AND value <> 0 AND period = 'month'"
        assert boards.execute(asked, [VISITS]).fetchone() == (0,)
        assert boards.execute("SELECT newest_day() IS NOT NULL").fetchone() == (True,)
        for table in (
            "indicator_cell",
            "indicator_value",
            "indicator_status",
            "indicator_status_change",
            "disclosure_cell",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                boards.execute(f"SELECT * FROM {table}")
        # A page's course of the commune holds no number either.
        area_id, slot = pipeline.rows(
            "SELECT a.area_id, i.slot FROM area a, indicator i, reporter r WHERE a.code = r.area_code"
            " AND r.code = 'yt-747-01' AND i.live AND i.code = %s LIMIT 1", [VISITS]
        )[0]  # fmt: skip
        found = pipeline.connection.execute(
            load_queries("page")["select_course"].encode(),
            {"slot": slot, "sector": "health_visit", "period": "month", "area_id": area_id, "day": date(2024, 10, 31),
             "since": date(2024, 1, 1), "limit": 5},
        ).fetchall()  # fmt: skip
        assert found == [(date(2024, 10, 1), None)]
