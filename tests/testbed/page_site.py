"""The pages over a database, with a clock of the test's own: by HTTP calls, or served for a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from ioc.api.app import create_app
from ioc.api.pages.acting import DatabaseActing
from ioc.api.pages.app import Pages
from ioc.api.pages.face import Face
from ioc.api.pages.reading import PageReading
from ioc.api.reading import DatabaseReading
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile, load_sectors
from ioc.settings import Settings
from ioc.web.rate_limit import RateLimit
from ioc.web.signing import Signing
from ioc.web.tokens import TokenFile
from testbed.page_data import NOW


class Clock:
    """A moment that a test moves."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@contextmanager
def site(settings: Settings, clock: Clock) -> Iterator[tuple[FastAPI, Signing, TokenFile]]:
    """The application, what signs its links, and its tokens."""
    profile = load_profile(settings.profile)
    tokens, signing = TokenFile(settings.token_file, clock), Signing(settings, clock)
    reading = DatabaseReading(settings, load_feeds(), lambda: profile.areas, timezone=profile.timezone)
    zone = ZoneInfo(profile.timezone)
    limit = RateLimit(settings.api_rate, settings.api_burst, clock.now.timestamp)
    pages = Pages(
        PageReading(reading.connected, zone, now=clock),
        DatabaseActing(settings, clock),
        reading.explain,
        signing,
        tokens,
        limit,
        Face(profile.name_vi, profile.note_vi, load_sectors(settings.profile), zone),
    )
    try:
        yield create_app(settings, tokens, reading, pages=pages), signing, tokens
    finally:
        reading.close()
