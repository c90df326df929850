"""A simulated month of all feeds through parser, store and roll-up: every indicator has a figure, and it is right."""

from __future__ import annotations

import json
import re
import shlex
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from testbed.breakdown import BREAKDOWNS, Breakdown
from testbed.invariants import assert_account, assert_records
from testbed.outside import COUNTS, counted
from testbed.pipeline import Pipeline
from testbed.server import cloned_database
from typer.testing import CliRunner

from deploy.cli import app
from deploy.simulator.calendar import DAYS, HOURS
from deploy.simulator.ledger import Ledger
from deploy.simulator.province import Province
from deploy.simulator.roster import FEEDS, WITNESSES
from grafana.bundle import load_bundle
from grafana.checking.run import run_board
from grafana.days import data_range
from grafana.query.macros import Situation
from ioc.catalogue import Catalogue, Compiled, compile_measures, contribution_sql
from ioc.catalogue.formula import evaluate
from ioc.catalogue.indicator import REPORT_FEED
from ioc.catalogue.plan import Computed, DistinctCount, Quotient, Reported, ReportedMean, Total
from ioc.command.output import cell
from ioc.database.connection import connect, snapshot
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile, load_profile_catalogue
from ioc.province.reporter import REGISTER_FEED
from ioc.reading.explanation.explainer import Explainer
from ioc.reading.explanation.model import CalculationNode
from ioc.settings import Settings
from streams.status.overseer import Overseer
from streams.status.quality_job import QualityJob
from streams.status.snapshot_job import SnapshotJob

HOURLY = 80
MONTH = DAYS * HOURS
_PRECISION = 1e-9


@dataclass
class Month:
    """What is left of a month: the database behind `pipeline`, and what the ledger says of it."""

    pipeline: Pipeline
    ledger: Ledger
    catalogue: Catalogue
    compiled: Compiled


@pytest.fixture(scope="module")
def month(
    template_database: str, stack_settings: Settings, feeds: Mapping[str, Feed], profile: Profile
) -> Iterator[Month]:
    own = stack_settings.model_copy(update={"db_name": f"t{uuid.uuid4().hex[:12]}"})
    catalogue = load_profile_catalogue(stack_settings.profile, feeds)
    with cloned_database(own, template_database):
        pipeline = Pipeline(own, feeds, profile)
        try:
            ledger = Ledger(feeds, WITNESSES)
            simulate(Province(profile, indicators=catalogue.indicators.values()), pipeline, ledger)
            yield Month(pipeline, ledger, catalogue, compile_measures(catalogue))
        finally:
            pipeline.close()


def simulate(province: Province, pipeline: Pipeline, ledger: Ledger) -> None:
    """Publish the register and a month, a feed's day in one batch, and fold every week and at the end.

    Nothing of the platform runs here, so the agencies report its rows, too.
    """
    waiting: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    hours = [province.register(), *(province.tick(HOURLY) for _ in range(MONTH))]
    for hour, outgoing in enumerate(hours):
        for one in outgoing:
            waiting[one.feed].append(one.event)
            ledger.settle(one, taken=True)
        if hour % HOURS == 0:
            for feed, events in waiting.items():
                pipeline.send(feed, events)
            waiting.clear()
        if hour % (7 * HOURS) == 0:
            pipeline.roll_up()


def test_everything_is_what_postgresql_makes_of_the_records(month: Month) -> None:
    """Sums and figures of every live indicator, in every area and period."""
    result = month.pipeline.reconcile()
    assert result.differences == ()
    ((compared, codes),) = month.pipeline.rows(
        "SELECT sum(cells * codes)::bigint, sum(codes)::bigint FROM"
        " (SELECT sector, count(*) AS cells FROM indicator_cell GROUP BY 1) c"
        " JOIN (SELECT sector, count(*) AS codes FROM indicator WHERE live GROUP BY 1) i USING (sector)"
    )
    assert (codes, result.figures) == (len(month.catalogue.indicators), compared)


def test_figures_are_what_plain_counting_gives(month: Month) -> None:
    """Every kind and every function of time, by SQL that knows nothing of catalogue and engines."""
    wanted = list(counted(month.pipeline.connection))
    assert {code for code, *_ in wanted} == COUNTS.keys()
    wrong = []
    for code, area, period, first, value in wanted:
        found = month.pipeline.figure(code, area, period, str(first))
        if found is None or found != pytest.approx(value, rel=_PRECISION):
            wrong.append(f"{code} {area} {period}: {found} instead of {value}")
    assert wrong == []
    assert len(wanted) > 150


