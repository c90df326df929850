"""Query parameters, read as they are written: what would be guessed at or ignored is refused."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from ioc.api.problem import ProblemError

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def _written_out(value: Any) -> Any:
    """Refuse digits alone, such as `20241005`: pydantic would read them as seconds since 1970."""
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise PydanticCustomError("date_parsing", "Input should be a date (YYYY-MM-DD)")
    return value


# The bounds keep the ends of periods within the calendar.
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2999, 12, 31)), BeforeValidator(_written_out)]

AsOf = Annotated[
    str | None,
    Query(
        description="As it was known at this moment: a day (its end) or a time in ISO 8601, of the province's zone "
        "where it names no offset.",
        examples=["2025-03-05", "2025-03-05T09:30"],
        max_length=40,
    ),
]


def refuse_unknown(request: Request) -> None:
    """Raise ProblemError (422) for a parameter that the route does not have, or that comes twice.

    If a misspelt `units_on` were ignored, the answer would be in other units than were asked for.
    """
    known = {parameter.alias for parameter in request.scope["route"].dependant.query_params}
    names = [name for name, _ in request.query_params.multi_items()]
    listed = ", ".join(sorted(known)) or "-"
    for name in names:
        if name not in known:
            shown = name if re.fullmatch(r"[a-z_]{1,20}", name) else "?"
            raise ProblemError(
                422,
                "parameter_unknown",
                vi=f"không có tham số {shown}; các tham số ở đây: {listed}",
                en=f"there is no parameter {shown}; those of this address: {listed}",
            )
        if names.count(name) > 1:
            raise ProblemError(
                422,
                "parameter_repeated",
                vi=f"tham số {name} có nhiều lần; hãy gửi một lần",
                en=f"the parameter {name} comes more than once; send it once",
            )
