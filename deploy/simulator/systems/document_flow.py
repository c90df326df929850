"""Documents, case files and tasks in the agencies' document software (feed `document.flow`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from random import Random

from deploy.simulator.calendar import FIRST_DAY, HOURS
from deploy.simulator.entry import Entry
from deploy.simulator.habit import OFFICE
from deploy.simulator.ledger import Data
from deploy.simulator.office import after_office_days
from deploy.simulator.record import FollowUp, Life, System, in_year
from deploy.simulator.rota import Rota
from ioc.feeds.declared.document_flow import DocumentFlow
from ioc.province.reporter import Reporter

_STRANGER = "ubnd-999"
_DATES = ("occurred_on", "due_on", "done_on")

_KIND = {"received": 52, "sent": 35, "case_file": 10, "task": 3}
_LEVEL = {"province": 46.0, "district": 26.0, "commune": 28.0}
_FORMAT = {"electronic": 92, "dual": 6.5, "paper": 1.5}
# A paper bears no digital signature.
_SIGNED = {"electronic": 0.97, "dual": 0.85}
# Case files worked on in the system alone: duty of QĐ 749/QĐ-TTg 90, 80 and 60 %.
_ONLINE = {"province": 0.93, "district": 0.86, "commune": 0.67}
_TERM = {5: 3.0, 7: 3.0, 10: 4.0, 15: 2.0}
_FATE = {"on_time": 80.0, "overdue": 20.0}
_OVERDUE = {"done": 70.0, "lies": 30.0}


class DocumentSystem(System):
    """The document software of all agencies; the provincial committee's tasks are tracked in it."""

    feed = "document.flow"
    habit = OFFICE

    def __init__(self, random: Random, agencies: Iterable[Reporter]) -> None:
        self._random = random
        known = list(agencies)
        levels = Counter(_level(agency) for agency in known)
        self._agencies = Rota(
            known, lambda a: _LEVEL.get(_level(a), 1.0) / levels[_level(a)] * random.uniform(0.5, 1.5), laps=1
        )
        self._of_level = {level: [a for a in known if _level(a) == level] for level in levels}
        self._kind = Rota.over(DocumentFlow, "kind", _KIND)
        self._case_level = Rota(levels, lambda level: _LEVEL.get(level, 1.0))
        self._format = Rota.over(DocumentFlow, "format", _FORMAT)
        self._term = Rota.of(_TERM)
        self._fate = Rota.of(_FATE)
        self._overdue = Rota.of(_OVERDUE)
        self._numbers: Counter[str] = Counter()

    def create(self, day: date, tick: int) -> Life:
        """A document goes out or comes in, a case file is opened, or a task assigned."""
        random = self._random
        kind = self._kind.pick(random)
        if kind == "case_file":
            agency = random.choice(self._of_level[self._case_level.pick(random)])
        else:
            agency = self._agencies.pick(random)
        self._numbers[agency.code] += 1
        data: Data = {
            "kind": kind,
            "item_id": f"{FIRST_DAY.year}-{self._numbers[agency.code]:05d}",
            "occurred_on": day.isoformat(),
        }
        match kind:
            case "sent":
                form = self._format.pick(random)
                data |= {"format": form, "signed": random.random() < _SIGNED.get(form, 0.0)}
            case "case_file":
                data["online"] = random.random() < _ONLINE.get(_level(agency), 0.8)
            case "task":
                due = after_office_days(day, self._term.pick(random))
                data |= {"due_on": due.isoformat(), "overdue": False}
        return Life(agency.code, f"{kind}/{data['item_id']}", data)

    def follow(self, life: Life, day: date) -> FollowUp | None:
        """A task is done before its day, or after it, or lies."""
        data = life.data
        if life.is_void or data["kind"] != "task" or "done_on" in data:
            return None
        random = self._random
        left = (date.fromisoformat(data["due_on"]) - day).days
        if data["overdue"]:
            lies = self._overdue.pick(random) == "lies"
            return None if lies else FollowUp(HOURS * random.randint(1, 7), _do)
        if left < 0:
            return FollowUp(1, _become_overdue)
        if self._fate.pick(random) == "on_time":
            return FollowUp(max(2, HOURS * round(left * random.triangular(0.2, 1, 0.9))), _do)
        return FollowUp(HOURS * (left + 1), _become_overdue)

    def mend(self, life: Life) -> Data:
        """The wrong box was ticked; a document that came in had come the day before."""
        data = life.data
        match data["kind"]:
            case "sent" if data["format"] != "paper":
                return {**data, "signed": not data["signed"]}
            case "sent":
                return {**data, "format": "dual"}
            case "case_file":
                return {**data, "online": not data["online"]}
            case "task":
                due = after_office_days(date.fromisoformat(data["due_on"]), 3).isoformat()
                return {**data, "due_on": due, "overdue": data.get("done_on", "") > due}
        before = date.fromordinal(date.fromisoformat(data["occurred_on"]).toordinal() - 1)
        return {**data, "occurred_on": before.isoformat()}

    def misdate(self, life: Life, year: int) -> Life:
        return life.with_data(in_year(life.data, year, _DATES))

    def estrange(self, life: Life) -> Life:
        return life.with_data(life.data, reporter=_STRANGER)


def _become_overdue(life: Life, day: date) -> Data | None:
    """The task's day has passed; None where it has not (the month has begun again)."""
    data = life.data
    if "done_on" in data or data["overdue"] or day.isoformat() <= data["due_on"]:
        return None
    return {**data, "overdue": True}


def _do(life: Life, day: date) -> Data | None:
    data = life.data
    if "done_on" in data:
        return None
    done = max(day.isoformat(), data["occurred_on"])
    return {**data, "done_on": done, "overdue": done > data["due_on"]}


def _level(agency: Reporter) -> str:
    return str(agency.attributes.get("level", "commune"))


ENTRY = Entry(
    feed=DocumentSystem.feed,
    publisher="administration",
    share=0.04,
    build=lambda random, ground: DocumentSystem(random, ground.reporters),
)
