"""Offices: the national portal's dossiers, edXML documents, canonical events, and stations' text files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from lxml import etree

from deploy.simulator.native.file import Desk, NativeFile, ToldRecord, present
from deploy.simulator.record import Life
from ioc.feeds.event import event_json

_EDXML = "http://www.mic.gov.vn/TBT/QCVN_102_2016"
_FIELDS = {"civil_status": "Hộ tịch", "land": "Đất đai", "construction": "Xây dựng", "education": "Giáo dục"}
_STATES = {"pending": "4", "resolved": "9", "refused": "3", "withdrawn": "7", "stopped": "8"}
_CHANNELS = {"direct": "1", "online": "2", "postal": "3"}
_SYMBOLS = {"pm25": "PM2,5", "pm10": "PM10", "so2": "SO2", "no2": "NO2", "o3": "O3"}
_MINUTES = 12
# What is added to the revisions of a later file.
_LATER = 100_000


def events(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """Canonical events, one a line."""
    lines, told = [], []
    for number, life in enumerate(lives):
        event = event_json(
            "vn.ioc.tourism.stay.v1",
            life.subject,
            desk.now.isoformat(),
            revision=number + (_LATER if desk.first else 0),
            data=None if life.is_void else life.data,
        )
        lines.append(json.dumps(event))
        told.append(ToldRecord("tourism.stay", life.reporter, None if life.is_void else life.data))
    return NativeFile("events.ndjson", "\n".join(lines).encode(), tuple(told))


def dossiers(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """`DongBoHoSoMC`: the present state of dossiers, taken in at eight and settled two hours later."""
    items, told = [], []
    for number, life in enumerate(lives):
        data, code = life.data, f"HSMP-{number:04d}"
        received = date.fromisoformat(data["received_on"])
        due, state = received + timedelta(days=5), data["state"]
        ended = state != "pending"
        channel = data["channel"]
        items.append(
            present(
                MaHoSo=code,
                TenLinhVuc=_FIELDS.get(data["field"], "Lĩnh vực thử"),
                ChuHoSo="Nguyễn Thử",
                LoaiDoiTuong="1",
                MaDoiTuong=f"D{number}",
                NgayTiepNhan=f"{received:%Y%m%d}080000",
                NgayHenTra=f"{due:%Y%m%d}170000",
                TrangThaiHoSo=_STATES[state],
                KenhThucHien=_CHANNELS[channel],
                MucDo="4",
                DonViXuLy=life.reporter,
                NgayKetThucXuLy=f"{received:%Y%m%d}100000" if ended else None,
            )
        )
        told.append(
            ToldRecord(
                "dossier.event",
                life.reporter,
                present(
                    dossier_id=desk.pseudonymise("dossier", code, received),
                    applicant_id=desk.pseudonymise("applicant", f"D{number}", received),
                    field=data["field"] if data["field"] in _FIELDS else "other",
                    channel=channel,
                    service_level="full",
                    filed_by="self" if channel == "online" else None,
                    received_on=str(received),
                    due_on=str(due),
                    digitised_in=False,
                    reuse_possible=False,
                    reused=False,
                    has_fee=False,
                    state=state,
                    closed_on=str(received) if ended else None,
                    overdue=not ended and desk.today > due,
                    processing_h=2 if state == "resolved" else None,
                ),
            )
        )
    content = json.dumps({"service": "DongBoHoSoMC", "isUpdating": "True", "data": items}, ensure_ascii=False)
    return NativeFile("dossiers.json", content.encode(), tuple(told))


def document(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """One document that an agency sent, as edXML with its namespace; the receiver is of another province."""
    life = next((life for life in lives if life.data["kind"] == "sent"), None)
    if life is None:
        return NativeFile("document.xml", b"", ())
    day = date.fromisoformat(life.data["occurred_on"])
    root = etree.Element(f"{{{_EDXML}}}edXML", nsmap={"edXML": _EDXML})
    envelope = etree.SubElement(root, f"{{{_EDXML}}}edXMLEnvelope")
    header = etree.SubElement(envelope, f"{{{_EDXML}}}edXMLHeader")
    message = etree.SubElement(header, f"{{{_EDXML}}}MessageHeader")
    for party, organ in (("From", life.reporter), ("To", "000.00.00.H99")):
        etree.SubElement(etree.SubElement(message, f"{{{_EDXML}}}{party}"), f"{{{_EDXML}}}OrganId").text = organ
    etree.SubElement(message, f"{{{_EDXML}}}DocumentId").text = life.data["item_id"]
    info = etree.SubElement(message, f"{{{_EDXML}}}PromulgationInfo")
    etree.SubElement(info, f"{{{_EDXML}}}PromulgationDate").text = f"{day:%Y/%m/%d}"
    etree.SubElement(message, f"{{{_EDXML}}}Subject").text = "V/v thử nghiệm"
    trace = etree.SubElement(header, f"{{{_EDXML}}}TraceHeaderList")
    business = etree.SubElement(trace, f"{{{_EDXML}}}Bussiness")
    etree.SubElement(business, f"{{{_EDXML}}}BussinessDocType").text = "1" if life.is_void else "0"
    etree.SubElement(business, f"{{{_EDXML}}}Paper").text = "1" if life.data["format"] == "dual" else "0"
    stamp = etree.SubElement(etree.SubElement(trace, f"{{{_EDXML}}}TraceHeader"), f"{{{_EDXML}}}Timestamp")
    stamp.text = f"{day:%Y/%m/%d} {'10' if life.is_void else '09'}:00:00"
    told = {
        "kind": "sent",
        "item_id": life.data["item_id"],
        "occurred_on": str(day),
        "signed": False,
        "format": "dual" if life.data["format"] == "dual" else "electronic",
    }
    content = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return NativeFile(
        "document.xml", content, (ToldRecord("document.flow", life.reporter, None if life.is_void else told),)
    )


def station(lives: Sequence[Life], desk: Desk) -> NativeFile:
    """An hour of an automatic air station: a line every five minutes and parameter, with decimal commas."""
    known = [life for life in lives if life.data["medium"] == "air" and life.data["param"] in _SYMBOLS]
    if not known:
        return NativeFile("station.txt", b"", ())
    code = known[0].reporter
    hour = datetime.combine(desk.today, datetime.min.time(), desk.now.tzinfo) + timedelta(hours=desk.now.hour - 2)
    lines, told = [], []
    for life in {life.data["param"]: life for life in known if life.reporter == code}.values():
        param = life.data["param"]
        least = len(param) + int(life.data["value"] or 0) % 500
        values = [Decimal(number) / 10 for number in range(least, least + _MINUTES)]
        for number, value in enumerate(values):
            at = hour + timedelta(minutes=5 * number)
            lines.append(f"{_SYMBOLS[param]}\t{str(value).replace('.', ',')}\tµg/Nm3\t{at:%Y%m%d%H%M%S}\t00\r\n")
        mean = float(round(sum(values, Decimal(0)) / len(values), 6))
        at_utc = hour.astimezone(UTC).isoformat()
        told.append(
            ToldRecord(
                "environment.reading", code, {"medium": "air", "param": param, "measured_at": at_utc, "value": mean}
            )
        )
    return NativeFile(f"BRVT_{code}_{hour:%Y%m%d%H%M%S}.txt", "".join(lines).encode(), tuple(told))
