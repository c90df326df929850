"""A moment that a source tells as text: read, refused by name where it cannot be read, noted where it is missing."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from connectors.formats.findings import Findings
from connectors.formats.value import moment_of
from ioc.feeds.validation import mask


def told_moment(
    text: str, name: str, form: str, findings: Findings, timezone: ZoneInfo, *, required: bool
) -> datetime | None:
    """Return a field's moment in UTC, None where it is empty or cannot be read; the reasons are noted.

    form: how its specification writes moments (`yyyyMMddHHmmss`), for the reason. Other known spellings are read too.
    """
    if not text:
        if required:
            findings.missing(name)
        return None
    try:
        return moment_of(text, timezone)
    except (ValueError, OverflowError):
        findings.refuse(name, "datetime", f"thời điểm phải có dạng {form}", f"must be a time as {form}", mask(text))
        return None
