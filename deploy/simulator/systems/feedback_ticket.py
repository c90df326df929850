"""Citizens' feedback, from the report of a broken lamp to the answer and its stars (feed `feedback.ticket`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import partial
from random import Random

from deploy.simulator.calendar import FIRST_DAY, HOURS
from deploy.simulator.entry import Entry
from deploy.simulator.habit import CITIZEN
from deploy.simulator.ledger import Data
from deploy.simulator.office import after_office_days
from deploy.simulator.record import FollowUp, Life, System, in_year, not_before, rated
from deploy.simulator.rota import Rota
from deploy.simulator.territory import Population
from ioc.feeds.declared.feedback_ticket import FeedbackTicket
from ioc.province.reporter import Reporter

_STRANGER = "tong-dai-9999"
_HOTLINE = "1022"
_DATES = ("received_on", "due_on", "closed_on", "reopened_on", "rated_on")
_PAST = tuple(name for name in _DATES if name != "due_on")

_CATEGORY = {
    "road": 21, "environment": 19, "lighting": 13, "urban_order": 14, "construction": 8, "security": 7,
    "water_power": 7, "food": 2, "procedure": 5, "other": 4,
}  # fmt: skip
_CHANNEL = {"app": 58, "hotline": 27, "web": 11, "direct": 4}
_TERM = {"lighting": 3, "water_power": 2, "security": 2, "food": 3, "construction": 10, "procedure": 7}
_TERM_ELSEWHERE = 5
_FATE = {"in_time": 83, "late": 7, "rejected": 7, "lying": 1.5}
_RATING: dict[int | None, float] = {5: 17.0, 4: 11.0, 3: 4.0, 2: 2.0, 1: 2.5, None: 64.0}
_AFTERMATH = {"rest": 96.0, "reopen": 4.0}


class FeedbackSystem(System):
    """The province's feedback application and its hotline."""

    feed = "feedback.ticket"
    habit = CITIZEN

    def __init__(self, random: Random, receivers: Sequence[Reporter], territory: Population) -> None:
        self._random = random
        self._hotline = [one for one in receivers if _HOTLINE in one.code] or list(receivers)
        self._others = [one for one in receivers if _HOTLINE not in one.code] or list(receivers)
        self._places = territory.leaves(FIRST_DAY)
        self._category = Rota.over(FeedbackTicket, "category", _CATEGORY)
        self._channel = Rota.over(FeedbackTicket, "channel", _CHANNEL)
        self._fate = Rota.of(_FATE)
        self._rating = Rota.of(_RATING)
        self._aftermath = Rota.of(_AFTERMATH)

    def create(self, day: date, tick: int) -> Life:
        """Somebody reports something, about a commune."""
        random = self._random
        category, channel = self._category.pick(random), self._channel.pick(random)
        receiver = random.choice(self._hotline if channel == "hotline" else self._others)
        data: Data = {
            "ticket_id": f"k1:{random.getrandbits(128):032x}",
            "area_code": self._places.pick(random).code,
            "category": category,
            "channel": channel,
            "received_on": day.isoformat(),
            "due_on": after_office_days(day, _TERM.get(category, _TERM_ELSEWHERE)).isoformat(),
            "overdue": False,
            "state": "open",
            **_OPEN,
            "reopened_on": None,
        }
        return Life(receiver.code, data["ticket_id"], data)

    def follow(self, life: Life, day: date) -> FollowUp | None:
        """An open ticket is answered, rejected or overdue; an answered one is rated or opened again."""
        if life.is_void:
            return None
        random, data = self._random, life.data
        if data["state"] == "resolved" and data["rated_on"] is None:
            if data["reopened_on"] is None and self._aftermath.pick(random) == "reopen":
                return FollowUp(random.randrange(4, 70), _reopen)
            rating = self._rating.pick(random)
            return FollowUp(random.randrange(1, 50), partial(rated, names=_PAST, rating=rating)) if rating else None
        if data["state"] != "open":
            return None
        left = (date.fromisoformat(data["due_on"]) - day).days
        if data["overdue"]:
            return FollowUp(HOURS * random.choice((1, 1, 2, 4, 6)), partial(_close, state="resolved"))
        if left < 0:
            return FollowUp(1, _become_overdue)
        match self._fate.pick(random):
            case "lying":
                return None
            case "late":
                return FollowUp(HOURS * (left + 1), _become_overdue)
            case "rejected":
                return FollowUp(random.randrange(1, 30), partial(_close, state="rejected"))
        days = round(left * random.triangular(0, 1, 0.4))
        return FollowUp(max(1, HOURS * days), partial(_close, state="resolved"))

    def mend(self, life: Life) -> Data:
        """The ticket is about the commune next door, or a promise was misread."""
        data = life.data
        area = self._places.pick(self._random).code
        if area != data["area_code"]:
            return {**data, "area_code": area}
        due = after_office_days(date.fromisoformat(data["due_on"]), 1)
        return {**data, "due_on": due.isoformat(), "overdue": False}

    def misdate(self, life: Life, year: int) -> Life:
        return life.with_data(in_year(life.data, year, _DATES))

    def estrange(self, life: Life) -> Life:
        return life.with_data(life.data, reporter=_STRANGER)


_OPEN: Data = {"closed_on": None, "handling_h": None, "rated_on": None, "rating": None}


def _become_overdue(life: Life, day: date) -> Data | None:
    """The promised day has passed; None where it has not (the month has begun again)."""
    data = life.data
    if data["state"] != "open" or data["overdue"] or day.isoformat() <= data["due_on"]:
        return None
    return {**data, "overdue": True}


def _close(life: Life, day: date, *, state: str) -> Data | None:
    data = life.data
    if data["state"] != "open":
        return None
    closed = not_before(data, day, _PAST)
    hours = HOURS * (closed - date.fromisoformat(data["received_on"])).days + 3
    return {
        **data,
        "state": state,
        "closed_on": closed.isoformat(),
        "overdue": closed.isoformat() > data["due_on"],
        "handling_h": hours if state == "resolved" else None,
    }


def _reopen(life: Life, day: date) -> Data | None:
    """The citizen is not content: open again, with a new promise."""
    data = life.data
    if data["state"] != "resolved":
        return None
    again = not_before(data, day, _PAST)
    due = after_office_days(again, _TERM_ELSEWHERE).isoformat()
    return {**data, **_OPEN, "state": "open", "overdue": False, "due_on": due, "reopened_on": again.isoformat()}


ENTRY = Entry(
    feed=FeedbackSystem.feed,
    publisher="administration",
    share=0.03,
    build=lambda random, ground: FeedbackSystem(random, ground.reporters, ground.territory),
)
