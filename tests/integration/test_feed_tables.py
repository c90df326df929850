"""The other half of what every feed keeps to: its table takes its samples, and what is counted of them is proved.

The first half, without servers, is `tests/unit/feeds/test_feed_conformance.py`.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from testbed.pipeline import Pipeline
from testbed.sample import events_of
from testbed.server import cloned_database

from ioc.database.migration import feed_defects
from ioc.feeds.feed import Feed, load_feeds
from ioc.province.profile import Profile
from ioc.settings import Settings


@pytest.fixture(scope="module")
def stored(
    template_database: str, stack_settings: Settings, feeds: dict[str, Feed], profile: Profile
) -> Iterator[Pipeline]:
    """Every feed's samples, good and bad in one fetch, sent twice over, in one database."""
    own = stack_settings.model_copy(update={"db_name": f"t{uuid.uuid4().hex[:12]}"})
    with cloned_database(own, template_database):
        pipeline = Pipeline(own, feeds, profile)
        try:
            for key in feeds:
                events = [*events_of(key, valid=False), *events_of(key)]
                pipeline.send(key, events)
                pipeline.send(key, events)
            pipeline.roll_up()
            yield pipeline
        finally:
            pipeline.close()


@pytest.mark.parametrize("feed", load_feeds().values(), ids=lambda feed: feed.key)
def test_samples_are_stored_refused_and_known_again(feed: Feed, stored: Pipeline) -> None:
    accepted, refused = events_of(feed.key), events_of(feed.key, valid=False)
    ((counted, rejected, duplicate, voided),) = stored.rows(
        "SELECT sum(accepted)::int, sum(rejected)::int, sum(duplicate)::int, sum(voided)::int "
        "FROM stream_batch JOIN feed f USING (feed_id) WHERE f.key = %s",
        [feed.key],
    )
    assert (counted, rejected, duplicate) == (len(accepted), 2 * len(refused), len(accepted))
    last = {event["subject"]: event for event in sorted(accepted, key=lambda event: event["revision"])}
    winning = {subject: one["revision"] for subject, one in last.items() if not one.get("voided")}
    assert voided == len(last) - len(winning)
    query = sql.SQL("SELECT record_key, revision FROM {}").format(sql.Identifier(feed.table))
    assert dict(stored.connection.execute(query).fetchall()) == winning


def test_every_feeds_table_fits_it(db: psycopg.Connection) -> None:
    assert feed_defects(db, load_feeds().values()) == {}


def test_what_is_counted_of_the_samples_equals_its_recompute(stored: Pipeline) -> None:
    result = stored.reconcile()
    assert result.differences == ()
    assert result.figures > 0
