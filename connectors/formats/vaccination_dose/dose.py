"""What FHIR and tables share: one dose as canonical event; birth date and document stay here.

The schedule's facts are derived from the birth date before it is dropped: `on_schedule` until 30 days after the due
day, `delay_days` after it. A dose without a birth date has neither, nor an age group.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from connectors.formats.age import Birth
from connectors.formats.event import Stamp, record_event, void_event
from connectors.formats.findings import Findings
from connectors.formats.format import Context, Event
from connectors.formats.vaccination_dose.vaccine import age_group, delay_of

FEED = "vaccination.dose"
_CITIZEN_NUMBER = re.compile(r"[0-9]{12}")


@dataclass(frozen=True)
class Dose:
    """One dose as a source tells it. `key` is the identifier of the item in its system, empty = none."""

    facility: str
    facility_place: str
    key: str
    person: str
    vaccine: str
    dose_no: int
    programme: str
    given_at: datetime
    recorded_at: datetime | None
    birth: Birth | None
    is_dose: bool
    exact_time: bool = True


def person_of(identifier: str, on: date, context: Context) -> str:
    """Return the pseudonym of a person: of the citizen's number where it is one, so that systems agree."""
    plain = "".join(identifier.split())
    return context.pseudonymise("cccd" if _CITIZEN_NUMBER.fullmatch(plain) else "vaccination_person", plain, on)


def dose_event(
    dose: Dose, where: str, moment: datetime, revision: int | None, findings: Findings, context: Context
) -> Event:
    """Return the event of a dose, or its void where it was entered in error or not given."""
    reporter = context.crosswalk.read(FEED, dose.facility or context.reporter, dose.facility_place, findings)
    findings.settle()
    day = dose.given_at.astimezone(context.timezone).date()
    person = person_of(dose.person, day, context)
    # Without an identifier of its own, a dose is known by person, vaccine, day and number.
    key = dose.key or f"{person}|{dose.vaccine}|{day.isoformat()}|{dose.dose_no}"
    item = context.pseudonymise("dose", key, day)
    stamp = Stamp(where, moment, revision)
    if not dose.is_dose:
        return void_event(context.feeds[FEED], reporter, f"dose/{item}", stamp=stamp)
    fields: dict[str, Any] = {
        "kind": "dose",
        "item_id": item,
        "person_id": person,
        "occurred_on": day,
        "vaccine": dose.vaccine,
        "dose_no": dose.dose_no,
        "programme": dose.programme,
        **_by_age(dose, day, findings, context),
    }
    if dose.recorded_at is not None:
        fields["record_lag_h"] = max(0, int((dose.recorded_at - dose.given_at).total_seconds() // 3600))
    return record_event(context.feeds[FEED], reporter, fields, stamp=stamp, warnings=findings.warnings)


def _by_age(dose: Dose, on: date, findings: Findings, context: Context) -> dict[str, Any]:
    birth = dose.birth
    if birth is None:
        findings.warn(
            "birthDate",
            "birth_date_missing",
            "không có ngày sinh nên không tính được nhóm tuổi và đúng lịch; mũi tiêm vẫn được đếm",
            "without a birth date neither age group nor schedule can be told; the dose counts all the same",
        )
        return {}
    if birth.first > on:
        findings.refuse("birthDate", "day_order", "ngày sinh sau ngày tiêm", "born after the dose")
        findings.settle()
    # Of a year or month alone there is an age where every day of it gives the same, and never a schedule.
    youngest, oldest = (age_group(day, on) for day in (min(birth.last, on), birth.first))
    fields: dict[str, Any] = {"age_group": oldest} if youngest == oldest else {}
    if not birth.exact:
        findings.warn(
            "birthDate",
            "birth_date_partial",
            "ngày sinh không đủ ngày tháng nên không tính được đúng lịch; mũi tiêm vẫn được đếm",
            "of a birth date without its day no schedule can be told; the dose counts all the same",
        )
        # The programme's doses count by schedule, and by age only together with it.
        return fields if dose.programme != "epi" else {}
    born = birth.first
    if dose.programme == "epi":
        # A dose that the programme sets no day for (tetanus in pregnancy) is never late.
        delay = delay_of(dose.vaccine, dose.dose_no, born, on) or (True, 0)
        fields["on_schedule"], fields["delay_days"] = delay
    if dose.vaccine == "hepb0" and dose.exact_time and on >= born:
        begin = datetime.combine(born, datetime.min.time(), context.timezone)
        hours = int((dose.given_at - begin).total_seconds() // 3600)
        # The hour of birth is not told: within the day of birth the dose came within 24 hours.
        if hours < 24:
            fields["hours_after_birth"] = hours
    return fields
