"""What is polled: `pollers.toml` of a profile, checked whole when it is read.

A poller fetches pages; each page is read by the file formats like a file that somebody sent, so that a source needs no
code: a REST interface answers in a format's JSON or XML, a SELECT names its columns as a format's table does.
"""

from __future__ import annotations

import importlib.util
import re
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from ioc.errors import ConfigError
from ioc.feeds.event import ReporterCode
from ioc.feeds.feed import Feed

FILE = "pollers.toml"
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
ColumnName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
Pointer = Annotated[str, StringConstraints(pattern=r"^(/([^~/]|~[01])*)*$")]
_LOCAL = ("127.0.0.1", "::1", "localhost")


def _check_address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.username or parts.fragment:
        raise ValueError(f"{value!r} must look like https://host/path, without a user or a fragment")
    if parts.scheme == "http" and parts.hostname not in _LOCAL:
        raise ValueError(f"{value!r}: a key would go over the network unencrypted; use https")
    return value


SourceAddress = Annotated[str, AfterValidator(_check_address)]


class _Declared(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ApiKey(_Declared):
    """A key in a header, or in a parameter of the query."""

    kind: Literal["api_key"]
    secret: Name
    header: str = ""
    parameter: str = ""
    prefix: str = ""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if bool(self.header) == bool(self.parameter):
            raise ValueError("name the header or the parameter of the key, one of the two")
        return self


class ClientCredentials(_Declared):
    """OAuth 2.0, RFC 6749 §4.4: a token for the client itself, fetched anew before it ends."""

    kind: Literal["oauth2"]
    token_url: SourceAddress
    client_id: str
    secret: Name
    scope: str = ""


class LinkPaging(_Declared):
    """The next page is named by the header `Link: <...>; rel="next"` (RFC 8288), or by an address in the body."""

    kind: Literal["link"]
    at: Pointer = ""


class CursorPaging(_Declared):
    """The body names a cursor, which the next request sends as a parameter; none or an empty one ends the pages."""

    kind: Literal["cursor"]
    at: Pointer
    parameter: str


class OffsetPaging(_Declared):
    """The next request passes over what was read; a page with fewer items than asked for is the last one."""

    kind: Literal["offset"]
    parameter: str
    limit_parameter: str
    size: Annotated[int, Field(ge=1, le=10_000)]


class Since(_Declared):
    """Only what has changed: `parameter` asks for it, `at` is where each item says when it changed.

    What is asked for is the greatest value seen; texts of one form that sort as their times do, such as RFC 3339 in
    UTC, or whole numbers.
    """

    parameter: str
    at: Pointer
    start: str | int


class _DeclaredPoller(_Declared):
    """What both kinds have. `reporter` and `establishment` are for records that do not name theirs."""

    name: Name
    feed: str
    every: Annotated[float, Field(ge=1, le=86_400 * 31)] = 300
    reporter: ReporterCode | None = None
    establishment: ReporterCode | None = None
    note: str = ""


class RestPoller(_DeclaredPoller):
    """A REST interface. `items`: where the records are in the body, an array; without it the body is read whole."""

    kind: Literal["rest"] = "rest"
    url: SourceAddress
    parameters: dict[str, str] = {}
    headers: dict[str, str] = {}
    items: Pointer | None = None
    auth: Annotated[ApiKey | ClientCredentials, Field(discriminator="kind")] | None = None
    paging: Annotated[LinkPaging | CursorPaging | OffsetPaging, Field(discriminator="kind")] | None = None
    since: Since | None = None
    requests_per_second: Annotated[float, Field(gt=0, le=1000)] = 5
    timeout: Annotated[float, Field(gt=0, le=600)] = 30

    @model_validator(mode="after")
    def _items_are_named(self) -> Self:
        if self.items is None and (self.since is not None or isinstance(self.paging, OffsetPaging)):
            raise ValueError("`since` and paging by offset look at each item: say in `items` where they are")
        return self


class SqlPoller(_DeclaredPoller):
    """A database, through any DB-API 2.0 driver (PEP 249) that is installed.

    query:     a SELECT without ORDER BY; its columns are named as a table format has them, and hold both columns below.
    watermark: column that grows with every change of a row; key: tells rows of one watermark apart.
    settle:    seconds that a row must be old: a transaction that began earlier may end later. 0 for whole numbers.
    """

    kind: Literal["sql"] = "sql"
    driver: ColumnName
    connect: dict[str, str | int | bool] = {}
    secret: Name | None = None
    secret_argument: ColumnName = "password"  # noqa: S105 - the name of an argument
    dialect: str = ""
    query: str
    watermark: ColumnName
    key: ColumnName
    start: str | int | datetime
    settle: Annotated[float, Field(ge=0, le=86_400)] = 5
    size: Annotated[int, Field(ge=1, le=50_000)] = 1000

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        if importlib.util.find_spec(self.driver) is None:
            raise ValueError(f"the driver {self.driver!r} is not installed; `pip install` it beside the project")
        if self.driver not in DIALECTS and not self.dialect:
            raise ValueError(
                f"no dialect is known for {self.driver!r}; say it: {', '.join(sorted(set(DIALECTS.values())))}"
            )
        if re.search(r";\s*\S", self.query):
            raise ValueError("the query must be one SELECT")
        return self


# The SQL dialect of each driver's database, under sqlglot's name for it.
DIALECTS: Mapping[str, str] = {
    "psycopg": "postgres",
    "psycopg2": "postgres",
    "pymysql": "mysql",
    "MySQLdb": "mysql",
    "mariadb": "mysql",
    "oracledb": "oracle",
    "pymssql": "tsql",
    "pyodbc": "tsql",
    "sqlite3": "sqlite",
}
PollerDeclaration = RestPoller | SqlPoller


class _File(_Declared):
    rest: tuple[RestPoller, ...] = ()
    sql: tuple[SqlPoller, ...] = ()


def load_pollers(profile: Path, feeds: Mapping[str, Feed]) -> tuple[PollerDeclaration, ...]:
    """Read a profile's `pollers.toml`, none where there is no such file; raises ConfigError naming what to mend."""
    file = profile / FILE
    try:
        found = _File.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return ()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: {error}") from error
    except OSError as error:
        raise ConfigError(f"{str(file)[:200]}: {error.strerror}") from error
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False))
        raise ConfigError(f"{file}: {told}") from None
    declared: tuple[PollerDeclaration, ...] = (*found.rest, *found.sql)
    names: set[str] = set()
    for one in declared:
        if one.name in names:
            raise ConfigError(f"{file}: two pollers are named {one.name}; each needs a name of its own")
        if one.feed not in feeds:
            raise ConfigError(f"{file}: {one.name}: no feed {one.feed!r}; there are {', '.join(feeds)}")
        names.add(one.name)
    return declared


