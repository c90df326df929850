"""A part of the platform that does not work now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from streams.rules.wording import Bilingual


@dataclass(frozen=True)
class Outage:
    """A part of the platform that does not work: `part` names it, `since` when it was first seen so."""

    part: str
    text: Bilingual
    since: datetime
    detail: Mapping[str, Any] = field(default_factory=dict)
