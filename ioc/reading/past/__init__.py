"""What figures were at a past moment, and what has come since."""

from ioc.reading.past.figures import PastFigures
from ioc.reading.past.moment import Moment, past, within

__all__ = ["Moment", "PastFigures", "past", "within"]
