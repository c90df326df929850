"""What a revision says: the hash by which the same revision is known again, and another one is a conflict.

How and when a record was sent is not part of its content: the same invoice sent an hour later is the same invoice. A
feed declares such fields as its `transport`; they are left out of the hash. The first that arrives of two equal
revisions is stored, with its transport facts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

VOID_HASH = hashlib.md5(b"void", usedforsecurity=False).hexdigest()


def md5(content: bytes) -> str:
    """Return the hash of keys and contents; it guards against chance, not against attackers."""
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def content_hasher(transport: tuple[str, ...]) -> Callable[[bytes], str]:
    """Return the function from a record's JSON, as its model writes it, to the hash of its content.

    transport: fields left out of the hash. Their values are times, numbers or booleans (`Feed.columns` checks that),
               so that each ends at the next comma or brace.
    """
    if not transport:
        return md5
    # Within a text a quote is escaped, so that `"sent_at":` is found as a key only.
    keys = tuple(f'"{name}":'.encode() for name in transport)

    def hashed(content: bytes) -> str:
        for key in keys:
            start = content.find(key)
            if start >= 0:
                end = content.find(b",", start)
                content = content[:start] + content[end + 1 :] if end >= 0 else content[:start].rstrip(b",") + b"}"
        return md5(content)

    return hashed
