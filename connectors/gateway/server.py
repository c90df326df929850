"""Runs the gateway until it is told to stop."""

from __future__ import annotations

import signal
from types import FrameType

import structlog
import uvicorn

from connectors.gateway.app import create_app
from connectors.gateway.producer import KafkaEventProducer
from connectors.tokens import TokenFile
from ioc.feed import load_feeds
from ioc.logging import configure_logging
from ioc.settings import Settings

# With the largest body of each, these bound the gateway's memory.
_MOST_CONNECTIONS = 256
_log = structlog.get_logger("gateway")


def run_gateway(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT: then take no more, answer what is under way, write it out and return.

    Raises `ConfigError` when the token file is broken.
    """
    configure_logging(settings)
    tokens = TokenFile(settings.token_file)
    if not tokens.read():
        _log.warning("there are no tokens, nobody can publish", next_step="ioc token create NAME --feed ...")
    producer = KafkaEventProducer(settings)
    config = uvicorn.Config(
        create_app(settings, load_feeds(), tokens, producer),
        host=settings.gateway_host,
        port=settings.gateway_port,
        loop="uvloop",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=int(settings.gateway_produce_timeout) + 5,
    )
    # uvicorn raises the signal again once it has stopped; by default that would end the process unflushed.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    try:
        uvicorn.Server(config).run()
    finally:
        producer.close()


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
