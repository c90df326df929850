"""What the carriers of the daily report share: the establishment, the order of the reports of one day, the event."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from connectors.formats.event import Stamp, record_event
from connectors.formats.findings import Findings
from connectors.formats.format import Context, Event

FEED = "tourism.daily_report"
_ORDER = "daily_report/order"


def read_establishment(code: str, place: str, findings: Findings, context: Context) -> str:
    """Return the establishment's code in the register; notes a reason where it is unknown or not the option's."""
    known = context.crosswalk.read(FEED, code or context.establishment, place, findings)
    if context.establishment and known and known != context.crosswalk.reporter(FEED, context.establishment):
        findings.refuse(
            place,
            "other_establishment",
            "mã cơ sở trong tệp khác mã ở --establishment",
            "the file's establishment is not the one of --establishment",
        )
    return known


def report_event(
    fields: Mapping[str, Any], revision: int | None, where: str, findings: Findings, context: Context
) -> Event:
    """Return the event of one report. `revision` None = the report bears no number.

    A numbered report goes before any without a number; those without are numbered from 0 as they arrive.
    """
    day: date = fields["report_on"]
    key = f"{fields['establishment_id']}/{day.isoformat()}"
    known: dict[str, Any] = context.memory.get(_ORDER, key) or {"numbered": None, "seen": []}
    if revision is not None:
        known["numbered"] = max(revision, known["numbered"] or 0)
    else:
        digest = hashlib.sha256(json.dumps(fields, sort_keys=True, default=str).encode()).hexdigest()
        if digest not in known["seen"]:
            known["seen"].append(digest)
        revision = known["seen"].index(digest)
        if known["numbered"] is not None:
            revision = 0
            findings.warn(
                "revision",
                "number_missing",
                "ngày này đã có báo cáo đánh số; báo cáo không số không thay được báo cáo đó, hãy ghi revision",
                "the day has a numbered report already; one without a number does not replace it, give a revision",
            )
    # As each is read, also for the file that is read again: the same content keeps its number.
    context.memory.put(_ORDER, key, known)
    stamp = Stamp(where, datetime.combine(day, time(), context.timezone), revision)
    feed = context.feeds[FEED]
    return record_event(feed, fields["establishment_id"], fields, stamp=stamp, warnings=findings.warnings)
