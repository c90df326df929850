"""A REST interface, page by page: bounded waits, retries with jitter that honour Retry-After, and a limit of requests.

Cursor: `since` (what is asked for), `next` (the page to go on with, none between two runs), `high` (the greatest value
seen in this run), `seen` (digests of items of that value, which an interface that answers "from then on" sends again).
"""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import authlib.deprecate
import httpx
from authlib.integrations.base_client import OAuthError
from pydantic_core import from_json, to_json
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from connectors.poller.declaration import (
    ApiKey,
    ClientCredentials,
    CursorPaging,
    LinkPaging,
    OffsetPaging,
    RestPoller,
    is_named,
    pointed,
    read_secret,
)
from connectors.poller.source import Cursor, SourcePage, SourceUnavailableError
from ioc import __version__
from ioc.errors import ConfigError
from ioc.web.rate_limit import RateLimit

with warnings.catch_warnings():
    # It says at import that a successor of httpx is preferred; whoever runs a command cannot act on that.
    warnings.simplefilter("ignore", authlib.deprecate.AuthlibDeprecationWarning)
    from authlib.integrations.httpx_client import OAuth2Client

_ATTEMPTS = 6
_LONGEST_WAIT = 60.0
_SLOWEST = 10  # times the time-out of one read: so long may a whole answer take that comes in drops
_MOST_BYTES = 64 * 2**20
_MOST_SEEN = 10_000
_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_AHEAD = timedelta(days=1)  # a source's clock, in any time zone
# A page that is no longer there: the run begins again from its watermark.
_GONE = (400, 404, 410)


