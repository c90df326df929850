"""Dimensions of SDMX that no indicator has: a value that is not their total is a part, and must not count as the whole.

Source: SDMX 2.1 and 3.0, codes of totals as the cross-domain code lists have them (`_T` total, `_Z` not applicable).
"""

from __future__ import annotations

import re

from connectors.formats.findings import refused, shown_name
from ioc.errors import RejectedError

_ID = re.compile(r"[A-Z][A-Z0-9_]*")
_TOTALS = frozenset({"", "_T", "_Z", "T", "TOTAL"})
# Of the message or of how the value is told, not of what it is a value of.
_OF_TELLING = frozenset(
    {"DATAFLOW", "STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "SERIES_KEY", "OBS_KEY", "FREQ", "TIME_FORMAT"}
    | {"UNIT_MEASURE", "UNIT", "DECIMALS", "CONF_STATUS", "REPORTING_YEAR_START_DAY", "COLLECTION"}
)


def is_dimension(name: str) -> bool:
    """Return whether an id that no field is for may split a value; a column of labels has no id as its heading."""
    return _ID.fullmatch(name) is not None and name not in _OF_TELLING


def is_total(code: str) -> bool:
    """Return whether a dimension's code is that of the whole."""
    return code in _TOTALS


def part_of_total(name: str) -> RejectedError:
    """Return the error of a value that is told for a part."""
    name = shown_name(name)[:40]
    return refused(
        name,
        "dimension",
        f"giá trị chỉ của một phần theo chiều {name}; hãy gửi giá trị chung ({name} = _T)",
        f"the value is of one part by {name}; send that of the whole ({name} = _T)",
    )