def test_all_1298_indicators_have_a_figure_and_none_is_always_zero(month: Month) -> None:
    rows = month.pipeline.rows("SELECT code, bool_or(value <> 0) FROM indicator_value GROUP BY code")
    counts = dict(rows)
    assert sorted(month.catalogue.indicators.keys() - counts.keys()) == []
    assert sorted(code for code, something in counts.items() if not something) == []
    assert len(counts) == 1298


def test_what_rests_on_events_is_counted_in_the_month(month: Month) -> None:
    """Every row that agencies do not simply report, nor is computed of their reports alone."""
    rows = month.pipeline.rows(
        "SELECT code FROM indicator_value WHERE bucket BETWEEN '2024-10-01' AND '2024-10-31' AND value <> 0 GROUP BY 1"
    )
    wanted = {code for code in month.catalogue.indicators if set(month.compiled.feeds(code)) - {REPORT_FEED}}
    assert len(wanted) > 830
    assert sorted(wanted - {code for (code,) in rows}) == []


def test_every_figure_says_what_it_is_made_of_or_why_there_is_none(month: Month) -> None:
    """No part without a value lacks a reason, no sentence is empty, and the parts give the whole."""
    with connect(month.pipeline.settings, "reader", autocommit=True) as connection, snapshot(connection):
        explainer = Explainer(connection, month.compiled, month.pipeline.feeds, month.pipeline.profile.areas)
        cell = explainer.cell("77", "month", date(2024, 10, 1))
        found = {code: explainer.made_of(code, cell) for code in month.catalogue.indicators}
    assert len(found) == 1298
    parts = [(code, part) for code, whole in found.items() for part in parts_of(whole)]
    assert [code for code, part in parts if not (part.text_vi and part.text_en and part.what)] == []
    assert [code for code, part in parts if part.value is None and not (part.none_vi and part.none_en)] == []
    assert [code for code, whole in found.items() if not adds_up(whole, month.compiled)] == []
    assert sum(whole.value is not None for whole in found.values()) > 1200


