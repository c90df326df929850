"""What people come to a health facility for: the groups of ICD-10 that the feed tells apart, by frequency.

Weights are plausible shares of a province's visits, no measured figures. Chapter 20 names causes and is never a main
diagnosis.
"""

from __future__ import annotations

from dataclasses import dataclass

from deploy.simulator.ledger import Data

_CHILD, _YOUNG, _GROWN = ("under6", "6_14"), ("15_24", "25_44"), ("25_44", "45_59", "60_79", "80_plus")
_ANY = ("under6", "6_14", "15_24", "25_44", "45_59", "60_79", "80_plus")


@dataclass(frozen=True)
class Diagnosis:
    """A group of main diagnoses.

    weight: among visits without a bed; `weight_bed` among those with one. ages and sexes: whom it befalls.
    delivery: how a child is born, where one is.
    """

    chapter: str
    weight: float
    weight_bed: float
    disease: str | None = None
    ncd: str | None = None
    injury: str | None = None
    delivery: str | None = None
    ages: tuple[str, ...] = _ANY
    sexes: tuple[str, ...] = ("male", "female")

    @property
    def content(self) -> Data:
        """The fields of a completed visit that follow from the diagnosis."""
        told = {"disease": self.disease, "ncd": self.ncd, "injury": self.injury, "delivery": self.delivery}
        return {"icd_chapter": self.chapter, **told}


DIAGNOSES = (
    Diagnosis("ch01", 2.2, 2.6),
    Diagnosis("ch02", 1.0, 1.2),
    Diagnosis("ch03", 0.5, 0.5),
    Diagnosis("ch04", 3.0, 1.6),
    Diagnosis("ch05", 1.4, 0.6),
    Diagnosis("ch06", 3.0, 1.8),
    Diagnosis("ch07", 3.2, 1.2),
    Diagnosis("ch08", 2.2, 0.7),
    Diagnosis("ch09", 3.0, 3.4),
    Diagnosis("ch10", 16.0, 12.0),
    Diagnosis("ch11", 11.0, 9.0),
    Diagnosis("ch12", 3.2, 1.2),
    Diagnosis("ch13", 9.0, 4.0, ages=_GROWN),
    Diagnosis("ch14", 4.6, 4.4),
    Diagnosis("ch15", 1.8, 3.0, ages=_YOUNG, sexes=("female",)),
    Diagnosis("ch15", 0.05, 9.0, delivery="vaginal", ages=_YOUNG, sexes=("female",)),
    Diagnosis("ch15", 0.01, 6.5, delivery="caesarean", ages=_YOUNG, sexes=("female",)),
    Diagnosis("ch16", 0.2, 2.2, ages=("under6",)),
    Diagnosis("ch17", 0.2, 0.3, ages=_CHILD),
    Diagnosis("ch18", 5.0, 3.0),
    Diagnosis("ch19", 1.5, 1.4),
    Diagnosis("ch21", 2.6, 1.2),
    Diagnosis("ch22", 0.1, 0.1),
    Diagnosis("ch01", 1.4, 4.2, disease="dengue"),
    Diagnosis("ch01", 1.1, 2.0, disease="hfmd", ages=("under6",)),
    Diagnosis("ch01", 0.2, 0.5, disease="measles", ages=_CHILD),
    Diagnosis("ch01", 0.3, 0.2, disease="chickenpox", ages=_CHILD),
    Diagnosis("ch01", 0.1, 0.1, disease="mumps", ages=_CHILD),
    Diagnosis("ch10", 1.6, 0.8, disease="influenza"),
    Diagnosis("ch22", 0.2, 0.2, disease="covid19"),
    Diagnosis("ch01", 0.5, 0.5, disease="tuberculosis", ages=_GROWN),
    Diagnosis("ch01", 0.7, 0.4, disease="viral_hepatitis", ages=_GROWN),
    Diagnosis("ch01", 0.03, 0.05, disease="pertussis", ages=("under6",)),
    Diagnosis("ch01", 0.01, 0.02, disease="diphtheria", ages=_CHILD),
    Diagnosis("ch01", 0.01, 0.03, disease="malaria", ages=_GROWN),
    Diagnosis("ch01", 0.01, 0.03, disease="je", ages=_CHILD),
    Diagnosis("ch01", 0.02, 0.04, disease="typhoid"),
    Diagnosis("ch21", 0.9, 0.02, disease="rabies_exposure"),
    Diagnosis("ch09", 9.5, 2.0, ncd="hypertension", ages=_GROWN),
    Diagnosis("ch04", 6.0, 1.8, ncd="diabetes", ages=_GROWN),
    Diagnosis("ch10", 1.2, 2.0, ncd="copd", ages=("45_59", "60_79", "80_plus")),
    Diagnosis("ch10", 1.1, 0.8, ncd="asthma"),
    Diagnosis("ch02", 0.8, 2.4, ncd="cancer", ages=_GROWN),
    Diagnosis("ch09", 0.6, 3.0, ncd="stroke", ages=("45_59", "60_79", "80_plus")),
    Diagnosis("ch09", 0.3, 1.2, ncd="mi", ages=("45_59", "60_79", "80_plus")),
    Diagnosis("ch14", 0.8, 1.4, ncd="ckd", ages=_GROWN),
    Diagnosis("ch19", 1.3, 3.2, injury="traffic", ages=("15_24", "25_44", "45_59")),
    Diagnosis("ch19", 0.5, 0.7, injury="work", ages=("15_24", "25_44", "45_59")),
    Diagnosis("ch19", 0.01, 0.05, injury="drowning", ages=_CHILD),
    Diagnosis("ch19", 1.2, 1.6, injury="fall"),
    Diagnosis("ch19", 0.2, 0.3, injury="burn"),
    Diagnosis("ch19", 0.5, 0.2, injury="bite"),
    Diagnosis("ch19", 0.1, 0.2, injury="food_poisoning"),
    Diagnosis("ch19", 0.2, 0.3, injury="violence", ages=("15_24", "25_44", "45_59")),
)
