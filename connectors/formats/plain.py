"""Vietnamese text reduced to what can be compared: no diacritics, no case, single blanks."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

# Signs without width that come along when text is copied from a page or a chat, and blanks that are not U+0020.
_UNSEEN = dict.fromkeys((0x00AD, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF))
_BLANKS = dict.fromkeys((0x00A0, 0x2007, 0x202F, 0x3000), " ")


def composed(text: str) -> str:
    """Return a cell's text without blanks around it, in one spelling: `ế` is one character, not `e` and two marks.

    Programs on a Mac write the latter. Signs that nobody sees are left out, and each blank is one blank. A name or a
    code that is looked up, or becomes a pseudonym, must be the same from all of them.
    """
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFC", text.translate(_UNSEEN | _BLANKS)).strip()


def plain(text: str) -> str:
    """Return `text` in lower case without diacritics (đ = d), runs of blanks as one."""
    letters = unicodedata.normalize("NFKD", text.lower().replace("đ", "d"))
    return " ".join("".join(c for c in letters if not unicodedata.combining(c)).split())


@lru_cache(maxsize=4096)  # a file's cells say the same few words a million times
def compact(text: str) -> str:
    """Return `plain(text)` with letters and digits only."""
    return "".join(c for c in plain(text) if c.isalnum())
