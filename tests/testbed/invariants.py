"""What must hold after every run, whatever happened to the processes in it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import psycopg
from psycopg.rows import dict_row

from deploy.simulator.ledger import ACCEPTED, ExpectedOutcome, Ledger, digest_of
from ioc.database.connection import connect
from ioc.feeds.feed import Feed
from streams.proof.reconcile import reconcile
from streams.rollup.service import Rollup
from testbed.run import Run


def assert_invariants(run: Run, *, ordered: bool = True) -> None:
    """Assert all of them; the log must have been read to its end.

    ordered: events were sent in the order in which the ledger judged them, so that the kinds of outcomes are known.
    """
    with connect(run.settings, "owner", autocommit=True) as connection:
        assert_records(run.feeds, run.ledger, connection)
        assert_account(run.ledger, connection, ordered=ordered)
        assert_spans(run, connection)
    assert_positions_only_grew(run)
    assert_figures(run)


def assert_records(feeds: Mapping[str, Feed], ledger: Ledger, connection: psycopg.Connection) -> None:
    """Record tables hold the winning revision of each valid record: each once, at its revision, with its content."""
    for key, feed in feeds.items():
        names = ", ".join(["record_key", "revision", *(column.name for column in feed.model_columns)])
        cursor = connection.cursor(row_factory=dict_row)
        rows = cursor.execute(f"SELECT {names} FROM {feed.table}").fetchall()  # type: ignore[arg-type]
        stored = {row["record_key"]: (row["revision"], digest_of(feed, row)) for row in rows}
        expected = {
            subject: (winning.revision, winning.content) for subject, winning in ledger.winning.get(key, {}).items()
        }
        assert len(rows) == len(stored), f"{feed.table} holds a record twice"
        missing, strange = sorted(expected.keys() - stored.keys()), sorted(stored.keys() - expected.keys())
        assert not missing and not strange, f"{feed.table} lacks {missing[:5]} and holds {strange[:5]}"
        assert stored == expected


def assert_account(ledger: Ledger, connection: psycopg.Connection, *, ordered: bool) -> None:
    """accepted + rejected + duplicate = consumed = published, and each is what the ledger says."""
    cursor = connection.cursor(row_factory=dict_row)
    rows = cursor.execute(
        "SELECT f.key, sum(consumed)::bigint AS consumed, sum(accepted)::bigint AS accepted, "
        "sum(rejected)::bigint AS rejected, sum(duplicate)::bigint AS duplicate, sum(corrected)::bigint AS corrected, "
        "sum(voided)::bigint AS voided, sum(superseded)::bigint AS superseded "
        "FROM stream_batch JOIN feed f USING (feed_id) GROUP BY 1"
    ).fetchall()
    found = {row.pop("key"): row for row in rows}
    assert found.keys() == ledger.tallies.keys()
    for feed, tally in ledger.tallies.items():
        counts = found[feed]
        assert counts["accepted"] + counts["rejected"] + counts["duplicate"] == counts["consumed"] == tally.published
        expected: dict[str, Any] = {
            "consumed": tally.published,
            "accepted": sum(tally.expected[outcome] for outcome in ACCEPTED),
            "rejected": tally.expected[ExpectedOutcome.REJECTED],
            "duplicate": tally.expected[ExpectedOutcome.DUPLICATE],
        }
        if ordered:
            expected |= {
                "corrected": tally.expected[ExpectedOutcome.CORRECTED],
                "voided": tally.expected[ExpectedOutcome.VOIDED],
                "superseded": tally.expected[ExpectedOutcome.SUPERSEDED],
            }
        assert {name: counts[name] for name in expected} == expected, feed
    letters = connection.execute(
        "SELECT f.key, topic, partition, record_offset, position FROM rejected_event JOIN feed f USING (feed_id)"
    ).fetchall()
    assert len(letters) == len(set(letters)), "an event was rejected twice"
    rejected = Counter(letter[0] for letter in letters)
    assert rejected == Counter({feed: counts["rejected"] for feed, counts in found.items() if counts["rejected"]})


def assert_spans(run: Run, connection: psycopg.Connection) -> None:
    """Committed batches and recorded gaps cover every log from 0 to its end, no offset twice; so do the positions."""
    spans: defaultdict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for topic, partition, first, following in connection.execute(
        "SELECT topic, partition, first_offset, next_offset FROM stream_batch "
        "UNION ALL SELECT topic, partition, from_offset, to_offset FROM stream_gap"
    ).fetchall():
        spans[topic, partition].append((first, following))
    ends = run.log_ends()
    assert spans.keys() == ends.keys()
    for place, covered in spans.items():
        covered.sort()
        starts = [first for first, _ in covered]
        assert starts == [0, *(following for _, following in covered)][: len(starts)], place
        assert covered[-1][1] == ends[place], place
    assert run.stored_positions() == ends


def assert_positions_only_grew(run: Run) -> None:
    """No sample of a position is smaller than one before."""
    assert run.positions.seen, "no position was sampled"
    # Copies: the thread that samples goes on meanwhile, and a list that has grown is no longer the one that was sorted.
    for place, samples in list(run.positions.seen.items()):
        seen = list(samples)
        back = [pair for pair in pairwise(seen) if pair[1] < pair[0]]
        assert not back, f"the position of {place} went back: {back[:5]}"


def assert_figures(run: Run) -> None:
    """Once everything is folded, every sum and figure equals its recompute from the records."""
    with connect(run.settings, "writer") as connection:
        rollup = Rollup(run.settings, connection)
        while rollup.run_once(connection):
            pass
        waiting = connection.execute(
            "SELECT (SELECT count(*) FROM measure_delta), (SELECT count(*) FROM member_delta)"
        ).fetchone()
        assert waiting == (0, 0)
        witnesses = connection.execute(
            "SELECT code, value FROM indicator_value "
            "WHERE area_code = '77' AND period = 'year' AND bucket = '2024-01-01'"
        ).fetchall()
    result = reconcile(run.settings, patience=30.0)
    assert result.waiting == 0
    assert result.differences == ()
    assert result.figures > 0
    shown = dict(witnesses)
    for code, value in run.ledger.witnesses().items():
        scale = 1000 if code == "petrol.volume.total" else 1
        assert round(shown[code] * scale) == value, code
