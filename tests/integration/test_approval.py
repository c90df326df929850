"""A period is signed off; what changes afterwards is a revision with its reason; the past explains itself."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime

import psycopg
import pytest
from testbed.feed_event import HOTEL, INN, stay, void_of
from testbed.pipeline import Pipeline
from testbed.server import cloned_database
from typer.testing import CliRunner

from deploy.cli import app
from ioc.approval.store import Verifier, list_approvals, sign
from ioc.database.connection import connect
from ioc.errors import QuestionError
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.reading.cli import explain
from ioc.reading.series_cli import _read as read_series
from ioc.settings import Settings

CODE, MARCH, TODAY = "lodging.guests.total", date(2024, 3, 1), date(2024, 4, 2)


@pytest.fixture(scope="module")
def march(
    template_database: str, stack_settings: Settings, feeds: Mapping[str, Feed], profile: Profile
) -> Iterator[Pipeline]:
    """March is signed with three guests; then one is voided, one comes late, one is corrected to be a foreigner."""
    own = stack_settings.model_copy(update={"db_name": f"t{uuid.uuid4().hex[:12]}"})
    with cloned_database(own, template_database):
        pipeline = Pipeline(own, feeds, profile)
        try:
            pipeline.send(
                "tourism.stay", [stay(HOTEL, 1, "2024-03-04"), stay(HOTEL, 2, "2024-03-04"), stay(INN, 3, "2024-03-05")]
            )
            pipeline.roll_up()
            sign(pipeline.connection, "lodging", "month", MARCH, by="Giám đốc Sở Du lịch", today=TODAY)
            time.sleep(0.01)
            abroad = {"origin": "international", "nationality": "KOR", "home_region": None}
            pipeline.send("tourism.stay", [stay(HOTEL, 1, "2024-03-04", 2, **abroad), stay(HOTEL, 4, "2024-03-06")])
            pipeline.send("tourism.stay", [void_of(stay(INN, 3, "2024-03-05", 2)), stay(HOTEL, 5, "2024-03-07")])
            pipeline.roll_up()
            yield pipeline
        finally:
            pipeline.close()


def test_what_changed_since_is_a_revision_with_its_reason(
    march: Pipeline, feeds: Mapping[str, Feed], profile: Profile
) -> None:
    with connect(march.settings, "reader", autocommit=True) as connection:
        (approval,) = list_approvals(connection)
        found = Verifier(connection, feeds, profile.areas, profile.timezone).verify(approval, history=True)
    assert (found.verdict, found.digest_kept, found.digest_history) == ("revised", approval.digest, approval.digest)
    revised = {(one.code, one.area_code): one for one in found.revisions}
    total = revised[CODE, "77"]
    assert (total.approved, total.now) == (3, 4)
    assert "2 records came late" in total.reason_en and "1 records were voided" in total.reason_en
    foreign = revised["lodging.guests.international", "77"]
    assert (foreign.approved, foreign.now) == (0, 1) and "1 records were corrected" in foreign.reason_en
    assert all(one.reason_vi for one in found.revisions[:20])


def test_series_and_explanation_show_it(march: Pipeline) -> None:
    series = read_series(
        march.settings, CODE, None, period="month", first=MARCH, last=date(2024, 4, 1), area_code="77", level=None,
        units_on=None,
    )  # fmt: skip
    assert [(point.value, point.approval) for point in series.areas[0].points] == [(4, "revised"), (None, None)]
    found = explain(march.settings, CODE, "77", MARCH, period="month", limit=20, offset=0)
    assert found.approval is not None
    assert (found.approval.value, found.approval.status, found.approval.signed_by) == (
        3,
        "revised",
        "Giám đốc Sở Du lịch",
    )
    untouched = explain(march.settings, "lodging.rooms.total", "77", MARCH, period="month", limit=0, offset=0)
    assert untouched.approval is not None and untouched.approval.status == "approved"


def test_the_past_explains_itself_and_what_came_since(march: Pipeline) -> None:
    (signed,) = march.rows("SELECT signed_at FROM approval WHERE previous_id IS NULL")
    then = signed[0].isoformat()  # type: ignore[attr-defined]
    found = explain(march.settings, CODE, "77", MARCH, period="month", limit=20, offset=0, as_of=then)
    assert (found.value, found.records_total, found.changes_total) == (3, 3, 0)
    assert found.made_of.value == found.made_of.inputs[0].value == 3
    since = found.since_then
    assert since is not None and found.value is not None and since.value_now is not None
    assert (since.value_now, since.counts) == (4, {"new": 2, "voided": 1})
    assert sum(one.by for one in since.moved) == since.value_now - found.value
    effects = [(one.what, effect.before, effect.after) for one in since.changes for effect in one.effects]
    assert sorted(effects) == [("new", 0, 1), ("new", 0, 1), ("voided", 1, 0)]
    ratio = explain(
        march.settings, "lodging.international_share", "77", MARCH, period="month", limit=0, offset=0, as_of=then
    )
    assert ratio.value == 0 and ratio.fraction is not None and ratio.fraction.denominator_value == 3
    now = explain(march.settings, CODE, "77", MARCH, period="month", limit=20, offset=0)
    assert (now.value, now.known_at, now.since_then) == (4, None, None)


def test_a_period_is_signed_again_only_with_a_reason(march: Pipeline) -> None:
    with pytest.raises(QuestionError, match="--reason"):
        sign(march.connection, "lodging", "month", MARCH, by="x", today=TODAY)
    with pytest.raises(QuestionError, match="not over"):
        sign(march.connection, "lodging", "month", TODAY, by="x", today=TODAY)
    with pytest.raises(QuestionError, match="no figure"):
        sign(march.connection, "lodging", "month", date(2020, 1, 1), by="x", today=TODAY)
    with pytest.raises(QuestionError, match="who signs"):
        sign(march.connection, "lodging", "year", date(2020, 1, 1), by=" ", today=TODAY)


def test_the_commands(march: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in march.settings.to_environment().items():
        if name.startswith("IOC_"):
            monkeypatch.setenv(name, value)
    run = CliRunner()
    listed = json.loads(run.invoke(app, ["approval", "list", "--json"]).stdout)
    assert [row["signed_by"] for row in listed] == ["Giám đốc Sở Du lịch"]
    assert run.invoke(app, ["approval", "verify"]).exit_code == 3
    signed = run.invoke(
        app,
        ["approval", "sign", "lodging", "--on", "2024-03-15", "--by", "Giám đốc", "--reason", "bổ sung báo cáo muộn"],
    )
    assert signed.exit_code == 0, signed.output
    verified = run.invoke(app, ["approval", "verify", "--json"])  # the one that follows is in force
    assert (verified.exit_code, json.loads(verified.stdout)[0]["verdict"]) == (0, "intact")
    now = datetime.now(UTC).isoformat()
    shown = run.invoke(app, ["indicator", "show", CODE, "--period", "month", "--as-of", now, "--json"])
    assert [(row["area_code"], row["value"]) for row in json.loads(shown.stdout)][:2] == [("77", 4), ("747", 4)]
    told = run.invoke(
        app, ["indicator", "explain", CODE, "--area", "77", "--on", "2024-03-01", "--period", "month", "--as-of", now]
    )
    assert told.exit_code == 0 and "as it was known at" in told.stdout
    wrong = run.invoke(app, ["indicator", "show", CODE, "--as-of", "yesterday"])
    assert wrong.exit_code != 0


def test_reconcile_says_when_it_could_not_compare(march: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit status 3 while contributions wait: neither equal (0) nor different (1)."""
    for name, value in march.settings.to_environment().items():
        if name.startswith("IOC_"):
            monkeypatch.setenv(name, value)
    run = CliRunner()
    march.send("tourism.stay", [stay(HOTEL, 6, "2024-03-08")])
    waiting = run.invoke(app, ["reconcile", "--patience", "0.1"])
    assert waiting.exit_code == 3 and "wait to be folded" in waiting.stdout
    told = json.loads(run.invoke(app, ["reconcile", "--patience", "0", "--json"]).stdout)
    assert told["waiting"] > 0 and told["differences"] == []
    march.roll_up()


def test_nobody_changes_what_was_signed(march: Pipeline, feeds: Mapping[str, Feed], profile: Profile) -> None:
    for table, change in (("approval", "signed_by = 'x'"), ("approved_figure", "figures = '{}'")):
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {change}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                march.connection.execute(statement)  # type: ignore[arg-type]
    with connect(march.settings, "owner", autocommit=True) as owner:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only added"):
            owner.execute("UPDATE approved_figure SET figures = '{}'")
        owner.execute("ALTER TABLE approved_figure DISABLE TRIGGER USER")  # whoever owns the database can; it shows
        owner.execute(
            "UPDATE approved_figure SET figures = jsonb_set(figures, ARRAY[%s, '1'], '9') WHERE area_id = 771", [CODE]
        )
        owner.execute("ALTER TABLE approved_figure ENABLE TRIGGER USER")
    with connect(march.settings, "reader", autocommit=True) as connection:
        verifier = Verifier(connection, feeds, profile.areas, profile.timezone)
        assert {verifier.verify(one).verdict for one in list_approvals(connection)} == {"broken"}
