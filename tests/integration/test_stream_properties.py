"""Whatever the order, the repetition and the cut of a set of revisions: the same tables, figures and counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from testbed.feed_event import HOTEL, INN, ISLAND, Event, invoice, place, stay, void_of
from testbed.pipeline import Pipeline

from ioc.feeds.feed import Feed

SELLER = "3590000407"
SHOPS = (None, *(f"{SELLER}.CHXD-0{number}" for number in (1, 2, 3)))
DAYS = ("2024-09-30", "2024-10-01", "2024-10-06")
SOME = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    # The pipeline is emptied by each example itself.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.generate],
    report_multiple_bugs=False,
)


@st.composite
def stays(draw: st.DrawFn, revision: int, guest: int) -> Event:
    return stay(
        HOTEL if guest < 3 else ISLAND,
        guest % 3,
        "2024-09-29",
        revision,
        check_out=draw(st.sampled_from((None, *DAYS))),
        overnight=draw(st.booleans()),
        purpose=draw(st.sampled_from(("leisure", "mice"))),
    )


@st.composite
def invoices(draw: st.DrawFn, revision: int, number: int) -> Event:
    """Invoices that may move to another shop, in another commune, and to another day."""
    litres = draw(st.none() | st.integers(0, 10**8).map(lambda ml: ml / 1000))
    net = draw(st.integers(-(10**9), 10**9))
    return invoice(
        SELLER,
        number,
        revision,
        draw(st.sampled_from(DAYS)),
        shop_id=draw(st.sampled_from(SHOPS)),
        amount_net=net,
        net_10=net,
        litres_ron95_iii=litres,
        fuel_ron95_iii=None if litres is None else 20_000,
        signed_at=draw(st.sampled_from((None, "2024-10-01T06:59:59+07:00"))),
        pump_auto=draw(st.booleans()),
    )


@st.composite
def places(draw: st.DrawFn, revision: int, number: int) -> Event:
    """Places that may move, open and close on other days."""
    return place(
        f"p{number}",
        draw(st.sampled_from(DAYS[:2])),
        revision,
        closed_on=draw(st.sampled_from((None, *DAYS[1:]))),
        area_code=draw(st.sampled_from(("26508", "26560", "755"))),
        rooms=draw(st.none() | st.integers(0, 50)),
        star=draw(st.none() | st.integers(0, 5)),
    )


@dataclass(frozen=True)
class Arrival:
    """Events in the order of their arrival; `cuts`: how many events a batch takes, in turn."""

    events: Sequence[Event]
    cuts: Sequence[int]
    fold_between: bool


MAKERS = {"tourism.stay": stays, "tax.einvoice": invoices, "registry.reporter": places}


@st.composite
def revisions(draw: st.DrawFn) -> list[Event]:
    """A set of revisions of a few records, voids among them."""
    events = []
    for maker in MAKERS.values():
        for number in range(draw(st.integers(0, 3))):
            for revision in draw(st.sets(st.integers(0, 5), min_size=1, max_size=4)):
                made = draw(maker(revision, number))
                events.append(void_of(made) if draw(st.integers(0, 3)) == 0 else made)
    return events


@st.composite
def arrivals(draw: st.DrawFn, events: Sequence[Event]) -> Arrival:
    """Any order, any repetition, any cut."""
    repeated = draw(st.lists(st.sampled_from(events), max_size=6)) if events else []
    order = draw(st.permutations([*events, *repeated]))
    return Arrival(order, draw(st.lists(st.integers(1, 9), min_size=1, max_size=4)), draw(st.booleans()))


def feed_of(event: Event) -> str:
    return str(event["type"]).removeprefix("vn.ioc.").removesuffix(".v1")


def batches(events: Sequence[Event], cuts: Sequence[int]) -> Iterator[Sequence[Event]]:
    start, turn = 0, 0
    while start < len(events):
        yield events[start : start + cuts[turn % len(cuts)]]
        start += cuts[turn % len(cuts)]
        turn += 1


def arrive(pipeline: Pipeline, arrival: Arrival) -> dict[str, Counter[str]]:
    """Send everything, fold it, and return the counts by feed."""
    pipeline.clear()
    counts: dict[str, Counter[str]] = {}
    for feed in MAKERS:
        total = counts[feed] = Counter()
        events = [event for event in arrival.events if feed_of(event) == feed]
        for batch in batches(events, arrival.cuts):
            total.update(vars(pipeline.send(feed, batch)))
            if arrival.fold_between:
                pipeline.roll_up()
    pipeline.roll_up()
    return counts


def winning_of(events: Sequence[Event], feed: Feed) -> dict[str, tuple[int, object]]:
    """By the rule alone: of each record its highest revision, unless that is a void."""
    highest: dict[str, Event] = {}
    for event in events:
        if feed_of(event) == feed.key:
            known = highest.setdefault(event["subject"], event)
            highest[event["subject"]] = max(known, event, key=lambda one: one["revision"])
    return {
        subject: (event["revision"], feed.model.model_validate(event["data"]))
        for subject, event in highest.items()
        if "data" in event
    }


def stored_of(pipeline: Pipeline, feed: Feed) -> dict[object, tuple[object, object]]:
    """Of each record the revision and the content that its table holds."""
    names = [column.name for column in feed.model_columns]
    rows = pipeline.rows(f"SELECT record_key, revision, {', '.join(names)} FROM {feed.table}")
    assert len(rows) == len({row[0] for row in rows}), "a record is there twice"
    return {
        key: (revision, feed.model.model_validate(dict(zip(names, values, strict=True))))
        for key, revision, *values in rows
    }


def history_of(pipeline: Pipeline, feeds: Mapping[str, Feed]) -> list[tuple[object, object, object]]:
    """Every revision that does not stand: record, revision, content (None for a void)."""
    rows = pipeline.rows(
        "SELECT f.key, h.key::text, h.revision, h.record FROM record_revision h JOIN feed f USING (feed_id)"
    )
    found = []
    for feed, key, revision, content in rows:
        model = feeds[str(feed)].model
        names = [column.name for column in feeds[str(feed)].model_columns]
        assert content is None or isinstance(content, dict)
        found.append((key, revision, content and model.model_validate({name: content[name] for name in names})))
    return found


def snapshot(pipeline: Pipeline) -> dict[str, Any]:
    """All that must not depend on how the log was cut."""
    statements = {
        "stay": "SELECT record_key, revision, event_id, check_out_on, overnight, nights FROM tourism_stay",
        "invoice": "SELECT record_key, revision, event_id, area_id, effective_on, amount_net FROM tax_einvoice",
        "place": "SELECT record_key, revision, event_id, area_id, effective_on, closed_on FROM registry_reporter",
        "identity": "SELECT key::text, revision, content_hash::text, effective_at FROM record_identity",
        "history": "SELECT key::text, revision, content_hash::text, record FROM record_revision",
        "rejected": "SELECT subject, event_id, rule FROM rejected_event",
        "cells": "SELECT feed_id, period, area_id, bucket, sums FROM measure_cell WHERE period <> 'closing'",
        "members": "SELECT measure_id, area_id, bucket, member::text, n FROM distinct_member",
        "figures": "SELECT sector, period, area_id, bucket, figures FROM indicator_cell",
    }
    return {name: sorted(map(repr, pipeline.rows(statement))) for name, statement in statements.items()}


@SOME
@given(data=st.data())
def test_order_repetition_and_cut_do_not_matter(pipeline: Pipeline, feeds: dict[str, Feed], data: Any) -> None:
    events = data.draw(revisions())
    arrival = data.draw(arrivals(events))

    counts = arrive(pipeline, arrival)

    for key in MAKERS:
        sent = sum(feed_of(event) == key for event in arrival.events)
        distinct = sum(feed_of(event) == key for event in events)
        assert counts[key]["consumed"] == sent
        assert counts[key]["accepted"] == distinct
        assert counts[key]["duplicate"] == sent - distinct
        assert counts[key]["rejected"] == 0
        assert stored_of(pipeline, feeds[key]) == winning_of(events, feeds[key])
    replaced = Counter(event["subject"] for event in events)
    history = history_of(pipeline, feeds)
    assert len(history) == len({row[:2] for row in history}) == len(events) - len(replaced)
    assert Counter(content for *_, content in history) == Counter(overtaken(events, feeds))
    assert pipeline.reconcile().differences == ()


def overtaken(events: Sequence[Event], feeds: Mapping[str, Feed]) -> Iterator[object]:
    """Content of every revision that is not its record's highest."""
    highest = dict.fromkeys({event["subject"] for event in events}, 0)
    for event in events:
        highest[event["subject"]] = max(highest[event["subject"]], event["revision"])
    for event in events:
        if event["revision"] < highest[event["subject"]]:
            yield feeds[feed_of(event)].model.model_validate(event["data"]) if "data" in event else None


