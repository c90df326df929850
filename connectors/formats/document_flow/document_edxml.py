"""Electronic documents as edXML (QCVN 102:2016/BTTTT): metadata alone; attachments are never stored.

The sending agency issued the document, each registered receiver got it. A recall voids both, an update is a later
version, a replacement voids the document that it names. Documents of a security level are passed over. Both spellings
of the envelope are read: `edXML/edXMLEnvelope` and the flat `EdXMLEnvelope`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import date, datetime

from lxml import etree

from connectors.formats.carrier import xml_root
from connectors.formats.event import Stamp, record_event, void_event
from connectors.formats.field import MOMENT, TEXT, dropped, field
from connectors.formats.findings import Findings, reason, shown
from connectors.formats.format import Context, Event, Format, Item, Remark, attempt
from connectors.formats.readers.node import Node, Places
from connectors.formats.readers.xml import XmlFile, local_name

FEED = "document.flow"
_ROOTS = ("edXML", "EdXML", "edXMLEnvelope", "EdXMLEnvelope")
_WALLS = frozenset({"AttachmentEncoded", "Attachment", "Signature", "From", "To", "TraceHeaderList"})
_NEW, _RECALL, _UPDATE, _REPLACE = "0", "1", "2", "3"
_ITEM = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
_OPEN_LEVELS = ("", "0", "thuong", "Thường")

FIELDS = (
    field("reporter", "From.OrganId", TEXT, required=True, note="sent: by the crosswalk of agency codes"),
    field("reporter", "To.OrganId", TEXT, required=True, note="received: of each agency that the register knows"),
    field("item_id", "DocumentId", TEXT, required=True),
    field("occurred_on", "PromulgationInfo.PromulgationDate", TEXT, required=True),
    field("format", "Bussiness.Paper", TEXT, note="1 = on paper too (dual)"),
    field("signed", "Signature", TEXT, note="whether the envelope bears one"),
    field("", "Bussiness.BussinessDocType", TEXT, note="0 new, 1 recall, 2 update, 3 replacement"),
    field("revision", "TraceHeader.Timestamp", MOMENT, note="the latest orders the versions"),
    dropped("Subject"),
    dropped("Content"),
    dropped("SignerInfo.FullName"),
    dropped("Attachment"),
    dropped("AttachmentName"),
)


def _read(document: XmlFile, context: Context) -> Iterator[Item]:
    root = document.tree()
    findings = Findings()
    places = Places(Node(root, findings), _WALLS)
    level = places.the("MessageHeader/SecurityLevel").text() or places.the("MessageHeader/DoMat").text()
    if level not in _OPEN_LEVELS:
        warning = reason(
            "SecurityLevel",
            "security_level",
            "văn bản có độ mật, không được đưa vào hệ thống",
            "the document has a security level and is passed over",
        )
        yield Remark(context.file, warning)
        return
    yield from attempt(context.file, _events(root, places, findings, context))


def _events(root: etree._Element, places: Places, findings: Findings, context: Context) -> Iterator[Event]:
    sender, receivers = _organs(root, "From"), _organs(root, "To")
    document_id = places.the("MessageHeader/DocumentId").required()
    action = _inside(root, "Bussiness", "BussinessDocType") or _NEW
    if action not in (_NEW, _RECALL, _UPDATE, _REPLACE):
        findings.refuse(
            "Bussiness/BussinessDocType",
            "business_type",
            "nghiệp vụ phải là 0 (mới), 1 (thu hồi), 2 (cập nhật) hoặc 3 (thay thế)",
            "the business type must be 0 (new), 1 (recall), 2 (update) or 3 (replacement)",
            shown(action),
        )
    issued_on = places.the("MessageHeader/PromulgationInfo/PromulgationDate").day(context.timezone)
    if not sender:
        findings.missing("MessageHeader/From/OrganId")
    latest = _latest(root, context)
    if latest is None:
        findings.missing("TraceHeaderList/TraceHeader/Timestamp")
    findings.settle()
    assert latest is not None, "findings hold the reason"
    parties = [("sent", sender[0])] + [("received", organ) for organ in receivers]
    known = [(kind, context.crosswalk.reporter(FEED, organ)) for kind, organ in parties]
    if not any(code for _, code in known):
        context.crosswalk.read(FEED, sender[0], "MessageHeader/From/OrganId", findings)
        findings.settle()
    dual = _inside(root, "Bussiness", "Paper") == "1"
    signed = any(local_name(element) == "Signature" for element in root.iter())
    for kind, reporter in known:
        if reporter is None:
            continue
        # The day on which it came in is that of the last hand on its way.
        on = issued_on if kind == "sent" else max(issued_on, latest.astimezone(context.timezone).date())
        yield from _flow(
            kind, reporter, sender[0], document_id, on, action, dual, signed, latest, root, findings, context
        )


def _flow(
    kind: str,
    reporter: str,
    sender: str,
    document_id: str,
    on: date,
    action: str,
    dual: bool,
    signed: bool,
    latest: datetime,
    root: etree._Element,
    findings: Findings,
    context: Context,
) -> Iterator[Event]:
    feed, stamp = context.feeds[FEED], Stamp(context.file, latest)
    item = _item(kind, sender, document_id)
    if action == _RECALL:
        yield void_event(feed, reporter, f"{kind}/{item}", stamp=stamp)
        return
    fields: dict[str, object] = {"kind": kind, "item_id": item, "occurred_on": on}
    if kind == "sent":
        fields |= {"format": "dual" if dual else "electronic", "signed": signed}
    else:
        # The day on which it first came in: an update does not move it.
        first = context.memory.first("document/received", f"{reporter}/{item}", on.isoformat())
        fields["occurred_on"] = date.fromisoformat(first)
    yield record_event(feed, reporter, fields, stamp=stamp, warnings=findings.warnings)
    if action == _REPLACE:
        for replaced in _replaced(root, document_id):
            yield void_event(feed, reporter, f"{kind}/{_item(kind, sender, replaced)}", stamp=stamp)


def _item(kind: str, sender: str, document_id: str) -> str:
    """Return the item's id: the sender's own; a receiver gets ids of many senders, so theirs are told apart."""
    if kind == "sent" and _ITEM.fullmatch(document_id):
        return document_id
    return hashlib.sha256(f"{sender}|{document_id}".encode()).hexdigest()[:32]


def _organs(root: etree._Element, party: str) -> list[str]:
    found = []
    for element in root.iter():
        if local_name(element) == party and not _hidden(element):
            found += [
                (e.text or "").strip() for e in element.iter() if local_name(e) == "OrganId" and (e.text or "").strip()
            ]
    return list(dict.fromkeys(found))


def _inside(root: etree._Element, block: str, name: str) -> str:
    for element in root.iter():
        if local_name(element) == block:
            for part in element.iter():
                if local_name(part) == name:
                    return (part.text or "").strip()
    return ""


def _replaced(root: etree._Element, own: str) -> list[str]:
    ids = []
    for element in root.iter():
        if local_name(element) in ("ReplacementInfo", "BussinessDocumentInfo", "ResponseFor"):
            ids += [(e.text or "").strip() for e in element.iter() if local_name(e) == "DocumentId"]
    return [one for one in dict.fromkeys(ids) if one and one != own]


def _latest(root: etree._Element, context: Context) -> datetime | None:
    moments = (
        Node(element, Findings()).moment(context.timezone)
        for element in root.iter()
        if local_name(element) == "Timestamp"
    )
    return max((moment for moment in moments if moment is not None), default=None)


def _hidden(element: etree._Element) -> bool:
    return any(local_name(ancestor) in ("AttachmentEncoded", "Signature") for ancestor in element.iterancestors())


FORMAT = Format(
    name="document_edxml",
    feeds=(FEED,),
    title_vi="văn bản điện tử edXML",
    title_en="electronic documents, edXML",
    carriers=(xml_root(*_ROOTS),),
    versions=("QCVN 102:2016/BTTTT",),
    fields=FIELDS,
    read=_read,
    notes_vi=("Chỉ lấy siêu dữ liệu; tệp đính kèm không bao giờ được lưu; văn bản mật được bỏ qua.",),
    notes_en=("Metadata alone; attachments are never stored; documents of a security level are passed over.",),
)
