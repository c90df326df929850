"""CloudEvents 1.0 as its public conformance cases have it, in all modes, told with this gateway's own events.

Source: the cases for the JSON format and for the HTTP binding that the CloudEvents project publishes beside its
specification. What a case leaves out and a feed needs (`subject`, `time`) is filled in.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from testbed.event import STAY_TYPE, encoded, stay
from testbed.gateway import BATCH, EVENT, GatewayBed

_ABSENT = object()
_DATA = base64.b64encode(json.dumps(stay()["data"]).encode()).decode()

INVALID: dict[str, dict[str, Any]] = {
    "no specversion": {"specversion": _ABSENT},
    "no id": {"id": _ABSENT},
    "no type": {"type": _ABSENT},
    "no source": {"source": _ABSENT},
    "null id": {"id": None},
    "time is garbage": {"time": "lunchtime"},
    "time to the minute": {"time": "2018-04-05T18:31Z"},
    "offset X": {"time": "2018-04-05T18:31:00X"},
    "offset out of range": {"time": "2018-04-05T18:31:00+25:00"},
    "offset that is no number": {"time": "2018-04-05T18:31:00+xx:00"},
    "offset of hours only": {"time": "2018-04-05T18:31:00+05"},
    "offset without colon": {"time": "2018-04-05T18:31:00+0500"},
    "no offset": {"time": "2018-04-05T18:31:00"},
    "a blank for T": {"time": "2018-04-05 18:31:00Z"},
    "a day": {"time": "2018-04-05"},
    "seconds since 1970": {"time": 1522949460},
    "seconds since 1970 as text": {"time": "1522949460"},
    "empty id": {"id": ""},
    "empty type": {"type": ""},
    "empty source": {"source": ""},
    "empty specversion": {"specversion": ""},
    "unknown specversion": {"specversion": "0.9"},
    "empty datacontenttype": {"datacontenttype": ""},
    "datacontenttype that is none": {"datacontenttype": "xyz"},
    "datacontenttype that is not JSON": {"datacontenttype": "text/xml"},
    "empty dataschema": {"dataschema": ""},
    "relative dataschema": {"dataschema": "schemas/stay"},
    "empty subject": {"subject": ""},
    "numeric id": {"id": 25},
    "object as id": {"id": {"xyz": "abc"}},
    "capitals in an extension's name": {"MyExtension": "bad"},
    "punctuation in an extension's name": {"my.extension": "bad"},
    "underscore in an extension's name": {"my_extension": "bad"},
    "fraction in an extension": {"myextension": 1.5},
    "object in an extension": {"myextension": {"a": 1}},
    "array in an extension": {"myextension": [1]},
    "whole number beyond 32 bits in an extension": {"myextension": 2**31},
    "data and data_base64": {"data_base64": _DATA},
    "data_base64 that is none": {"data": _ABSENT, "data_base64": "*"},
    "data_base64 that is no JSON": {"data": _ABSENT, "data_base64": base64.b64encode(b"<xml/>").decode()},
    "data_base64 of a number": {"data": _ABSENT, "data_base64": base64.b64encode(b"1").decode()},
}
VALID: dict[str, dict[str, Any]] = {
    "as it is": {},
    "null for what is optional": {"datacontenttype": None, "dataschema": None, "revision": None, "voided": None,
                                  "myextension": None, "data_base64": None},
    "all core attributes": {"datacontenttype": "application/json", "dataschema": "https://cloudevents.io/dataschema"},
    "time in UTC": {"time": "2018-04-05T17:31:00Z"},
    "time to nanoseconds": {"time": "2018-04-05T17:31:00.000000000Z"},
    "positive offset": {"time": "2018-04-05T18:31:00+01:00"},
    "negative offset": {"time": "2018-04-05T16:31:00-01:00"},
    "small letters in time": {"time": "2018-04-05t17:31:00z"},
    "charset": {"datacontenttype": "application/json; charset=utf-8"},
    "other case and charset": {"datacontenttype": "Application/JSON;charset=UTF-8"},
    "a kind of JSON": {"datacontenttype": "application/vnd.example+json"},
    "extensions of all types": {"extinteger": 10, "extboolean": True, "extstring": "text", "exturi": "https://a.io",
                                "exttimestamp": "2023-03-31T15:12:00Z", "extbinary": "TWE=",
                                "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
    "data in base64": {"data": _ABSENT, "data_base64": _DATA},
}  # fmt: skip


def changed(changes: dict[str, Any]) -> dict[str, Any]:
    """A stay's event with attributes changed, or taken away."""
    return {name: value for name, value in (stay() | changes).items() if value is not _ABSENT}


@pytest.mark.parametrize("name", INVALID)
def test_invalid_events_are_refused(gateway: GatewayBed, name: str) -> None:
    event = changed(INVALID[name])
    for response in (gateway.post(event, EVENT), gateway.post([event], BATCH)):
        assert response.status_code in (400, 422), response.text
        assert response.json()["results"][0]["reasons"]
    mixed = gateway.post([stay(), event], BATCH)
    assert (mixed.status_code, mixed.json()["accepted"]) == (207, 1)
    assert len(gateway.memory.records) == 1