class _LaterError(SourceUnavailableError):
    """The request is worth another attempt; `retry_after` in seconds, where the source says when."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class _GoneError(SourceUnavailableError):
    """The page that the cursor names is not there."""


class RestSource:
    """Reads what a declaration names. `sleep`, `clock` and `transport` are for tests."""

    def __init__(
        self,
        declared: RestPoller,
        secrets: Path,
        *,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._declared = declared
        self._key = _api_key(declared, secrets)
        self._http = _client(declared, secrets, self._key, transport)
        self._sleep = sleep
        self._clock = clock
        self._now = now
        self._limit = RateLimit(declared.requests_per_second, 1, clock)
        self._backoff = wait_random_exponential(multiplier=0.5, max=_LONGEST_WAIT)
        self._retrying = Retrying(
            retry=retry_if_exception_type(_LaterError),
            wait=self._wait,
            stop=stop_after_attempt(_ATTEMPTS),
            sleep=sleep,
            reraise=True,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def pages(self, cursor: Cursor) -> Iterator[SourcePage]:
        """Yield the pages of one run: what was left of an interrupted one, or all that has changed since."""
        if cursor.get("next") is not None:
            try:
                yield from self._run(dict(cursor))
                return
            except _GoneError:
                cursor = {name: value for name, value in cursor.items() if name != "next"}
        yield from self._run(dict(cursor))

    def _run(self, state: dict[str, Any]) -> Iterator[SourcePage]:
        asked: set[Any] = set()
        last = b""
        while True:
            asked.add(state.get("next"))
            response = self._retrying(self._get, state)
            document, items = self._read(response)
            following = self._following(response, document, items, state)
            if following is not None and following in asked:
                raise SourceUnavailableError(f"{self._declared.name}: the pages go round in a circle; tell its keeper")
            if items and following is not None and isinstance(self._declared.paging, OffsetPaging):
                page = hashlib.sha256(response.content).digest()
                if page == last:
                    raise SourceUnavailableError(
                        f"{self._declared.name}: the same page comes again and again; is "
                        f"{self._declared.paging.parameter!r} the name of its parameter?"
                    )
                last = page
            remarks: list[str] = []
            fresh = self._fresh(items, state, remarks)
            if following is None:
                # The run is over: what it has seen is what the next one asks from.
                state = {"since": state.get("high", state.get("since")), "seen": state.get("seen", [])}
            else:
                state = state | {"next": following}
            body = response.content if items is None else to_json(fresh) if fresh else b""
            records = 1 if items is None else len(fresh)
            position = {name: value for name, value in state.items() if value not in (None, [])}
            yield SourcePage(body, position, records, tuple(dict.fromkeys(remarks)))
            if following is None:
                return

    def _get(self, state: Cursor) -> httpx.Response:
        declared = self._declared
        while wait := self._limit.take("source", 1):
            self._sleep(max(wait, 0.001))  # what floats round away would be waited for without end
        address, asked = declared.url, dict(declared.parameters)
        following = state.get("next")
        if isinstance(declared.paging, LinkPaging) and following is not None:
            address, asked = following, {}
        else:
            if declared.since is not None:
                asked[declared.since.parameter] = str(state.get("since", declared.since.start))
            if isinstance(declared.paging, CursorPaging) and following is not None:
                asked[declared.paging.parameter] = following
            if isinstance(declared.paging, OffsetPaging):
                asked |= {
                    declared.paging.parameter: str(following or 0),
                    declared.paging.limit_parameter: str(declared.paging.size),
                }
        if isinstance(declared.auth, ApiKey) and declared.auth.parameter:
            asked[declared.auth.parameter] = self._key
        response = self._answer(address, asked)
        status = response.status_code
        if status in _AGAIN:
            raise _LaterError(f"{declared.name}: HTTP {status}", retry_after(response.headers.get("retry-after", "")))
        if status in _GONE and following is not None:
            raise _GoneError(f"{declared.name}: the next page is gone (HTTP {status})")
        if status != 200:
            raise SourceUnavailableError(
                f"{declared.name}: HTTP {status}; check the address, its parameters and the key"
            )
        return response

    def _answer(self, address: str, asked: dict[str, str]) -> httpx.Response:
        """Return the answer to a request, asked for once more with a new token where the old one has ended."""
        declared = self._declared
        try:
            response = self._send(address, asked)
            if response.status_code == 401 and isinstance(declared.auth, ClientCredentials):
                self._fetch_token()  # ended before its time
                response = self._send(address, asked)
        except (httpx.HTTPError, OAuthError) as error:  # DecodingError, of a body that is not packed as it says, too
            raise _LaterError(f"{declared.name}: {urlsplit(declared.url).netloc}: {type(error).__name__}") from error
        except httpx.InvalidURL as error:
            raise SourceUnavailableError(f"{declared.name}: the next page has no address that can be asked") from error
        return response

    def _send(self, address: str, asked: dict[str, str]) -> httpx.Response:
        if isinstance(self._http, OAuth2Client) and not self._http.token:
            self._fetch_token()
        # Redirects are not followed: a key belongs to the address that was declared.
        with self._http.stream("GET", address, params=asked or None, follow_redirects=False) as response:
            size = 0
            parts = []
            until = self._clock() + _SLOWEST * self._declared.timeout
            for part in response.iter_bytes():
                size += len(part)
                if self._clock() > until:
                    raise _LaterError(
                        f"{self._declared.name}: a page takes over {_SLOWEST * self._declared.timeout:g} s"
                    )
                if size > _MOST_BYTES:
                    raise SourceUnavailableError(f"{self._declared.name}: a page of over {_MOST_BYTES // 2**20} MiB")
                parts.append(part)
            whole = httpx.Response(response.status_code, headers=response.headers, request=response.request)
            whole._content = b"".join(parts)
            return whole

    def _fetch_token(self) -> None:
        """Fetch a token; raises SourceUnavailableError where the answer holds none."""
        try:
            self._http.fetch_token()
        # What the library does of a page of HTML, of a list, of `expires_in: ""`.
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise SourceUnavailableError(
                f"{self._declared.name}: the token's address answers without a token ({type(error).__name__})"
            ) from error

    def _read(self, response: httpx.Response) -> tuple[Any, list[Any] | None]:
        """Return the body as JSON where something of it is asked for, and its items; None: it is read whole."""
        declared = self._declared
        in_body = isinstance(declared.paging, CursorPaging) or (
            isinstance(declared.paging, LinkPaging) and declared.paging.at
        )
        if declared.items is None and not in_body:
            return None, None
        try:
            document = from_json(response.content, allow_inf_nan=False)
        except ValueError as error:
            raise SourceUnavailableError(f"{declared.name}: the answer is no JSON") from error
        if declared.items is None:
            return document, None
        items = pointed(document, declared.items)
        if items is None and is_named(document, declared.items):
            items = []
        if not isinstance(items, list):
            raise SourceUnavailableError(f"{declared.name}: {declared.items or 'the body'} is no array")
        return document, items

    def _following(self, response: httpx.Response, document: Any, items: list[Any] | None, state: Cursor) -> str | None:
        """Return what names the next page; None: there is none."""
        declared = self._declared
        paging = declared.paging
        if isinstance(paging, OffsetPaging):
            assert items is not None, "checked with the declaration"
            return str(int(state.get("next") or 0) + len(items)) if len(items) >= paging.size else None
        if isinstance(paging, CursorPaging):
            found = pointed(document, paging.at)
            following = None if found in (None, "") else str(found)
        elif isinstance(paging, LinkPaging):
            named = pointed(document, paging.at) if paging.at else response.links.get("next", {}).get("url")
            try:
                following = urljoin(str(response.url), str(named)) if named else None
                elsewhere = following is not None and _origin(following) != _origin(declared.url)
            except ValueError:  # "https://[", a port of six digits
                raise SourceUnavailableError(
                    f"{declared.name}: the next page has no address that can be asked"
                ) from None
            if elsewhere:
                other = urlsplit(following or "").netloc
                raise SourceUnavailableError(f"{declared.name}: the next page is on another server ({other})")
        else:
            return None
        if following is not None and following == state.get("next"):
            raise SourceUnavailableError(f"{declared.name}: a page names itself as the next one")
        return following

    def _fresh(self, items: list[Any] | None, state: dict[str, Any], remarks: list[str]) -> list[Any]:
        """Return the items that were not seen at the watermark, and note in `state` how far this run has come.

        A value of another form than the watermark's, or of a day that has not come, moves nothing: what changes later
        would never be asked for. The item itself is taken, and `remarks` say so.
        """
        since = self._declared.since
        if items is None or since is None:
            return items or []
        high = state.get("high", state.get("since", since.start))
        seen = list(state.get("seen", []))
        fresh = []
        for item in items:
            value = pointed(item, since.at)
            digest = hashlib.sha256(to_json(item)).hexdigest()[:32]
            if value is not None and value == high and digest in seen:
                continue
            fresh.append(item)
            if value is not None and (strange := _no_watermark(value, high, self._now())):
                remarks.append(f"{since.at}: {strange}")
            elif value is not None and value > high:
                high, seen = value, [digest]
            elif value == high and len(seen) < _MOST_SEEN:
                seen.append(digest)
        state |= {"high": high, "seen": seen}
        return fresh

    def _wait(self, call: RetryCallState) -> float:
        error = call.outcome.exception() if call.outcome else None
        asked = error.retry_after if isinstance(error, _LaterError) else None
        backoff = float(self._backoff(call))
        return backoff if asked is None else min(asked, _LONGEST_WAIT) + backoff / 10


def _no_watermark(value: Any, high: Any, now: datetime) -> str:
    """Say why a value cannot become the watermark after `high`; '' where it can."""
    if type(value) is not type(high):
        return f"nguồn có giá trị không cùng kiểu với mốc · a value is no {type(high).__name__}, as the watermark is"
    known, moment = _moment(high), _moment(value)
    if known is not None and moment is None:
        return "nguồn có giá trị không phải thời điểm · a value is no time, as the watermark is"
    if moment is not None and moment > now + _AHEAD:
        return "nguồn có thời điểm ở tương lai; báo nơi quản lý nguồn · a time lies ahead; tell the source's keeper"
    return ""


def _moment(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
        return None if found is None else found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        return None


def retry_after(text: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> float | None:
    """Return the seconds of a header Retry-After: a number, or an HTTP date (RFC 9110 §10.2.3); None for neither."""
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, (parsedate_to_datetime(text) - now()).total_seconds())
    except (ValueError, TypeError):
        return None


def _api_key(declared: RestPoller, secrets: Path) -> str:
    auth = declared.auth
    if not isinstance(auth, ApiKey):
        return ""
    key = auth.prefix + read_secret(secrets, auth.secret)
    if not key.isascii() or not key.isprintable():
        raise ConfigError(f"{declared.name}: the secret {auth.secret!r} holds signs that no key has")
    return key


def _client(declared: RestPoller, secrets: Path, key: str, transport: httpx.BaseTransport | None) -> Any:
    auth = declared.auth
    headers = {
        "accept": "application/json, application/xml;q=0.9, */*;q=0.5",
        "user-agent": f"ioc/{__version__}",
        **declared.headers,
    }
    if isinstance(auth, ApiKey) and auth.header:
        headers[auth.header] = key
    options: dict[str, Any] = {
        "headers": headers,
        "timeout": httpx.Timeout(declared.timeout, connect=min(declared.timeout, 10.0)),
        "transport": transport,
    }
    if not isinstance(auth, ClientCredentials):
        return httpx.Client(**options)
    return OAuth2Client(
        auth.client_id,
        read_secret(secrets, auth.secret),
        scope=auth.scope or None,
        token_endpoint=auth.token_url,
        grant_type="client_credentials",
        **options,
    )


def _origin(address: str) -> tuple[str, str, int | None]:
    parts = urlsplit(address)
    return parts.scheme, parts.hostname or "", parts.port
