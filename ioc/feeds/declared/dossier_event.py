"""Dossiers of administrative procedures at the one-stop shops: one dossier from intake to result, payment and rating.

A dossier is one record; later revisions move it on. It counts as received on `received_on`, as resolved, refused or
withdrawn on `closed_on`, as paid on `paid_on`; it is pending until `closed_on`, overdue from the day after `due_on`.
The reporter is the one-stop shop that took it in. Dossier code, applicant and file contents stay there: ids are
pseudonyms, because the national portal tells the applicant's name to whoever knows the code.
Source: NĐ 61/2018/NĐ-CP, NĐ 107/2021/NĐ-CP, TT 01/2018/TT-VPCP; states after TrangThaiHoSo of the national portal.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

import polars as pl
from pydantic import ConfigDict, Field, JsonValue, StringConstraints, model_validator

from ioc.feeds.bounds import Day
from ioc.feeds.event import Record
from ioc.feeds.feed import Ahead, Feed
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

    @model_validator(mode="after")
    def _intake_fits(self) -> Self:
        if (self.channel == "online") != (self.filed_by is not None):
            raise ValueError(
                "filed_by is for online dossiers, and they must have it",
                "hồ sơ trực tuyến phải có filed_by, hồ sơ khác thì không",
            )
        if self.channel == "online" and self.service_level == "information":
            raise ValueError(
                "a service that only informs takes no online dossiers",
                "dịch vụ chỉ cung cấp thông tin không nhận hồ sơ trực tuyến",
            )
        if self.wait_min is not None and self.channel != "direct":
            raise ValueError("wait_min is for dossiers filed at the counter", "wait_min chỉ dùng cho hồ sơ trực tiếp")
        if self.reused and not self.reuse_possible:
            raise ValueError("reused needs reuse_possible", "reused phải đi cùng reuse_possible")
        return self

    @model_validator(mode="after")
    def _dates_in_order(self) -> Self:
        for name in ("due_on", "supplement_on", "paid_on", "closed_on", "rated_on"):
            day = getattr(self, name)
            if day is not None and day < self.received_on:
                raise ValueError(f"{name} lies before received_on", f"{name} sớm hơn received_on")
        if self.due_on is None and self.state != "refused":
            raise ValueError("a dossier that was accepted needs due_on", "hồ sơ đã tiếp nhận phải có due_on")
        if self.overdue and (self.due_on is None or (self.closed_on is not None and self.closed_on <= self.due_on)):
            raise ValueError("a dossier that ended by due_on is not overdue", "hồ sơ xong trong hạn không quá hạn")
        return self

    @model_validator(mode="after")
    def _state_fits(self) -> Self:
        if (self.state == "pending") != (self.closed_on is None):
            raise ValueError(
                "closed_on comes with the end, and every state but pending is an end",
                "hồ sơ đã kết thúc phải có closed_on, hồ sơ đang giải quyết thì chưa",
            )
        if (self.state == "resolved") != (self.processing_h is not None):
            raise ValueError(
                "processing_h is for resolved dossiers, and they must have it",
                "hồ sơ đã giải quyết phải có processing_h, hồ sơ khác thì không",
            )
        if self.state != "resolved" and (self.digitised_out or self.result_electronic):
            raise ValueError("only a resolved dossier has a result", "chỉ hồ sơ đã giải quyết mới có kết quả")
        if (self.rated_on is None) != (self.rating is None):
            raise ValueError("rated_on and rating go together", "rated_on và rating phải đi cùng nhau")
        return self

    @model_validator(mode="after")
    def _payment_fits(self) -> Self:
        if (self.paid_on is None) != (self.paid_amount is None):
            raise ValueError("paid_on and paid_amount go together", "paid_on và paid_amount phải đi cùng nhau")
        if self.paid_on is not None and not self.has_fee:
            raise ValueError("a payment needs has_fee", "đã thanh toán thì phải có has_fee")
        if self.paid_online and self.paid_on is None:
            raise ValueError("paid_online needs paid_on", "paid_online phải có paid_on")
        return self

    def record_key(self) -> str:
        return self.dossier_id


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
