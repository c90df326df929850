"""What the API reads, from the database, over a few read-only connections with bounded waits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol
from zoneinfo import ZoneInfo

import psycopg
import structlog
from psycopg import errors as pg_errors
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from ioc.api.model import Detail, Page, facts_of, summary_of
from ioc.api.problem import ProblemError
from ioc.api.scope import AskedPlace
from ioc.catalogue.edition import Edition
from ioc.catalogue.store import load_editions, read_epoch
from ioc.database.connection import conninfo, translated_errors
from ioc.errors import DatabaseUnavailableError, QuestionError
from ioc.feeds.feed import Feed
from ioc.reading.explanation import Explainer, Explanation
from ioc.reading.explanation.model import Version
from ioc.reading.past import PastMoment, within
from ioc.reading.series import Series, SeriesReader
from ioc.reading.small_cell import is_hidden, small_cell_plan, without_persons
from ioc.settings import Settings
from ioc.territory.area import AreaTree
from sql import load_queries

_RETRY_SECONDS = 5
_CANCEL_SECONDS = 0.2  # between two attempts to end an answer that takes too long
_log = structlog.get_logger("api")


class Reading(Protocol):
    """Answers the API's questions; raises ProblemError."""

    def page(
        self, *, sector: str | None, kind: str | None, owner: str | None, search: str | None, limit: int, offset: int
    ) -> Page: ...
    def detail(self, code: str) -> Detail: ...
    def series(
        self,
        code: str,
        *,
        period: str,
        first: date,
        last: date,
        area: str | None,
        level: str | None,
        units_on: date | None,
        as_of: str | None = None,
    ) -> Series: ...
    def explain(
        self, code: str, *, area: str, period: str, on: date, limit: int, offset: int, as_of: str | None = None
    ) -> Explanation: ...
    def place(self, code: str | None, area: str | None) -> AskedPlace: ...
    def is_ready(self) -> bool: ...


@dataclass(frozen=True)
class _Held:
    """What answers are made with, all of one epoch."""

    epoch: int
    edition: Edition
    areas: AreaTree


