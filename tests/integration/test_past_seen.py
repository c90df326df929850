"""As of a past moment, and approval, in API, pages, boards and command line: figures, status, quality."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote
from zoneinfo import ZoneInfo

import httpx
import pytest
from pydantic import SecretStr
from testbed.feed_event import HOTEL, INN, stay, void_of
from testbed.gateway import AsgiTransport
from testbed.page_site import Clock
from testbed.pipeline import Pipeline
from testbed.server import cloned_database
from typer.testing import CliRunner

from deploy.cli import app
from grafana.bundle import load_bundle
from grafana.checking.check import board_queries
from grafana.checking.run import run_queries
from grafana.query.macros import Situation
from ioc.api.app import create_app
from ioc.api.approval import ApprovalReader
from ioc.api.assessment import AssessmentReader
from ioc.api.reading import DatabaseReading
from ioc.api.server import make_pages
from ioc.approval.store import sign
from ioc.database.connection import connect
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.settings import Settings
from ioc.web.signing import Signing
from ioc.web.tokens import TokenFile
from streams.status.snapshot_job import SnapshotJob

CODE, MARCH, PROVINCE = "lodging.guests.total", date(2024, 3, 1), 771
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
STATUS = (
    "INSERT INTO indicator_status_change (changed_at, code, area_id, before, status, period, bucket, value, expected,"
    " lag, settlement, reported, due, unusual)"
    " VALUES (%s, %s, %s, %s, %s, 'month', %s, %s, 3.5, 0.5, 'settled', 2, 8, false)"
)
QUALITY = (
    "INSERT INTO quality_measure (day, measure, feed, sector, reporter, area_id, numerator, denominator, measured_at)"
    " VALUES (%s, 'complete', 'tourism.stay', 'lodging', '', %s, %s, 10, %s)"
    " ON CONFLICT (day, measure, feed, sector, area_id, reporter)"
    " DO UPDATE SET numerator = excluded.numerator, measured_at = excluded.measured_at"
)


@dataclass
class Seen:
    """The database with its API; `then`: March had three guests, was signed, and all was well."""

    pipeline: Pipeline
    client: httpx.Client
    browser: httpx.Client
    then: str
    day: date

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        response = self.client.get(path, params=query)
        assert response.status_code == status, response.text
        return response.json()


@pytest.fixture(scope="module")
def seen(
    template_database: str,
    stack_settings: Settings,
    feeds: Mapping[str, Feed],
    profile: Profile,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Seen]:
    """Three guests, signed; a close of the day; then one is voided, two come late, and the status is another."""
    own = stack_settings.model_copy(
        update={
            "db_name": f"t{uuid.uuid4().hex[:12]}",
            "token_file": tmp_path_factory.mktemp("seen") / "tokens.json",
            "link_key": SecretStr("k" * 40),
            "api_rate": 1000.0,
            "api_burst": 1000.0,
            "api_timeout": 120,  # of a busy machine
        }
    )
    with cloned_database(own, template_database):
        pipeline = Pipeline(own, feeds, profile)
        reading = DatabaseReading(own, feeds, lambda: profile.areas, timezone=profile.timezone)
        try:
            job = SnapshotJob(pipeline.connection, ZONE)
            job.take(datetime.now(UTC) - timedelta(days=1))  # closes begin
            pipeline.send(
                "tourism.stay", [stay(HOTEL, 1, "2024-03-04"), stay(HOTEL, 2, "2024-03-04"), stay(INN, 3, "2024-03-05")]
            )
            pipeline.roll_up()
            day = datetime.now(ZONE).date()
            with connect(own, "owner", autocommit=True) as owner:
                owner.execute(STATUS, [datetime.now(UTC), CODE, PROVINCE, None, "on_track", MARCH, 3])
                owner.execute(QUALITY, [day, PROVINCE, 9, datetime.now(UTC)])
            sign(pipeline.connection, "lodging", "month", MARCH, by="Giám đốc Sở Du lịch", today=date(2024, 4, 2))
            then = datetime.now(UTC).isoformat()
            time.sleep(0.01)
            job.take(datetime.now(UTC))
            pipeline.send(
                "tourism.stay",
                [void_of(stay(INN, 3, "2024-03-05", 2)), stay(HOTEL, 4, "2024-03-06"), stay(HOTEL, 5, "2024-03-07")],
            )
            pipeline.roll_up()
            with connect(own, "owner", autocommit=True) as owner:
                owner.execute(STATUS, [datetime.now(UTC), CODE, PROVINCE, "on_track", "lagging", MARCH, 4])
                owner.execute(QUALITY, [day, PROVINCE, 5, datetime.now(UTC)])
            tokens = TokenFile(own.token_file)
            _, secret = tokens.create("portal", (), (), reads=True)
            api = create_app(
                own,
                tokens,
                reading,
                pages=make_pages(own, tokens, reading, profile, Clock(datetime.now(UTC))),
                assessment=AssessmentReader(reading, own),
                approvals=ApprovalReader(reading, feeds, profile),
            )
            headers = {"authorization": f"Bearer {secret}"}
            client = httpx.Client(transport=AsgiTransport(api), base_url="http://127.0.0.1", headers=headers)
            browser = httpx.Client(transport=AsgiTransport(api), base_url="http://127.0.0.1")
            browser.get(Signing(own, lambda: datetime.now(UTC)).link("/", "Chủ tịch UBND tỉnh"))
            yield Seen(pipeline, client, browser, then, day)
        finally:
            reading.close()
            pipeline.close()


def test_the_api_shows_a_figure_as_it_was_and_what_came_since(seen: Seen) -> None:
    asked = {"area": "77", "period": "month"}
    series = f"/v1/indicators/{CODE}/series"
    now = seen.get(series, **asked, **{"from": "2024-03-01", "to": "2024-03-31"})
    assert [(p["value"], p["approval"]) for p in now["areas"][0]["points"]] == [(4, "revised")]
    was = seen.get(series, **asked, **{"from": "2024-03-01", "to": "2024-03-31", "as_of": seen.then})
    assert [p["value"] for p in was["areas"][0]["points"]] == [3]
    in_units = {"area": "79", "period": "month", "units_on": "2025-07-01", "from": "2024-03-01", "to": "2024-03-31"}
    both = [seen.get(series, **in_units, **moment)["areas"][0]["points"] for moment in ({"as_of": seen.then}, {})]
    assert [point["value"] for (point,) in both] == [3, 4]
    told = seen.get(f"/v1/indicators/{CODE}/explain", **asked, on="2024-03-01", as_of=seen.then)
    assert (told["value"], told["status_then"]["status"], told["since_then"]["value_now"]) == (3, "on_track", 4)
    assert told["since_then"]["counts"] == {"new": 2, "voided": 1}
    assert sum(one["by"] for one in told["since_then"]["moved"]) == 4 - 3
    ahead = (datetime.now(UTC) + timedelta(days=2)).isoformat()
    for moment, word in (("2001-01-01", "begins at"), (ahead, "lies ahead"), ("yesterday", "no moment")):
        assert word in seen.get(f"/v1/indicators/{CODE}/explain", 422, **asked, on="2024-03-01", as_of=moment)["detail"]


def test_statuses_and_quality_as_they_were(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    def status(**query: Any) -> list[tuple[str, float]]:
        return [(row["status"], row["value"]) for row in seen.get("/v1/status", code=CODE, **query)["statuses"]]

    def quality(**query: Any) -> list[tuple[float, float]]:
        rows = seen.get("/v1/quality", feed="tourism.stay", on=str(seen.day), **query)["measures"]
        return [(row["numerator"], row["share"]) for row in rows if row["measure"] == "complete"]

    now = datetime.now(UTC).isoformat()
    assert (status(as_of=seen.then), status(as_of=now)) == ([("on_track", 3)], [("lagging", 4)])
    assert (quality(), quality(as_of=seen.then)) == ([(5, 50)], [(9, 90)])
    for name, value in seen.pipeline.settings.to_environment().items():
        if name.startswith("IOC_"):
            monkeypatch.setenv(name, value)
    run = CliRunner()
    shown = run.invoke(app, ["status", "--code", CODE, "--as-of", seen.then, "--json"])
    assert [row["status"] for row in json.loads(shown.stdout)] == ["on_track"]
    counted = json.loads(run.invoke(app, ["status", "--as-of", seen.then, "--json"]).stdout)
    assert [(row["sector"], row["on_track"], row["lagging"]) for row in counted] == [("lodging", 1, 0)]
    measured = json.loads(run.invoke(app, ["quality", "--feed", "tourism.stay", "--as-of", seen.then, "--json"]).stdout)
    assert [row["share"] for row in measured if row["measure"] == "complete"] == [90]


def test_the_api_tells_what_was_signed_and_what_was_revised(seen: Seen) -> None:
    (approval,) = seen.get("/v1/approvals", sector="lodging")["approvals"]
    assert (approval["signed_by"], approval["period"]) == ("Giám đốc Sở Du lịch", "month")
    found = seen.get(f"/v1/approvals/{approval['approval_id']}", history=True)
    assert (found["verdict"], found["digest_kept"], found["digest_history"]) == ("revised", *[approval["digest"]] * 2)
    (total,) = [one for one in found["revisions"] if (one["code"], one["area_code"]) == (CODE, "77")]
    assert (total["approved"], total["now"]) == (3, 4)
    assert "2" in total["reason_vi"] and "records came late" in total["reason_en"]
    assert seen.get("/v1/approvals/999", 404)["rule"] == "approval_unknown"


def test_the_page_shows_both(seen: Seen) -> None:
    path = f"/indicators/{CODE}?area=77&period=month&on=2024-03-05"
    now = seen.browser.get(path).text
    assert "Đã sửa sau khi duyệt" in now and "Giám đốc Sở Du lịch" in now
    was = seen.browser.get(f"{path}&as_of={seen.then.replace('+', '%2B')}").text
    assert "con số là <strong>3 lượt" in was and "hiện nay là <strong>4 lượt" in was
    assert "đúng tiến độ" in was and "2 đến muộn, 0 được sửa, 1 bị hủy" in was
    assert seen.browser.get(f"/indicators/{CODE}?area=77&on=5-March").status_code == 200


def test_overview_and_sector_show_what_was_known(seen: Seen) -> None:
    """All was well, and the newest guest was of 5 March; now it lags, and there are two of 6 and 7 March."""
    then, now = (quote(text, safe="") for text in (seen.then, datetime.now(UTC).isoformat()))
    was, later = (seen.browser.get(f"/?as_of={moment}").text for moment in (then, now))
    assert "Theo dữ liệu đã có đến" in was and "<b>1</b> đúng tiến độ" in was and "<b>0</b> chậm tiến độ" in was
    assert "<b>1</b> chậm tiến độ" in later and f"/indicators/{CODE}?as_of={now}" in later
    assert f"/sectors/lodging?as_of={then}" in was
    was, later = (seen.browser.get(f"/sectors/lodging?as_of={moment}").text for moment in (then, now))
    assert "07/03/2024" in later and "07/03/2024" not in was and "05/03/2024" in was
    assert "07/03/2024" in seen.browser.get("/sectors/lodging").text
    assert seen.browser.get("/sectors/none?as_of=2001-01-01").status_code == 422
    assert seen.browser.get(f"/sectors/none?as_of={then}").status_code == 404


def test_the_morning_page_of_a_past_day(seen: Seen) -> None:
    then = seen.then.replace("+", "%2B")
    now = datetime.now(UTC).isoformat().replace("+", "%2B")
    was, later = (seen.browser.get(f"/morning?as_of={moment}").text for moment in (then, now))
    assert "Theo dữ liệu đã có đến" in was and "<b>1</b> đúng tiến độ" in was and "<b>0</b> chậm tiến độ" in was
    assert "Xấu đi trong 24 giờ trước đó" in was
    assert "<b>1</b> chậm tiến độ" in later
    assert f"/indicators/{CODE}?as_of={quote(unquote(now), safe='')}" in later
    assert f"/indicators/{CODE}" not in was  # nothing was behind, and nothing had become worse
    assert 'name="as_of"' in seen.browser.get("/morning").text
    assert seen.browser.get("/morning?as_of=2001-01-01").status_code == 422


def test_what_the_history_takes_is_told(seen: Seen, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in seen.pipeline.settings.to_environment().items():
        if name.startswith("IOC_"):
            monkeypatch.setenv(name, value)
    told = json.loads(CliRunner().invoke(app, ["indicator", "history", "--json"]).stdout)
    by_table = {row["table"]: row for row in told}
    assert (by_table["record_revision"]["rows"], by_table["record_revision"]["kept_days"]) == (1, 0)
    assert (by_table["indicator_status_change"]["rows"], by_table["figure_snapshot"]["kept_days"]) == (2, 400)
    assert all(row["bytes"] >= row["bytes_per_row"] > 0 for row in told if row["rows"])
    assert by_table["figure_snapshot"]["bytes_per_day"] > 0


def test_the_board_shows_figures_of_a_close_beside_those_of_now(seen: Seen) -> None:
    bundle = load_bundle(Settings(_env_file=None), ["vi"])
    (model,) = [board.model for board in bundle.boards if board.uid == "ioc-indicator"]
    queries = {query.place: query for query in board_queries(model)}
    spring = (datetime(2024, 2, 29, 17, tzinfo=UTC), datetime(2024, 3, 31, 17, tzinfo=UTC))
    chosen = {"area": str(PROVINCE), "sector": "lodging", "indicator": CODE, "period": "month"}
    with connect(seen.pipeline.settings, "grafana", autocommit=True) as connection:
        (choice,) = run_queries(
            connection, [query for place, query in queries.items() if place.endswith("$as_of")], Situation(*spring)
        )
        assert not choice.error
        day, before = [row[1] for row in choice.rows]
        (then,) = [query for query in queries.values() if "then_known" in query.sql]
        (answer,) = run_queries(
            connection, [then], Situation(*spring, timedelta(days=1), {**chosen, "as_of": str(day)})
        )
        (nothing,) = run_queries(connection, [then], Situation(*spring, timedelta(days=1), {**chosen, "as_of": "0"}))
        (unborn,) = run_queries(
            connection, [then], Situation(*spring, timedelta(days=1), {**chosen, "as_of": str(before)})
        )
    assert not answer.error, answer.error
    assert answer.columns == ("period", "then_known", "now_known", "difference", "page")
    assert [row[1:4] for row in answer.rows] == [("3 lượt", "4 lượt", "+1 lượt")]
    assert [row[1:4] for row in unborn.rows] == [("–", "4 lượt", "–")], "there was no figure yet"
    assert str(answer.rows[0][4]).endswith(f"/indicators/{CODE}?area=77&period=month&on=2024-03-01&as_of={day}")
    assert (nothing.error, nothing.rows) == ("", ())
