"""Events at the edges of every field of every feed, through parser, store, roll-up, reconcile and explain.

What gateway and parser say of them is in `tests/unit/feeds/test_edges.py`; here nothing that was accepted may be left
for the last line, and every figure is still the recompute of its records and can be explained.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from testbed.edge import Edges, taken_by
from testbed.feed_event import NOW, PROVINCE, record
from testbed.pipeline import Pipeline
from testbed.sample import events_of

from ioc.catalogue.store import load_editions
from ioc.feeds.plausibility import Calendar
from ioc.reading.explanation import Explainer
from ioc.settings import Settings

DAYS = (date(2000, 1, 1), date(2024, 10, 7), date(2024, 11, 1), date(2024, 11, 2))
EXPLAINED = 6  # indicators of each feed


@pytest.mark.timeout(1500)
def test_what_is_accepted_is_stored_folded_equal_and_explained(
    pipeline: Pipeline, record_property: Callable[[str, object], None]
) -> None:
    now = Calendar.of(Settings(_env_file=None), pipeline.profile.timezone).at(NOW)
    taken = taken_by(pipeline.feeds, now)
    tried = 0
    for key, feed in pipeline.feeds.items():
        good = next(event for event in events_of(key) if event.get("data"))
        edges = Edges(feed, now, taken)
        made = [*edges.alone(), *edges.covering()]
        tried += len(made)
        fetched = [record(offset, edge.bytes) for offset, edge in enumerate(made)]
        # Revisions of one record, in the end the good one again: it stands, whatever was tried in its place.
        last = {**good, "revision": now.latest_revision, "id": "good"}
        counts = pipeline.apply(key, [*fetched, record(len(fetched), last)])
        assert counts.consumed == len(made) + 1 == counts.accepted + counts.rejected + counts.duplicate
        winning = pipeline.rows(f"SELECT revision FROM {feed.table} WHERE record_key = %s", [good["subject"]])
        assert winning == [(now.latest_revision,)], key
    record_property("inputs tried", tried)
    assert pipeline.rows("SELECT feed_id, reasons FROM rejected_event WHERE rule = 'unstorable'") == []
    pipeline.roll_up()
    assert pipeline.rows("SELECT * FROM contribution_set_aside") == []
    result = pipeline.reconcile()
    assert result.differences == ()
    assert result.figures > 0
    _explain(pipeline)


def _explain(pipeline: Pipeline) -> None:
    """Explain some indicators of every feed, at the ends of the calendar."""
    compiled = load_editions(pipeline.connection).live.compiled
    explainer = Explainer(pipeline.connection, compiled, pipeline.feeds, pipeline.profile.areas)
    by_feed: dict[str, list[str]] = {key: [] for key in pipeline.feeds}
    for code in compiled.plans:
        for feed in compiled.feeds(code):
            by_feed[feed].append(code)
    for codes in by_feed.values():
        for code in codes[:: max(len(codes) // EXPLAINED, 1)][:EXPLAINED]:
            for day in DAYS:
                for period in ("day", "year"):
                    explainer.explain(code, explainer.cell(PROVINCE, period, day), limit=3)