class DatabaseReading:
    """Reads with the read-only role, each answer from one snapshot; definitions are those live in the database."""

    def __init__(
        self, settings: Settings, feeds: Mapping[str, Feed], load_areas: Callable[[], AreaTree], *, timezone: str
    ) -> None:
        """The caller closes it. `load_areas` is called whenever catalogue, areas or reporters have been loaded anew."""
        self._feeds = feeds
        self._load_areas = load_areas
        self._timezone = timezone
        self._seconds = settings.api_timeout
        bounded = settings.model_copy(update={"db_statement_timeout": settings.api_timeout})
        self._pool = ConnectionPool(
            conninfo(bounded, "reader"),
            min_size=1,
            max_size=settings.api_connections,
            timeout=settings.db_connect_timeout,
            open=False,
            kwargs={"autocommit": True},
            check=ConnectionPool.check_connection,
            reconnect_timeout=0,  # the next request tries again, not a timer that has been growing meanwhile
        )
        self._pool.open()
        self._held: _Held | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """Give the connections back."""
        self._pool.close()

    def page(
        self, *, sector: str | None, kind: str | None, owner: str | None, search: str | None, limit: int, offset: int
    ) -> Page:
        """Return indicators that fit, in the catalogue's order."""
        with self.connected() as connection:
            edition = self._current(connection).edition
        word = (search or "").casefold()
        found = [
            indicator
            for indicator in edition.indicators.values()
            if sector in (None, indicator.sector)
            and kind in (None, indicator.kind)
            and (owner is None or owner.casefold() in map(str.casefold, indicator.owners))
            and any(word in text.casefold() for text in (indicator.code, indicator.name_vi, indicator.name_en))
        ]
        shown = tuple(map(summary_of, found[offset : offset + limit]))
        return Page(total=len(found), offset=offset, indicators=shown)

    def detail(self, code: str) -> Detail:
        """Return one indicator."""
        with self.connected() as connection:
            edition = self._known(connection, code).edition
            cursor = connection.cursor(row_factory=dict_row)
            rows = cursor.execute(load_queries("explain")["select_versions"], [code]).fetchall()
        indicator, compiled = edition.indicators[code], edition.compiled
        return Detail(
            **facts_of(indicator),
            version=max(row["version"] for row in rows if row["state"] == "live"),
            definition={name: text for name, text in indicator.definition.items() if text},
            inputs=compiled.plans[code].inputs,
            dependents=tuple(sorted(compiled.dependents(code))),
            feeds=compiled.feeds(code),
            versions=tuple(Version(**row) for row in rows),
        )

    def series(
        self,
        code: str,
        *,
        period: str,
        first: date,
        last: date,
        area: str | None,
        level: str | None,
        units_on: date | None,
        as_of: str | None = None,
    ) -> Series:
        """Return a series, as `ioc.reading.series.SeriesReader` reads it."""
        with self.asked(as_of) as (connection, moment):
            held = self._known(connection, code, moment)
            reader = SeriesReader(connection, held.edition.compiled, self._feeds, held.areas, moment=moment)
            return reader.read(
                code, period=period, first=first, last=last, area_code=area, level=level, units_on=units_on
            )

    def explain(
        self, code: str, *, area: str, period: str, on: date, limit: int, offset: int, as_of: str | None = None
    ) -> Explanation:
        """Return what a figure is made of, or was at a past moment."""
        with self.asked(as_of) as (connection, moment):
            held = self._known(connection, code, moment)
            explainer = Explainer(
                connection, held.edition.compiled, self._feeds, held.areas, timezone=self._timezone, moment=moment
            )
            cell = explainer.cell(area, period, on)
            found = explainer.explain(code, cell, limit=limit, offset=offset)
            plan = small_cell_plan(connection, held.edition.indicators[code].sector, held.edition.compiled)
            if plan is None:
                return found
            if moment is None:
                hidden = is_hidden(connection, code, period=period, area_id=cell.area.area_id, bucket=cell.start)
            else:
                reader = SeriesReader(connection, held.edition.compiled, self._feeds, held.areas, moment=moment)
                series = reader.read(code, period=period, first=on, last=on, area_code=area)
                hidden = any(point.suppressed for one in series.areas for point in one.points)
            return without_persons(found, hidden=hidden)

    def place(self, code: str | None, area: str | None) -> AskedPlace:
        """Return where a question leads, by the definitions and areas that hold now."""
        with self.connected() as connection:
            held = self._current(connection)
        indicator = held.edition.indicators.get(code) if code is not None else None
        codes = {unit.area_id: unit.code for unit in held.areas.areas}
        chains = tuple(
            frozenset(codes[one] for one in held.areas.chain(unit.area_id))
            for unit in held.areas.areas
            if unit.code == area
        )
        return AskedPlace(indicator.sector if indicator is not None else None, chains or None)

    @property
    def zone(self) -> ZoneInfo:
        """The province's time zone."""
        return ZoneInfo(self._timezone)

    def is_ready(self) -> bool:
        """Whether the database answers."""
        try:
            with self.connected() as connection:
                connection.execute("SELECT 1")
        except ProblemError:
            return False
        return True

    @contextmanager
    def asked(self, as_of: str | None) -> Iterator[tuple[psycopg.Connection, PastMoment | None]]:
        """Lend a connection on which tables are as they are, or as they were at a moment."""
        if as_of is None:
            with self.connected() as connection:
                yield connection, None
            return
        try:
            moment = PastMoment.parse(as_of, ZoneInfo(self._timezone))
        except QuestionError as error:
            raise ProblemError(422, "question", vi=error.message_vi, en=str(error)) from None
        with self.connected(moment) as connection:
            yield connection, moment

    @contextmanager
    def connected(self, moment: PastMoment | None = None) -> Iterator[psycopg.Connection]:
        """Lend a connection within a snapshot, or one of the past; what the database or the question lacks becomes a
        problem.
        """
        with self.lent() as connection, within(connection, moment):
            yield connection

    @contextmanager
    def lent(self) -> Iterator[psycopg.Connection]:
        """Lend an idle connection in autocommit mode; errors are those of `connected`."""
        try:
            with self._pool.connection() as connection, translated_errors():
                try:
                    with ended_after(self._seconds, connection):
                        yield connection
                except pg_errors.QueryCanceled:
                    raise _too_long(self._seconds) from None
        except QuestionError as error:
            raise ProblemError(422, "question", vi=error.message_vi, en=str(error)) from None
        except (DatabaseUnavailableError, PoolTimeout, psycopg.OperationalError) as error:
            # The message of what was asked stays out of the log; where it failed is enough.
            _log.warning("the database does not answer", error=type(error).__name__)
            raise ProblemError(
                503,
                "database_unavailable",
                vi="cơ sở dữ liệu tạm thời gián đoạn; hãy hỏi lại sau ít giây",
                en="the database is away; ask again in a few seconds",
                headers={"retry-after": str(_RETRY_SECONDS)},
            ) from None

    def edition(self, connection: psycopg.Connection) -> Edition:
        """Return the definitions that are live in a connection's snapshot."""
        return self._current(connection).edition

    def _current(self, connection: psycopg.Connection) -> _Held:
        """Return the live definitions and the areas, read again together whenever the epoch has changed.

        The epoch is that of the answer's snapshot, so that nothing is answered from two editions.
        """
        epoch = read_epoch(connection)
        with self._lock:
            if self._held is None or epoch != self._held.epoch:
                if self._held is not None:
                    _log.info("planned restart", reason="catalogue, areas or reporters have changed", epoch=epoch)
                self._held = _Held(epoch, load_editions(connection).live, self._load_areas())
            return self._held

    def _known(self, connection: psycopg.Connection, code: str, moment: PastMoment | None = None) -> _Held:
        held = self._current(connection)
        if moment is not None:  # definitions are those of then
            held = replace(held, edition=load_editions(connection).live)
        if code not in held.edition.indicators:
            raise ProblemError(
                404,
                "indicator_unknown",
                # What was asked for is not repeated: like every answer, this one holds nothing that somebody sent.
                vi="không có chỉ tiêu nào mang mã này; GET /v1/indicators liệt kê tất cả",
                en="no indicator has this code; GET /v1/indicators lists all",
            )
        return held


@contextmanager
def ended_after(seconds: float, connection: psycopg.Connection) -> Iterator[None]:
    """Cancel whatever runs once an answer has taken so long: it consists of many statements, each bounded by itself."""
    done = threading.Event()

    def watch() -> None:
        pause = seconds
        while not done.wait(pause):
            with suppress(psycopg.Error):
                connection.cancel_safe(timeout=1.0)
            pause = _CANCEL_SECONDS

    watcher = threading.Thread(target=watch, name="api-watch", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _too_long(seconds: int) -> ProblemError:
    return ProblemError(
        504,
        "too_long",
        vi=f"câu hỏi cần hơn {seconds} giây; hãy hỏi kỳ ngắn hơn, địa bàn nhỏ hơn, hoặc ít bản ghi hơn",
        en=f"the answer takes more than {seconds} s; ask for a shorter period, a smaller area, or fewer records",
    )
