"""The gateway's server with an empty handler: it reads a request's body and writes it to Kafka, no more.

The same uvicorn, connection limits, web framework and Kafka client as the gateway's; no token, no checks, no answer for
each event. `python -m bench.empty_gateway TOPIC` takes its settings from the environment, as services do.
"""

from __future__ import annotations

import sys

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, PlainTextResponse

from connectors.gateway.producer import EventProducer, KafkaEventProducer
from ioc.messaging.record import OutgoingRecord
from ioc.settings import Settings
from ioc.web.serving import serve


def create_empty_app(topic: str, producer: EventProducer) -> FastAPI:
    """Return the application; it writes each body as one record of `topic`, and answers once Kafka has it."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/v1/events", status_code=202)
    async def write(request: Request) -> JSONResponse:
        await producer.publish([OutgoingRecord(topic, None, await request.body(), ())])
        return JSONResponse({}, status_code=202)

    @app.get("/ready")
    async def ready() -> PlainTextResponse:
        return PlainTextResponse("ready\n")

    return app


def main() -> None:
    """Serve on the gateway's port until a signal stops it."""
    settings = Settings()
    producer = KafkaEventProducer(settings)
    try:
        serve(
            create_empty_app(sys.argv[1], producer),
            host=settings.gateway_host,
            port=settings.gateway_port,
            patience=5,
            setting="IOC_GATEWAY",
        )
    finally:
        producer.close()


if __name__ == "__main__":
    main()
