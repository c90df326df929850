"""Runs the API until a signal stops it."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from ioc.api.app import create_app
from ioc.api.approval import ApprovalReader
from ioc.api.assessment import AssessmentReader
from ioc.api.pages.acting import DatabaseActing
from ioc.api.pages.app import Pages
from ioc.api.pages.face import Face
from ioc.api.pages.past import PastPageReading
from ioc.api.pages.reading import PageReading
from ioc.api.pages.sender import SenderPages
from ioc.api.pages.sending import GatewayUpload, SendingReading
from ioc.api.reading import DatabaseReading
from ioc.api.receipt import ReceiptAnswers
from ioc.feeds.feed import load_feeds
from ioc.logging import configure_logging
from ioc.notification.link_request import LinkRequests
from ioc.province.duty import load_ladder
from ioc.province.profile import Profile, load_profile, load_sectors
from ioc.reading.fate import StoredFateReader
from ioc.settings import Settings
from ioc.web.rate_limit import RateLimit
from ioc.web.serving import serve
from ioc.web.signing import Signing
from ioc.web.tokens import TokenFile, utc_now

_log = structlog.get_logger("api")


def run_api(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises `ConfigError` when the token file or the profile is broken."""
    configure_logging(settings)
    tokens = TokenFile(settings.token_file)
    if not any(token.reads for token in tokens.read()):
        _log.warning("no token may read", next_step="ioc token create NAME --reader")
    profile = load_profile(settings.profile)
    feeds = load_feeds()
    reading = DatabaseReading(settings, feeds, lambda: load_profile(settings.profile).areas, timezone=profile.timezone)
    zone = ZoneInfo(profile.timezone)
    pages = None
    if settings.link_key.get_secret_value():
        pages = make_pages(settings, tokens, reading, profile)
    else:
        _log.warning("there are no pages", next_step="set IOC_LINK_KEY")
    try:
        serve(
            create_app(
                settings,
                tokens,
                reading,
                pages=pages,
                today=lambda: utc_now().astimezone(zone).date(),
                assessment=AssessmentReader(reading, settings),
                approvals=ApprovalReader(reading, feeds, profile),
                receipts=ReceiptAnswers(settings, feeds, StoredFateReader(settings, feeds), time.monotonic),
            ),
            host=settings.api_host,
            port=settings.api_port,
            setting="IOC_API",
            patience=settings.api_timeout + 5,
        )
    finally:
        reading.close()


def make_pages(
    settings: Settings,
    tokens: TokenFile,
    reading: DatabaseReading,
    profile: Profile,
    now: Callable[[], datetime] = utc_now,
    upload: GatewayUpload | None = None,
) -> Pages:
    """Return the pages of a province over the API's own reading; `now` is the clock that they show.

    upload: passes a sender's file on to the gateway; by default over the network.
    """
    zone = ZoneInfo(profile.timezone)
    signing = Signing(settings, now)
    sending = SendingReading(reading.connected, load_feeds(), zone, now, settings.gateway_address, reading.edition)
    ladder = load_ladder(settings.profile, load_sectors(settings.profile))
    return Pages(
        PageReading(reading.connected, zone, now=now),
        PastPageReading(reading.asked, zone, load_feeds(), lambda: load_profile(settings.profile).areas),
        DatabaseActing(settings, now),
        reading.explain,
        signing,
        tokens,
        RateLimit(settings.api_rate, settings.api_burst, time.monotonic),
        Face(profile.name_vi, profile.note_vi, load_sectors(settings.profile), zone),
        {post.post: post.post_vi for post in ladder.posts},
        SenderPages(sending, upload or GatewayUpload(settings), signing, tokens),
        LinkRequests(settings, ladder, now),
    )
