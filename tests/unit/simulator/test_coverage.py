"""Within a simulated month of modest volume, every event-driven indicator of a feed has something to count."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl
import pytest
from testbed.simulated import Month, parsed

from connectors.simulator.record import System
from ioc.catalogue import Compiled, Measure, contribution_expr, member_expr
from ioc.feed import Feed
from ioc.profile import Profile

# Records of the month beside what systems send by their calendar. Stays and invoices need faults to show everything
# (guests declared late, notices of errors): tests/integration/test_simulated_month.py.
VOLUMES = {
    "tourism.daily_report": 0,
    "health.record": 1000,
    "health.checkout": 2500,
    "vaccination.dose": 2500,
    "dossier.event": 3000,
    "feedback.ticket": 2000,
    "document.flow": 3000,
    "infosec.event": 2000,
    "app.usage": 2000,
    "environment.reading": 0,
    "report.value": 0,
}


@pytest.mark.parametrize("feed", VOLUMES)
def test_every_measure_of_a_month_counts_something(
    feed: str, build: Callable[[str, int], System], feeds: Mapping[str, Feed], profile: Profile, compiled: Compiled
) -> None:
    month = Month(build(feed, 1)).run(VOLUMES[feed])
    batch = parsed(feeds[feed], profile, month.lives)
    assert batch.rejections == ()
    idle = [measure for measure in compiled.of_feed(feed) if not counts(measure, batch.events)]
    assert idle == []


def counts(measure: Measure, events: pl.DataFrame) -> bool:
    """Whether any record adds to a measure."""
    if measure.kind == "distinct":
        return events.select(member_expr(measure)).to_series().is_not_null().any()
    return (events.select(contribution_expr(measure)).to_series() != 0).any()
