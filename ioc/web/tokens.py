"""Tokens: which sector system may publish which feeds for which reporters, and who may read figures.

A token is `ioc_<id>_<secret>`; only the SHA-256 of the whole is kept. A slow hash (scrypt, Argon2) protects
secrets that people choose and that can be guessed. These are 256 random bits: no guessing reaches them, and a
slow hash would cost every request tens of milliseconds for nothing.
"""

from __future__ import annotations

import fcntl
import fnmatch
import hashlib
import hmac
import os
import re
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from ioc.command.act import note_change
from ioc.errors import ConfigError, Reason, RejectedError

_PREFIX = "ioc"
_NO_HASH = "0" * 64
_log = structlog.get_logger(__name__)


class Token(BaseModel):
    """What a token allows; `reporters` are globs of reporter codes (`77-*`), and no glob means no reporter.

    reads: it reads figures over the HTTP API, and publishes nothing.
    acts:  it reads, and acknowledges, silences and assigns incidents.
    sectors, areas: what a reader's token is bound to; none = everything. Areas by code, with all that lies below.
    previous_sha256, previous_until: the secret before the last rotation, and until when it still opens.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12}$")]
    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    feeds: tuple[str, ...]
    reporters: tuple[str, ...]
    reads: bool = False
    acts: bool = False
    sectors: tuple[str, ...] = ()
    areas: tuple[str, ...] = ()
    created_at: AwareDatetime
    expires_at: AwareDatetime | None = None
    revoked_at: AwareDatetime | None = None
    rotated_at: AwareDatetime | None = None
    previous_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None
    previous_until: AwareDatetime | None = None

    def opens_with(self, sha256: str, now: datetime) -> bool:
        """Whether a secret of this hash is its own, or that before the last rotation while both open."""
        own = hmac.compare_digest(sha256, self.sha256)
        before = hmac.compare_digest(sha256, self.previous_sha256 or _NO_HASH)
        return own or (before and self.previous_until is not None and now < self.previous_until)

    def allows_reporter(self, code: str) -> bool:
        """Whether one of the globs matches the whole code; case matters."""
        return _pattern(self.reporters).fullmatch(code) is not None

    def is_live(self, now: datetime) -> bool:
        """Whether it is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


_TOKENS = TypeAdapter(tuple[Token, ...])


def utc_now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


