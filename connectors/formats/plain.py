"""Vietnamese text reduced to what can be compared: no diacritics, no case, single blanks."""

from __future__ import annotations

import unicodedata


def plain(text: str) -> str:
    """Return `text` in lower case without diacritics (đ = d), runs of blanks as one."""
    letters = unicodedata.normalize("NFKD", text.lower().replace("đ", "d"))
    return " ".join("".join(c for c in letters if not unicodedata.combining(c)).split())


def compact(text: str) -> str:
    """Return `plain(text)` with letters and digits only."""
    return "".join(c for c in plain(text) if c.isalnum())
