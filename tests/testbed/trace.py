"""Finds the traces of strings in what servers keep: as they stand, in disguise, or as a digest without a key."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

import psycopg
from psycopg import sql

_HEX = re.compile(r"x((?:[0-9a-f]{2}){4,})")
_ESCAPE = re.compile(r"\\+u([0-9a-fA-F]{4})")


@dataclass(frozen=True)
class Trace:
    """A string that was found, and where."""

    text: str
    where: str


class Searcher:
    """Searches texts for strings.

    Case, accents, blanks and signs between letters and digits count for nothing; percent-encoding, JSON's escapes and
    hexadecimal (as PostgreSQL shows bytea) are undone. An MD5, SHA-1 or SHA-256 of a string is a trace of it, too.
    """

    def __init__(self, strings: Iterable[str]) -> None:
        self._needles: dict[str, str] = {}
        for text in strings:
            self._needles[bare(text)] = text
            for spelling in {text, bare(text), text.upper()}:
                for digest in (hashlib.md5, hashlib.sha1, hashlib.sha256):
                    self._needles[digest(spelling.encode()).hexdigest()[:24]] = text
        self._pattern = re.compile("|".join(map(re.escape, self._needles)))

    def search(self, text: str | bytes, where: str) -> list[Trace]:
        """Return what of the strings is in a text."""
        shown = text.decode("utf-8", errors="replace") if isinstance(text, bytes) else text
        found = {self._needles[hit] for reading in readings(shown) for hit in self._pattern.findall(bare(reading))}
        return [Trace(string, where) for string in sorted(found)]


def readings(text: str) -> list[str]:
    """A text, and what stands in it in other spellings."""
    plain = unquote(_ESCAPE.sub(lambda found: json.loads(f'"\\u{found[1]}"'), text))
    unpacked = [bytes.fromhex(found).decode("utf-8", errors="replace") for found in _HEX.findall(text)]
    return [text, plain, *unpacked]


def bare(text: str) -> str:
    """Letters and digits only, without case and accents."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace("đ", "d"))
    return "".join(sign for sign in letters if sign.isalnum() and not unicodedata.combining(sign))


def search_tables(connection: psycopg.Connection, searcher: Searcher) -> list[Trace]:
    """Search every column of every row of every table, PostgreSQL's own catalogues left out."""
    tables = connection.execute(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'p', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') "
        "AND has_table_privilege(c.oid, 'SELECT')"
    ).fetchall()
    traces: list[Trace] = []
    for schema, name in tables:
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(schema, name)))
            for (row,) in cursor:
                traces += searcher.search(row, f"{schema}.{name}")
    return traces
