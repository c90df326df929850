"""ICD-10 codes as what leaves the connector: the chapter, and the groups that the record names.

HIV (B20-B24) and mental disorders show as their chapter alone. Source: QĐ 4469/QĐ-BYT (ICD-10), TT 54/2015/TT-BYT.
"""

from __future__ import annotations

import re

_CODE = re.compile(r"([A-Z])([0-9]{2})(?:\.?([0-9]{1,2}))?[*†+]?")
# First and last category of each chapter.
_CHAPTERS: tuple[tuple[str, str, str], ...] = (
    ("A00", "B99", "ch01"),
    ("C00", "D49", "ch02"),
    ("D50", "D89", "ch03"),
    ("E00", "E90", "ch04"),
    ("F00", "F99", "ch05"),
    ("G00", "G99", "ch06"),
    ("H00", "H59", "ch07"),
    ("H60", "H95", "ch08"),
    ("I00", "I99", "ch09"),
    ("J00", "J99", "ch10"),
    ("K00", "K93", "ch11"),
    ("L00", "L99", "ch12"),
    ("M00", "M99", "ch13"),
    ("N00", "N99", "ch14"),
    ("O00", "O99", "ch15"),
    ("P00", "P96", "ch16"),
    ("Q00", "Q99", "ch17"),
    ("R00", "R99", "ch18"),
    ("S00", "T98", "ch19"),
    ("U00", "U99", "ch22"),
    ("Z00", "Z99", "ch21"),
)
_DISEASES: tuple[tuple[str, str, str], ...] = (
    ("A010", "A010", "typhoid"),
    ("A15", "A19", "tuberculosis"),
    ("A36", "A36", "diphtheria"),
    ("A37", "A37", "pertussis"),
    ("A830", "A830", "je"),
    ("A90", "A91", "dengue"),
    ("A97", "A97", "dengue"),
    ("B01", "B01", "chickenpox"),
    ("B05", "B05", "measles"),
    ("B084", "B084", "hfmd"),
    ("B15", "B19", "viral_hepatitis"),
    ("B26", "B26", "mumps"),
    ("B50", "B54", "malaria"),
    ("J09", "J11", "influenza"),
    ("U071", "U072", "covid19"),
    ("Z203", "Z203", "rabies_exposure"),
)
_CHRONIC: tuple[tuple[str, str, str], ...] = (
    ("C00", "C97", "cancer"),
    ("E10", "E14", "diabetes"),
    ("I10", "I15", "hypertension"),
    ("I21", "I22", "mi"),
    ("I60", "I64", "stroke"),
    ("J44", "J44", "copd"),
    ("J45", "J46", "asthma"),
    ("N18", "N18", "ckd"),
)


def icd_of(text: str) -> str | None:
    """Return a code without its point (`A970`), None where the text is no ICD-10 code."""
    found = _CODE.fullmatch(text.strip().upper())
    return f"{found[1]}{found[2]}{found[3] or ''}" if found else None


def chapter_of(icd: str) -> str | None:
    """Return the chapter, None for a code of causes (V, W, X, Y), which is no main diagnosis."""
    return _find(icd[:3], _CHAPTERS)


def disease_of(icd: str) -> str | None:
    """Return the notifiable disease that a code names."""
    return _find(icd, _DISEASES)


def chronic_of(icd: str) -> str | None:
    """Return the non-communicable disease that a code names."""
    return _find(icd, _CHRONIC)


def _find(icd: str, ranges: tuple[tuple[str, str, str], ...]) -> str | None:
    return next((name for first, last, name in ranges if first <= icd[: len(first)] <= last), None)
