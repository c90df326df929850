"""Keyed pseudonyms in place of identity documents (NĐ 13/2023/NĐ-CP).

HMAC-SHA-256 cut to 128 bits, with the key's name in front so that keys can be rotated.
"""

from __future__ import annotations

import hashlib
import hmac

from pydantic import SecretStr

PSEUDONYM_PATTERN = r"^[a-z0-9]{1,8}:[0-9a-f]{32}$"


class Pseudonymiser:
    """Turns an identifier into a pseudonym; the same document always gives the same one under one key."""

    def __init__(self, key_id: str, key: SecretStr) -> None:
        self._key_id = key_id
        self._key = key.get_secret_value().encode()

    def __call__(self, domain: str, identifier: str) -> str:
        """Return the pseudonym of `identifier` (blanks and case ignored) within `domain` (passport, cccd, mst, ...)."""
        normal = "".join(identifier.split()).upper()
        digest = hmac.new(self._key, f"{domain}\x00{normal}".encode(), hashlib.sha256).hexdigest()
        return f"{self._key_id}:{digest[:32]}"
