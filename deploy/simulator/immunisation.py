"""Who is vaccinated with what: sessions of the expanded programme, of campaigns and of paid services.

Schedule: TT 10/2024/TT-BYT, in force since 2024-08-01; ages at which its doses are due. Weights are plausible shares.
"""

from __future__ import annotations

from dataclasses import dataclass

# What stands in the stores of a site of the programme, and how many doses a site has of each at the month's begin.
STOCKED = {
    "bcg": 60, "hepb0": 40, "dpt_vgb_hib": 110, "opv": 120, "ipv": 80, "rota": 60, "measles": 70, "mr": 70,
    "je": 90, "rabies": 30, "dpt4": 60, "td": 90, "tt": 60,
}  # fmt: skip


@dataclass(frozen=True)
class Session:
    """What one person gets at one visit.

    doses:   (vaccine, number of the dose).
    sites:   types of sites where it is given.
    ages:    age groups, as often as they stand there.
    is_last: with it a child has had all that is due in the first year.
    """

    name: str
    programme: str
    doses: tuple[tuple[str, int], ...]
    weight: float
    sites: tuple[str, ...]
    ages: tuple[str, ...]
    is_last: bool = False


_STATION, _BIRTH = ("commune",), ("hospital", "district")
_PAID = ("private", "private", "cdc", "district")
_UNDER1, _CHILD, _ADULT = ("under1",), ("1_5",), ("18_59",)


def _due(name: str, weight: float, ages: tuple[str, ...], *doses: tuple[str, int], is_last: bool = False) -> Session:
    return Session(name, "epi", doses, weight, _STATION, ages, is_last)


def _paid(vaccine: str, weight: float, *ages: str, doses: int = 2) -> tuple[Session, ...]:
    return tuple(
        Session(f"{vaccine}_{number}", "service", ((vaccine, number),), weight / number, _PAID, ages)
        for number in range(1, doses + 1)
    )


# Fewer children come to each visit than to the one before.
SESSIONS = (
    Session("birth", "epi", (("hepb0", 1), ("bcg", 1)), 10.0, _BIRTH, _UNDER1),
    _due("month_2", 9.8, _UNDER1, ("dpt_vgb_hib", 1), ("opv", 1), ("rota", 1)),
    _due("month_3", 9.5, _UNDER1, ("dpt_vgb_hib", 2), ("opv", 2), ("rota", 2)),
    _due("month_4", 9.2, _UNDER1, ("dpt_vgb_hib", 3), ("opv", 3)),
    _due("month_5", 9.1, _UNDER1, ("ipv", 1)),
    _due("month_9", 8.8, _UNDER1, ("ipv", 2), ("measles", 1), is_last=True),
    _due("month_12", 8.4, _CHILD, ("je", 1)),
    _due("month_13", 8.1, _CHILD, ("je", 2)),
    _due("month_18", 8.2, _CHILD, ("mr", 1), ("dpt4", 1)),
    _due("month_24", 7.6, _CHILD, ("je", 3)),
    _due("year_7", 6.0, ("6_17",), ("td", 1)),
    _due("pregnancy_1", 4.0, _ADULT, ("tt", 1)),
    _due("pregnancy_2", 3.6, _ADULT, ("tt", 2)),
    Session("measles_campaign", "campaign", (("mr", 2),), 6.0, _STATION, ("1_5", "1_5", "6_17")),
    *_paid("influenza", 6.0, "1_5", "6_17", "18_59", "60_plus", doses=1),
    *_paid("rabies", 4.0, "6_17", "18_59", "60_plus", doses=4),
    *_paid("hpv", 3.0, "6_17", "18_59"),
    *_paid("pneumococcal", 2.6, "under1", "1_5", "60_plus"),
    *_paid("varicella", 1.6, "1_5", "6_17"),
    *_paid("mmr", 1.4, "1_5"),
    *_paid("mening_bc", 1.0, "under1", "1_5"),
    *_paid("mening_acwy", 0.9, "1_5", "6_17", doses=1),
    *_paid("hexa", 2.8, "under1", doses=3),
    *_paid("hepa", 0.6, "1_5", "18_59"),
    *_paid("hepb_adult", 1.0, "18_59", doses=3),
    *_paid("typhoid", 0.3, "6_17", "18_59", doses=1),
    *_paid("dengue", 1.2, "6_17", "18_59"),
    *_paid("tetanus", 1.8, "18_59", "60_plus", doses=1),
    *_paid("zoster", 0.4, "60_plus"),
    *_paid("covid19", 0.1, "60_plus", doses=1),
    *_paid("other", 0.8, "1_5", "18_59"),
)
