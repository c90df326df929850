"""The settings of traces (OpenTelemetry)."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings

from ioc.setting_type import Url


class TraceSettings(BaseSettings):
    """What `Settings` holds of traces."""

    trace_url: Url = Field(
        "",
        description="Address of an OpenTelemetry collector that takes OTLP over HTTP, such as http://127.0.0.1:4318; "
        "`/v1/traces` is added. Empty = nothing is traced.",
    )
    trace_sample: float = Field(
        0.01,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Share of the requests that are traced; a request with a `traceparent` of its own says so itself.",
    )
