"""Reasons: in two languages, at the right field, and never with what could be personal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError, model_validator
from testbed.event import stay, void

from ioc.errors import Reason
from ioc.feeds.feed import load_feeds
from ioc.feeds.validation import MAX_REASONS, check_envelope, mask, reasons_of

FEED = load_feeds()["tourism.stay"]


def reasons(event: Any) -> dict[str, Reason]:
    """The reasons against an event, by field; none where it is right."""
    try:
        envelope = FEED.envelope.validate_json(json.dumps(event))
    except ValidationError as error:
        return {reason.field: reason for reason in reasons_of(error)}
    return {reason.field: reason for reason in check_envelope(FEED, envelope)}


def without_data(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "data"}


def test_right_events_have_no_reasons() -> None:
    assert reasons(stay()) == {}
    assert reasons(void(stay())) == {}


@pytest.mark.parametrize(
    ("event", "field", "rule"),
    [
        ({**stay(), "subject": f"{stay()['subject']}x"}, "subject", "subject_mismatch"),
        ({**stay(), "subject": f"77-0002{stay()['subject'][7:]}"}, "subject", "subject_mismatch"),
        ({**stay(), "source": "urn:ioc:reporter:77-0002"}, "data.establishment_id", "reporter_mismatch"),
        (without_data(stay()), "data", "missing"),
        ({**stay(), "data": None}, "data", "missing"),
        ({**stay(), "voided": True}, "data", "void_with_data"),
        ({**void(stay()), "subject": "77-0001"}, "subject", "subject_mismatch"),
        ({**void(stay()), "subject": "77-0001/"}, "subject", "subject_mismatch"),
        ({**void(stay()), "subject": "77-00012/x"}, "subject", "subject_mismatch"),
        ({**stay(), "time": "2024-10-05T14:10:05"}, "time", "timezone_aware"),
        ({**stay(), "revision": -1}, "revision", "greater_than_equal"),
        ({**stay(), "source": "77-0001"}, "source", "string_pattern_mismatch"),
        (stay(sex="x"), "data.sex", "literal_error"),
        (stay(ho_ten="x"), "data.ho***n", "extra_forbidden"),
        (stay(planned_check_out_on="2024-10-01"), "data", "value_error"),
    ],
)
def test_each_rule_has_its_reason(event: dict[str, Any], field: str, rule: str) -> None:
    reason = reasons(event)[field]
    assert reason.rule == rule
    assert reason.message_en != reason.message_vi


def test_messages_are_told_in_vietnamese() -> None:
    found = reasons(stay(sex="x", age_years=200, check_in_on="05/10/2024", overnight="maybe", doc_type=None))
    told = {field: reason.message_vi for field, reason in found.items()}
    assert told == {
        "data.sex": "giá trị phải là một trong: 'male' hoặc 'female'",
        "data.age_years": "phải nhỏ hơn hoặc bằng 130",
        "data.check_in_on": "không đọc được thành ngày (YYYY-MM-DD)",
        "data.overnight": "phải là true hoặc false",
        "data.doc_type": "giá trị phải là một trong: 'cccd', 'vneid', 'passport' hoặc 'other'",
    }


def test_every_kind_of_error_that_a_feed_can_give_is_translated() -> None:
    wrong: list[Any] = [None, "", "x", "2024-13-01", 1.5, 10**30, -(10**30), True, [], {}, "x" * 500, 0]
    attributes = ("specversion", "id", "source", "time", "subject", "revision", "voided")
    fallbacks = set()
    for feed in load_feeds().values():
        names = [*feed.model.model_fields]
        for value in wrong:
            data = dict.fromkeys(names, value)
            event = {"type": feed.event_type, "data": data} | dict.fromkeys(attributes, value)
            with pytest.raises(ValidationError) as refused:
                feed.envelope.validate_json(json.dumps(event))
            for reason in reasons_of(refused.value):
                assert "{" not in reason.message_vi or reason.rule == "string_pattern_mismatch"
                if reason.message_vi.startswith("giá trị không hợp lệ"):
                    fallbacks.add(reason.rule)
    assert fallbacks == set()


def test_a_model_may_say_it_in_vietnamese_itself() -> None:
    class Model(BaseModel):
        bilingual: bool

        @model_validator(mode="after")
        def check(self) -> Model:
            if self.bilingual:
                raise ValueError("too late", "quá muộn")
            raise ValueError("too late")

    told = []
    for bilingual in (True, False):
        with pytest.raises(ValidationError) as refused:
            Model(bilingual=bilingual)
        told += [(reason.message_en, reason.message_vi) for reason in reasons_of(refused.value)]
    assert told == [("too late", "quá muộn"), ("too late", "các trường mâu thuẫn với nhau: too late")]


def test_reasons_are_bounded() -> None:
    event = stay(**{f"extra_{chr(97 + n % 26)}{chr(97 + n // 26)}": n for n in range(100)})
    with pytest.raises(ValidationError) as refused:
        FEED.envelope.validate_json(json.dumps(event))
    assert len(reasons_of(refused.value)) == MAX_REASONS


def test_the_name_of_an_unknown_field_is_masked() -> None:
    assert list(reasons(stay(nguyen_van_a=1))) == ["data.ng*********a"]
    assert list(reasons(stay(**{"Nguyễn Văn A 079012345678": 1}))) == ["data.xxxxxx xxx x ############"]
    assert list(reasons(stay(**{"079012345678": 1}))) == ["data.############"]


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("Nguyễn Văn A", "Ng*********A"),
        ("male?", "ma**?"),
        ("Lan", "L**"),
        ("", ""),
        ("079012345678", "############"),
        ("DN 4 79 01", "xx # ## ##"),
        ("05/10/2024", "##/##/####"),
        ("a\nb\x00c", "a?**c"),
        ("x" * 100, "xx" + "*" * 29 + "x"),
        (150, "150"),
        (-1.5, "-1.5"),
        (1000, "####"),
        (901234567, "#########"),
        (10**500, "#" * 32),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (True, "true"),
        (None, "null"),
        (["Nguyễn"], ""),
        ({"name": "Nguyễn"}, ""),
    ],
)
def test_masks(value: object, masked: str) -> None:
    assert mask(value) == masked


@given(st.text(min_size=5) | st.integers(min_value=1000) | st.floats(min_value=1000))
def test_a_mask_is_short_printable_and_hides_the_middle(value: str | float) -> None:
    masked = mask(value)
    assert len(masked) <= 32 and masked.isprintable()
    assert sum(c.isdigit() for c in masked) <= 3
    if isinstance(value, str):
        kept = [c for c in masked if c.isalpha() and c != "x"]
        assert len(kept) <= 3
