"""Types of settings: what a port, a rate or an address may be, checked when it is read."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field

# Who listens on all addresses is asked at this machine's own.
_OWN_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not listened on

_SERVER = re.compile(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+):([0-9]{1,5})", re.ASCII)


def _check_servers(value: str) -> str:
    for server in value.split(","):
        match = _SERVER.fullmatch(server.strip())
        if match is None or not 1 <= int(match[2]) <= 65535:
            raise ValueError(f"{server!r} is not host:port with a port from 1 to 65535")
    return ",".join(server.strip() for server in value.split(","))


def _check_url(value: str) -> str:
    if not value:
        return value
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"{value!r} is not an address: {error}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(f"{value!r} must look like http://host:port or https://host")
    return value.rstrip("/")


def _check_addresses(value: str) -> str:
    for address in filter(None, (part.strip() for part in value.split(","))):
        if not re.fullmatch(r"[^@\s,]+@[^@\s,]+", address):
            raise ValueError(f"{address!r} is not an e-mail address")
    return value


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


Port = Annotated[int, Field(ge=1, le=65535)]
PortOrAny = Annotated[int, Field(ge=0, le=65535)]
Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Host = Annotated[str, Field(min_length=1, pattern=r"^[^\s,]+$")]
MailAddresses = Annotated[str, AfterValidator(_check_addresses)]
LogLevel = Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(_upper)]
Servers = Annotated[str, AfterValidator(_check_servers)]
Url = Annotated[str, AfterValidator(_check_url)]
Name = Annotated[str, Field(min_length=1)]
KeyName = Annotated[str, Field(pattern=r"^[a-z0-9]{1,8}$")]  # as pseudonyms hold it: see ioc/pseudonym.py
OldKeyName = Annotated[str, Field(pattern=r"^[a-z0-9]{0,8}$")]  # empty = there is none


def address_of(host: str, port: int) -> str:
    """Return the address at which this machine reaches who listens on a host and port."""
    reached = _OWN_ADDRESS.get(host, host)
    return f"http://{f'[{reached}]' if ':' in reached else reached}:{port}"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, and nothing else reaches it."""
    if host == "localhost" or host.startswith("/"):  # a socket's directory is on this machine, too
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
