"""Events that pass at once at the gateway: of every feed, pydantic takes the same ones and reads the same in them."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json
from testbed.edge import Edges, taken_by
from testbed.event import stay
from testbed.gateway import BATCH, EVENT, GatewayBed
from testbed.rewritten import REWRITTEN, VALUES
from testbed.sample import events_of

from connectors.gateway.answer import EventResult, PublishResponse, all_accepted
from connectors.gateway.quick_read import QuickReader
from connectors.gateway.verdict import Verdict, judge
from ioc.feeds.feed import load_feeds
from ioc.feeds.plausibility import Calendar, Now
from ioc.feeds.quick_check import quick_check_of
from ioc.settings import Settings
from ioc.web.tokens import Token, utc_now

FEEDS = load_feeds()
BY_TYPE = {feed.event_type: feed for feed in FEEDS.values()}
READER = QuickReader(BY_TYPE)
TOKEN = Token(id="0" * 12, name="all", sha256="0" * 64, feeds=tuple(FEEDS), reporters=("*",), created_at=utc_now())
every_feed = pytest.mark.parametrize("key", FEEDS)


@cache
def at(moment: datetime = datetime(2026, 6, 1, 3, tzinfo=UTC)) -> Now:
    return Calendar.of(Settings(_env_file=None), "Asia/Ho_Chi_Minh").at(moment)


def judged(text: bytes, now: Now, token: Token = TOKEN) -> Verdict | None:
    """What pydantic says of an event's text; None where it is no JSON."""
    try:
        event = from_json(text, allow_inf_nan=False)
    except ValueError:
        return None
    return judge(BY_TYPE, token, 0, event, now=now)


def assert_agree(texts: Sequence[bytes], now: Now, token: Token = TOKEN) -> int:
    """Whatever passes at once is taken by pydantic, as the same event; returns how many passed."""
    whole = b"[" + b",".join(texts) + b"]"
    alone = [READER.read(text, token, now, batch=False) for text in texts]
    together = READER.read(whole, token, now, batch=True, most=len(texts))
    passed = 0
    for index, text in enumerate(texts):
        one = alone[index]
        answers = [] if one is None or one.passed[0] is None else [(one.texts[0], one.passed[0])]
        if together is not None and len(together.texts) == len(texts) and (found := together.passed[index]):
            answers.append((together.texts[index], found))
        for written, found in answers:
            verdict = judged(text, now, token)
            assert verdict is not None and verdict.result.status == "accepted", text
            assert (verdict.feed, verdict.reporter, verdict.result.id) == (found.feed, found.reporter, found.id)
            read = found.feed.envelope.validate_json
            assert read(written) == read(verdict.event)
            assert from_json(written).keys() == from_json(verdict.event).keys()
            assert from_json(written)["data"].keys() == from_json(verdict.event)["data"].keys()
        passed += bool(answers)
    return passed


@every_feed
def test_what_is_sent_every_day_passes_at_once(key: str) -> None:
    assert quick_check_of(FEEDS[key]) is not None
    events = [event for event in events_of(key) if event.get("data")]
    for separators in ((",", ":"), (", ", ": ")):
        texts = [json.dumps(event, separators=separators, ensure_ascii=False).encode() for event in events]
        assert assert_agree(texts, at()) == len(events)
        together = READER.read(b"[" + b", ".join(texts) + b"]\n", TOKEN, at(), batch=True, most=len(texts))
        assert together is not None and None not in together.passed


@every_feed
def test_pydantic_takes_what_passes_at_the_edges_of_every_field(key: str) -> None:
    edges = Edges(FEEDS[key], at(), taken_by(FEEDS, at()))
    beside = list(edges.pairs())
    random.Random(key).shuffle(beside)
    tried = [edge.bytes for edge in (*edges.alone(), *beside[:300])]
    taken = [text for text in tried if (verdict := judged(text, at())) and verdict.result.status == "accepted"]
    passed = sum(assert_agree(tried[start : start + 7], at()) for start in range(0, len(tried), 7))
    assert passed > len(taken) / 2  # what is good and is left to pydantic all the same costs time


