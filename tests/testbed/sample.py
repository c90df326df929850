"""The samples of a feed: events as they travel, each with its case and what becomes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

DIRECTORY = Path(__file__).parents[1] / "samples" / "feeds"
# What every feed shows at least once.
CASES = {"valid", "corrected", "voided", "late", "invalid"}
# `feed new` writes a file for these; one that has none is a defect.
Sample = dict[str, Any]


def samples_of(feed: str) -> list[Sample]:
    """Return a feed's samples, in the order in which they are sent."""
    samples: list[Sample] = json.loads((DIRECTORY / f"{feed}.json").read_text(encoding="utf-8"))
    return samples


def events_of(feed: str, *, valid: bool = True) -> list[dict[str, Any]]:
    """Return the events of a feed's samples that are to be accepted, or those that are to be refused."""
    return [sample["event"] for sample in samples_of(feed) if (sample["case"] != "invalid") == valid]
