"""The demo's pages: where they are, and whether they answer."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from ioc.errors import FatalError
from ioc.settings import Settings
from ioc.web.signing import Signing

# One page of each kind; the demo opens no incident by itself.
PATHS = ("/", "/sectors/lodging", "/indicators/lodging.guests.total", "/incidents", "/morning")
_NAME = "Người xem thử"
_SECONDS = 30.0


def pages_link(settings: Settings) -> str:
    """Return the address that opens the pages of a run."""
    return Signing(settings).link("/", _NAME, hours=12)


def check_pages(settings: Settings, *, transport: httpx.BaseTransport | None = None) -> int:
    """Open the link and a page of each kind; return how many answered.

    Raises FatalError naming the page that does not, or that has nothing to show.
    """
    with httpx.Client(
        transport=transport or httpx.HTTPTransport(trust_env=False), timeout=_SECONDS, follow_redirects=True
    ) as client:
        return sum(1 for _ in _answered(client, pages_link(settings)))


def _answered(client: httpx.Client, link: str) -> Iterator[str]:
    address = link.partition("/link/")[0]
    for path in (link, *(f"{address}{path}" for path in PATHS)):
        try:
            answer = client.get(path)
        except httpx.HTTPError as error:
            raise FatalError(f"the page {path} does not answer: {error}. See the log of the API.") from error
        if answer.status_code != httpx.codes.OK or "<h1>" not in answer.text:
            raise FatalError(f"the page {path} answers {answer.status_code}. See the log of the API.")
        yield path