def read_secret(directory: Path, name: str) -> str:
    """Return a secret from its file; raises ConfigError without one. Never a part of the declaration."""
    file = directory / name
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the secret {name!r} cannot be read from {file} ({type(error).__name__}); put it there, readable by this "
            "process only, or correct IOC_POLLER_SECRETS"
        ) from error


def pointed(document: Any, pointer: str) -> Any:
    """Return what a JSON pointer (RFC 6901) names; None where there is nothing.

    >>> pointed({"meta": {"next": [7]}}, "/meta/next/0")
    7
    """
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(name)
        elif isinstance(document, list) and _is_index(name) and int(name) < len(document):
            document = document[int(name)]
        else:
            return None
    return document


def is_named(document: Any, pointer: str) -> bool:
    """Whether a JSON pointer names something, be it null: a field that is gone is not one that is empty.

    >>> is_named({"data": None}, "/data"), is_named({"results": []}, "/data")
    (True, False)
    """
    above, _, name = pointer.rpartition("/")
    holder = pointed(document, above)
    if not pointer:
        return True
    if isinstance(holder, dict):
        return name.replace("~1", "/").replace("~0", "~") in holder
    return isinstance(holder, list) and _is_index(name) and int(name) < len(holder)


def _is_index(name: str) -> bool:
    return name.isascii() and name.isdigit() and len(name) < 10
