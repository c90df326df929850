"""The one interface of all ways out: e-mail, webhook, Telegram, Zalo."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args

import httpx

from ioc.errors import DeliveryError, UndeliverableError

ChannelName = Literal["email", "webhook", "telegram", "zalo"]
CHANNELS: tuple[ChannelName, ...] = get_args(ChannelName)
# A dead server costs this long, and no more; a message waits for its next try afterwards.
TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_QUOTED = 200


@dataclass(frozen=True)
class ChannelMessage:
    """One message to one recipient.

    key:  the same for every try of the same message, and for no other: by it a receiver knows a second delivery.
    to:   the recipient's post, for programs; the address is passed beside the message.
    link: the signed address of the page that it is about, made for this recipient when it is sent; '' = none.
    """

    key: str
    to: str
    subject: str
    text: str
    link: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """A short name of the key that fits a header."""
        return hashlib.sha256(self.key.encode()).hexdigest()[:32]

    def plain(self, limit: int | None = None) -> str:
        """Return subject, text and link as one text of at most `limit` characters; the link is always whole."""
        tail = f"\n\n{self.link}" if self.link else ""
        head = f"{self.subject}\n\n{self.text}"
        if limit is not None and len(head) + len(tail) > limit:
            head = head[: max(limit - len(tail) - 1, 0)] + "…"
        return head + tail


class MessageChannel(Protocol):
    """A way out. `send` hands a message over and returns the other side's name for it ('' where it gives none).

    Raises DeliveryError where a later try may succeed, UndeliverableError where none can. Every wait is bounded.
    """

    name: ChannelName

    def send(self, address: str, message: ChannelMessage) -> str: ...


def post(client: httpx.Client, name: str, url: str, **request: Any) -> httpx.Response:
    """Send a POST; raises DeliveryError, without the address (which may hold a token), where nothing answers."""
    try:
        return client.post(url, **request)
    except httpx.TimeoutException:
        raise DeliveryError(f"{name} did not answer in time") from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise DeliveryError(f"{name} is not reached: {type(error).__name__}") from None


def wait_told(answer: httpx.Response) -> float | None:
    """Return the seconds of a `Retry-After` header; None where it says none, or a date."""
    told = answer.headers.get("retry-after", "")
    return float(told) if told.isascii() and told.isdigit() else None


def raise_for_http(name: str, answer: httpx.Response, said: str = "") -> None:
    """Raise what an HTTP status means for a message; nothing for 2xx.

    404 and 410 are for good (RFC 9110, 15.5.5 and 15.5.11), and so is what the other side cannot read (400, 413, 422);
    401 and 403 end once somebody has mended the credentials; the rest may pass.
    """
    if answer.is_success:
        return
    text = f"{name} answered {answer.status_code} {textwrap.shorten(said or answer.text, _QUOTED)}".strip()
    if answer.status_code in (400, 404, 410, 413, 422):
        raise UndeliverableError(text)
    raise DeliveryError(text, wait_told(answer))
