"""Signed links, sessions and forms: anyone can read what they say; changing it needs the key.

A link is sent to one person's post by e-mail or message, and opens the pages on whatever telephone it is opened. Each
kind has a salt of its own, so that a link is no session and a session no form.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

from ioc.settings import Settings
from ioc.web.tokens import utc_now


@dataclass(frozen=True)
class Visitor:
    """Who is there: a post that a link was sent to, or the name of a reader's token with the token's id.

    ends_at: until when the session, or the link that began it, holds.
    sends:   it is a token that publishes: a sector's engineer, who sees what became of their own events and no figures.
    """

    name: str
    token: str | None
    ends_at: datetime
    sends: bool = False


class Signing:
    """Makes and reads what is signed with the settings' key; the clock is passed in."""

    def __init__(self, settings: Settings, now: Callable[[], datetime] = utc_now) -> None:
        self._key = settings.link_key.get_secret_value()
        self._link_time = timedelta(hours=settings.link_hours)
        self._session_time = timedelta(hours=settings.session_hours)
        self._address = settings.public_url or f"http://127.0.0.1:{settings.api_port}"
        self._now = now

    @property
    def is_https(self) -> bool:
        """Whether people open the pages over HTTPS: cookies are then kept to it."""
        return self._address.startswith("https://")

    def link(self, path: str, name: str, hours: float | None = None) -> str:
        """Return the address that opens a path (such as `/incidents/12`) for the post or person of that name."""
        ends_at = self._now() + (self._link_time if hours is None else timedelta(hours=hours))
        signed = self._signer("link").dumps({"to": path, "name": name, "ends": int(ends_at.timestamp())})
        return f"{self._address}/link/{signed}"

    def open_link(self, signed: str) -> tuple[str, Visitor] | None:
        """Return where a link leads and for whom; None where it is not ours, or its time is over."""
        said = self._read("link", signed)
        return None if said is None else (said["to"], self._visitor(said))

    def session(self, visitor: Visitor) -> str:
        """Return what the visitor's cookie holds."""
        ends = int(visitor.ends_at.timestamp())
        return self._signer("session").dumps(
            {"name": visitor.name, "token": visitor.token, "ends": ends, "sends": visitor.sends}
        )

    def new_session(self, name: str, token: str, *, sends: bool = False) -> Visitor:
        """Return a visitor who has just signed in with a token."""
        return Visitor(name, token, self._now() + self._session_time, sends)

    def open_session(self, signed: str) -> Visitor | None:
        """Return the visitor of a cookie; None where it is not ours, or its time is over."""
        said = self._read("session", signed)
        return None if said is None else self._visitor(said)

    def form(self, session: str, action: str) -> str:
        """Return the hidden field of a form: only this session may send it, and only to this action."""
        return self._signer("form").dumps({"of": _digest(session), "do": action})

    def is_form(self, signed: str, session: str, action: str) -> bool:
        """Whether a form's hidden field is that of the session and the action."""
        try:
            said = self._signer("form").loads(signed)
        except BadData:
            return False
        return bool(said == {"of": _digest(session), "do": action})

    def _signer(self, salt: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._key, salt=f"ioc.{salt}", signer_kwargs={"digest_method": hashlib.sha256})

    def _read(self, salt: str, signed: str) -> Mapping[str, Any] | None:
        try:
            said: Mapping[str, Any] = self._signer(salt).loads(signed)
        except BadData:
            return None
        return said if said["ends"] > self._now().timestamp() else None

    def _visitor(self, said: Mapping[str, Any]) -> Visitor:
        ends_at = datetime.fromtimestamp(said["ends"], self._now().tzinfo)
        return Visitor(said["name"], said.get("token"), ends_at, bool(said.get("sends")))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
