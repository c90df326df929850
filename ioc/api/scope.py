"""What a reader's token may see, where it is bound to sectors or areas: addresses are closed unless listed.

A bound token names what it asks for: a sector or an indicator of its sectors, an area in its areas. What cannot be told
apart so (incidents by number, approvals, quality, the pages) is not answered to it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from ioc.api.problem import ProblemError
from ioc.web.tokens import Token

_INDICATOR = "/v1/indicators/{code}"
# Address -> whether its answer holds figures of areas. What is not here is shut to bound tokens.
_ADDRESSES = {
    "/v1/indicators": False,
    _INDICATOR: False,
    f"{_INDICATOR}/series": True,
    f"{_INDICATOR}/explain": True,
    "/v1/status": True,
}


@dataclass(frozen=True)
class AskedPlace:
    """Where a question leads: the indicator's sector, and for each unit with the area's code the codes above it.

    Both are None where the code is unknown.
    """

    sector: str | None
    areas: tuple[frozenset[str], ...] | None


PlaceFinder = Callable[[str | None, str | None], AskedPlace]


def is_bound(token: Token) -> bool:
    """Whether a token sees less than everything."""
    return bool(token.sectors or token.areas)


async def check_scope(request: Request, token: Token, find: PlaceFinder) -> None:
    """Raise ProblemError (403) where a bound token may not see what is asked for."""
    address = getattr(request.scope.get("route"), "path", "")
    if address not in _ADDRESSES:
        raise _outside(
            "địa chỉ này không mở cho mã bị giới hạn ngành hoặc địa bàn",
            "this address is not open to a token that is bound to sectors or areas",
        )
    code = request.path_params.get("code") or request.query_params.get("code")
    area = request.query_params.get("area")
    place = await run_in_threadpool(find, code, area)
    sector = place.sector if code is not None else request.query_params.get("sector")
    if token.sectors and sector not in token.sectors:
        allowed = ", ".join(token.sectors)
        raise _outside(
            f"mã này chỉ xem được ngành {allowed}; hãy nêu sector hoặc chỉ tiêu thuộc ngành đó",
            f"this token sees the sectors {allowed}; name one of them, or an indicator of them",
        )
    if not token.areas or not _ADDRESSES[address]:
        return
    if area is None or not place.areas or not all(chain & set(token.areas) for chain in place.areas):
        allowed = ", ".join(token.areas)
        raise _outside(
            f"mã này chỉ xem được địa bàn {allowed} và cấp dưới; hãy nêu area trong phạm vi đó",
            f"this token sees the areas {allowed} and what lies below; name one of them in `area`",
        )


def _outside(vi: str, en: str) -> ProblemError:
    return ProblemError(403, "token_scope", vi=vi, en=en)
