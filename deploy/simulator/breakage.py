"""Ways in which an event contradicts its feed's schema; the gateway refuses each, by field and rule."""

from __future__ import annotations

from collections.abc import Callable

from deploy.simulator.ledger import EventJson

_DATES = ("_on", "_at", "_start")


def _misses_a_field(event: EventJson) -> EventJson:
    name = next(iter(event["data"]))
    return {**event, "data": {key: value for key, value in event["data"].items() if key != name}}


def _has_an_unknown_field(event: EventJson) -> EventJson:
    return {**event, "data": {**event["data"], "ghi_chu": "thử"}}


def _has_an_impossible_date(event: EventJson) -> EventJson:
    dates = {name: "2024-13-45" for name in event["data"] if name.endswith(_DATES)}
    return {**event, "data": {**event["data"], **dates}}


def _has_text_for_a_number(event: EventJson) -> EventJson:
    """Or a number for text, where the feed has no numbers."""
    data = event["data"]
    number = next((name for name, value in data.items() if type(value) in (int, float)), None)
    return {**event, "data": {**data, **({next(iter(data)): 1} if number is None else {number: "nhiều"})}}


def _speaks_of_another_record(event: EventJson) -> EventJson:
    return {**event, "subject": f"{event['subject']}/khác"}


def _has_no_data(event: EventJson) -> EventJson:
    return {key: value for key, value in event.items() if key != "data"}


def _is_of_another_version(event: EventJson) -> EventJson:
    return {**event, "specversion": "0.3"}


BREAKAGES: tuple[Callable[[EventJson], EventJson], ...] = (
    _misses_a_field,
    _has_an_unknown_field,
    _has_an_impossible_date,
    _has_text_for_a_number,
    _speaks_of_another_record,
    _has_no_data,
    _is_of_another_version,
)
