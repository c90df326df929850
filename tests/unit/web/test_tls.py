"""A service that ends TLS itself: who checks its certificate gets an answer; files that do not fit are told at once."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from testbed.secured import Authority

from deploy.local.process import wait_until
from ioc.errors import ConfigError
from ioc.settings import Settings
from ioc.web.serving import Tls, server_config


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "province-ca")


def test_a_client_that_checks_the_certificate_gets_an_answer(authority: Authority) -> None:
    issued = authority.issue("gateway", "127.0.0.1")
    tls = Tls.of(issued.certificate, issued.key, "IOC_GATEWAY_TLS")
    app = Starlette(routes=[Route("/live", lambda _: PlainTextResponse("well"))])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        server = uvicorn.Server(server_config(app, host="127.0.0.1", port=port, patience=1, tls=tls))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            assert wait_until(lambda: server.started, 30.0, poll=0.02)
            trusting = ssl.create_default_context(cafile=authority.file)
            answer = httpx.get(f"https://127.0.0.1:{port}/live", verify=trusting, trust_env=False, timeout=30.0)
            assert (answer.status_code, answer.text) == (200, "well")
            with pytest.raises(httpx.ConnectError, match=r"(?i)certificate"):
                httpx.get(f"https://127.0.0.1:{port}/live", trust_env=False, timeout=30.0)  # another authority's
            with pytest.raises(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{port}/live", trust_env=False, timeout=30.0)
        finally:
            server.should_exit = True
            thread.join(30.0)


def test_files_that_do_not_fit_are_told_with_the_names_of_their_settings(authority: Authority, tmp_path: Path) -> None:
    one, other = authority.issue("one"), authority.issue("other")
    assert Tls.of(None, None, "IOC_GATEWAY_TLS") is None
    for certificate, key in (
        (one.certificate, None),
        (None, one.key),
        (one.certificate, other.key),
        (one.key, one.certificate),
        (tmp_path / "gone.pem", one.key),
    ):
        with pytest.raises(ConfigError, match=r"IOC_GATEWAY_TLS_CERTFILE.*IOC_GATEWAY_TLS_KEYFILE"):
            Tls.of(certificate, key, "IOC_GATEWAY_TLS")


def test_others_reach_it_by_https(authority: Authority) -> None:
    assert Settings(_env_file=None).gateway_address.startswith("http://127.0.0.1:")
    tls = Settings(_env_file=None, gateway_tls_certfile=authority.file)
    assert tls.gateway_address.startswith("https://127.0.0.1:")
