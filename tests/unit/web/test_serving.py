"""An address at which a service cannot listen is told by its settings."""

from __future__ import annotations

import socket

import pytest

from ioc.errors import FatalError
from ioc.web.serving import require_address


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FatalError, match=f"port {port}: Address already in use.*IOC_GATEWAY_PORT"):
            require_address("127.0.0.1", port, "IOC_GATEWAY")
    require_address("127.0.0.1", port, "IOC_GATEWAY")


@pytest.mark.parametrize("host", ["203.0.113.5", "/run/ioc", "nowhere.invalid"])
def test_a_host_that_is_not_this_machine(host: str) -> None:
    with pytest.raises(FatalError, match="IOC_API_HOST"):
        require_address(host, 18082, "IOC_API")
