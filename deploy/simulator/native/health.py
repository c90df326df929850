"""Hospitals and stations: the insurer's XML, and FHIR R4 of health records and doses."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from lxml import etree

from deploy.simulator.native.file import Desk, NativeFile, ToldRecord, born_before, citizen_number, present
from deploy.simulator.record import Life

_YEARS = {"under6": 3, "6_14": 10, "15_24": 20, "25_44": 33, "45_59": 50, "60_79": 70, "80_plus": 84}
_TYPES = {"exam": "01", "inpatient": "03", "day_inpatient": "04"}
_ROUTES = {"right": "1.1", "emergency": "2", "referral": "1.3", "off": "3.1"}
_OUTCOMES = {
    "cured": "1",
    "improved": "2",
    "unchanged": "3",
    "worse": "4",
    "died": "5",
    "terminal": "6",
    "undetermined": "7",
    "died_outside": "8",
}
_DISCHARGES = {"normal": "1", "transfer_up": "2", "absconded": "3", "asked": "4", "transfer_req": "5"}
_DIAGNOSES = (
    ("J20.9", {"icd_chapter": "ch10"}),
    ("K29.7", {"icd_chapter": "ch11"}),
    ("A97.0", {"icd_chapter": "ch01", "disease": "dengue"}),
    ("I10", {"icd_chapter": "ch09", "ncd": "hypertension"}),
)
_ICT = "http://example.invalid/identifiers"


def visits(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """Completed visits in one envelope, each a HOSO with its XML1 in base64."""
    root = etree.Element("GIAMDINHHS")
    unit = etree.SubElement(root, "THONGTINDONVI")
    known = [
        life
        for life in lives
        if life.data.get("outcome") and life.data["visit_type"] in _TYPES and life.data["route"] in _ROUTES
    ]
    if not known:
        return NativeFile("visits.xml", b"", ())
    etree.SubElement(unit, "MACSKCB").text = known[0].reporter
    info = etree.SubElement(root, "THONGTINHOSO")
    etree.SubElement(info, "NGAYLAP").text = f"{desk.today:%Y%m%d}"
    etree.SubElement(info, "SOLUONGHOSO").text = str(len(known))
    listing, told = etree.SubElement(info, "DANHSACHHOSO"), []
    for number, life in enumerate(known):
        summary, record = _summary(number, life, desk)
        file = etree.SubElement(etree.SubElement(listing, "HOSO"), "FILEHOSO")
        etree.SubElement(file, "LOAIHOSO").text = "XML1"
        etree.SubElement(file, "NOIDUNGFILE").text = base64.encodebytes(summary).decode()
        told.append(record)
    etree.SubElement(root, "CHUKYDONVI")
    return NativeFile("visits.xml", etree.tostring(root, encoding="UTF-8", xml_declaration=True), tuple(told))


def _summary(number: int, life: Life, desk: Desk) -> tuple[bytes, ToldRecord]:
    data, came_on = life.data, desk.days_ago(3)
    came, left = datetime.combine(came_on, time(8)), datetime.combine(came_on, time(11, 30))
    in_bed = data["visit_type"] != "exam"
    if in_bed:
        left += timedelta(days=2)
    icd, diagnosis = _DIAGNOSES[number % len(_DIAGNOSES)]
    insured, card, person = data["payer"] == "bhyt", f"XX477{number:010d}", citizen_number(f"patient {number}")
    episode, days = f"LK-{number}", 3 if in_bed else 0
    bill = {
        "T_BHTT": 120_000 if insured else 0,
        "T_BNCCT": 30_000 if insured else 0,
        "T_BNTT": 50_000,
        "T_NGUONKHAC": 0,
    }
    total = sum(bill.values())
    born = born_before(_YEARS[data["age_group"]], came_on)
    fields = {
        "MA_LK": episode,
        "STT": 1,
        "MA_BN": f"BN-{number}",
        "HO_TEN": "NGUYỄN THỬ",
        "SO_CCCD": person,
        "NGAY_SINH": f"{born:%Y%m%d}0000",
        "GIOI_TINH": {"male": 1, "female": 2}.get(data["sex"], 3),
        "MA_THE_BHYT": card if insured else "",
        "MA_DOITUONG_KCB": _ROUTES[data["route"]],
        "NGAY_VAO": f"{came:%Y%m%d%H%M}",
        "NGAY_VAO_NOI_TRU": f"{came:%Y%m%d%H%M}" if in_bed else "",
        "NGAY_RA": f"{left:%Y%m%d%H%M}",
        "SO_NGAY_DTRI": days,
        "KET_QUA_DTRI": _OUTCOMES[data["outcome"]],
        "MA_LOAI_RV": _DISCHARGES[data["discharge_type"]],
        "MA_BENH_CHINH": icd,
        "T_THUOC": "30000.00",
        "T_VTYT": "10000.00",
        "T_TONGCHI_BV": f"{total}.00",
        **{name: f"{value}.00" for name, value in bill.items()},
        "MA_LOAI_KCB": _TYPES[data["visit_type"]],
        "MA_KHOA": "K01",
        "MA_CSKCB": life.reporter,
        "NAM_QT": came.year,
    }
    root = etree.Element("TONG_HOP")
    for name, value in fields.items():
        etree.SubElement(root, name).text = str(value)
    record = present(
        visit_id=desk.pseudonymise("visit", f"{life.reporter}|{episode}", came_on),
        person_id=desk.pseudonymise("cccd", person, came_on),
        sex=data["sex"],
        age_group=data["age_group"],
        visit_type=data["visit_type"],
        route=data["route"],
        payer="bhyt" if insured else "self_pay",
        id_method="cccd_chip",
        check_in_on=str(came_on),
        admitted_on=str(came_on) if in_bed else None,
        completed_on=str(left.date()),
        **diagnosis,
        outcome=data["outcome"],
        discharge_type=data["discharge_type"],
        los_days=days,
        visit_minutes=int((left - came).total_seconds() // 60),
        cost_total=total,
        cost_bhyt=bill["T_BHTT"],
        cost_copay=bill["T_BNCCT"],
        cost_selfpay=bill["T_BNTT"],
        cost_other=0,
        cost_drug=30_000,
        cost_supply=10_000,
    )
    return etree.tostring(root, encoding="UTF-8"), ToldRecord("health.checkout", life.reporter, record)


def health_records(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """A Bundle of Compositions and their Patients."""
    entries: list[dict[str, Any]] = []
    told = []
    for number, life in enumerate(life for life in lives if life.data["kind"] == "record"):
        day, group = date.fromisoformat(life.data["occurred_on"]), life.data["age_group"]
        entries.append(
            {
                "resource": {
                    "resourceType": "Composition",
                    "status": "entered-in-error" if life.is_void else "final",
                    "id": f"c{number}",
                    "date": f"{day}T08:00:00+07:00",
                    "meta": {"lastUpdated": desk.now.isoformat()},
                    "identifier": {"system": _ICT, "value": f"HS-{number}"},
                    "subject": {"reference": f"Patient/p{number}"},
                    "custodian": {"identifier": {"value": life.reporter}},
                    "section": [{"code": {"coding": [{"system": "http://loinc.org", "code": "48765-2"}]}}],
                }
            }
        )
        entries.append(
            {
                "resource": {
                    "resourceType": "Patient",
                    "id": f"p{number}",
                    "gender": life.data["sex"],
                    "birthDate": str(born_before(_YEARS[group], day)),
                    "name": [{"text": "Nguyễn Thử"}],
                }
            }
        )
        told.append(
            ToldRecord(
                "health.record",
                life.reporter,
                None
                if life.is_void
                else {
                    "kind": "record",
                    "item_id": desk.pseudonymise("health_record", f"{_ICT}|HS-{number}", None),
                    "occurred_on": str(day),
                    "sex": life.data["sex"],
                    "age_group": group,
                    "allergy_on": str(day),
                },
            )
        )
    return NativeFile("records.json", _bundle(entries), tuple(told))


def doses(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """A Bundle of Immunizations with contained Patients: the birth dose, and what adults pay for."""
    entries, told = [], []
    for number, life in enumerate(life for life in lives if life.data["kind"] == "dose"):
        day, at_birth = date.fromisoformat(life.data["occurred_on"]), number % 2 == 0
        born = day if at_birth else born_before(30, day)
        vaccine, dose_no = ("hepb0", 1) if at_birth else (life.data["vaccine"], life.data["dose_no"])
        person = citizen_number(f"child {number}")
        entries.append(
            {
                "resource": {
                    "resourceType": "Immunization",
                    "id": f"i{number}",
                    "status": "entered-in-error" if life.is_void else "completed",
                    "identifier": [{"system": _ICT, "value": f"MT-{number}"}],
                    "vaccineCode": {"coding": [{"system": _ICT, "code": vaccine}]},
                    "patient": {"reference": "#p"},
                    "meta": {"lastUpdated": desk.now.isoformat()},
                    "contained": [
                        {
                            "resourceType": "Patient",
                            "id": "p",
                            "birthDate": str(born),
                            "identifier": [{"value": person}],
                        }
                    ],
                    "occurrenceDateTime": f"{day}T09:00:00+07:00",
                    "recorded": f"{day}T12:00:00+07:00",
                    "location": {"identifier": {"value": life.reporter}},
                    "protocolApplied": [
                        {"series": "TCMR" if at_birth else "Dịch vụ", "doseNumberPositiveInt": dose_no}
                    ],
                }
            }
        )
        own: dict[str, Any] = (
            {"on_schedule": True, "delay_days": 0, "hours_after_birth": 9, "age_group": "under1"}
            if at_birth
            else {"age_group": "18_59"}
        )
        told.append(
            ToldRecord(
                "vaccination.dose",
                life.reporter,
                None
                if life.is_void
                else {
                    "kind": "dose",
                    "item_id": desk.pseudonymise("dose", f"{_ICT}|MT-{number}", day),
                    "person_id": desk.pseudonymise("cccd", person, day),
                    "occurred_on": str(day),
                    "vaccine": vaccine,
                    "dose_no": dose_no,
                    "programme": "epi" if at_birth else "service",
                    "record_lag_h": 3,
                    **own,
                },
            )
        )
    return NativeFile("doses.json", _bundle(entries), tuple(told))


def _bundle(entries: Sequence[dict[str, Any]]) -> bytes:
    return json.dumps({"resourceType": "Bundle", "type": "collection", "entry": list(entries)}).encode()
