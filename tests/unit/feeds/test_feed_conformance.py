"""What every feed keeps to: one walk over the registry, so that a new feed is held to it by being there.

Its table, and what becomes of its samples there, is in `tests/integration/test_feed_tables.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from random import Random

import polars as pl
import pytest
from pydantic import ValidationError
from testbed.feed_event import event, records
from testbed.pipeline import make_parser
from testbed.sample import CASES, DIRECTORY, events_of, samples_of

from deploy.documentation import feed_page
from deploy.simulator.calendar import DAYS, FIRST_DAY
from deploy.simulator.entry import Entry, Ground
from deploy.simulator.roster import PUBLISHERS, ROSTER
from deploy.simulator.territory import Population
from ioc.catalogue import Catalogue, Compiled, compile_measures, contribution_expr, member_expr
from ioc.feeds.event import Record
from ioc.feeds.feed import Feed, load_feeds
from ioc.feeds.record_table import BASE_COLUMNS
from ioc.feeds.validation import check_envelope, mask, reasons_of
from ioc.messaging.schema import asyncapi, event_schema
from ioc.messaging.topic import plan_topics
from ioc.province.profile import Profile, load_profile_catalogue
from ioc.province.reporter import REGISTER_FEED
from ioc.settings import ROOT, Settings
from sql import load_migrations
from streams.rules.quality import SECTOR, sources

NOW = datetime(2024, 11, 5, tzinfo=UTC)
# PostgreSQL cuts longer names; `_key` goes behind a table's.
MAX_NAME = 63
ENTRIES = {entry.feed: entry for entry in ROSTER}

every_feed = pytest.mark.parametrize("feed", load_feeds().values(), ids=lambda feed: feed.key)


@pytest.fixture(scope="module")
def catalogue(feeds: Mapping[str, Feed]) -> Catalogue:
    return load_profile_catalogue(Settings(_env_file=None).profile, feeds)


@pytest.fixture(scope="module")
def compiled(catalogue: Catalogue) -> Compiled:
    return compile_measures(catalogue)


@every_feed
def test_the_declaration_names_what_there_is(feed: Feed) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9]*\.[a-z][a-z0-9_]*", feed.key)
    assert feed.name_vi and feed.name_en and feed.name_vi != feed.name_en
    assert feed.cadence > timedelta(0)
    columns = {column.name: column.dtype for column in feed.model_columns}
    assert columns[feed.effective] in (pl.Date(), pl.Datetime("us", "UTC"))
    assert feed.model.model_fields[feed.effective].is_required()
    for name in (feed.reporter, feed.place, "area_code" if feed.located else None):
        assert name is None or columns[name] == pl.String()
    assert feed.located or "area_code" not in columns


@every_feed
def test_the_model_says_what_it_is_and_shows_an_example(feed: Feed) -> None:
    assert issubclass(feed.model, Record)
    assert feed.model.__doc__
    assert feed.model.model_config.get("extra") == "forbid"
    extra = feed.model.model_config["json_schema_extra"]
    assert isinstance(extra, dict)
    for example in extra["examples"]:  # type: ignore[union-attr]
        feed.model.model_validate_json(json.dumps(example))


@every_feed
def test_columns_have_names_of_their_own_that_postgresql_takes(feed: Feed) -> None:
    names = [column.name for column in (*BASE_COLUMNS, *feed.columns)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) and len(name) <= MAX_NAME for name in names)
    assert len(f"{feed.table}_key") <= MAX_NAME
    assert all(column.sql_type for column in feed.columns)


@every_feed
def test_a_migration_makes_its_table(feed: Feed) -> None:
    made = [m.name for m in load_migrations() if re.search(rf"^CREATE TABLE {feed.table} ", m.text, re.MULTILINE)]
    assert len(made) == 1


@every_feed
def test_its_samples_show_every_case_and_what_becomes_of_it(feed: Feed, profile: Profile) -> None:
    samples = samples_of(feed.key)
    assert {sample["case"] for sample in samples} == CASES
    assert all(sample["what"] for sample in samples)
    known = {reporter.code for reporter in profile.reporters if reporter.feed == feed.key}
    revisions: dict[str, int] = {}
    for sample in samples:
        if sample["case"] == "invalid":
            with pytest.raises(ValidationError) as caught:
                feed.envelope.validate_python(sample["event"])
            (reason,) = reasons_of(caught.value)
            path, _, name = sample["refused_field"].rpartition(".")
            # A field that the record does not have is shown in outline: its name may be a person's.
            assert reason.field == (
                f"{path}.{mask(name)}" if reason.rule == "extra_forbidden" else f"{path}.{name}".lstrip(".")
            )
            continue
        envelope = feed.envelope.validate_json(json.dumps(sample["event"]))
        assert envelope.reporter in known
        assert check_envelope(feed, envelope) == []
        assert (sample["case"] == "voided") == envelope.voided
        # Corrections and voids are of a record that the samples brought before.
        earlier = revisions.get(envelope.subject, 0)
        assert (earlier > 0) == (sample["case"] in ("corrected", "voided"))
        assert envelope.effective_revision > earlier
        revisions[envelope.subject] = envelope.effective_revision


@every_feed
def test_a_late_sample_comes_in_another_month_than_its_own(feed: Feed) -> None:
    late = [sample["event"] for sample in samples_of(feed.key) if sample["case"] == "late"]
    for one in late:
        counts_on = str(one["data"][feed.effective])
        assert counts_on[:7] < one["time"][:7]


def test_every_file_of_samples_is_of_a_feed(feeds: Mapping[str, Feed]) -> None:
    assert sorted(file.stem for file in DIRECTORY.iterdir()) == sorted(feeds)


@every_feed
def test_the_agent_reads_its_samples_and_refuses_what_it_should(feed: Feed, profile: Profile) -> None:
    """One batch, good and bad together: the bad cost the good nothing, and every column has its type."""
    parser = make_parser(feed, profile)
    accepted, refused = events_of(feed.key), events_of(feed.key, valid=False)
    batch = parser.parse(feed.topic(), 0, records([*refused, *accepted]), now=NOW)
    assert [rejection.record_offset for rejection in batch.rejections] == list(range(len(refused)))
    assert all(reason.message_vi and reason.message_en for one in batch.rejections for reason in one.reasons)
    assert batch.events.height == len(accepted)
    assert {column.name: batch.events.schema[column.name] for column in feed.columns} == {
        column.name: column.dtype for column in feed.columns
    }
    placed = batch.events.filter(~pl.col("voided"))
    assert placed["area_id"].null_count() == 0


@every_feed
def test_the_profile_has_reporters_of_it_through_the_simulated_month(feed: Feed, profile: Profile) -> None:
    last = FIRST_DAY + timedelta(days=DAYS)
    there = [r for r in profile.reporters if r.feed == feed.key and r.valid_from <= FIRST_DAY and r.valid_to > last]
    assert there
    assert all(reporter.name for reporter in there)


@every_feed
def test_exactly_one_publisher_simulates_it(feed: Feed) -> None:
    assert [name for name, sent in PUBLISHERS.items() if feed.key in sent] == [
        "register" if feed.key == REGISTER_FEED else ENTRIES[feed.key].publisher
    ]


@pytest.mark.parametrize("entry", ROSTER, ids=lambda entry: entry.feed)
def test_its_system_makes_valid_records_and_mends_them(
    entry: Entry, feeds: Mapping[str, Feed], profile: Profile, catalogue: Catalogue
) -> None:
    feed = feeds[entry.feed]
    reporters = [reporter for reporter in profile.reporters if reporter.feed == feed.key]
    system = entry.build(Random(1), Ground(reporters, Population(profile.areas), catalogue.indicators.values()))
    assert system.feed == entry.feed
    for tick in range(24):
        life = system.create(FIRST_DAY, tick)
        for data in (life.data, system.mend(life)):
            made = event(feed.key, life.reporter, life.key, 1, data)
            assert check_envelope(feed, feed.envelope.validate_python(made)) == []
        assert all(isinstance(value, int) for value in entry.witness(life.data).values())


@every_feed
def test_what_the_catalogue_counts_of_it_can_be_counted_of_its_samples(
    feed: Feed, profile: Profile, compiled: Compiled
) -> None:
    batch = make_parser(feed, profile).parse(feed.topic(), 0, records(events_of(feed.key)), now=NOW)
    for measure in compiled.of_feed(feed.key):
        expression = member_expr(measure) if measure.kind == "distinct" else contribution_expr(measure)
        assert batch.events.select(expression).height == batch.events.height


@every_feed
def test_its_name_in_the_rows_of_quality_has_rows(feed: Feed, feeds: Mapping[str, Feed], catalogue: Catalogue) -> None:
    named = {row.breakdown_value for row in catalogue.of_sector(SECTOR) if row.breakdown == "feed"}
    assert feed.quality_source is None or feed.quality_source in named
    assert named == sources(feeds).keys()


@every_feed
def test_it_has_a_topic_and_a_schema_that_names_its_required_fields(feed: Feed, feeds: Mapping[str, Feed]) -> None:
    assert feed.topic() in [plan.name for plan in plan_topics(Settings(_env_file=None), feeds)]
    schema = event_schema(feed)
    required = {name for name, field in feed.model.model_fields.items() if field.is_required()}
    assert set(schema["$defs"][feed.model.__name__]["required"]) == required
    assert schema["properties"]["type"]["const"] == feed.event_type
    assert asyncapi(feeds, "ioc")["channels"][feed.table]["address"] == feed.topic()


@every_feed
def test_the_page_of_feeds_tells_of_it(feed: Feed, feeds: Mapping[str, Feed]) -> None:
    page = (ROOT / "docs" / "feeds.md").read_text(encoding="utf-8")
    assert f"## {feed.key}\n" in page
    assert page == feed_page(feeds), "run `make docs`"


@every_feed
def test_its_module_and_its_simulator_bear_the_name_of_its_table(feed: Feed) -> None:
    assert (ROOT / "ioc" / "feeds" / "declared" / f"{feed.table}.py").is_file()
    systems = ROOT / "deploy" / "simulator" / "systems"
    assert (systems / f"{feed.table}.py").is_file() == (feed.key != REGISTER_FEED)
