"""Visits to hospitals, clinics and stations, from check-in to the accepted summary (feed `health.checkout`)."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from random import Random

from deploy.simulator.calendar import HOURS
from deploy.simulator.diagnosis import DIAGNOSES, Diagnosis
from deploy.simulator.entry import Entry
from deploy.simulator.habit import CLINIC
from deploy.simulator.ledger import Data
from deploy.simulator.record import FollowUp, Life, System, in_year, pseudonym
from deploy.simulator.rota import Rota, literals_of
from deploy.simulator.season import Outbreak
from ioc.feeds.declared.health_checkout import COST_ITEMS, HealthCheckout
from ioc.province.reporter import Reporter

_STRANGER = "yt-999-01"
_DATES = ("check_in_on", "admitted_on", "completed_on", "paid_on")
_ADMITTED = ("inpatient", "day_inpatient")
_IN_BED = (*_ADMITTED, "station_stay", "short_inpatient")

_TIER = {"province": 27.0, "district": 34.0, "commune": 19.0, "private": 17.0, "military": 3.0}
# What a facility does, by what it is: stations and clinics have no wards.
_TYPES = {
    "station": {"exam": 52, "chronic": 18, "outpatient": 9, "drug_pickup": 9, "station_stay": 6, "other": 1},
    "clinic": {"exam": 86, "outpatient": 12, "other": 2},
    "hospital": {"exam": 61, "inpatient": 17, "chronic": 9, "outpatient": 5, "day_inpatient": 3, "drug_pickup": 2,
                 "short_inpatient": 2, "other": 1},
}  # fmt: skip
_ROUTE = {"right": 63, "open": 17, "emergency": 8, "referral": 5, "off": 4, "other": 3}
_PAYER = {"bhyt": 84, "self_pay": 14, "other": 2}
_ID_METHOD = {"cccd_chip": 71, "vneid": 15, "bhyt_card": 11, "other": 3}
_COMES_AGAIN = 0.25
_REMEMBERED = 1500

_HOURS_OF_VISIT = {"drug_pickup": (0, 1), "short_inpatient": (2, 3)}
_HOURS_ELSEWHERE = (1, 4)
_OUTCOME = {"improved": 58, "cured": 35, "unchanged": 4, "undetermined": 1.5, "terminal": 0.6, "died": 0.5,
            "worse": 0.3, "died_outside": 0.1}  # fmt: skip
_DISCHARGE = {"normal": 91, "transfer_up": 4.5, "asked": 2.4, "transfer_req": 1.4, "absconded": 0.7}
_READMITTED = {False: 95.0, True: 5.0}
_LIVE_BIRTHS = {1: 97.0, 2: 2.4, 0: 0.6}
_LOW_WEIGHT, _NEONATAL_DEATHS = {False: 93.0, True: 7.0}, {False: 99.4, True: 0.6}

# đồng: a typical bill, and which parts of it are what.
_BILL = {"inpatient": 4_800_000, "day_inpatient": 1_900_000, "station_stay": 420_000, "short_inpatient": 640_000}
_BILL_ELSEWHERE = 310_000
_DEARER = {"province": 1.5, "private": 1.6, "military": 1.1, "commune": 0.45}
_ITEM = {"cost_drug": 34, "cost_supply": 7, "cost_lab": 15, "cost_imaging": 10, "cost_procedure": 13, "cost_exam": 9}
_BED = 16
_MISC = 3.0
_COPAY = {0.0: 34.0, 0.05: 26.0, 0.2: 40.0}
_EXTRA = {True: 30.0, False: 70.0}
# 87 % of payments in ten months of 2024 were without cash, the press says.
_PAY_METHOD = {"qr": 48, "transfer": 24, "cash": 13, "card": 9, "wallet": 6}
_PAYS_AT_ONCE = 0.7
_SENT = {"on_time": 92.5, "late": 5.0, "rejected": 2.5}
_SENT_AGAIN = {True: 85.0, False: 15.0}


@dataclass(frozen=True)
class _Plan:
    """What will turn out to be the matter with a patient."""

    diagnosis: Diagnosis
    kind: str
    tier: str


class HealthVisitSystem(System):
    """The hospital and clinic systems of all facilities, as they report to the insurer."""

    feed = "health.checkout"
    habit = CLINIC

    def __init__(self, random: Random, facilities: Iterable[Reporter], outbreaks: Sequence[Outbreak] = ()) -> None:
        self._random, self._outbreaks = random, outbreaks
        known = list(facilities)
        # Patients come to a tier by its share, within it by beds.
        beds: defaultdict[str, float] = defaultdict(float)
        for one in known:
            beds[_tier(one)] += _beds(one)
        self._facilities = Rota(known, lambda one: _TIER.get(_tier(one), 1.0) * _beds(one) / beds[_tier(one)], laps=1)
        self._types = {what: Rota.of(types) for what, types in _TYPES.items()}
        self._route = Rota.over(HealthCheckout, "route", _ROUTE)
        self._payer = Rota.over(HealthCheckout, "payer", _PAYER)
        self._id_method = Rota.over(HealthCheckout, "id_method", _ID_METHOD)
        # Each kind of bed has a rota of its own: with one for both, what is rare may come to day patients alone.
        self._diagnosis_bed = {what: Rota(DIAGNOSES, lambda found: found.weight_bed) for what in _ADMITTED}
        self._diagnosis = Rota(DIAGNOSES, lambda found: found.weight)
        self._outcome = {bed: Rota.over(HealthCheckout, "outcome", _OUTCOME) for bed in (True, False)}
        self._discharge = {bed: Rota.over(HealthCheckout, "discharge_type", _DISCHARGE) for bed in (True, False)}
        self._readmitted = Rota.of(_READMITTED)
        self._live_births = Rota.of(_LIVE_BIRTHS)
        self._low_weight, self._neonatal_deaths = Rota.of(_LOW_WEIGHT), Rota.of(_NEONATAL_DEATHS)
        self._copay, self._extra = Rota.of(_COPAY), Rota.of(_EXTRA)
        self._pay_method = Rota.over(HealthCheckout, "pay_method", _PAY_METHOD)
        self._sent, self._sent_again = Rota.of(_SENT), Rota.of(_SENT_AGAIN)
        self._patients: defaultdict[tuple[str, str], deque[str]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))
        self._plans: dict[str, _Plan] = {}

    def create(self, day: date, tick: int) -> Life:
        """A patient checks in; why is known to the doctors later."""
        random = self._random
        facility = self._facilities.pick(random)
        visit_type = self._types.get(_kind(facility), self._types["hospital"]).pick(random)
        diagnosis = self._epidemic(day) or self._diagnosis_bed.get(visit_type, self._diagnosis).pick(random)
        sex, age = random.choice(diagnosis.sexes), random.choice(diagnosis.ages)
        data: Data = {
            "visit_id": pseudonym(random),
            "person_id": self._person(sex, age),
            "sex": sex,
            "age_group": age,
            "visit_type": visit_type,
            "route": "other" if visit_type in ("drug_pickup", "other") else self._route.pick(random),
            "payer": self._payer.pick(random),
            "id_method": self._id_method.pick(random),
            "check_in_on": day.isoformat(),
            "admitted_on": day.isoformat() if visit_type in _IN_BED else None,
            "completed_on": None,
            "paid_on": None,
        }
        self._plans[data["visit_id"]] = _Plan(diagnosis, _kind(facility), _tier(facility))
        return Life(facility.code, data["visit_id"], data)

    def follow(self, life: Life, day: date) -> FollowUp | None:
        """The visit ends, is paid for, and its summary is sent; most that were refused are sent again."""
        random, data = self._random, life.data
        if data["completed_on"] is None:
            plan = self._plans.pop(data["visit_id"], None)
            if plan is None:
                return None
            hours = self._duration(data["visit_type"])
            return FollowUp(max(1, hours), partial(self._complete, plan=plan, hours=hours))
        if data["paid_on"] is None and data["cost_copay"] + data["cost_selfpay"] > 0:
            return FollowUp(random.randrange(1, 3 * HOURS), self._pay)
        if data["send_status"] is None:
            status = self._sent.pick(random)
            hours = random.randrange(25, 120) if status == "late" else random.randrange(1, 24)
            return FollowUp(hours, partial(_send, status=status, hours=hours))
        if data["send_status"] == "rejected" and self._sent_again.pick(random):
            return FollowUp(random.randrange(4, 72), partial(_send, status="corrected", hours=data["send_lag_h"] + 24))
        return None

    def mend(self, life: Life) -> Data:
        """How the patient was identified was noted wrongly."""
        methods = literals_of(HealthCheckout, "id_method")
        method = methods[(methods.index(life.data["id_method"]) + 1) % len(methods)]
        return {**life.data, "id_method": method}

    def misdate(self, life: Life, year: int) -> Life:
        return life.with_data(in_year(life.data, year, _DATES))

    def estrange(self, life: Life) -> Life:
        return life.with_data(life.data, reporter=_STRANGER)

    def _epidemic(self, day: date) -> Diagnosis | None:
        """The disease of an outbreak, where the patient is one of its."""
        for outbreak in self._outbreaks:
            if self._random.random() < outbreak.of(day):
                return next(found for found in DIAGNOSES if found.disease == outbreak.disease)
        return None

    def _duration(self, visit_type: str) -> int:
        """Hours until a visit ends."""
        random = self._random
        match visit_type:
            case "inpatient":
                return HOURS * max(1, min(16, round(random.gammavariate(2.2, 2.2)))) + random.randrange(-6, 6)
            case "day_inpatient" | "station_stay":
                return HOURS * random.randint(1, 4) - 10
        return random.randint(*_HOURS_OF_VISIT.get(visit_type, _HOURS_ELSEWHERE))

    def _complete(self, life: Life, day: date, *, plan: _Plan, hours: int) -> Data | None:
        data = life.data
        if data["completed_on"] is not None:
            return None
        random, inpatient = self._random, data["visit_type"] == "inpatient"
        came, left = date.fromisoformat(data["check_in_on"]), max(day, date.fromisoformat(data["check_in_on"]))
        in_bed = data["visit_type"] in _ADMITTED or data["visit_type"] == "station_stay"
        done: Data = {
            **data,
            "completed_on": left.isoformat(),
            **plan.diagnosis.content,
            "outcome": self._outcome[inpatient].pick(random),
            "discharge_type": self._discharge[inpatient].pick(random),
            "los_days": (left - came).days + 1 if in_bed else 0,
            "visit_minutes": max(5, 60 * hours - random.randrange(55)),
            "readmitted": inpatient and self._readmitted.pick(random),
            **self._births(plan.diagnosis),
            **self._bill(data, plan),
            "send_status": None,
            "send_lag_h": None,
        }
        return done | (self._payment(done, left) if random.random() < _PAYS_AT_ONCE else {})

    def _births(self, diagnosis: Diagnosis) -> Data:
        if diagnosis.delivery is None:
            return {"live_births": None, "low_weight_births": None, "neonatal_deaths": None}
        born = self._live_births.pick(self._random)
        small, died = self._low_weight.pick(self._random), self._neonatal_deaths.pick(self._random)
        return {
            "live_births": born,
            "low_weight_births": min(born, int(small)),
            "neonatal_deaths": min(born, int(died)),
        }

    def _bill(self, data: Data, plan: _Plan) -> Data:
        """What a visit costs and who bears it; no named item covers all of it."""
        random = self._random
        typical = _BILL.get(data["visit_type"], _BILL_ELSEWHERE) * _DEARER.get(plan.tier, 1.0)
        total = round(typical * random.lognormvariate(-0.2, 0.6) / 100) * 100
        insured = round(total * random.uniform(0.8, 1)) if data["payer"] == "bhyt" else 0
        copay = round(insured * self._copay.pick(random))
        selfpay = total - insured if data["payer"] != "other" or self._extra.pick(random) else 0
        weights = {name: share * random.uniform(0.3, 1.7) for name, share in _ITEM.items()}
        weights["cost_bed"] = _BED * random.uniform(0.5, 1.5) if data["visit_type"] in _IN_BED else 0.0
        whole = sum(weights.values()) + _MISC
        return {
            "cost_total": total,
            "cost_bhyt": insured - copay,
            "cost_copay": copay,
            "cost_selfpay": selfpay,
            "cost_other": total - insured - selfpay,
            **{name: int(total * weights[name] / whole) for name in COST_ITEMS},
        }

    def _pay(self, life: Life, day: date) -> Data | None:
        if life.data["paid_on"] is not None:
            return None
        return {**life.data, **self._payment(life.data, max(day, date.fromisoformat(life.data["completed_on"])))}

    def _payment(self, data: Data, day: date) -> Data:
        """What the patient owes, if anything."""
        amount = data["cost_copay"] + data["cost_selfpay"]
        if amount == 0:
            return {}
        return {"paid_on": day.isoformat(), "paid_amount": amount, "pay_method": self._pay_method.pick(self._random)}

    def _person(self, sex: str, age: str) -> str:
        """Somebody new, or one who was here before."""
        known = self._patients[sex, age]
        if known and self._random.random() < _COMES_AGAIN:
            return self._random.choice(known)
        known.append(pseudonym(self._random))
        return known[-1]


def _send(life: Life, day: date, *, status: str, hours: int) -> Data | None:
    return {**life.data, "send_status": status, "send_lag_h": hours}


def _kind(facility: Reporter) -> str:
    """Centres have wards as hospitals do."""
    kind = str(facility.attributes.get("type", "hospital"))
    return kind if kind in _TYPES else "hospital"


def _tier(facility: Reporter) -> str:
    return str(facility.attributes.get("tier", "private"))


def _beds(facility: Reporter) -> float:
    return float(facility.attributes.get("beds", 4)) + 4


ENTRY = Entry(
    feed=HealthVisitSystem.feed,
    publisher="health",
    share=0.06,
    build=lambda random, ground: HealthVisitSystem(random, ground.reporters, ground.outbreaks),
)
