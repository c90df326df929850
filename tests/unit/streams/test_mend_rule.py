"""Rules that mend refused events: what they change, what they leave alone, and what a sample never shows."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from testbed.feed_event import stay

from ioc.errors import ConfigError
from streams.dead_letter.mending import masked
from streams.dead_letter.rule import MendRule, mend, read_rule


def rule_of(*steps: dict[str, Any]) -> MendRule:
    """A rule with these steps."""
    return MendRule.model_validate(
        {"feed": "tourism.stay", "rule": "unknown_reporter", "why": "mã cũ của khách sạn", "steps": list(steps)}
    )


def mended(rule: MendRule, event: Any) -> Any:
    """The event after the rule; None where it is not meant."""
    found = mend(rule, json.dumps(event).encode())
    return None if found is None else json.loads(found)


EVENT = {"a": {"b": [1, {"c/d": "x"}], "flag": True}, "text": "cũ"}


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ({"op": "replace", "path": "/a/b/0", "value": 2}, {**EVENT, "a": {"b": [2, {"c/d": "x"}], "flag": True}}),
        (
            {"op": "replace", "path": "/a/b/1/c~1d", "value": "y"},
            {**EVENT, "a": {"b": [1, {"c/d": "y"}], "flag": True}},
        ),
        ({"op": "replace", "path": "/a/none", "value": 1}, None),
        ({"op": "replace", "path": "/text/b", "value": 1}, None),
        ({"op": "replace", "path": "/a/b/7", "value": 1}, None),
        ({"op": "add", "path": "/new", "value": None}, {**EVENT, "new": None}),
        ({"op": "add", "path": "/none/new", "value": 1}, None),
        ({"op": "remove", "path": "/text"}, {"a": EVENT["a"]}),
        ({"op": "remove", "path": "/nothing"}, None),
        ({"op": "map", "path": "/text", "values": {"cũ": "mới"}}, {**EVENT, "text": "mới"}),
        ({"op": "map", "path": "/text", "values": {"khác": "mới"}}, None),
        ({"op": "prefix", "path": "/text", "old": "c", "new": "đ"}, {**EVENT, "text": "đũ"}),
        ({"op": "prefix", "path": "/text", "old": "ũ", "new": "đ"}, None),
        ({"op": "prefix", "path": "/a/flag", "old": "T", "new": "đ"}, None),
        ({"op": "map", "path": "/a/flag", "values": {"True": "mới"}}, None),
    ],
)
def test_steps(step: dict[str, Any], expected: Any) -> None:
    assert mended(rule_of(step), copy.deepcopy(EVENT)) == expected


def test_a_test_chooses_the_events_that_are_meant() -> None:
    change = {"op": "replace", "path": "/text", "value": "mới"}
    assert mended(rule_of({"op": "test", "path": "/a/flag", "value": True}, change), EVENT) == {**EVENT, "text": "mới"}
    for value in (1, "true", False, None):
        assert mended(rule_of({"op": "test", "path": "/a/flag", "value": value}, change), EVENT) is None
    assert mended(rule_of({"op": "test", "path": "/nothing", "value": None}, change), EVENT) is None


@pytest.mark.parametrize("payload", [b"{", b"[]", b"", b"1", b"\xff", b'"x"'])
def test_what_is_no_event_is_not_meant(payload: bytes) -> None:
    assert mend(rule_of({"op": "add", "path": "/x", "value": 1}), payload) is None


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [{"op": "test", "path": "/a", "value": 1}],
        [{"op": "replace", "path": "/type", "value": "vn.ioc.tax.einvoice.v1"}],
        [{"op": "replace", "path": "/revision", "value": 9}],
        [{"op": "remove", "path": "/specversion"}],
        [{"op": "copy", "path": "/a", "from": "/b"}],
        [{"op": "replace", "path": "a", "value": 1}],
        [{"op": "replace", "path": "/a", "value": 1, "more": 2}],
    ],
)
def test_rules_that_are_refused(steps: list[dict[str, Any]], tmp_path: Path) -> None:
    path = tmp_path / "rule.json"
    path.write_text(json.dumps({"feed": "f", "rule": "r", "why": "lý do đủ dài", "steps": steps}))
    with pytest.raises(ConfigError, match=r"rule\.json"):
        read_rule(path)


def test_the_digest_tells_two_rules_apart() -> None:
    one, other = ({"op": "add", "path": "/x", "value": value} for value in (1, 2))
    assert rule_of(one).digest == rule_of(dict(one)).digest != rule_of(other).digest


@given(
    name=st.text("ăâêôơưđ ABCDEFGHxyz", min_size=6, max_size=30), digits=st.text("0123456789", min_size=8, max_size=12)
)
def test_a_sample_shows_no_person(name: str, digits: str) -> None:
    event = stay("77-747-0001", 3)
    event["data"] |= {"full_name": name, "document": digits, "phones": [digits, {"home": digits}], digits: name}
    told = json.dumps(masked(json.dumps(event).encode()), ensure_ascii=False)
    assert digits not in told
    assert name not in told
    assert "full_name" in told
    assert "tourism.stay" in told
    assert masked(b'{"broken": "' + digits.encode()) is not None
    assert digits not in json.dumps(masked(b'{"broken": "' + digits.encode()))
