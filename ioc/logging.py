"""One log for all services: structlog and the standard library's loggers, to stderr, in UTC."""

from __future__ import annotations

import logging
import sys

import structlog

from ioc.settings import Settings

# At DEBUG these print the events they carry, which never belongs in a log; at INFO they tell of every connection.
_TALKATIVE = ("kafka", "aiokafka", "faust", "mode", "httpx", "httpcore", "uvicorn", "asyncio")
# While a broker is away these report every attempt; the code that uses the client logs once what it means.
_REPETITIVE = ("kafka.net", "kafka.cluster")


def configure_logging(settings: Settings) -> None:
    """Set the process's log up: readable lines, or JSON lines with `log_json`; colours only on a terminal.

    Tracebacks never show local variables: they hold events.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: list[structlog.typing.Processor]
    if settings.log_json:
        renderer = [
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    else:
        renderer = [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(),
                pad_event_to=0,
                exception_formatter=structlog.dev.plain_traceback,
            )
        ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    floor = logging.WARNING if logging.getLogger().level >= logging.INFO else logging.INFO
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(floor)
    for name in _REPETITIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)
