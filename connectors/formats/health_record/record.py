"""What the carriers of health records share."""

from __future__ import annotations

FEED = "health.record"


def person_key(identifier: str) -> str:
    """Return the key of a record that has no identifier of its own: that of its person."""
    return f"person|{''.join(identifier.split())}"
