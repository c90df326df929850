"""Where the commands that send find the gateway: at the address that others reach it by, not where it listens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from connectors.publishing.sending import open_client
from ioc.settings import Settings


@pytest.mark.parametrize(
    ("given", "option", "address"),
    [
        ({}, "", "http://127.0.0.1:18080"),
        ({"gateway_port": 1234}, "", "http://127.0.0.1:1234"),
        ({"gateway_host": "::1"}, "", "http://[::1]:18080"),
        ({"gateway_url": "http://localhost:9/in"}, "", "http://localhost:9/in"),
        ({"gateway_url": "http://localhost:9", "gateway_port": 1234}, "", "http://localhost:9"),
        ({"gateway_tls_certfile": Path("c.pem"), "gateway_tls_keyfile": Path("k.pem")}, "", "https://127.0.0.1:18080"),
        ({"gateway_url": "http://localhost:9"}, "http://127.0.0.1:7", "http://127.0.0.1:7"),
    ],
)
def test_what_is_sent_goes_to_the_address_of_the_settings(given: dict[str, Any], option: str, address: str) -> None:
    settings = Settings(_env_file=None, **given)
    with open_client(settings, Console(), gateway=option, token="ioc_x_y", token_file=None) as client:
        assert client.url == address
