"""The page of a sector's engineer: what became of what their system sends, how to send, and a file to try.

It is the API's and not the gateway's: the gateway reaches no database. Who signs in with a token that publishes sees
the token's own feeds and reporters. The session sends nothing: to send a file, or to try one, the form asks for the
token once more and passes the file on to the gateway with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import psycopg
from psycopg import sql as pg
from psycopg.rows import dict_row
from pydantic_core import from_json

from ioc.api.pages.view import FoundRows
from ioc.api.pages.workbench import Cause, read_causes
from ioc.api.problem import ProblemError
from ioc.catalogue.edition import Edition
from ioc.feeds.feed import Feed
from ioc.settings import Settings
from ioc.web.tokens import Token
from sql import load_queries

_DAILY = ("realtime", "hourly", "daily")
_MOST_SILENT = 50
_SECONDS = 120.0


@dataclass(frozen=True)
class FeedView:
    """A feed of the token: what came today, and who has not reported the last day that is over.

    accepted, rejected, duplicate: of the token's own reporters; `whole`: all of the feed, duplicates among them, for a
    token that may send for everybody. must: whether each reporter owes a report every day.
    """

    feed: Feed
    accepted: int
    rejected: int
    duplicate: int | None
    newest: datetime | None
    must: bool
    silent: FoundRows = field(default_factory=list)

    @property
    def more_silent(self) -> int:
        """How many more than are named."""
        return max(0, len(self.silent) - _MOST_SILENT)

    @property
    def named_silent(self) -> FoundRows:
        """The first of those who have not reported."""
        return self.silent[:_MOST_SILENT]


@dataclass(frozen=True)
class SendingView:
    """All that the page shows."""

    token: Token
    feeds: Sequence[FeedView]
    since: datetime
    day: date | None
    causes: Sequence[Cause]
    totals: FoundRows
    gateway: str


class SendingReading:
    """Reads what became of a token's events.

    `connected` lends a read-only connection within a snapshot, `edition` returns the definitions that hold in it.
    """

    def __init__(
        self,
        connected: Callable[[], Any],
        feeds: Mapping[str, Feed],
        zone: ZoneInfo,
        now: Callable[[], datetime],
        gateway: str,
        edition: Callable[[psycopg.Connection], Edition],
    ) -> None:
        self._connected = connected
        self._feeds = feeds
        self._zone = zone
        self._now = now
        self._gateway = gateway
        self._edition = edition
        self._queries = load_queries("sending")

    def view(self, token: Token) -> SendingView:
        """Return the page's content; raises ProblemError while the database is away."""
        now = self._now().astimezone(self._zone)
        since = datetime.combine(now.date(), time(), self._zone)
        own = pattern_of(token.reporters)
        whole = "*" in token.reporters
        feeds = [self._feeds[key] for key in token.feeds if key in self._feeds]
        asked = {"feeds": [feed.key for feed in feeds], "own": own, "whole": whole}
        with self._connected() as connection:
            (first,) = self._rows(connection, "select_day", {"yesterday": now.date() - timedelta(days=1)})
            day = first["day"]
            duties = {row["feed"] for row in self._rows(connection, "select_duties", asked) if row["cadence"] in _DAILY}
            views = [
                self._feed(connection, feed, own, since, day, whole=whole, must=feed.key in duties) for feed in feeds
            ]
            refused = asked | {"since": since - timedelta(days=7)}
            causes = read_causes(connection, self._feeds, self._edition(connection), refused)
            totals = self._rows(connection, "select_totals", asked)
            for row in totals:
                (counted,) = self._rows(connection, "count_told", row, self._feeds[row["feed"]])
                row["stored"] = counted["stored"]
        return SendingView(token, views, since, day, causes, totals, self._gateway)

    def _feed(
        self,
        connection: psycopg.Connection,
        feed: Feed,
        own: str,
        since: datetime,
        day: date | None,
        *,
        whole: bool,
        must: bool,
    ) -> FeedView:
        asked = {"feed": feed.key, "own": own, "since": since, "day": day}
        (stored,) = self._rows(connection, "count_stored", asked, feed)
        if whole:
            (counts,) = self._rows(connection, "select_counts", asked)
        else:
            (rejected,) = self._rows(connection, "count_rejected", asked)
            counts = {"accepted": stored["stored"], "rejected": rejected["rejected"], "duplicate": None}
        silent = self._rows(connection, "select_silent", asked, feed) if must and day is not None else []
        return FeedView(
            feed, counts["accepted"], counts["rejected"], counts["duplicate"], stored["newest"], must, silent
        )

    def _rows(
        self, connection: psycopg.Connection, name: str, asked: Mapping[str, Any], feed: Feed | None = None
    ) -> FoundRows:
        query = pg.SQL(self._queries[name])
        composed = query if feed is None else query.format(table=pg.Identifier(feed.table))
        return connection.cursor(row_factory=dict_row).execute(composed, asked).fetchall()


class GatewayUpload:
    """Passes a file on to the gateway with its sender's token; `transport` takes the place of the network in tests."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._address = settings.gateway_address
        self._transport = transport

    async def send(self, feed: str, secret: str, file: Any, *, dry_run: bool, reporter: str) -> dict[str, Any]:
        """Return what the gateway says of a file; raises ProblemError where it is away."""
        asked = {"dry_run": str(dry_run).lower()}
        if reporter:
            asked |= {"reporter": reporter, "establishment": reporter}
        headers = {
            "authorization": f"Bearer {secret}",
            "content-type": "application/octet-stream",
            "accept-language": "vi",
        }
        client = httpx.AsyncClient(
            base_url=self._address,
            transport=self._transport,
            timeout=httpx.Timeout(_SECONDS, connect=5.0),
            follow_redirects=False,  # the token would go along
            trust_env=False,
        )
        try:
            async with client:
                content = await file.read()
                answer = await client.post(f"/v1/feeds/{feed}", params=asked, headers=headers, content=content)
            said = from_json(answer.content)
        except (httpx.HTTPError, ValueError):
            raise ProblemError(
                503,
                "gateway_unavailable",
                vi="cổng tiếp nhận không trả lời; chưa gửi gì, hãy thử lại sau ít phút",
                en="the gateway does not answer; nothing was sent, try again in a few minutes",
            ) from None
        return {"status": answer.status_code, "dry_run": dry_run, **(said if isinstance(said, dict) else {})}


def pattern_of(globs: Sequence[str]) -> str:
    """Return globs of reporter codes as one regular expression of PostgreSQL; no glob matches nothing.

    >>> pattern_of(["77-*", "a.b"])
    '^(77-.*|a\\\\.b)$'
    """
    parts = [re.escape(glob).replace(r"\*", ".*").replace(r"\?", ".") for glob in globs]
    return f"^({'|'.join(parts)})$" if parts else "^$a"
