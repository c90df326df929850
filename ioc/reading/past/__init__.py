"""What figures were at a past moment, and what has come since."""

from ioc.reading.past.figures import PastFigures
from ioc.reading.past.moment import PastMoment, past, within

__all__ = ["PastFigures", "PastMoment", "past", "within"]
