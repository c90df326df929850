"""Kafka records as they come: whose time it is, and the events of a batch byte by byte."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from testbed.feed_event import record

from streams.rules.raw import elements, received_ms

NOW_MS = 1_730_500_000_000


@pytest.mark.parametrize(
    ("timestamp", "kind", "expected"),
    [
        (1_730_000_000_000, 1, 1_730_000_000_000),
        (1_730_000_000_000, 0, NOW_MS),  # a producer's word
        (1_730_000_000_000_000, 1, NOW_MS),  # microseconds
        (-62_135_596_800_001, 1, NOW_MS),  # before the year 1
        (-1, 1, NOW_MS),
        (2**63 - 1, 1, NOW_MS),
        (NOW_MS + 60_000, 1, NOW_MS + 60_000),  # the broker's clock may be ahead of the worker's
    ],
)
def test_a_records_time_is_the_brokers_or_now(timestamp: int, kind: int, expected: int) -> None:
    assert received_ms(record(0, b"", timestamp=timestamp, timestamp_type=kind), NOW_MS) == expected


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(_JSON, max_size=6), st.sampled_from([None, 1]), st.booleans())
def test_the_elements_of_an_array_are_its_bytes(values: list[Any], indent: int | None, escaped: bool) -> None:
    array = json.dumps(values, indent=indent, ensure_ascii=escaped).encode(errors="surrogatepass")
    found = elements(array)
    assert [json.loads(one) for one in found] == values
    assert all(one in array for one in found)
