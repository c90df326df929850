"""Vietnamese text reduced to what can be compared: no diacritics, no case, single blanks."""

from __future__ import annotations

import unicodedata
from functools import lru_cache


def composed(text: str) -> str:
    """Return a cell's text without blanks around it, in one spelling: `ế` is one character, not `e` and two marks.

    Programs on a Mac write the latter. A name that becomes a pseudonym must be the same from both.
    """
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def plain(text: str) -> str:
    """Return `text` in lower case without diacritics (đ = d), runs of blanks as one."""
    letters = unicodedata.normalize("NFKD", text.lower().replace("đ", "d"))
    return " ".join("".join(c for c in letters if not unicodedata.combining(c)).split())


@lru_cache(maxsize=4096)  # a file's cells say the same few words a million times
def compact(text: str) -> str:
    """Return `plain(text)` with letters and digits only."""
    return "".join(c for c in plain(text) if c.isalnum())
