"""Citizens' feedback: one ticket from the day it came in until it is answered and rated.

A ticket is one record; later revisions move it on. A ticket that is opened again is open, with a new `due_on`, until
it is resolved again. It counts in the commune that it is about. The reporter is the system that received it, whoever
handles it. Names, phone numbers, texts, pictures and exact places stay there; ids are pseudonyms.
Source: NĐ 20/2008/NĐ-CP as amended by NĐ 92/2017/NĐ-CP; states of the 1022 systems.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from ioc.feeds.bounds import Day
from ioc.feeds.event import Record
from ioc.feeds.feed import Ahead, Feed
from ioc.feeds.rule import RecordRule, Term, named, not_before
from ioc.pseudonym import PSEUDONYM_PATTERN

Category = Literal[
    "environment",
    "road",
    "lighting",
    "urban_order",
    "construction",
    "security",
    "water_power",
    "food",
    "procedure",
    "other",
]
_EXAMPLE: dict[str, JsonValue] = {
    "ticket_id": "k1:0123456789abcdef0123456789abcdef",
    "area_code": "26506",
    "category": "road",
    "channel": "app",
    "received_on": "2024-10-07",
    "due_on": "2024-10-14",
    "state": "resolved",
    "closed_on": "2024-10-10",
    "handling_h": 70,
    "rated_on": "2024-10-11",
    "rating": 5,
}


class FeedbackTicket(Record):
    """A ticket in its present state; no date lies ahead but `due_on`.

    state:       open, resolved, or rejected (not the administration's matter, no content, or a duplicate).
    overdue:     `due_on` has passed without an end; told in a new revision on the day after.
    closed_on:   day of the end, in state resolved or rejected.
    handling_h:  hours from receipt to the answer, of resolved tickets.
    reopened_on: day on which it was last opened again.
    rating:      1 (worst) to 5 stars.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    ticket_id: Annotated[str, StringConstraints(pattern=PSEUDONYM_PATTERN)]
    area_code: Annotated[str, StringConstraints(pattern=r"^\d{2,5}$")]
    category: Category
    channel: Literal["app", "web", "hotline", "direct"]
    received_on: Day
    due_on: Day
    overdue: bool = False
    state: Literal["open", "resolved", "rejected"]
    closed_on: Day | None = None
    handling_h: Annotated[int, Field(ge=0, le=100_000)] | None = None
    reopened_on: Day | None = None
    rated_on: Day | None = None
    rating: Annotated[int, Field(ge=1, le=5)] | None = None

    KEY: ClassVar[Term] = named("ticket_id")
    RULES: ClassVar[tuple[RecordRule, ...]] = (
        *not_before("received_on", "due_on", "closed_on", "reopened_on", "rated_on"),
        RecordRule(
            named("state").equals("open").differs_from(~named("closed_on").is_set()),
            "closed_on comes with the end, and every state but open is an end",
            "phản ánh đã kết thúc phải có closed_on, phản ánh đang xử lý thì chưa",
        ),
        RecordRule(
            named("state").equals("resolved").differs_from(named("handling_h").is_set()),
            "handling_h is for resolved tickets, and they must have it",
            "phản ánh đã xử lý phải có handling_h, phản ánh khác thì không",
        ),
        RecordRule(
            named("closed_on") < named("reopened_on"),
            "a ticket that was opened again is open",
            "phản ánh mở lại là phản ánh đang xử lý",
        ),
        RecordRule(
            named("overdue").is_true() & (named("closed_on") <= named("due_on")),
            "a ticket that ended by due_on is not overdue",
            "phản ánh xong trong hạn không quá hạn",
        ),
        RecordRule(
            named("rated_on").is_set().differs_from(named("rating").is_set()),
            "rated_on and rating go together",
            "rated_on và rating phải đi cùng nhau",
        ),
    )


_CLOSED, _DUE = pl.col("closed_on"), pl.col("due_on")

FEED = Feed(
    key="feedback.ticket",
    model=FeedbackTicket,
    effective="received_on",
    cadence=timedelta(hours=26),
    name_vi="Phản ánh, kiến nghị",
    name_en="Citizens' feedback",
    quality_source="feedback",
    located=True,
    derive={
        "accepted": (pl.Boolean(), pl.col("state") != "rejected"),
        "timeliness": (
            pl.String(),
            pl.when(pl.col("state") != "resolved")
            .then(None)
            .when(_CLOSED <= _DUE)
            .then(pl.lit("on_time"))
            .otherwise(pl.lit("late")),
        ),
        "overdue_on": (
            pl.Date(),
            pl.when(pl.col("overdue") | (_CLOSED > _DUE)).then(_DUE.dt.offset_by("1d")),
        ),
    },
    ahead={"due_on": Ahead(timedelta(days=1827), unless="overdue")},
)
