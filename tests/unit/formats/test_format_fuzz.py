"""Every parser takes any bytes: samples of every format changed at random end in events and findings, soon.

Each example changes one sample in up to eight ways that files go wrong in: bytes flipped, cut out, doubled, replaced
by what other fields hold. The number of inputs is printed at the end of the run, and `make fuzz` runs the same under
atheris, which looks for new paths through the code.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from format_reading import FEEDS, FORMATS, SAMPLE_FILES, read_bytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.formats.format import BadRecord, Event

BY_FORMAT = {
    name: [(path.name, path.read_bytes()) for path in SAMPLE_FILES if path.parent.name == name] for name in FORMATS
}
WITH_SAMPLES = sorted(name for name, samples in BY_FORMAT.items() if samples)
PIECES = [b"", b"0", b"-1", b"1e999", b"NaN", b"null", b"[]", b"{}", b'""', b"<", b"]]>", b"\0", b"\xff\xfe"]
PIECES += ["Ế".encode(), b"2024-13-45", b"9999-12-31T23:59:59+14:00", b"\t", b";", b",", b"\r\n", b"<!DOCTYPE x>"]
PIECES += [b"9" * 400, b"=" * 9]
SOON = 10.0
COUNTED: Counter[str] = Counter()


@pytest.fixture(autouse=True)
def counted(record_property: Callable[[str, object], None]) -> Iterator[None]:
    """Note how many inputs the test's parser has taken; the run prints the sum."""
    before = sum(COUNTED.values())
    yield
    record_property("inputs fuzzed", sum(COUNTED.values()) - before)


def assert_events_and_findings(name: str, content: bytes, file: str) -> None:
    """Read one input; raises AssertionError where anything but canonical events and told findings comes out."""
    COUNTED[name] += 1
    began = time.monotonic()
    for item in read_bytes(content, file=file):
        if isinstance(item, Event):
            FEEDS[item.feed].envelope.validate_json(json.dumps(item.envelope))
        elif isinstance(item, BadRecord):
            assert item.reasons and all(reason.message_vi and reason.message_en for reason in item.reasons)
    assert time.monotonic() - began < SOON, "no input may keep a parser busy"


@pytest.mark.parametrize("name", WITH_SAMPLES)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_changed_sample_ends_in_events_and_findings(name: str, data: st.DataObject) -> None:
    file, sample = data.draw(st.sampled_from(BY_FORMAT[name]))
    content = bytearray(sample)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content)))
        length = data.draw(st.integers(0, 40))
        kind = data.draw(st.sampled_from(["flip", "cut", "double", "piece"]))
        if kind == "flip" and at < len(content):
            content[at] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del content[at : at + length]
        elif kind == "double":
            content[at:at] = content[at : at + length]
        else:
            content[at : at + length] = data.draw(st.sampled_from(PIECES))
    assert_events_and_findings(name, bytes(content), file)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=400))
def test_any_bytes_at_all(content: bytes) -> None:
    assert_events_and_findings("any", content, "sample")
