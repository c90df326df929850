"""Visits to the province's apps and questions to its assistants (feed `app.usage`)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from datetime import date
from random import Random

from deploy.simulator.entry import Entry
from deploy.simulator.habit import CITIZEN
from deploy.simulator.ledger import Data
from deploy.simulator.record import Life, System, in_year
from deploy.simulator.rota import Rota, literals_of
from ioc.feeds.declared.app_usage import AppUsage
from ioc.province.reporter import Reporter

_STRANGER = "ung-dung-999"
_ASSISTANTS = "tro-ly-ao"

# The apps of Bà Rịa - Vũng Tàu; 115,239 visits of 98,453 users in two weeks, the press says of BR-VT Smart: most come
# once.
_VISITS = {"brvt_smart": 66.0, "dvc_brvt": 15.0, "ioc_app": 4.0}
_COMES_BACK = {"brvt_smart": 0.18, "dvc_brvt": 0.45, "ioc_app": 0.96}
_QUESTIONS = {"assistant_citizen": 11.0, "assistant_officer": 4.0}
_ANSWERED = {True: 0.87, False: 0.13}
_REMEMBERED = 3000

_Use = tuple[str, bool | None]


class AppUsageSystem(System):
    """The operators of apps and assistants."""

    feed = "app.usage"
    habit = CITIZEN

    def __init__(self, random: Random, operators: Sequence[Reporter]) -> None:
        self._random = random
        self._operators = {operator.code: operator for operator in operators}
        self._first = operators[0]
        visits: list[_Use] = [(app, None) for app in _VISITS]
        questions: list[_Use] = [(a, answered) for a in literals_of(AppUsage, "assistant") for answered in _ANSWERED]
        self._uses: Rota[_Use] = Rota([*visits, *questions], _weight)
        self._users: dict[str, deque[str]] = {app: deque(maxlen=_REMEMBERED) for app, _ in visits}

    def create(self, day: date, tick: int) -> Life:
        """Somebody opens an app, or asks an assistant."""
        what, answered = self._uses.pick(self._random)
        data: Data = {"kind": "visit", "item_id": self._pseudonym(), "occurred_on": day.isoformat()}
        if answered is None:
            data |= {"app": what, "user_id": self._user(what)}
        else:
            data |= {"kind": "question", "assistant": what, "answered": answered}
        code = what.replace("_", "-") if answered is None else _ASSISTANTS
        operator = self._operators.get(code, self._first)
        return Life(operator.code, f"{data['kind']}/{data['item_id']}", data)

    def mend(self, life: Life) -> Data:
        """The session was another user's; the assistant had passed the question on, or had not."""
        if life.data["kind"] == "visit":
            return {**life.data, "user_id": self._pseudonym()}
        return {**life.data, "answered": not life.data["answered"]}

    def misdate(self, life: Life, year: int) -> Life:
        return life.with_data(in_year(life.data, year, ("occurred_on",)))

    def estrange(self, life: Life) -> Life:
        return life.with_data(life.data, reporter=_STRANGER)

    def _user(self, app: str) -> str:
        known = self._users[app]
        if known and self._random.random() < _COMES_BACK.get(app, 0.3):
            return self._random.choice(known)
        known.append(self._pseudonym())
        return known[-1]

    def _pseudonym(self) -> str:
        return f"k1:{self._random.getrandbits(128):032x}"


def _weight(use: _Use) -> float:
    what, answered = use
    return _VISITS[what] if answered is None else _QUESTIONS.get(what, 1.0) * _ANSWERED[answered]


ENTRY = Entry(
    feed=AppUsageSystem.feed,
    publisher="monitoring",
    share=0.04,
    build=lambda random, ground: AppUsageSystem(random, ground.reporters),
)
