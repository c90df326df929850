"""What an event means for its record: by cases, and against the rule told a second time, one event at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.rules.classify import HISTORY_SCHEMA, STORED_SCHEMA, Classified, classify

AT = datetime(2024, 10, 5, tzinfo=UTC)
VOID = "void"
Arrived = tuple[str, int, str]  # key, revision, content


@dataclass
class Known:
    """What the database would know: winning revision and content by key, and all older ones."""

    winning: dict[str, tuple[int, str]] = field(default_factory=dict)
    history: dict[tuple[str, int], str] = field(default_factory=dict)

    def classify(self, events: Sequence[Arrived]) -> Classified:
        """Classify a batch against what is known."""
        frame = pl.DataFrame(
            [(0, i, key, revision, content, content == VOID) for i, (key, revision, content) in enumerate(events)],
            schema={
                "partition": pl.Int32,
                "at": pl.Int64,
                "key": pl.String,
                "revision": pl.Int64,
                "content_hash": pl.String,
                "voided": pl.Boolean,
            },
            orient="row",
        )
        stored = [(key, revision, c, None if c == VOID else AT) for key, (revision, c) in self.winning.items()]
        older = [(key, revision, content) for (key, revision), content in self.history.items()]
        return classify(
            frame,
            pl.DataFrame(stored, schema=STORED_SCHEMA, orient="row"),
            pl.DataFrame(older, schema=HISTORY_SCHEMA, orient="row"),
        )

    def take(self, events: Sequence[Arrived]) -> Counter[str]:
        """Classify a batch, remember what it brought, and return the outcomes."""
        result = self.classify(events)
        for key, revision, content in rows(result.winners):
            if key in self.winning:
                old_revision, old = self.winning[key]
                self.history[key, old_revision] = old
            self.winning[key] = (revision, content)
        for key, revision, content in rows(result.superseded):
            self.history[key, revision] = content
        return outcomes(result)


def rows(frame: pl.DataFrame) -> list[Arrived]:
    return [
        (key, revision, content) for key, revision, content in frame.select("key", "revision", "content_hash").rows()
    ]


def outcomes(result: Classified) -> Counter[str]:
    return Counter(dict(result.outcomes.select("outcome", "events").iter_rows()))


def judge(events: Sequence[Arrived]) -> tuple[Known, Counter[str]]:
    """The rule, one event at a time: the highest revision stands, equal revisions must be equal."""
    known, counts = Known(), Counter[str]()
    for key, revision, content in events:
        stands = known.winning.get(key)
        if stands is not None and revision == stands[0]:
            seen: str | None = stands[1]
        else:
            seen = known.history.get((key, revision))
        if seen is not None:
            counts["duplicate" if seen == content else "conflict"] += 1
        elif stands is not None and revision < stands[0]:
            known.history[key, revision] = content
            counts["superseded"] += 1
        else:
            if stands is not None:
                known.history[key, stands[0]] = stands[1]
            known.winning[key] = (revision, content)
            counts["voided" if content == VOID else "corrected" if stands else "new"] += 1
    return known, counts


arrived = st.tuples(st.sampled_from("kl"), st.integers(0, 3), st.sampled_from(("a", "b", VOID)))


@given(events=st.lists(arrived, max_size=14), cuts=st.lists(st.integers(1, 15), min_size=1, max_size=4))
def test_any_cut_of_a_log_comes_to_what_the_rule_says_of_each_event(events: list[Arrived], cuts: list[int]) -> None:
    known, counts = Known(), Counter[str]()
    start = turn = 0
    while start < len(events):
        size = cuts[turn % len(cuts)]
        counts += known.take(events[start : start + size])
        start, turn = start + size, turn + 1
    expected, expected_counts = judge(events)
    assert counts == expected_counts
    assert known.winning == expected.winning
    assert known.history == expected.history


@pytest.mark.parametrize(
    ("before", "event", "outcome"),
    [
        ([], ("k", 1, "a"), "new"),
        ([("k", 1, "a")], ("k", 2, "b"), "corrected"),
        ([("k", 1, "a")], ("k", 2, VOID), "voided"),
        ([], ("k", 2, VOID), "voided"),
        ([("k", 2, VOID)], ("k", 1, "a"), "superseded"),
        ([("k", 2, VOID)], ("k", 3, "a"), "corrected"),
        ([("k", 2, "b")], ("k", 1, "a"), "superseded"),
        ([("k", 1, "a")], ("k", 1, "a"), "duplicate"),
        ([("k", 2, "b"), ("k", 1, "a")], ("k", 1, "a"), "duplicate"),
        ([("k", 1, VOID)], ("k", 1, VOID), "duplicate"),
        ([("k", 1, "a")], ("k", 1, "b"), "conflict"),
        ([("k", 2, "b"), ("k", 1, "a")], ("k", 1, "b"), "conflict"),
        ([("k", 1, "a")], ("k", 1, VOID), "conflict"),
    ],
)
@pytest.mark.parametrize("together", [False, True])
def test_outcomes(before: list[Arrived], event: Arrived, outcome: str, together: bool) -> None:
    known = Known()
    if together:
        counts = known.take([*before, event])
        expected = Counter([*judge(before)[1].elements(), outcome])
        assert counts == expected
    else:
        for one in before:
            known.take([one])
        assert known.take([event]) == Counter([outcome])


def test_a_conflict_keeps_its_place_in_the_log() -> None:
    result = Known().classify([("k", 1, "a"), ("l", 1, "a"), ("k", 1, "b")])
    assert result.conflicts["at"].to_list() == [2]
    assert result.winners["at"].to_list() == [0, 1]


def test_outcomes_are_told_apart_by_partition() -> None:
    frame = pl.DataFrame(
        {
            "partition": [0, 1, 1],
            "key": ["k", "l", "l"],
            "revision": [1, 1, 1],
            "content_hash": ["a", "a", "a"],
            "voided": [False, False, False],
        }
    )
    result = classify(frame, pl.DataFrame(schema=STORED_SCHEMA), pl.DataFrame(schema=HISTORY_SCHEMA))
    found = {(partition, outcome): events for partition, outcome, events in result.outcomes.iter_rows()}
    assert found == {(0, "new"): 1, (1, "new"): 1, (1, "duplicate"): 1}
