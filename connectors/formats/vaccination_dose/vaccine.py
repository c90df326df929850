"""Vaccines by the codes and names of their sources, and the days on which the expanded programme's doses are due.

A combined vaccine without an indicator of its own is `other`. Source: CVX (HL7), ICD-11 MMS, products licensed in Viet
Nam; schedule of TT 10/2024/TT-BYT.
"""

from __future__ import annotations

import csv
import difflib
import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

from connectors.formats.plain import compact

_FILE = Path(__file__).with_name("data") / "vaccines.csv"
# (vaccine, dose) -> months after birth, days beside.
_DUE: Mapping[tuple[str, int], tuple[int, int]] = {
    ("hepb0", 1): (0, 0),
    ("bcg", 1): (0, 30),
    **{("dpt_vgb_hib", dose): (dose + 1, 0) for dose in (1, 2, 3)},
    **{("opv", dose): (dose + 1, 0) for dose in (1, 2, 3)},
    **{("rota", dose): (dose + 1, 0) for dose in (1, 2)},
    ("ipv", 1): (5, 0),
    ("ipv", 2): (9, 0),
    ("measles", 1): (9, 0),
    ("je", 1): (12, 0),
    ("je", 2): (12, 14),
    ("je", 3): (24, 0),
    ("mr", 1): (18, 0),
    ("dpt4", 1): (18, 0),
    ("dpt4", 4): (18, 0),
    ("td", 1): (84, 0),
}
# A dose is on schedule until this many days after its due day, and not earlier than so many before it.
ON_SCHEDULE_DAYS = 30
_EARLY_DAYS = 4
_AGES = ((1, "under1"), (6, "1_5"), (18, "6_17"), (60, "18_59"))


@dataclass(frozen=True)
class VaccineCodes:
    """Vaccine by own code, CVX and name; `icd11` by ICD-11 code where it names one vaccine only."""

    codes: Mapping[str, str]
    cvx: Mapping[str, str]
    icd11: Mapping[str, str]
    names: Mapping[str, str]

    def by_text(self, text: str) -> str | None:
        """Return the vaccine that a code or name means, None for an unknown one."""
        key = compact(text)
        return self.codes.get(key) or self.names.get(key)

    def nearest(self, text: str) -> list[str]:
        """Return the codes and names most like an unknown one."""
        return difflib.get_close_matches(compact(text), [*self.codes, *self.names], n=3, cutoff=0.6)


@lru_cache(maxsize=1)
def vaccine_codes() -> VaccineCodes:
    """Return the codes that come with the project."""
    codes: dict[str, str] = {}
    cvx: dict[str, str] = {}
    icd11: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    with _FILE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            vaccine = row["vaccine"]
            codes[compact(row["code"])] = vaccine
            codes.setdefault(compact(vaccine), vaccine)
            cvx.setdefault(row["cvx"].lstrip("0"), vaccine)
            icd11.setdefault(row["icd11"], set()).add(vaccine)
            for name in (row["name"], *row["products"].split(",")):
                names.setdefault(compact(re.sub(r"\(.*?\)", "", name)), vaccine)
    names.pop("", None)
    only = {code: next(iter(found)) for code, found in icd11.items() if code and len(found) == 1}
    return VaccineCodes(codes, cvx, only, names)


def age_group(born: date, on: date) -> str:
    """Return the band of the feed for an age on a day."""
    years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    return next((name for below, name in _AGES if years < below), "60_plus")


def delay_of(vaccine: str, dose_no: int, born: date, on: date) -> tuple[bool, int] | None:
    """Return (on schedule, days after the due day), None for a dose that the programme has no day for."""
    due_after = _DUE.get((vaccine, dose_no))
    if due_after is None:
        return None
    months, days = due_after
    total = born.year * 12 + born.month - 1 + months
    year, month = divmod(total, 12)
    due = date(year, month + 1, min(born.day, monthrange(year, month + 1)[1])) + timedelta(days=days)
    late = (on - due).days
    return -_EARLY_DAYS <= late <= ON_SCHEDULE_DAYS, max(0, late)
