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
from connectors.formats.plain import composed
from connectors.formats.readers.node import Node, Places
from connectors.formats.readers.xml import XmlFile, local_name

FEED = "document.flow"
_ROOTS = ("edXML", "EdXML", "edXMLEnvelope", "EdXMLEnvelope")
_WALLS = frozenset({"AttachmentEncoded", "Attachment", "Signature", "From", "To", "TraceHeaderList"})
_NEW, _RECALL, _UPDATE, _REPLACE = "0", "1", "2", "3"
# Writers pad the code; the block's name is misspelt in the standard, and right with some.
_ACTIONS = {"00": _NEW, "01": _RECALL, "02": _UPDATE, "03": _REPLACE}
_BUSINESS = re.compile(r"buss?iness", re.IGNORECASE)
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
    business = _business(root)
    told = business.get("doctype")
    # A message without the block is a new document; a block that does not say what it does is none.
    action = _NEW if told is None and not business else _ACTIONS.get(told or "", told or "")
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
    dual = business.get("paper") == "1"
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
    named = _named(root, document_id)
    if action == _RECALL:
        # A recall is a message of its own: the document is the one that it names, else that of its own id.
        for recalled in named or [document_id]:
            yield void_event(feed, reporter, f"{kind}/{_item(kind, sender, recalled)}", stamp=stamp)
        return
    # So is an update: it is a later version of the document that it names.
    item = _item(kind, sender, named[0] if action == _UPDATE and len(named) == 1 else document_id)
    fields: dict[str, object] = {"kind": kind, "item_id": item, "occurred_on": on}
    if kind == "sent":
        fields |= {"format": "dual" if dual else "electronic", "signed": signed}
    else:
        # The day on which it first came in: an update does not move it.
        first = context.memory.first("document/received", f"{reporter}/{item}", on.isoformat())
        fields["occurred_on"] = date.fromisoformat(first)
    yield record_event(feed, reporter, fields, stamp=stamp, warnings=findings.warnings)
    if action == _REPLACE:
        for replaced in named:
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


def _business(root: etree._Element) -> dict[str, str]:
    """Return what the block `Bussiness` (or `Business`, as some write it) tells, by names without that word."""
    told: dict[str, str] = {}
    for element in root.iter():
        if _BUSINESS.fullmatch(local_name(element)) and not _hidden(element):
            for part in element.iter():
                if not len(part) and part is not element:
                    told.setdefault(_BUSINESS.sub("", local_name(part)).lower(), composed(part.text or ""))
    return told


def _named(root: etree._Element, own: str) -> list[str]:
    """Return the ids of the other documents that a message is about; a document that it answers is none of them."""
    ids = []
    for element in root.iter():
        name = local_name(element)
        if (name == "ReplacementInfo" or _BUSINESS.match(name)) and not _hidden(element):
            ids += [composed(e.text or "") for e in element.iter() if local_name(e) == "DocumentId"]
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
    carriers=(xml_root(*_ROOTS, wrapped=True),),
    versions=("QCVN 102:2016/BTTTT",),
    fields=FIELDS,
    read=_read,
    notes_vi=("Chỉ lấy siêu dữ liệu; tệp đính kèm không bao giờ được lưu; văn bản mật được bỏ qua.",),
    notes_en=("Metadata alone; attachments are never stored; documents of a security level are passed over.",),
)
