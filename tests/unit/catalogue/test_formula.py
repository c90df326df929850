"""Formulas over indicators: grammar, evaluation, and what has no value."""

from __future__ import annotations

import re

import polars as pl
import pytest

from ioc.catalogue.formula import formula_expr, formula_sql, parse_formula
from ioc.errors import ConfigError


def evaluate(text: str, **figures: float | None) -> float | None:
    """Evaluate over figures whose code's points are written as `__`."""
    frame = pl.DataFrame(
        {code.replace("__", "."): [value] for code, value in figures.items()},
        schema={code.replace("__", "."): pl.Float64 for code in figures},
    )
    value: float | None = frame.select(formula_expr(text))[0, 0]
    return value


@pytest.mark.parametrize(
    ("text", "figures", "value"),
    [
        ("100 * a.part / a.total", {"a__part": 1, "a__total": 8}, 12.5),
        ("a.x - a.y - a.z", {"a__x": 10, "a__y": 3, "a__z": 2}, 5),
        ("a.x / (a.y * days)", {"a__x": 300, "a__y": 10, "days": 30}, 1),
        ("100 / days * a.x.5 / a.y.5", {"days": 10, "a__x__5": 30, "a__y__5": 6}, 50),
        ("(a.x + a.y) * 2", {"a__x": 1, "a__y": 2}, 6),
        ("a.x / a.y", {"a__x": 1, "a__y": 0}, None),
        ("a.x / (a.y - a.y)", {"a__x": 0, "a__y": 7}, None),
        ("a.x / a.y", {"a__x": 1, "a__y": None}, None),
        ("a.x + a.y", {"a__x": None, "a__y": 1}, None),
        ("a.x / a.y", {"a__x": 0, "a__y": 4}, 0),
    ],
)
def test_worked_examples(text: str, figures: dict[str, float | None], value: float | None) -> None:
    assert evaluate(text, **figures) == value


def test_a_division_by_a_number_is_exact() -> None:
    assert evaluate("a.x / 249", a__x=3) == 3 / 249
    frame = pl.DataFrame({"a.x": [3.0, 3.0]})
    figures = frame.select(formula_expr("a.x / days", lambda name: pl.lit(249) if name == "days" else pl.col(name)))
    assert figures[:, 0].to_list() == [3 / 249, 3 / 249]


def test_inputs_come_once_in_order() -> None:
    formula = parse_formula("100 * (b.x + a.y.1) / b.x * days")
    assert (formula.inputs, formula.days) == (("b.x", "a.y.1"), True)
    assert not parse_formula("a.x / a.y").days


def test_integers_are_divided_as_decimals() -> None:
    assert "CAST(100.0 AS double precision)" in formula_sql("100 / days * a.x")


def test_sql_takes_what_stands_for_a_code() -> None:
    slots = {"a.x": "figures[1]", "a.y": "figures[2]"}
    assert formula_sql("a.x / a.y", slots.__getitem__) == (
        "(CAST(figures[1] AS double precision) / nullif(CAST(figures[2] AS double precision), 0))"
    )


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("100 * 2", "names no indicator"),
        ("a.x ** 2", "is not arithmetic"),
        ("a.x ^ 2", "`POWER(a.x, 2)` is not allowed"),
        ("a.x / a.y; 1", "must be one formula"),
        ("round(a.x)", "is not allowed"),
        ("a.x > 1", "is not allowed"),
        ("a.x + 'b'", "is not allowed"),
        ("a.x + month", "`month` is not allowed"),
        ("a.x +", "is not arithmetic"),
        ("a.x.y.z", "is not"),
    ],
)
def test_refusals(text: str, advice: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_formula(text)
    vietnamese, _, english = str(caught.value).partition(" · ")
    assert advice in english
    assert re.search("[ăâđêôơưàáảạấầậắặèẻẽẹếềểễệíìỉịóòọốồổộớờợúùủụứừữựýỳỷ]", vietnamese)
