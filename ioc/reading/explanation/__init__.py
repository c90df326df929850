"""Why a figure is what it is."""

from ioc.reading.explanation.cell import Cell
from ioc.reading.explanation.explainer import Explainer
from ioc.reading.explanation.model import Explanation, Part

__all__ = ["Cell", "Explainer", "Explanation", "Part"]
