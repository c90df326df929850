"""The type of an SQL expression of the catalogue, and the forms that are refused because the two engines differ.

For example `n / 2` is refused: PostgreSQL cuts off the fraction, Polars keeps it. Each refusal says what to write
instead, in Vietnamese and in English.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum

import polars as pl
from sqlglot import exp

from ioc.errors import ExpressionError
from ioc.feeds.feed import UTC_TIME

DIALECT = "postgres"


class Type(StrEnum):
    """What an expression gives. An integer is a number too; nothing else mixes."""

    INTEGER = "integer"
    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"


NUMERIC = (Type.INTEGER, Type.NUMBER)
_TYPES: Mapping[pl.DataType, Type] = {
    pl.Int64(): Type.INTEGER,
    pl.Float64(): Type.NUMBER,
    pl.String(): Type.TEXT,
    pl.Boolean(): Type.BOOLEAN,
    pl.Date(): Type.DATE,
    UTC_TIME: Type.TIME,
}
_Schema = Mapping[str, pl.DataType]
_FUNCTIONS = "COALESCE, ABS, GREATEST, LEAST"
_TYPES_VI: Mapping[Type, str] = {
    Type.INTEGER: "số nguyên",
    Type.NUMBER: "số",
    Type.TEXT: "văn bản",
    Type.BOOLEAN: "đúng/sai",
    Type.DATE: "ngày",
    Type.TIME: "thời điểm",
}
# What to write instead, in Vietnamese and in English.
_INSTEAD: Mapping[type[exp.Expr], tuple[str, str]] = {
    exp.Div: (
        "PostgreSQL cắt phần lẻ khi chia số nguyên và báo lỗi khi chia cho 0; hãy lập chỉ tiêu tỷ lệ bằng công thức",
        "PostgreSQL cuts off integer division and fails on zero; make it a ratio with a formula",
    ),
    exp.Mod: (
        "Polars và PostgreSQL cho kết quả khác nhau với số âm; hãy liệt kê giá trị bằng IN",
        "the two engines differ on negative numbers; list the values with IN",
    ),
    exp.Cast: (
        "chỉ được đổi kiểu với DATE 'YYYY-MM-DD'; hãy so sánh cột với giá trị cùng kiểu",
        "only DATE 'YYYY-MM-DD' may be cast; compare columns with literals of their own type",
    ),
    exp.Null: (
        "NULL chỉ được đứng sau IS hoặc IS NOT",
        "NULL may only follow IS or IS NOT",
    ),
    exp.Like: (
        "Polars và PostgreSQL đọc mẫu khác nhau; hãy liệt kê giá trị bằng IN",
        "patterns are read differently; list the values with IN",
    ),
    exp.ILike: (
        "Polars và PostgreSQL đọc chữ hoa, chữ thường khác nhau; hãy liệt kê giá trị bằng IN",
        "case is read differently; list the values with IN",
    ),
    exp.DPipe: (
        "không ghép văn bản ở đây; hãy thêm cột dẫn xuất vào nguồn",
        "texts are not built here; add a derived column to the feed",
    ),
    exp.Subquery: (
        "biểu thức chỉ thấy một bản ghi; không dùng được truy vấn con",
        "an expression sees one record; subqueries are not possible",
    ),
    exp.Select: (
        "biểu thức chỉ thấy một bản ghi; chỉ viết điều kiện hoặc giá trị",
        "an expression sees one record; write only the condition or the value",
    ),
    exp.NullSafeEQ: (
        "hãy viết `a = b OR (a IS NULL AND b IS NULL)`",
        "write `a = b OR (a IS NULL AND b IS NULL)`",
    ),
    exp.NullSafeNEQ: (
        "hãy viết `a <> b OR a IS NULL`",
        "write `a <> b OR a IS NULL`",
    ),
    exp.AggFunc: (
        "danh mục tự cộng và đếm; chỉ viết phần mà một bản ghi thêm vào",
        "the catalogue sums and counts; write what one record adds",
    ),
    exp.Interval: (
        "không tính ngày ở đây; hãy thêm cột dẫn xuất vào nguồn",
        "dates are not computed here; add a derived column to the feed",
    ),
}
# Arguments a node may carry; anything else (BETWEEN SYMMETRIC, a column's table, ...) is refused.
_ARGUMENTS: Mapping[type[exp.Expr], frozenset[str]] = {
    exp.Column: frozenset({"this"}),
    exp.In: frozenset({"this", "expressions"}),
    exp.Between: frozenset({"this", "low", "high"}),
    exp.Is: frozenset({"this", "expression", "negate"}),
    exp.Case: frozenset({"ifs", "default"}),
}


def type_of(node: exp.Expr, schema: _Schema) -> Type:
    """Return what an expression over columns gives; raises ExpressionError where the engines would not agree on it."""
    rule = _RULES.get(type(node))
    if rule is None:
        raise _refused(node, *_advice(node))
    allowed = _ARGUMENTS.get(type(node))
    if allowed is not None and any(value for name, value in node.args.items() if name not in allowed):
        raise _refused(
            node,
            "dạng này không được phép; hãy viết bằng AND, OR và tên cột",
            "this form is not allowed; write it with AND, OR and plain column names",
        )
    return rule(node, schema)


def _text(node: exp.Expr) -> str:
    return f"`{node.sql(DIALECT, comments=False)}`"


def _refused(node: exp.Expr, reason_vi: str, reason_en: str, between: str = ": ") -> ExpressionError:
    text = _text(node)
    return ExpressionError(f"{text}{between}{reason_vi}", f"{text}{between}{reason_en}")


def _advice(node: exp.Expr) -> tuple[str, str]:
    for kind, advice in _INSTEAD.items():
        if isinstance(node, kind):
            return advice
    allowed = f"AND, OR, NOT, IN, BETWEEN, CASE, + - *, {_FUNCTIONS}"
    return f"không được phép; hãy dùng phép so sánh, {allowed}", f"is not allowed; use comparisons, {allowed}"


def _named(types: list[Type], between: str) -> str:
    return between.join(_TYPES_VI[kind] for kind in types)


def _column(node: exp.Expr, schema: _Schema) -> Type:
    name = node.name
    if name not in schema:
        columns = ", ".join(sorted(schema))
        raise ExpressionError(
            f"nguồn không có cột `{name}`; các cột có: {columns}",
            f"`{name}` is not a column of the feed; it has {columns}",
        )
    return _TYPES[schema[name]]


def _literal(node: exp.Expr, _: _Schema) -> Type:
    if node.is_string:
        if not node.name.isprintable() or set(node.name) & set("'\\"):
            raise _refused(
                node,
                "văn bản không được có dấu nháy, dấu gạch chéo ngược hoặc ký tự điều khiển",
                "a text may hold no quotes, backslashes or control characters",
            )
        return Type.TEXT
    return Type.INTEGER if node.name.isdigit() else Type.NUMBER


def _is_decimal(node: exp.Expr) -> bool:
    literal = node.this if isinstance(node, exp.Neg | exp.Paren) else node
    return isinstance(literal, exp.Literal) and not literal.is_string and not literal.name.isdigit()


def _date(node: exp.Expr, _: _Schema) -> Type:
    literal = node.this
    if not (isinstance(literal, exp.Literal) and literal.is_string and node.args["to"].sql(DIALECT) == "DATE"):
        raise _refused(node, *_INSTEAD[exp.Cast])
    try:
        date.fromisoformat(literal.name)
    except ValueError:
        raise _refused(
            node, "không phải là ngày; hãy viết DATE 'YYYY-MM-DD'", "is not a date; write DATE 'YYYY-MM-DD'"
        ) from None
    return Type.DATE


def _logic(node: exp.Expr, schema: _Schema) -> Type:
    for part in (node.this, node.args.get("expression")):
        if part is not None and (found := type_of(part, schema)) != Type.BOOLEAN:
            raise _refused(
                part,
                f"là {_TYPES_VI[found]}, không phải điều kiện; hãy so sánh với một giá trị",
                f"is {found}, not a condition; compare it with something",
                " ",
            )
    return Type.BOOLEAN


def _compared(node: exp.Expr, schema: _Schema, *parts: exp.Expr, ordered: bool) -> Type:
    types = [type_of(part, schema) for part in parts]
    if not _alike(types):
        raise _refused(
            node,
            f"so sánh {_named(types, ' với ')}; hãy dùng giá trị cùng kiểu với cột",
            f"compares {' with '.join(types)}; use values of the column's own type",
            " ",
        )
    if Type.INTEGER in types and any(map(_is_decimal, parts)):
        raise _refused(
            node,
            "so sánh số nguyên với số thập phân; hãy dùng số nguyên",
            "compares whole numbers with a decimal; use a whole number",
            " ",
        )
    if ordered and types[0] in (Type.TEXT, Type.BOOLEAN):
        raise _refused(
            node,
            "Polars và PostgreSQL xếp thứ tự văn bản khác nhau; hãy dùng =, <> hoặc IN",
            "the order of texts depends on the engine; use =, <> or IN",
        )
    return Type.BOOLEAN


def _alike(types: list[Type]) -> bool:
    return len(set(types)) == 1 or all(kind in NUMERIC for kind in types)


def _equality(node: exp.Expr, schema: _Schema) -> Type:
    return _compared(node, schema, node.this, node.args["expression"], ordered=False)


def _order(node: exp.Expr, schema: _Schema) -> Type:
    return _compared(node, schema, node.this, node.args["expression"], ordered=True)


def _between(node: exp.Expr, schema: _Schema) -> Type:
    return _compared(node, schema, node.this, node.args["low"], node.args["high"], ordered=True)


def _in(node: exp.Expr, schema: _Schema) -> Type:
    items = node.expressions
    if not items or not all(isinstance(item, exp.Literal) for item in items):
        raise _refused(node, "sau IN phải là danh sách giá trị viết sẵn", "IN takes a list of plain literals")
    if type_of(node.this, schema) not in (Type.TEXT, Type.INTEGER):
        raise _refused(
            node,
            "IN chỉ dùng cho văn bản và số nguyên; hãy dùng = hoặc BETWEEN",
            "IN is for texts and whole numbers; use = or BETWEEN",
        )
    return _compared(node, schema, node.this, *items, ordered=False)


def _is(node: exp.Expr, schema: _Schema) -> Type:
    if not isinstance(node.args["expression"], exp.Null):
        raise _refused(
            node,
            "Polars và PostgreSQL cho kết quả khác nhau khi giá trị trống (null); hãy viết tên cột, hoặc NOT cột",
            "the engines differ where it is null; write the column itself, or NOT column",
        )
    type_of(node.this, schema)
    return Type.BOOLEAN


def _arithmetic(node: exp.Expr, schema: _Schema) -> Type:
    parts = (node.this, node.args["expression"])
    if all(isinstance(part, exp.Literal) for part in parts):
        raise _refused(node, "hãy viết luôn kết quả", "write the result instead")
    if any(map(_is_decimal, parts)):
        raise _refused(
            node,
            "chỉ PostgreSQL tính đúng tuyệt đối với số thập phân; hãy dùng số nguyên",
            "only PostgreSQL computes exactly with decimals; use whole numbers",
        )
    return _numbers(node, schema, *parts)


def _numbers(node: exp.Expr, schema: _Schema, *parts: exp.Expr) -> Type:
    types = [type_of(part, schema) for part in parts]
    if any(kind not in NUMERIC for kind in types):
        raise _refused(
            node,
            f"tính toán với {_named(types, ' và ')}; chỉ tính được với số",
            f"computes with {' and '.join(types)}; only numbers can be computed with",
            " ",
        )
    return Type.NUMBER if Type.NUMBER in types else Type.INTEGER


def _negative(node: exp.Expr, schema: _Schema) -> Type:
    return _numbers(node, schema, node.this)


def _numeric_function(node: exp.Expr, schema: _Schema) -> Type:
    return _numbers(node, schema, node.this, *node.expressions)


def _united(node: exp.Expr, schema: _Schema, *parts: exp.Expr) -> Type:
    types = [type_of(part, schema) for part in parts]
    if not _alike(types):
        raise _refused(
            node,
            f"có thể cho {_named(types, ' hoặc ')}; mọi nhánh phải cho cùng một kiểu",
            f"may give {' or '.join(types)}; every branch must give the same type",
            " ",
        )
    return Type.NUMBER if Type.NUMBER in types else types[0]


def _coalesce(node: exp.Expr, schema: _Schema) -> Type:
    return _united(node, schema, node.this, *node.expressions)


def _case(node: exp.Expr, schema: _Schema) -> Type:
    branches = node.args["ifs"]
    for branch in branches:
        if type_of(branch.this, schema) != Type.BOOLEAN:
            raise _refused(
                branch.this,
                "sau WHEN không phải điều kiện; hãy so sánh với một giá trị",
                "after WHEN is not a condition; compare it with something",
                " ",
            )
    default = node.args.get("default")
    return _united(node, schema, *(branch.args["true"] for branch in branches), *([default] if default else []))


def _inner(node: exp.Expr, schema: _Schema) -> Type:
    return type_of(node.this, schema)


def _boolean(_: exp.Expr, __: _Schema) -> Type:
    return Type.BOOLEAN


_RULES: Mapping[type[exp.Expr], Callable[[exp.Expr, _Schema], Type]] = {
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Boolean: _boolean,
    exp.Cast: _date,
    exp.Paren: _inner,
    exp.And: _logic,
    exp.Or: _logic,
    exp.Not: _logic,
    exp.EQ: _equality,
    exp.NEQ: _equality,
    exp.LT: _order,
    exp.LTE: _order,
    exp.GT: _order,
    exp.GTE: _order,
    exp.Between: _between,
    exp.In: _in,
    exp.Is: _is,
    exp.Add: _arithmetic,
    exp.Sub: _arithmetic,
    exp.Mul: _arithmetic,
    exp.Neg: _negative,
    exp.Abs: _numeric_function,
    exp.Greatest: _numeric_function,
    exp.Least: _numeric_function,
    exp.Coalesce: _coalesce,
    exp.Case: _case,
}