@SOME
@given(data=st.data())
def test_the_cut_of_the_log_changes_nothing_not_even_the_counts(pipeline: Pipeline, data: Any) -> None:
    """With conflicts, where the order does matter: one arrival, cut in two ways."""
    events = data.draw(revisions())
    conflicting = [data.draw(MAKERS[feed_of(event)](event["revision"], 0)) for event in events[:3]]
    arrival = data.draw(arrivals([*events, *conflicting]))
    at_once = arrive(pipeline, Arrival(arrival.events, [10**6], fold_between=False))
    first = snapshot(pipeline)

    in_pieces = arrive(pipeline, arrival)

    assert in_pieces == at_once
    for count in in_pieces.values():
        assert count["accepted"] + count["rejected"] + count["duplicate"] == count["consumed"]
    again = snapshot(pipeline)
    for table, rows in first.items():
        assert set(rows) ^ set(again[table]) == set(), table


def test_a_late_event_counts_where_it_belongs(pipeline: Pipeline) -> None:
    pipeline.send("tourism.stay", [stay(INN, 1, "2024-10-20")])
    pipeline.roll_up()
    pipeline.send("tourism.stay", [stay(INN, 2, "2023-01-02")])
    pipeline.roll_up()
    assert pipeline.figure("lodging.guests.total", "77", "day", "2023-01-02") == 1
    assert pipeline.figure("lodging.guests.total", "77", "year", "2023-01-01") == 1
    assert pipeline.figure("lodging.guests.total", "77", "year", "2024-01-01") == 1
    assert pipeline.reconcile().differences == ()
