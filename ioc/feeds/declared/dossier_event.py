"""Dossiers of administrative procedures at the one-stop shops: one dossier from intake to result, payment and rating.

A dossier is one record; later revisions move it on. It counts as received on `received_on`, as resolved, refused or
withdrawn on `closed_on`, as paid on `paid_on`; it is pending until `closed_on`, overdue from the day after `due_on`.
The reporter is the one-stop shop that took it in. Dossier code, applicant and file contents stay there: ids are
pseudonyms, because the national portal tells the applicant's name to whoever knows the code.
Source: NĐ 61/2018/NĐ-CP, NĐ 107/2021/NĐ-CP, TT 01/2018/TT-VPCP; states after TrangThaiHoSo of the national portal.
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

Pseudonym = Annotated[str, StringConstraints(pattern=PSEUDONYM_PATTERN)]
ProcedureField = Literal[
    "civil_status",
    "land",
    "construction",
    "business",
    "social",
    "transport",
    "health",
    "education",
    "environment",
    "residence",
    "trade",
    "other",
]
_EXAMPLE: dict[str, JsonValue] = {
    "dossier_id": "k1:0123456789abcdef0123456789abcdef",
    "applicant_id": "k1:89abcdef0123456789abcdef01234567",
    "field": "land",
    "channel": "online",
    "service_level": "partial",
    "filed_by": "self",
    "received_on": "2024-10-07",
    "due_on": "2024-10-21",
    "digitised_in": True,
    "has_fee": True,
    "paid_on": "2024-10-07",
    "paid_online": True,
    "paid_amount": 50000,
    "state": "resolved",
    "closed_on": "2024-10-18",
    "processing_h": 72,
    "result_electronic": True,
}


class DossierEvent(Record):
    """A dossier in its present state; what has not happened yet is empty, and no date lies ahead but `due_on`.

    state:         pending (states 1, 2, 4, 5, 6), refused at intake (3), withdrawn (7), stopped (8), resolved (9, 10).
    due_on:        the promised day as last set; a clock that stood still has moved it.
    overdue:       `due_on` has passed without an end; told in a new revision on the day after.
    filed_by:      online dossiers only: the applicant, or an officer at the counter on the applicant's behalf.
    wait_min:      minutes of waiting at the counter; `processing_h` working hours from intake to result.
    supplement_on: day of the latest request for supplements.
    reuse_possible: a paper had been digitised before; `reused` it was taken from there.
    paid_amount:   fees and charges, đồng.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    dossier_id: Pseudonym
    applicant_id: Pseudonym
    field: ProcedureField
    channel: Literal["online", "direct", "postal"]
    service_level: Literal["full", "partial", "information"]
    filed_by: Literal["self", "assisted"] | None = None
    received_on: Day
    due_on: Day | None = None
    overdue: bool = False
    wait_min: Annotated[int, Field(ge=0, le=1_440)] | None = None
    paperless_day: bool = False
    digitised_in: bool = False
    reuse_possible: bool = False
    reused: bool = False
    supplement_on: Day | None = None
    has_fee: bool = False
    paid_on: Day | None = None
    paid_online: bool = False
    paid_amount: Annotated[int, Field(ge=1, le=10**12)] | None = None
    state: Literal["pending", "resolved", "refused", "withdrawn", "stopped"]
    closed_on: Day | None = None
    processing_h: Annotated[int, Field(ge=0, le=100_000)] | None = None
    digitised_out: bool = False
    result_electronic: bool = False
    rated_on: Day | None = None
    rating: Literal["very_satisfied", "satisfied", "unsatisfied"] | None = None

    KEY: ClassVar[Term] = named("dossier_id")
    RULES: ClassVar[tuple[RecordRule, ...]] = (
        # What fits the intake.
        RecordRule(
            named("channel").equals("online").differs_from(named("filed_by").is_set()),
            "filed_by is for online dossiers, and they must have it",
            "hồ sơ trực tuyến phải có filed_by, hồ sơ khác thì không",
        ),
        RecordRule(
            named("channel").equals("online") & named("service_level").equals("information"),
            "a service that only informs takes no online dossiers",
            "dịch vụ chỉ cung cấp thông tin không nhận hồ sơ trực tuyến",
        ),
        RecordRule(
            named("wait_min").is_set() & ~named("channel").equals("direct"),
            "wait_min is for dossiers filed at the counter",
            "wait_min chỉ dùng cho hồ sơ trực tiếp",
        ),
        RecordRule(
            named("reused").is_true() & ~named("reuse_possible").is_true(),
            "reused needs reuse_possible",
            "reused phải đi cùng reuse_possible",
        ),
        # Days in their order.
        *not_before("received_on", "due_on", "supplement_on", "paid_on", "closed_on", "rated_on"),
        RecordRule(
            ~named("due_on").is_set() & ~named("state").equals("refused"),
            "a dossier that was accepted needs due_on",
            "hồ sơ đã tiếp nhận phải có due_on",
        ),
        RecordRule(
            named("overdue").is_true() & (~named("due_on").is_set() | (named("closed_on") <= named("due_on"))),
            "a dossier that ended by due_on is not overdue",
            "hồ sơ xong trong hạn không quá hạn",
        ),
        # What fits the state.
        RecordRule(
            named("state").equals("pending").differs_from(~named("closed_on").is_set()),
            "closed_on comes with the end, and every state but pending is an end",
            "hồ sơ đã kết thúc phải có closed_on, hồ sơ đang giải quyết thì chưa",
        ),
        RecordRule(
            named("state").equals("resolved").differs_from(named("processing_h").is_set()),
            "processing_h is for resolved dossiers, and they must have it",
            "hồ sơ đã giải quyết phải có processing_h, hồ sơ khác thì không",
        ),
        RecordRule(
            ~named("state").equals("resolved")
            & (named("digitised_out").is_true() | named("result_electronic").is_true()),
            "only a resolved dossier has a result",
            "chỉ hồ sơ đã giải quyết mới có kết quả",
        ),
        RecordRule(
            named("rated_on").is_set().differs_from(named("rating").is_set()),
            "rated_on and rating go together",
            "rated_on và rating phải đi cùng nhau",
        ),
        # What fits the payment.
        RecordRule(
            named("paid_on").is_set().differs_from(named("paid_amount").is_set()),
            "paid_on and paid_amount go together",
            "paid_on và paid_amount phải đi cùng nhau",
        ),
        RecordRule(
            named("paid_on").is_set() & ~named("has_fee").is_true(),
            "a payment needs has_fee",
            "đã thanh toán thì phải có has_fee",
        ),
        RecordRule(
            named("paid_online").is_true() & ~named("paid_on").is_set(),
            "paid_online needs paid_on",
            "paid_online phải có paid_on",
        ),
    )


_CLOSED, _DUE = pl.col("closed_on"), pl.col("due_on")
_OVERDUE_ON = pl.when(pl.col("overdue") | (_CLOSED > _DUE)).then(_DUE.dt.offset_by("1d"))

FEED = Feed(
    key="dossier.event",
    model=DossierEvent,
    effective="received_on",
    cadence=timedelta(hours=26),
    name_vi="Hồ sơ thủ tục hành chính",
    name_en="Dossiers of administrative procedures",
    by_agencies=True,
    quality_source="dossier",
    enrich={"level": ("level", pl.String())},
    derive={
        "accepted": (pl.Boolean(), pl.col("state") != "refused"),
        "timeliness": (
            pl.String(),
            pl.when(pl.col("state") != "resolved")
            .then(None)
            .when(_CLOSED < _DUE)
            .then(pl.lit("early"))
            .when(_CLOSED == _DUE)
            .then(pl.lit("on_time"))
            .otherwise(pl.lit("late")),
        ),
        "overdue_on": (pl.Date(), _OVERDUE_ON),
        "in_time_until": (pl.Date(), pl.min_horizontal(_CLOSED, _OVERDUE_ON)),
    },
    ahead={"due_on": Ahead(timedelta(days=1827), unless="overdue")},
)
