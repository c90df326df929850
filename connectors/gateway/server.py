"""Runs the gateway until a signal stops it."""

from __future__ import annotations

import gc

import structlog

from connectors.gateway.app import create_app
from connectors.gateway.producer import KafkaEventProducer
from connectors.gateway.receipt_source import ApiReceiptSource
from ioc.feeds.feed import load_feeds
from ioc.logging import configure_logging
from ioc.settings import Settings
from ioc.tracing import open_tracing
from ioc.web.serving import Tls, serve
from ioc.web.tokens import TokenFile

_log = structlog.get_logger("gateway")


def run_gateway(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT: then take no more, answer what is under way, write it out and return.

    Raises `ConfigError` when the token file is broken, or certificate and key do not fit.
    """
    configure_logging(settings)
    tls = Tls.of(settings.gateway_tls_certfile, settings.gateway_tls_keyfile, "IOC_GATEWAY_TLS")
    tokens = TokenFile(settings.token_file)
    if not tokens.read():
        _log.warning("there are no tokens, so no system can publish", next_step="ioc token create NAME --feed ...")
    feeds = load_feeds()
    producer = KafkaEventProducer(settings)
    tracing = open_tracing(settings, "ioc-gateway")
    app = create_app(settings, feeds, tokens, producer, ApiReceiptSource(settings), tracing=tracing)
    # What was made by now stays: the garbage collector need not look through models and engines with every request.
    gc.collect()
    gc.freeze()
    try:
        serve(
            app,
            host=settings.gateway_host,
            port=settings.gateway_port,
            setting="IOC_GATEWAY",
            tls=tls,
            patience=int(settings.gateway_produce_timeout) + 5,
        )
    finally:
        producer.close()
        tracing.close()
