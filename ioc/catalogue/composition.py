"""The catalogue's expressions and formulas as parts of SQL statements, for psycopg to compose.

Their texts were checked and written in one canonical form when the catalogue was loaded (`ioc.catalogue.expression`,
`ioc.catalogue.formula`); no other text becomes SQL here. Names of tables and columns are quoted by psycopg.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import LiteralString

from psycopg import sql

from ioc.catalogue.formula import formula_sql
from ioc.catalogue.measure import Measure, contribution_sql, member_sql


def expression(text: str) -> sql.Composable:
    """Return a canonical expression or condition."""
    # Statements are run with parameters, and psycopg reads a single percent sign as the beginning of one.
    return sql.SQL(text.replace("%", "%%"))


def contribution(measure: Measure) -> sql.Composable:
    """Return what a record adds to a sum: bigint, in units of 10^-decimals."""
    return expression(contribution_sql(measure))


def member(measure: Measure) -> sql.Composable:
    """Return the member that a record speaks of: text, null where it does not count."""
    return expression(member_sql(measure))


def formula(text: str, column: Callable[[str], sql.Composable]) -> sql.Composable:
    """Return a formula over what `column` gives for each of its names."""
    parts: list[sql.Composable] = []

    def place(name: str) -> str:
        parts.append(column(name))
        return f"{{{len(parts) - 1}}}"

    return sql.SQL(formula_sql(text, place)).format(*parts)


def joined(parts: list[sql.Composable], separator: LiteralString) -> sql.Composed:
    """Return parts with a separator between them."""
    return sql.SQL(separator).join(parts)
