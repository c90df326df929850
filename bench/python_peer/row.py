"""What both peers write of an e-invoice: a flat row, and the ten sums that it adds to.

The rows are validated by the product's own model; a peer's team would have one like it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import TypeAdapter

from ioc.feeds.declared.tax_einvoice import FEED, TaxEinvoice
from ioc.feeds.event import Envelope

TABLE, FIGURES = "peer_row", "peer_figure"
HEAD = ("record_key", "revision", "event_id", "reporter")
COLUMNS = (*HEAD, *TaxEinvoice.model_fields)
SUMS = (
    "invoices",
    "amount_net",
    "amount_vat",
    "amount_gross",
    "net_10",
    "vat_10",
    "litres_ron95_iii",
    "fuel_ron95_iii",
    "in_cash",
    "to_persons",
)
_EVENTS = TypeAdapter(list[FEED.envelope_type])  # type: ignore[name-defined]
_COUNTS: Mapping[str, Callable[[Mapping[str, Any]], int]] = {
    "invoices": lambda _: 1,
    "in_cash": lambda row: int(row["pay_method"] == "cash"),
    "to_persons": lambda row: int(row["buyer_type"] == "person"),
}


def rows_of(value: bytes) -> list[dict[str, Any]]:
    """Return the rows of a Kafka record that holds one event or an array of events; raises ValidationError."""
    events = _EVENTS.validate_json(value) if value[:1] == b"[" else [FEED.envelope.validate_json(value)]
    return [_row(event) for event in events]


def _row(event: Envelope) -> dict[str, Any]:
    head = (event.subject, event.effective_revision, event.id, event.reporter)
    return dict(zip(HEAD, head, strict=True)) | dict(event.data)


def amounts_of(row: Mapping[str, Any]) -> list[float]:
    """Return what a row adds to each of the sums."""
    return [float(_COUNTS[name](row) if name in _COUNTS else row[name] or 0) for name in SUMS]