def test_the_commands_of_the_readme_that_read_figures_answer(month: Month, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is run as it stands there; what it explains has its value, both halves, and records."""
    for name, value in month.pipeline.settings.to_environment().items():
        if name.startswith("IOC_"):
            monkeypatch.setenv(name, value)
    readme = Path(__file__).parents[2].joinpath("README.md").read_text(encoding="utf-8")
    commands = [
        shlex.split(one)
        for one in re.findall(r"`\.venv/bin/ioc (indicator (?:list|show|series|explain) [^`]+)`", readme)
    ]
    assert {command[1] for command in commands} == {"list", "show", "series", "explain"}
    run = CliRunner(env={"COLUMNS": "200"})
    for command in commands:
        shown = run.invoke(app, command)
        assert shown.exit_code == 0, (command, shown.output)
        if command[1] != "explain":
            continue
        assert "chưa có số liệu" not in shown.output and "no value" not in shown.output, shown.output
        told = json.loads(run.invoke(app, [*command, "--json"]).stdout)
        half = told["fraction"]
        assert told["value"] == pytest.approx(half["numerator_value"] / half["denominator_value"])
        assert f"tử số · numerator: {cell(half['numerator_value'])}" in shown.output
        assert f"{cell(told['value'])} %" in shown.output
        assert told["records_total"] > 0


def parts_of(part: CalculationNode) -> Iterator[CalculationNode]:
    """A part, and all that it is made of."""
    yield part
    for source in part.inputs:
        yield from parts_of(source)


def adds_up(whole: CalculationNode, compiled: Compiled) -> bool:
    """Whether a figure is what its parts give: counted anew from the records, or computed from the other figures."""
    plan = compiled.plans[whole.code or ""]
    values = [part.value for part in whole.inputs]
    match plan:
        case Computed(formula=formula):
            figures = {part.name: part.value for part in whole.inputs if part.name}
            given = evaluate(formula.text, {**figures, "days": 31.0})
        case Quotient(scale=scale):
            given = scale * (values[0] or 0) / values[1] if values[1] else None
        case ReportedMean():
            given = (values[0] or 0) / values[1] if values[1] else None
        case Reported():
            given = values[0] if values[1] else None
        case _:
            given = values[0]
    if whole.value is None:
        return given is None or given == 0 or isinstance(plan, Reported | Total | DistinctCount)
    return given == pytest.approx(whole.value, rel=_PRECISION)


@pytest.mark.parametrize("breakdown", BREAKDOWNS, ids=str)
def test_the_parts_of_a_breakdown_sum_to_their_total_in_every_area(month: Month, breakdown: Breakdown) -> None:
    """Where they are not those of all records, what they leave out is what the others add."""
    codes = breakdown.codes(month.catalogue)
    assert len(codes) == breakdown.parts
    rows = month.pipeline.rows(
        "SELECT area_code, period, bucket, max(value) FILTER (WHERE code = %(whole)s),"
        " coalesce(sum(value) FILTER (WHERE code <> %(whole)s), 0) FROM indicator_value"
        " WHERE code = ANY (%(codes)s) GROUP BY 1, 2, 3",
        {"whole": breakdown.whole, "codes": [breakdown.whole, *codes]},
    )
    left_out = {(area, period, str(bucket)): whole - parts for area, period, bucket, whole, parts in rows}
    assert all(parts == pytest.approx(whole, rel=_PRECISION) or breakdown.is_partial for *_, whole, parts in rows)
    assert left_out["77", "month", "2024-10-01"] == pytest.approx(others(month, breakdown), abs=_PRECISION)
    assert min(left_out.values()) >= -_PRECISION * max(whole for *_, whole, _ in rows)


def others(month: Month, breakdown: Breakdown) -> float:
    """What the records of October add to a total that its parts leave out."""
    (measure,) = month.compiled.plans[breakdown.whole].measures
    day = measure.at or "effective_on"
    within = f"{day} BETWEEN '2024-10-01' AND '2024-10-31'"
    if measure.until:
        within = f"{day} <= '2024-10-31' AND coalesce({measure.until} > '2024-10-31', true)"
    ((found,),) = month.pipeline.rows(
        f"SELECT coalesce(sum({contribution_sql(measure)}), 0)::double precision"
        f" FROM {month.pipeline.feeds[measure.feed].table} WHERE NOT ({breakdown.among}) AND {within}"
    )
    return found / 10**measure.decimals


def test_the_account_balances_and_what_is_stored_is_what_stands(month: Month) -> None:
    """accepted + rejected + duplicate = published, and each is what the ledger says, feed by feed."""
    assert month.ledger.tallies.keys() == {REGISTER_FEED, *FEEDS} == month.pipeline.feeds.keys()
    assert_account(month.ledger, month.pipeline.connection, ordered=True)
    assert_records(month.pipeline.feeds, month.ledger, month.pipeline.connection)


def test_a_first_view_of_every_board_has_something_to_show(month: Month) -> None:
    """No panel that is open when a board opens is without a row, but the list of what is over while nothing is."""
    settings, now = month.pipeline.settings, datetime.now(UTC)
    with connect(settings, "owner", autocommit=True) as owner:
        overseer = Overseer(owner, settings, month.pipeline.profile, month.pipeline.feeds)
        overseer.look(now)
        QualityJob(owner, settings, overseer.status, month.pipeline.feeds).run(now, {})
        timezone = month.pipeline.profile.timezone
        SnapshotJob(owner, ZoneInfo(timezone)).take(now)
    bundle = load_bundle(settings, ["vi"], shown := data_range(settings, timezone))
    days = Situation(datetime.fromisoformat(shown.start), datetime.fromisoformat(shown.end), timedelta(days=1))
    hours = Situation(now - timedelta(hours=3), datetime.now(UTC), timedelta(minutes=1))
    empty: list[str] = []
    with connect(settings, "grafana", autocommit=True) as connection:
        for board in bundle.boards:
            # What is folded away is no part of a first view.
            model = {**board.model, "panels": [{**panel, "panels": []} for panel in board.model["panels"]]}
            model["annotations"] = {"list": []}
            answers = run_board(connection, model, hours if board.uid in ("ioc-pipeline", "ioc-incident") else days)
            assert [(answer.place, answer.error) for answer in answers if answer.error] == []
            empty += [answer.place for answer in answers if not answer.rows]
    assert set(empty) <= {"ioc-incident / Đã kết thúc [table] / A"}
