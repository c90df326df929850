"""Events that tests publish: one lodging stay, changed as a test needs it."""

from __future__ import annotations

import json
from typing import Any

STAY_TYPE = "vn.ioc.tourism.stay.v1"
GUEST = "k1:" + "a1" * 16


def stay(reporter: str = "77-0001", *, id: str = "e1", revision: int = 1, **data: Any) -> dict[str, Any]:
    """Return the event of a valid stay; `data` replaces fields of the record."""
    record = {
        "establishment_id": reporter,
        "guest_id": GUEST,
        "origin": "domestic",
        "home_region": "hcmc",
        "nationality": "VNM",
        "sex": "female",
        "age_years": 34,
        "purpose": "leisure",
        "doc_type": "cccd",
        "check_in_on": "2024-10-05",
        "planned_check_out_on": "2024-10-07",
        "declared_at": "2024-10-05T14:10:00+07:00",
        **data,
    }
    return {
        "specversion": "1.0",
        "id": id,
        "source": f"urn:ioc:reporter:{reporter}",
        "type": STAY_TYPE,
        "subject": f"{reporter}/{record['guest_id']}/{record['check_in_on']}",
        "time": "2024-10-05T14:10:05+07:00",
        "revision": revision,
        "data": record,
    }


def void(event: dict[str, Any], *, revision: int = 2) -> dict[str, Any]:
    """Return the event that removes what `event` recorded."""
    kept = {name: value for name, value in event.items() if name != "data"}
    return {**kept, "id": f"{event['id']}-void", "revision": revision, "voided": True}


def encoded(value: object) -> bytes:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False).encode()
