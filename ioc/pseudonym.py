"""Keyed pseudonyms in place of identity documents (NĐ 13/2023/NĐ-CP).

HMAC-SHA-256 cut to 128 bits, with the key's name in front so that keys can be rotated. While keys rotate, the day of
the record chooses the key: whatever happened before the new key's first day keeps the pseudonyms of the old one,
however late it is told or corrected, so that a correction finds its record. The old key goes when nothing of its time
is corrected any more.
"""

from __future__ import annotations

import hmac
from datetime import date

from pydantic import SecretStr

PSEUDONYM_PATTERN = r"^[a-z0-9]{1,8}:[0-9a-f]{32}$"


class Pseudonymiser:
    """Turns an identifier into a pseudonym; the same document always gives the same one under one key.

    key_from: the first day of `key`; records of days before it get their pseudonyms under `previous` (id, key).
    """

    def __init__(
        self,
        key_id: str,
        key: SecretStr,
        *,
        key_from: date | None = None,
        previous: tuple[str, SecretStr] | None = None,
    ) -> None:
        self._key = key_id, key.get_secret_value().encode()
        self._previous = (previous[0], previous[1].get_secret_value().encode()) if previous else None
        self._key_from = key_from

    def __call__(self, domain: str, identifier: str, on: date | None = None) -> str:
        """Return the pseudonym of `identifier` (blanks and case ignored) within `domain` (passport, cccd, mst, ...).

        `on` is the day of the record that it is for; without one the current key is used.
        """
        before = self._previous is not None and on is not None and self._key_from is not None and on < self._key_from
        key_id, key = self._previous if before and self._previous else self._key
        normal = "".join(identifier.split()).upper()
        digest = hmac.digest(key, f"{domain}\x00{normal}".encode(), "sha256")
        return f"{key_id}:{digest[:16].hex()}"
