"""A log is the one that was read while its leader's epoch stays, or while it holds what was stored."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from uuid import UUID

import pytest
from testbed.feed_event import record

from streams.rules.position import LogState, StoredPosition
from streams.rules.raw import mark_of
from streams.worker.log_mark import LogMarks

PLACE = ("t", 0)
ID = UUID(int=1)


class Log:
    """The marks of a log's records; how often they were read."""

    def __init__(self, marks: Mapping[int, str]) -> None:
        self.marks = dict(marks)
        self.reads = 0

    def read(self, place: tuple[str, int], offsets: Collection[int]) -> dict[int, str]:
        assert place == PLACE
        self.reads += 1
        return {offset: self.marks[offset] for offset in offsets if offset in self.marks}


def compared(
    marks: LogMarks, log: Log, *, stored_epoch: int | None, epoch: int | None, mark: tuple[int, str] | None = (9, "j")
) -> tuple[bool, int | None]:
    """Whether the log was cut, and the epoch that is known good from now on, where it is new."""
    stored = StoredPosition(10, ID, stored_epoch, mark)
    cut, good = marks.compare({PLACE: stored}, {PLACE: LogState(ID, 0, 20, epoch)}, log.read)
    return PLACE in cut, good.get(PLACE)


def test_nothing_is_read_while_the_epoch_stays() -> None:
    log = Log({9: "other"})
    marks = LogMarks()
    assert compared(marks, log, stored_epoch=4, epoch=4) == (False, None)
    assert compared(marks, log, stored_epoch=4, epoch=None) == (False, None)  # a broker that tells none
    assert log.reads == 0


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        ({9: "j"}, (False, 5)),
        ({9: "other"}, (True, None)),
        ({}, (False, 5)),  # compacted, or not to be read: nothing is known against it
    ],
)
def test_another_epoch_is_known_good_where_the_last_record_is_there(
    there: Mapping[int, str], expected: tuple[bool, int | None]
) -> None:
    assert compared(LogMarks(), Log(there), stored_epoch=4, epoch=5) == expected
    assert compared(LogMarks(), Log(there), stored_epoch=None, epoch=5) == expected


def test_a_position_of_which_nothing_is_known_is_taken_as_it_is() -> None:
    assert compared(LogMarks(), Log({9: "other"}), stored_epoch=None, epoch=5, mark=None) == (False, 5)


def test_what_was_deleted_or_lies_beyond_is_not_looked_for() -> None:
    stored = StoredPosition(10, ID, 4, (9, "j"))
    log = Log({9: "other"})
    assert LogMarks().compare({PLACE: stored}, {PLACE: LogState(ID, 10, 20, 5)}, log.read) == (set(), {PLACE: 5})
    assert log.reads == 0


def test_a_cut_is_found_though_the_position_stands_in_the_new_log_already() -> None:
    """What this worker stored before the cut tells it, even where another worker has noted the new epoch."""
    marks = LogMarks()
    log = Log({5: "f", 9: "j"})
    marks.note(PLACE, 5, "f")
    marks.note(PLACE, 9, "j")
    assert compared(marks, log, stored_epoch=4, epoch=4) == (False, None)
    log.marks = {5: "f", 9: "new", 12: "newer"}
    marks.note(PLACE, 12, "newer")
    assert compared(marks, log, stored_epoch=4, epoch=5, mark=(12, "newer")) == (True, None)
    assert compared(marks, log, stored_epoch=5, epoch=5, mark=(12, "newer")) == (True, None)


def test_what_was_looked_at_is_forgotten_but_for_the_newest() -> None:
    marks = LogMarks()
    for offset in range(100):
        marks.note(PLACE, offset, str(offset))
        marks.note(PLACE, offset, None)
    log = Log({99: "99", **dict.fromkeys(range(99), "cut")})
    assert compared(marks, log, stored_epoch=4, epoch=4) == (False, None)
    assert compared(marks, log, stored_epoch=4, epoch=5, mark=(99, "99")) == (False, 5)


def test_a_mark_tells_records_apart() -> None:
    one = record(1, {"a": 1})
    value = one.value or b""
    others = [
        replace(one, timestamp=one.timestamp + 1),
        replace(one, key=None),
        replace(one, value=None),
        replace(one, value=b""),
        replace(one, key=b"", value=(one.key or b"") + value),
    ]
    assert len({mark_of(one), *map(mark_of, others)}) == len(others) + 1
    assert mark_of(one) == mark_of(record(7, {"a": 1}))
