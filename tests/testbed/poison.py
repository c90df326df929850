"""Kafka records that no sender should make, and that some sender will: each is an event, or several, to be refused."""

from __future__ import annotations

import json

from testbed.feed_event import KafkaRecord, batch, record, stay

_STAY = json.dumps(stay()).encode()


def _with(old: str, new: bytes) -> bytes:
    """The bytes of a valid stay with a part replaced."""
    assert old.encode() in _STAY
    return _STAY.replace(old.encode(), new)


# name -> (rule of the first reason, record); the record holds one event.
POISON: dict[str, tuple[str, KafkaRecord]] = {
    "nothing": ("empty", record(0, None)),
    "no bytes": ("json_invalid", record(0, b"")),
    "not JSON": ("json_invalid", record(0, b"<xml/>")),
    "bad UTF-8": ("json_invalid", record(0, _with("hcmc", b"\xff\xfe"))),
    "a lone surrogate": ("json_invalid", record(0, _with("hcmc", b"\\ud800"))),
    "cut short": ("json_invalid", record(0, _STAY[:-20])),
    "something behind it": ("json_invalid", record(0, _STAY + b"{}")),
    "NaN for a number": ("int_type", record(0, _with('"age_years": 34', b'"age_years": NaN'))),
    "infinity for a number": ("int_type", record(0, _with('"age_years": 34', b'"age_years": Infinity'))),
    "a number without end": ("less_than_equal", record(0, _with('"age_years": 34', b'"age_years": ' + b"9" * 4000))),
    "NUL in the id": ("string_pattern_mismatch", record(0, stay() | {"id": "a\x00b"})),
    "NUL in the subject": ("string_pattern_mismatch", record(0, stay() | {"subject": "77-747-0001/\x00"})),
    "deep nesting": ("json_invalid", record(0, b'{"data": ' * 5000 + b"1" + b"}" * 5000)),
    "an array where an event belongs": ("model_type", record(0, b"[" + _STAY + b"]")),
    "an event where an array belongs": ("json_invalid", batch(0, _STAY)),
    "an empty batch": ("empty", batch(0, [])),
    "a batch that is no JSON": ("json_invalid", batch(0, b"[" + b"\xff" + b"]")),
    "ten megabytes": ("string_too_long", record(0, stay() | {"id": "x" * 10_000_000})),
    "ten megabytes of rubbish": ("json_invalid", record(0, b"\xff" * 10_000_000)),
    "the year 1900": ("implausible_date", record(0, stay(check_in="1900-10-05"))),
    "the year 2099": ("implausible_date", record(0, stay(check_in="2099-10-05"))),
    "the year 0": ("greater_than_equal", record(0, _with('"check_in_on": "2024', b'"check_in_on": "0000'))),
    "the year 1": ("greater_than_equal", record(0, stay(check_in="0001-01-01"))),
    "the last day of all": ("less_than_equal", record(0, stay(check_out_on="9999-12-31"))),
    "a time in the year 1": ("greater_than_equal", record(0, stay(declared_at="0001-01-01T00:00:00+07:00"))),
    "a stay that ended in 2099": ("implausible_date", record(0, stay(check_out="2099-10-05"))),
    "sent in 1969": ("greater_than_equal", record(0, stay(revision=None) | {"time": "1969-12-31T23:59:59Z"})),
    "sent in 2099": ("implausible_time", record(0, stay(revision=None) | {"time": "2099-10-05T08:00:00Z"})),
    "a revision of 2099": ("implausible_revision", record(0, stay(revision=4_094_956_800_000))),
    "a revision above every count": ("implausible_revision", record(0, stay(revision=2**62))),
    "a stranger": ("unknown_reporter", record(0, stay("99-999-9999"))),
    "another's record": ("subject_mismatch", record(0, stay() | {"subject": "77-747-0002/x"})),
    "another feed's event": ("literal_error", record(0, stay() | {"type": "vn.ioc.tax.einvoice.v1"})),
    "a void with data": ("void_with_data", record(0, stay() | {"voided": True})),
    "neither data nor void": ("missing", record(0, {k: v for k, v in stay().items() if k != "data"})),
    "a revision below zero": ("greater_than_equal", record(0, stay(revision=-1))),
    "a revision above all": ("less_than_equal", record(0, stay(revision=2**63))),
    "an unknown field": ("extra_forbidden", record(0, stay(ho_ten="Nguyễn Văn A"))),
    "a key that is no text": ("json_invalid", record(0, b"{", key=b"\xff\x00\x01")),
}
