"""What a figure is made of, and why it has this value."""

from ioc.reading.explanation.cell import Cell
from ioc.reading.explanation.explainer import Explainer
from ioc.reading.explanation.model import CalculationNode, Explanation

__all__ = ["CalculationNode", "Cell", "Explainer", "Explanation"]
