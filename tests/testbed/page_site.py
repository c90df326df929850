"""The pages over a database, with a clock of the test's own: by HTTP calls, or served for a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from fastapi import FastAPI

from ioc.api.app import create_app
from ioc.api.assessment import AssessmentReader
from ioc.api.pages.sending import GatewayUpload
from ioc.api.reading import DatabaseReading
from ioc.api.server import make_pages
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile
from ioc.settings import Settings
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
def site(
    settings: Settings, clock: Clock, upload: GatewayUpload | None = None
) -> Iterator[tuple[FastAPI, Signing, TokenFile]]:
    """The application, what signs its links, and its tokens."""
    profile = load_profile(settings.profile)
    tokens, signing = TokenFile(settings.token_file, clock), Signing(settings, clock)
    reading = DatabaseReading(settings, load_feeds(), lambda: profile.areas, timezone=profile.timezone)
    pages = make_pages(settings, tokens, reading, profile, clock, upload)
    try:
        assessment = AssessmentReader(reading, settings)
        yield create_app(settings, tokens, reading, pages=pages, assessment=assessment), signing, tokens
    finally:
        reading.close()
