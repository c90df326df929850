"""Whatever is sent, the gateway answers it, in its one shape, and never with its own failure."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from testbed.event import stay
from testbed.gateway import BATCH, EVENT, GatewayBed

RELAXED = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
GATEWAY = GatewayBed(Path(tempfile.mkdtemp()), gateway_rate=1e9, gateway_burst=1e9)

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(10**400), max_value=10**400)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["2024-10-05", "0000-00-00", "9999-12-31T23:59:59+14:00", "1e400", "77-1", ""])
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=20
)


@st.composite
def near_events(draw: st.DrawFn) -> dict[str, Any]:
    """A valid event with some of its parts replaced, removed or added."""
    event = stay()
    for part in (event, event["data"]):
        for name in draw(st.lists(st.sampled_from([*part, "voided", "extra"]), max_size=3)):
            if draw(st.booleans()):
                part[name] = draw(values)
            else:
                part.pop(name, None)
        if "data" not in event:
            break
    return event


def assert_answered(response: Any, events: int | None) -> None:
    answer = response.json()
    assert response.status_code < 500, response.text
    assert answer["accepted"] + answer["refused"] == len(answer["results"])
    if events is not None:
        assert [result["index"] for result in answer["results"]] == list(range(events))
    for result in answer["results"]:
        assert (result["status"] == "refused") == bool(result["reasons"])
        for reason in result["reasons"]:
            assert reason["rule"] and reason["message_vi"] and reason["message_en"]
            assert len(reason["value"]) <= 32


@RELAXED
@given(near_events())
def test_events_that_are_nearly_right(event: dict[str, Any]) -> None:
    assert_answered(GATEWAY.post(event), 1)


@RELAXED
@given(st.lists(values | near_events(), max_size=5))
def test_batches_of_anything(events: list[Any]) -> None:
    assert_answered(GATEWAY.post(events, BATCH), len(events))


@RELAXED
@given(st.binary(max_size=200), st.sampled_from([EVENT, BATCH]))
def test_bytes(body: bytes, headers: dict[str, str]) -> None:
    assert_answered(GATEWAY.post(body, headers), None)


@RELAXED
@given(
    st.dictionaries(
        st.from_regex(r"ce-[a-z0-9]{1,12}", fullmatch=True) | st.sampled_from(["ce-id", "ce-type", "content-type"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f")),
    ),
    values,
)
def test_headers_of_binary_mode(headers: dict[str, str], body: Any) -> None:
    raw = {name: value.strip().encode("latin-1") for name, value in headers.items()}
    assert_answered(GATEWAY.post(body, {"ce-specversion": b"1.0", **raw}), None)  # type: ignore[dict-item]
