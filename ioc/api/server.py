"""Runs the API until it is told to stop."""

from __future__ import annotations

import structlog

from ioc.api.app import create_app
from ioc.api.reading import DatabaseReading
from ioc.feeds.feed import load_feeds
from ioc.logging import configure_logging
from ioc.province.profile import load_profile
from ioc.settings import Settings
from ioc.web.serving import serve
from ioc.web.tokens import TokenFile

_log = structlog.get_logger("api")


def run_api(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises `ConfigError` when the token file or the profile is broken."""
    configure_logging(settings)
    tokens = TokenFile(settings.token_file)
    if not any(token.reads for token in tokens.read()):
        _log.warning("no token may read", next_step="ioc token create NAME --reader")
    profile = load_profile(settings.profile)
    reading = DatabaseReading(
        settings, load_feeds(), lambda: load_profile(settings.profile).areas, timezone=profile.timezone
    )
    try:
        serve(
            create_app(settings, tokens, reading),
            host=settings.api_host,
            port=settings.api_port,
            patience=settings.api_timeout + 5,
        )
    finally:
        reading.close()
