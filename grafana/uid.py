"""Identifiers that stay the same from build to build."""

from __future__ import annotations

import hashlib
import re

_LONGEST = 40  # Grafana's limit


def stable_uid(*parts: str) -> str:
    """Return a uid of letters, digits, `-` and `_`; one that was shortened or respelled ends in a hash."""
    name = "-".join(("ioc", *parts)).replace(".", "-")
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name)
    if plain == name and len(plain) <= _LONGEST:
        return plain
    digest = hashlib.sha256("/".join(parts).encode()).hexdigest()[:8]
    return f"{plain[: _LONGEST - 9]}-{digest}"
