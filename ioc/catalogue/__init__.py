"""The catalogue of indicators: rows that experts review, loaded strictly and compiled into measures."""

from ioc.catalogue.compilation import Compiled, compile_measures
from ioc.catalogue.formula import formula_expr, formula_sql
from ioc.catalogue.indicator import DATA, Catalogue, Indicator, Sector, Target
from ioc.catalogue.loading import load_catalogue
from ioc.catalogue.measure import (
    Measure,
    StoredMeasure,
    contribution_expr,
    contribution_sql,
    member_expr,
    member_sql,
)
from ioc.catalogue.plan import IndicatorPlan

__all__ = [
    "DATA",
    "Catalogue",
    "Compiled",
    "Indicator",
    "IndicatorPlan",
    "Measure",
    "Sector",
    "StoredMeasure",
    "Target",
    "compile_measures",
    "contribution_expr",
    "contribution_sql",
    "formula_expr",
    "formula_sql",
    "load_catalogue",
    "member_expr",
    "member_sql",
]