@every_feed
def test_pydantic_reads_the_same_in_what_passes_however_it_is_written(key: str) -> None:
    events = [event for event in events_of(key) if event.get("data")]
    names = [*FEEDS[key].model.model_fields, "id", "type", "time", "revision", "voided", "subject", "source", "new"]

    @settings(max_examples=60, derandomize=True, deadline=None)
    @given(st.data())
    def agree(data: st.DataObject) -> None:
        texts = []
        for _ in range(data.draw(st.integers(1, 4))):
            text = json.dumps(data.draw(st.sampled_from(events)), separators=(",", ":"), ensure_ascii=False)
            for _ in range(data.draw(st.integers(0, 2))):
                change = REWRITTEN[data.draw(st.sampled_from(sorted(REWRITTEN)))]
                text = change(text, data.draw(st.sampled_from(names)), data.draw(st.sampled_from(VALUES)))
            texts.append(text.encode())
        assert_agree(texts, at())

    agree()


@pytest.mark.parametrize("before_midnight", [timedelta(0), timedelta(seconds=1), timedelta(hours=7), timedelta(days=1)])
@pytest.mark.parametrize("key", ["environment.reading", "tourism.stay", "dossier.event"])
def test_days_and_times_about_now_are_judged_alike(key: str, before_midnight: timedelta) -> None:
    now = at(datetime(2026, 6, 1, 17, tzinfo=UTC) - before_midnight)
    (event, *_) = [event for event in events_of(key) if event.get("data")]
    texts = []
    for hours in range(-80, 81, 4):
        for offset in ("Z", "+07:00", "-23:59", "+23:59"):
            moment = datetime(2026, 6, 1, 17, tzinfo=UTC) + timedelta(hours=hours)
            written = f"{moment:%Y-%m-%dT%H:%M:%S}{offset}"
            for name in FEEDS[key].dated:
                is_day = len(str(event["data"].get(name, "2026-06-01"))) == 10
                data = event["data"] | {name: written[:10] if is_day else written}
                texts.append(json.dumps(event | {"data": data}).encode())
            texts.append(json.dumps(event | {"time": written}).encode())
    assert_agree(texts, now)


def test_a_token_that_may_not_send_an_event_lets_none_pass() -> None:
    event = json.dumps(stay()).encode()
    assert assert_agree([event], at()) == 1
    for change in ({"feeds": ("tax.einvoice",)}, {"reporters": ("79-*",)}, {"reporters": ()}):
        assert assert_agree([event], at(), TOKEN.model_copy(update=change)) == 0


def test_a_request_of_good_events_is_answered_as_the_model_writes_it() -> None:
    ids = ["a", None, "đơn 7"]
    results = [EventResult(index=index, id=one, status="accepted") for index, one in enumerate(ids)]
    assert json.loads(all_accepted(ids)) == PublishResponse(accepted=3, results=results).model_dump()


def test_good_and_bad_events_of_one_request_keep_their_order(gateway: GatewayBed) -> None:
    events = [stay("77-0001", id=str(number), **({"sex": "?"} if number % 5 == 0 else {})) for number in range(20)]
    events[7]["traceparent"] = "00-1"  # an attribute that no feed declares is left to pydantic, and not written
    answer = gateway.post(events, BATCH).json()
    refused = [result["id"] for result in answer["results"] if result["status"] == "refused"]
    assert refused == ["0", "5", "10", "15"]
    assert [result["id"] for result in answer["results"]] == [str(number) for number in range(20)]
    (record,) = gateway.memory.records
    written = json.loads(record.value or b"")
    assert [event["id"] for event in written] == [str(number) for number in range(20) if number % 5]
    assert all("traceparent" not in event for event in written)


def test_good_events_of_one_reporter_are_written_as_they_came(gateway: GatewayBed) -> None:
    events = [stay("77-0001", id=str(number)) for number in range(3)]
    assert gateway.post(events, BATCH).status_code == 202
    assert gateway.post(stay("77-0001", id="alone"), EVENT).status_code == 202
    first, second = gateway.memory.records
    assert json.loads(first.value or b"") == events and json.loads(second.value or b"")["id"] == "alone"
    assert (first.key, second.key) == (b"77-0001", b"77-0001")
    kinds = [dict(record.headers)["content-type"].partition(b"+")[0] for record in (first, second)]
    assert kinds == [b"application/cloudevents-batch", b"application/cloudevents"]


def test_good_events_that_are_too_large_together_are_parted(gateway: GatewayBed) -> None:
    gateway.memory.largest = 1_200
    events = [stay("77-0001", id=str(number)) for number in range(4)]
    answer = gateway.post(events, BATCH)
    assert (answer.status_code, answer.json()["accepted"]) == (202, 4)
    assert len(gateway.memory.records) == 4
