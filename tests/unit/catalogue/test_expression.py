"""Expressions: what is let through and in which form, and what is refused with which advice."""

from __future__ import annotations

import re

import polars as pl
import pytest

from ioc.catalogue.expression import conjunction, is_known, parse_expression
from ioc.catalogue.expression_type import Type
from ioc.errors import ConfigError
from ioc.feeds.feed import UTC_TIME

SCHEMA = {
    "n": pl.Int64(),
    "m": pl.Int64(),
    "x": pl.Float64(),
    "s": pl.String(),
    "t": pl.String(),
    "b": pl.Boolean(),
    "d": pl.Date(),
    "at": UTC_TIME,
}

# Letters that only Vietnamese has: a refusal is in Vietnamese first, then in English.
VIETNAMESE = re.compile("[ăâđêôơưàáảãạằắẳẵặầấẩẫậèéẻẽẹềếểễệìíỉĩịòóỏõọồốổỗộờớởỡợùúủũụừứửữựỳýỷỹỵ]")


@pytest.mark.parametrize(
    ("text", "canonical", "kind"),
    [
        ("n", "n", Type.INTEGER),
        ("n*m", "n * m", Type.INTEGER),
        ("n + x", "n + x", Type.NUMBER),
        ("-n", "-n", Type.INTEGER),
        ("b and not (s = 'x' or n != 3)", "b AND NOT (s = 'x' OR n <> 3)", Type.BOOLEAN),
        ("s in ('a', 'b')", "s IN ('a', 'b')", Type.BOOLEAN),
        ("n not in (1, 2)", "NOT n IN (1, 2)", Type.BOOLEAN),
        ("n between 1 and 5", "n BETWEEN 1 AND 5", Type.BOOLEAN),
        ("d >= date '2024-10-01'", "d >= CAST('2024-10-01' AS DATE)", Type.BOOLEAN),
        ("x > 37.5", "x > 37.5", Type.BOOLEAN),
        ("at is not null", "at IS NOT NULL", Type.BOOLEAN),
        ("coalesce(n, 0)", "COALESCE(n, 0)", Type.INTEGER),
        ("greatest(n, 1)", "GREATEST(n, 1)", Type.INTEGER),
        ("case when b then n else 0 end", "CASE WHEN b THEN n ELSE 0 END", Type.INTEGER),
        ("n /* rooms */ + m -- beds", "n + m", Type.INTEGER),
        ("s = 'Đất Đỏ'", "s = 'Đất Đỏ'", Type.BOOLEAN),
    ],
)
def test_canonical_text_and_type(text: str, canonical: str, kind: Type) -> None:
    found = parse_expression(text, SCHEMA)
    assert (found.sql, found.type) == (canonical, kind)
    assert parse_expression(found.sql, SCHEMA) == found


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("n / 2", "make it a ratio with a formula"),
        ("n % 2", "list the values with IN"),
        ("n ^ 2", "is not allowed"),
        ("n::text = '1'", "only DATE"),
        ("CAST('x' AS DATE) = d", "write DATE 'YYYY-MM-DD'"),
        ("d = '2024-10-01'", "compares date with text"),
        ("n = '1'", "compares integer with text"),
        ("b = 1", "compares boolean with integer"),
        ("at > d", "compares time with date"),
        ("n = NULL", "NULL may only follow IS"),
        ("n IN (1, NULL)", "list of plain literals"),
        ("n IN (m)", "list of plain literals"),
        ("x IN (1, 2)", "IN is for texts and whole numbers"),
        ("n IN (SELECT 1)", "this form is not allowed"),
        ("s < 'b'", "order of texts"),
        ("s BETWEEN 'a' AND 'b'", "order of texts"),
        ("n BETWEEN SYMMETRIC 1 AND 2", "this form is not allowed"),
        ("s LIKE 'a%'", "list the values with IN"),
        ("s ILIKE 'a'", "list the values with IN"),
        ("lower(s) = 'a'", "is not allowed"),
        ("s || t", "derived column"),
        ("b IS TRUE", "engines differ"),
        ("n IS DISTINCT FROM m", "write `a <> b OR a IS NULL`"),
        ("count(*)", "catalogue sums and counts"),
        ("sum(n)", "catalogue sums and counts"),
        ("(SELECT 1)", "subqueries are not possible"),
        ("SELECT n", "write only the condition"),
        ("d - d", "only numbers can be computed with"),
        ("d + INTERVAL '1 day'", "derived column"),
        ("n AND b", "is integer, not a condition"),
        ("NOT n", "is integer, not a condition"),
        ("CASE n WHEN 1 THEN 2 END", "this form is not allowed"),
        ("CASE WHEN n THEN 1 END", "is not a condition"),
        ("CASE WHEN b THEN 1 ELSE 'x' END", "every branch must give the same type"),
        ("COALESCE(n, 'x')", "every branch must give the same type"),
        ("2 * 3", "write the result"),
        ("n * 0.5", "use whole numbers"),
        ("n > 0.5", "use a whole number"),
        ("missing = 1", "`missing` is not a column"),
        ("N = 1 AND Missing = 2", "is not a column"),
        ("other.n = 1", "this form is not allowed"),
        ("s = 'a''b'", "no quotes"),
        ("s = 'a\\b'", "no quotes, backslashes"),
        ("n; m", "must be one expression"),
        ("n >", "is not SQL"),
        ("", "must be one expression"),
        ("current_date = d", "is not allowed"),
        ("random() > x", "is not allowed"),
    ],
)
def test_refusals_say_what_to_write(text: str, advice: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_expression(text, SCHEMA)
    vietnamese, _, english = str(caught.value).partition(" · ")
    assert advice in english
    assert VIETNAMESE.search(vietnamese)
    assert not VIETNAMESE.search(english)


def test_what_polars_refuses_is_told_in_both_languages(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> pl.Expr:
        raise pl.exceptions.SQLInterfaceError("no such function")

    monkeypatch.setattr(pl, "sql_expr", refuse)
    with pytest.raises(ConfigError) as caught:
        parse_expression("n + m", SCHEMA)
    assert str(caught.value) == (
        "Polars không nhận biểu thức này; hãy viết đơn giản hơn"
        " · Polars refuses it (no such function); write it in simpler terms"
    )


def test_conjunction_keeps_each_condition_whole() -> None:
    assert conjunction() == "TRUE"
    assert conjunction("TRUE", "b") == "b"
    assert conjunction("b", "s = 'x' OR n = 1") == "b AND (s = 'x' OR n = 1)"


def test_is_known() -> None:
    assert is_known("n") == "n IS NOT NULL"
    assert is_known("n + m") == "(n + m) IS NOT NULL"
