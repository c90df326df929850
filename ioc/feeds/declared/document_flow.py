"""Electronic documents, case files and tasks of the agencies.

Four kinds of record travel in this feed; the reporter is the agency. Only what an indicator needs: no subjects, no
signers, no attachments; documents of a security level never travel.
Source: QCVN 102:2016/BTTTT (edXML), QĐ 28/2018/QĐ-TTg, NĐ 30/2020/NĐ-CP; case files as QĐ 749/QĐ-TTg counts them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import ConfigDict, JsonValue, StringConstraints

from ioc.feeds.bounds import Day
from ioc.feeds.event import Record
from ioc.feeds.feed import Ahead, Feed
from ioc.feeds.kind import kind_rules, shape
from ioc.feeds.rule import RecordRule, Term, joined, named, not_before

KINDS = {
    "sent": shape("item_id format signed"),
    "received": shape("item_id"),
    "case_file": shape("item_id online"),
    "task": shape("item_id due_on overdue", "done_on"),
}
_EXAMPLE: dict[str, JsonValue] = {
    "kind": "sent",
    "item_id": "2024-4711",
    "occurred_on": "2024-10-07",
    "format": "electronic",
    "signed": True,
}


class DocumentFlow(Record):
    """One of:

    sent:      a document that the agency issued: electronic only, on paper only or both (dual); `signed` digitally.
    received:  a document that came in.
    case_file: a file opened on `occurred_on`; `online` when all work on it is done in the system.
    task:      a task that the provincial committee assigned to the agency on `occurred_on`; later revisions tell that
               it is `overdue` (on the day after `due_on`) or done (`done_on`, never ahead).

    `item_id` is the item's number or GUID in the agency's system; it tells nothing of its subject.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    kind: Literal["sent", "received", "case_file", "task"]
    item_id: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]
    occurred_on: Day
    format: Literal["electronic", "dual", "paper"] | None = None
    signed: bool | None = None
    online: bool | None = None
    due_on: Day | None = None
    overdue: bool | None = None
    done_on: Day | None = None

    KEY: ClassVar[Term] = joined(named("kind"), "/", named("item_id"))
    RULES: ClassVar[tuple[RecordRule, ...]] = (
        *kind_rules(KINDS),
        RecordRule(
            named("format").equals("paper") & named("signed").is_true(),
            "paper bears no digital signature",
            "văn bản giấy không có chữ ký số",
        ),
        *not_before("occurred_on", "due_on", "done_on"),
        RecordRule(
            named("overdue").is_true() & (named("done_on") <= named("due_on")),
            "a task done by due_on is not overdue",
            "nhiệm vụ xong trong hạn không quá hạn",
        ),
    )


FEED = Feed(
    key="document.flow",
    model=DocumentFlow,
    effective="occurred_on",
    cadence=timedelta(hours=26),
    name_vi="Văn bản, hồ sơ công việc và nhiệm vụ",
    name_en="Documents, case files and tasks",
    by_agencies=True,
    quality_source="document",
    enrich={"level": ("level", pl.String())},
    derive={
        "task_state": (
            pl.String(),
            pl.when(pl.col("kind") != "task")
            .then(None)
            .when(pl.col("done_on") <= pl.col("due_on"))
            .then(pl.lit("on_time"))
            .when(pl.col("done_on") > pl.col("due_on"))
            .then(pl.lit("late"))
            .when(pl.col("overdue"))
            .then(pl.lit("overdue"))
            .otherwise(pl.lit("open")),
        ),
    },
    ahead={"due_on": Ahead(timedelta(days=3653), unless="overdue")},
)
