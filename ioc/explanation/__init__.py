"""Why a figure is what it is."""

from ioc.explanation.cell import Cell
from ioc.explanation.explainer import Explainer
from ioc.explanation.model import Explanation, Part

__all__ = ["Cell", "Explainer", "Explanation", "Part"]
