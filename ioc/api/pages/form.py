"""What people write into the pages' addresses and forms, read within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from urllib.parse import parse_qs

from starlette.requests import Request

from ioc.api.problem import ProblemError

SILENCES = {4: "4 giờ", 24: "1 ngày", 72: "3 ngày", 168: "7 ngày"}
_MOST_FORM = 4096
_DIGITS = 19  # a number of PostgreSQL's bigint has no more
_LONG_DAY = len("2025-03-05")


async def form_of(request: Request) -> Mapping[str, str]:
    """Return the fields of a form; raises ProblemError for one that is no form, or too large."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_FORM:
            raise ProblemError(413, "form", vi="biểu mẫu quá lớn", en="the form is too large")
    if kind != "application/x-www-form-urlencoded":
        raise ProblemError(415, "form", vi="đây không phải biểu mẫu", en="this is no form")
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    except ValueError:
        raise ProblemError(422, "form", vi="biểu mẫu có quá nhiều trường", en="the form has too many fields") from None
    return {name: values[0] for name, values in fields.items()}


def day_of(text: str) -> date | None:
    """Return a day from an address; None for what is none."""
    try:
        return date.fromisoformat(text) if len(text) == _LONG_DAY else None
    except ValueError:
        return None


def number_of(request: Request) -> int:
    """Return the number of the incident that an address names; raises ProblemError for what no incident bears."""
    text: str = request.path_params["incident_id"]
    if text.isascii() and text.isdecimal() and len(text) < _DIGITS:
        return int(text)
    raise ProblemError(404, "incident_unknown", vi="không có sự cố mang số này", en="no incident has this number")


def hours_of(text: str) -> float:
    """Return the hours of a silence; raises ProblemError for others than the page offers, and 0, which ends it."""
    if text.isascii() and text.isdigit() and len(text) < 6 and int(text) in (0, *SILENCES):
        return float(text)
    raise ProblemError(422, "form", vi="hãy chọn một thời hạn có trên trang", en="choose one of the page's durations")
