"""Control totals at the gateway: what a reporter says it has sent, strictly typed, all or none."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from testbed.gateway import GatewayBed

from ioc.feeds.control_total import ToldControlTotal

TOTAL: dict[str, Any] = {
    "reporter": "77-0001",
    "first_on": "2024-10-01",
    "last_on": "2024-10-31",
    "records": 31,
    "sums": {"age_years": 1000},
}


def tell(gateway: GatewayBed, body: object, feed: str = "tourism.stay", secret: str = "") -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {secret or gateway.secret}", "content-type": "application/json"}
    return gateway.request("POST", f"/v1/feeds/{feed}/control-totals", content=content, headers=headers)


def test_totals_are_written_keyed_by_their_reporter(gateway: GatewayBed) -> None:
    assert tell(gateway, TOTAL).status_code == 202
    response = tell(gateway, [TOTAL, TOTAL | {"reporter": "77-0002", "sums": {}}])
    assert (response.status_code, response.json()["accepted"]) == (202, 2)
    assert [(record.topic, record.key) for record in gateway.memory.records] == [
        ("ioc.control-total.v1", key) for key in (b"77-0001", b"77-0001", b"77-0002")
    ]
    told = ToldControlTotal.model_validate_json(gateway.memory.records[0].value)
    assert (told.feed, told.records, told.sums) == ("tourism.stay", 31, {"age_years": 1000.0})


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"records": -1}, "records"),
        ({"records": "31"}, "records"),
        ({"records": True}, "records"),
        ({"records": 1.0}, "records"),
        ({"first_on": "2024-11-01"}, ""),
        ({"first_on": "2020-01-01"}, ""),
        ({"first_on": 0}, "first_on"),
        ({"last_on": "9999-12-31"}, "last_on"),
        ({"sums": {"guest_id": 1}}, "0.sums"),
        ({"sums": {"nguyenvana": "x"}}, "sums"),
        ({"sums": {"age_years": 1e300}}, "sums"),
        ({"reporter": "95-1"}, "0.reporter"),
        ({"nguyenvana": 1}, "ng*******a"),
    ],
)
def test_what_does_not_hold_is_refused_and_not_repeated(
    gateway: GatewayBed, changes: dict[str, Any], field: str
) -> None:
    response = tell(gateway, TOTAL | changes)
    assert response.status_code == 422, response.text
    assert field in {reason["field"] for reason in response.json()["reasons"]}
    assert "nguyenvana" not in response.text
    assert tell(gateway, [TOTAL, TOTAL | changes]).status_code == 422
    assert gateway.memory.records == []


def test_other_faults_have_their_status(gateway: GatewayBed) -> None:
    _, other = gateway.tokens.create("other", ["tax.einvoice"], ["*"])
    assert tell(gateway, TOTAL, "no.feed").status_code == 404
    assert tell(gateway, TOTAL, secret=other).status_code == 403
    assert tell(gateway, TOTAL, secret="x").status_code == 401
    assert tell(gateway, b"{").status_code == 400
    assert tell(gateway, [TOTAL] * 1001).status_code == 413
    gateway.memory.available = False
    assert tell(gateway, TOTAL).status_code == 503