@pytest.mark.parametrize("name", VALID)
def test_valid_events_are_taken(gateway: GatewayBed, name: str) -> None:
    event = changed(VALID[name])
    for response in (gateway.post(event, EVENT), gateway.post([event], BATCH)):
        assert response.status_code == 202, response.text
    written = [json.loads(record.value) for record in gateway.memory.records]
    for one in written:
        assert one["data"] == stay()["data"]
        assert not {name for name in one if name.startswith("ext")}


# A header has neither types nor null, and its case does not matter.
IN_HEADERS = [
    name
    for name, changes in INVALID.items()
    if all(isinstance(value, str) or value is _ABSENT for value in changes.values())
    and not any(key.startswith("data_") or key == "datacontenttype" or not key.islower() for key in changes)
]


@pytest.mark.parametrize("name", IN_HEADERS)
def test_invalid_events_are_refused_in_binary_mode(gateway: GatewayBed, name: str) -> None:
    event = changed(INVALID[name])
    headers = {f"ce-{key}": str(value) for key, value in event.items() if key != "data"}
    response = gateway.post(event["data"], headers | {"content-type": "application/json"})
    # Without ce-specversion it is no CloudEvent at all.
    assert response.status_code in ((415,) if name == "no specversion" else (400, 422)), response.text
    assert gateway.memory.records == []


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8", "application/a+json"],
)
def test_binary_mode_reads_json_however_it_is_labelled(gateway: GatewayBed, content_type: str) -> None:
    attributes = {key: str(value) for key, value in stay().items() if key != "data"}
    headers = {f"CE-{key}": value for key, value in attributes.items()} | {"content-type": content_type}
    assert gateway.post(stay()["data"], headers).status_code == 202
    assert json.loads(gateway.memory.records[0].value) == stay()


@pytest.mark.parametrize(
    "content_type",
    [
        "application/cloudevents+json; charset=utf-8",
        "Application/CloudEvents+JSON;Charset=UTF-8",
        'application/cloudevents+json; charset="utf-8"',
        "application/cloudevents+json; profile=x; charset=utf-8",
    ],
)
def test_structured_mode_however_it_is_labelled(gateway: GatewayBed, content_type: str) -> None:
    assert gateway.post(stay(), {"content-type": content_type}).status_code == 202


def test_an_empty_batch_is_a_batch(gateway: GatewayBed) -> None:
    assert gateway.post([], BATCH).status_code == 202


@pytest.mark.parametrize("batch", [["not an object", stay()], [changed({"specversion": "0.9"}), stay()]])
def test_one_bad_event_of_a_batch_costs_its_neighbour_nothing(gateway: GatewayBed, batch: list[Any]) -> None:
    response = gateway.post(batch, BATCH)
    assert [result["status"] for result in response.json()["results"]] == ["refused", "accepted"]


def test_a_content_type_with_a_number_without_end_is_refused(gateway: GatewayBed) -> None:
    for parameter in ("charset*" + "9" * 5000 + "=x", "charset=" + "9" * 5000, "x" * 5000):
        response = gateway.post(stay(), {"content-type": f"application/cloudevents+json; {parameter}"})
        assert response.status_code in (202, 415), response.status_code


def test_answers_repeat_nothing_of_what_was_sent(gateway: GatewayBed) -> None:
    """A mark is planted everywhere in an event, in headers and in the path; no answer shows it."""
    mark = "nguyenvana"
    names: list[dict[str, Any]] = [{mark: mark}, {mark.upper(): mark}, {"type": f"vn.ioc.{mark}.v1"}, {"data": mark}]
    names += [{name: mark} for name in stay() if name not in ("id", "data")]
    names += [{name: [mark]} for name in stay()]
    names += [{name: mark} for name in ("datacontenttype", "dataschema", "data_base64", "voided")]
    events = [stay() | change for change in names]
    events += [stay() | {"data": stay()["data"] | {name: mark}} for name in (*stay()["data"], mark, f"{mark}_2 x")]
    events += [stay() | {"id": number} for number in ("079012345678", "sđt 0912345678", "x" * 200)]
    answer = gateway.post(events, BATCH)
    said = answer.text.lower().replace("\\u", "")
    assert answer.json()["accepted"] <= 3
    assert mark not in said and "079012345678" not in said and "0912345678" not in said
    binary = {"content-type": "application/json", "ce-specversion": "1.0"}
    for response in (
        gateway.post(stay(), {"content-type": mark}),
        gateway.post(stay(), {"content-type": f"application/cloudevents+json; charset={mark}"}),
        gateway.post(stay(), {"content-encoding": mark, **EVENT}),
        gateway.post(encoded(stay())[:-1] + mark.encode(), EVENT),
        gateway.post(stay()["data"], binary | {f"ce-{mark}_": mark}),
        gateway.post(stay()["data"], binary | {"ce-type": mark}),
        gateway.post(stay(), secret=mark),
        gateway.get(f"/{mark}"),
        gateway.get(f"/v1/schemas/{mark}?{mark}={mark}"),
        gateway.request("BREW", f"/v1/events/{mark}"),
    ):
        assert response.status_code >= 400
        assert mark not in response.text.lower() + str(response.headers).lower()
    assert STAY_TYPE in gateway.get("/v1/schemas").text
