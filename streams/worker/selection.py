"""Which feeds a worker serves: those whose tables fit them. One without its migration does not stop others."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
import structlog

from ioc.database.migration import feed_defects
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from streams.worker.metrics import WorkerMetrics

log = structlog.get_logger(__name__)


def served_feeds(
    connection: psycopg.Connection, feeds: Mapping[str, Feed], known: Mapping[str, int], metrics: WorkerMetrics
) -> dict[str, Feed]:
    """Return the feeds whose tables fit them; each of the others is logged as an error and shown by its metric.

    known: the feeds that the database knows, with their numbers. Events of a feed that is left out stay in Kafka, and
    are read once a worker is started that serves it. Raises ConfigError where no feed is left.
    """
    defects = feed_defects(connection, feeds.values())
    for key in feeds.keys() - known.keys() - defects.keys():
        defects[key] = ["the database does not know the feed"]
    for key in feeds:
        metrics.left_out.labels(key).set(key in defects)
        if key in defects:
            log.error(
                "the feed is left out: its table does not fit it",
                feed=key,
                defects=defects[key],
                what_to_do="run `ioc db migrate`: it names the migration that is missing; then start the worker again",
            )
    served = {key: feed for key, feed in feeds.items() if key not in defects}
    if not served:
        raise ConfigError("no feed has a table that fits it; run `ioc db migrate`")
    return served
