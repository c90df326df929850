"""Receipts of what Grafana sends: its contact points report each notification to the API, besides sending it.

Grafana reports handing a notification to a contact point; whether a mailbox took the mail is in Grafana's own log.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from datetime import datetime, timedelta

import psycopg
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field

from sql import load_queries

# Grafana posts a message again if our answer was lost, at once, and as a reminder once a day: the same text within
# this time is the same message.
_SAME = timedelta(minutes=30)
_PREFIX = "IOC: "


class GrafanaAlert(BaseModel):
    """One alert of a notification; labels are the columns of the rule's query."""

    model_config = ConfigDict(frozen=True)

    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    status: str = ""


class GrafanaNotification(BaseModel):
    """What Grafana's webhook sends
    (https://grafana.com/docs/grafana/v9.4/alerting/manage-notifications/webhook-notifier/).
    """

    model_config = ConfigDict(frozen=True)

    receiver: str = Field(max_length=300)
    status: str = Field("", max_length=20)
    alerts: tuple[GrafanaAlert, ...] = Field((), max_length=1000)
    groupKey: str = Field("", max_length=20_000)  # noqa: N815 - Grafana's name
    title: str = Field("", max_length=10_000)


def enter_notification(
    connection: psycopg.Connection, told: GrafanaNotification, channels: Collection[str], now: datetime
) -> int:
    """Enter who was told of which incident, one receipt a channel; return how many are new."""
    query = load_queries("outbox")["put_grafana_receipt"].encode()
    # Grafana quotes the name as a regular expression: `so-du-lich\.lodging`.
    recipient = re.sub(r"\\(.)", r"\1", told.receiver).removeprefix(_PREFIX)
    incidents = {
        (one.labels.get("incident", ""), one.labels.get("step", ""), one.labels.get("event", "")): one
        for one in told.alerts
    }
    new = 0
    with connection.transaction():
        for (incident, step, event), alert in incidents.items():
            for channel in channels:
                subject = told.title or alert.annotations.get("title", "")
                same = "\n".join((recipient, channel, incident, step, event, told.status, told.groupKey))
                parameters = {
                    "same": f"grafana:{hashlib.sha256(same.encode()).hexdigest()[:32]}",
                    "incident_id": int(incident) if incident.isascii() and incident.isdigit() else None,
                    "step": int(step) if step.isascii() and step.isdigit() else None,
                    "channel": channel,
                    "recipient": recipient,
                    "sent_at": now,
                    "since": now - _SAME,
                    "subject": subject.strip()[:500],
                    "detail": Jsonb({"event": event, "status": told.status}),
                }
                new += connection.execute(query, parameters).rowcount
    return new