class TokenFile:
    """The tokens in a JSON file, mode 0600, replaced whole, and read again whenever it changes."""

    def __init__(self, path: Path, now: Callable[[], datetime] = utc_now) -> None:
        self._path = path
        self._now = now
        self._seen: tuple[int, ...] | None = None
        self._tokens: Mapping[str, Token] = {}

    def read(self) -> tuple[Token, ...]:
        """Return all tokens, oldest first, none without a file; raises `ConfigError` if it is broken."""
        try:
            return _TOKENS.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise ConfigError(f"{self._path} cannot be read: {error.strerror}. Mend IOC_TOKEN_FILE.") from error
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise ConfigError(
                f"{self._path}: {where}: {first['msg']}. Restore it, or delete it and create the tokens anew "
                "with `ioc token create`."
            ) from error

    def authenticate(self, secret: str) -> Token:
        """Return the token of a secret; raises `RejectedError` when it is unknown, revoked or expired."""
        self._refresh()
        parts = secret.split("_", 2)
        token = self._tokens.get(parts[1]) if len(parts) == 3 and parts[0] == _PREFIX else None
        if token is None or not token.opens_with(_digest(secret), self._now()):
            raise _refused("token_unknown", "mã truy cập (token) không đúng", "the token is unknown")
        if token.revoked_at is not None:
            raise _refused("token_revoked", "mã truy cập (token) đã bị thu hồi", "the token was revoked")
        if not token.is_live(self._now()):
            raise _refused("token_expired", "mã truy cập (token) đã hết hạn", "the token has expired")
        return token

    def may_read(self, token_id: str) -> bool:
        """Whether a token of this id is neither revoked nor expired, and reads."""
        token = self.find_live(token_id)
        return token is not None and token.reads

    def find_live(self, token_id: str) -> Token | None:
        """Return the token of an id; None where there is none, or it was revoked or has expired."""
        self._refresh()
        token = self._tokens.get(token_id)
        return token if token is not None and token.is_live(self._now()) else None

    def create(
        self,
        name: str,
        feeds: Sequence[str],
        reporters: Sequence[str],
        expires_at: datetime | None = None,
        *,
        reads: bool = False,
        acts: bool = False,
        sectors: Sequence[str] = (),
        areas: Sequence[str] = (),
    ) -> tuple[Token, str]:
        """Add a token; returns it and its secret, which is kept nowhere."""
        token_id = secrets.token_hex(6)
        secret = _new_secret(token_id)
        token = Token(
            id=token_id,
            name=name,
            sha256=_digest(secret),
            feeds=tuple(feeds),
            reporters=tuple(reporters),
            reads=reads or acts,
            acts=acts,
            sectors=tuple(sectors),
            areas=tuple(areas),
            created_at=self._now(),
            expires_at=expires_at,
        )
        with self._locked():
            self._write([*self.read(), token])
        note_change(subject=token_id, after=_audited(token))
        return token, secret

    def rotate(self, token_id: str, overlap: timedelta, expires_at: datetime | None = None) -> tuple[Token, str]:
        """Give a token a new secret; the old one opens for `overlap` more, unless the token was rotated in between.

        expires_at: the token's new end, where it has one. Raises `ConfigError` when there is no such live token.
        """
        secret = _new_secret(token_id)
        with self._locked():
            tokens = {token.id: token for token in self.read()}
            token = tokens.get(token_id)
            if token is None or token.revoked_at is not None:
                raise ConfigError(f"there is no live token {token_id}; `ioc token list` shows them")
            now = self._now()
            changes = {
                "sha256": _digest(secret),
                "previous_sha256": token.sha256,
                "previous_until": now + overlap,
                "rotated_at": now,
                "expires_at": expires_at or token.expires_at,
            }
            tokens[token_id] = token.model_copy(update=changes)
            self._write(list(tokens.values()))
        note_change(subject=token_id, before=_audited(token), after=_audited(tokens[token_id]))
        return tokens[token_id], secret

    def revoke(self, token_id: str) -> Token:
        """Revoke a token for good and return it; raises `ConfigError` when there is none."""
        with self._locked():
            tokens = {token.id: token for token in self.read()}
            if token_id not in tokens:
                raise ConfigError(f"there is no token {token_id}; `ioc token list` shows them")
            before = _audited(tokens[token_id])
            if tokens[token_id].revoked_at is None:
                tokens[token_id] = tokens[token_id].model_copy(update={"revoked_at": self._now()})
                self._write(list(tokens.values()))
        note_change(subject=token_id, before=before, after=_audited(tokens[token_id]))
        return tokens[token_id]

    def _refresh(self) -> None:
        """Read the file again if it changed; one that is broken or gone leaves the tokens that were known."""
        try:
            stat = self._path.stat()
            seen = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        except OSError:
            seen = (0, 0, 0)
        if seen == self._seen:
            return
        self._seen = seen
        if seen == (0, 0, 0):
            _log.error("token file is gone or out of reach; known tokens stay valid", file=str(self._path))
            return
        try:
            self._tokens = {token.id: token for token in self.read()}
        except ConfigError as error:
            _log.error("token file not reloaded", reason=str(error))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other writers out, so that no change is lost."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_name(self._path.name + ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _write(self, tokens: Sequence[Token]) -> None:
        """Replace the file at once; readers see the old one or the new one."""
        descriptor, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)
        try:
            with os.fdopen(descriptor, "wb") as file:  # mkstemp gives mode 0600
                file.write(_TOKENS.dump_json(tuple(tokens), indent=2))
                file.flush()
                os.fsync(descriptor)
            Path(temporary).replace(self._path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _audited(token: Token) -> dict[str, object]:
    """Return what the audit log keeps of a token: all but its hashes."""
    return token.model_dump(mode="json", exclude={"sha256", "previous_sha256"}, exclude_defaults=True)


@lru_cache
def _pattern(globs: tuple[str, ...]) -> re.Pattern[str]:
    """Compile globs into one pattern."""
    # An empty choice would match the empty code; (?!) matches nothing.
    return re.compile("|".join(map(fnmatch.translate, globs)) or "(?!)")


def _new_secret(token_id: str) -> str:
    return f"{_PREFIX}_{token_id}_{secrets.token_urlsafe(32)}"


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _refused(rule: str, vietnamese: str, english: str) -> RejectedError:
    return RejectedError([Reason(field="authorization", rule=rule, message_vi=vietnamese, message_en=english)])
