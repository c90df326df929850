"""Headings and keys that no field knows, and that look like one that is missing: `Ngày báo cao` for `Ngày báo cáo`.

Columns that a system exports beside ours are not remarked; a field that may be left out would be lost by one letter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from difflib import get_close_matches

from connectors.formats.findings import reason, shown_name
from connectors.formats.plain import compact
from ioc.errors import Reason

_LIKENESS = 0.85  # one letter of seven
_SHORTEST = 5  # `ngay` is like `nga` and `ngan`, and means neither


def misspelt(
    told: Iterable[str], columns: Iterable[tuple[str, tuple[str, ...]]], found: Collection[str]
) -> Iterator[Reason]:
    """Yield a warning for each of `told` that is close to a spelling of a field which is not among `found`.

    columns: name and spellings of each field.
    """
    missing = {
        compact(spelling): spelling
        for name, spellings in columns
        if name not in found
        for spelling in spellings
        if len(compact(spelling)) >= _SHORTEST
    }
    for text in told:
        close = get_close_matches(compact(text), missing, n=1, cutoff=_LIKENESS)
        if close:
            seen, meant = shown_name(text), missing[close[0]]
            yield reason(
                meant,
                "misspelt",
                f"không đọc cột (khóa) “{seen}”: không có trường nào tên như vậy; có phải là “{meant}”?",
                f"the column (key) “{seen}” is not read: no field has this name; is “{meant}” meant?",
            )
