"""The OpenAPI document holds what a sender needs: bodies, schemas, examples, answers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from pydantic import ConfigDict
from testbed.event import stay
from testbed.gateway import EVENT, GatewayBed

from connectors.gateway.openapi import example_event, request_body
from ioc.feeds.feed import load_feeds
from ioc.feeds.validation import check_envelope


def references(node: Any) -> set[str]:
    """All `$ref` below a node."""
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own.union(*map(references, node.values()))
    if isinstance(node, list):
        return set().union(*map(references, node))
    return set()


def test_every_reference_leads_somewhere(gateway: GatewayBed) -> None:
    document = gateway.get("/openapi.json").json()
    found = references(document)
    assert "#/components/schemas/TourismStayEvent" in found
    for reference in found:
        node: Any = document
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
        assert node


def test_the_three_modes_the_token_and_all_answers_are_described(gateway: GatewayBed) -> None:
    document = gateway.get("/openapi.json").json()
    post = document["paths"]["/v1/events"]["post"]
    content = post["requestBody"]["content"]
    assert set(content) == {
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/json",
    }
    assert len(content["application/cloudevents+json"]["schema"]["oneOf"]) == len(load_feeds())
    assert post["security"] == [{"bearer": []}]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    described = {"202", "207", "400", "401", "403", "408", "413", "415", "422", "429", "503"}
    assert described <= set(post["responses"])
    assert "Retry-After" in post["responses"]["429"]["headers"]
    answer = post["responses"]["207"]["content"]["application/json"]["schema"]["$ref"]
    assert set(document["components"]["schemas"][answer.rsplit("/", 1)[1]]["properties"]) == {
        "accepted",
        "refused",
        "results",
        "reasons",
    }


def test_examples_are_events_that_the_gateway_takes(gateway: GatewayBed) -> None:
    feed = load_feeds()["tourism.stay"]

    class WithExample(feed.model):  # type: ignore[name-defined,misc]
        model_config = ConfigDict(json_schema_extra={"examples": [stay()["data"]]})

    body = request_body({feed.event_type: replace(feed, model=WithExample)})
    content = body["requestBody"]["content"]
    example = content["application/cloudevents+json"]["examples"]["tourism.stay"]["value"]
    assert gateway.post(example, EVENT).status_code == 202
    assert content["application/cloudevents-batch+json"]["examples"]["tourism.stay"]["value"] == [example]
    assert content["application/json"]["examples"]["tourism.stay"]["value"] == example["data"]


def test_the_examples_of_all_feeds_are_valid() -> None:
    for feed in load_feeds().values():
        envelope = feed.envelope.validate_json(json.dumps(example_event(feed)))
        assert check_envelope(feed, envelope) == []
