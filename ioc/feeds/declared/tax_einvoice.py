"""E-invoices: one invoice, adjustment, replacement, or a notice of cancellation or error.

A numbered invoice never changes; what happens to it comes as another document. An adjustment carries differences. A
replacement or a cancellation also voids the old invoice (a void of revision 2 under the old invoice's key), so that
turnover counts the invoices that are valid; the notice itself is kept as a record of its own that carries no amounts.
Source: QĐ 1450/QĐ-TCT and QĐ 1510/QĐ-TCT; NĐ 123/2020, TT 78/2021; petrol: CĐ 1123/CĐ-TTg 2023.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import ConfigDict, Field, JsonValue, StringConstraints

from ioc.feeds.bounds import MOST, Day, Moment
from ioc.feeds.event import Record, ReporterCode
from ioc.feeds.feed import Feed
from ioc.feeds.rule import RecordRule, Term, either, joined, named

Dong = Annotated[int, Field(ge=-MOST, le=MOST)]
Litres = Annotated[float, Field(ge=-1e7, le=1e7, allow_inf_nan=False)]

FUELS = ("ron95_iii", "ron95_v", "e5_ron92", "do_005s", "do_0001s", "kerosene", "mazut")
# Mazut is furnace oil sold in bulk, not at the pump: it does not count as retail.
RETAIL_FUELS = FUELS[:-1]
COUNTED = ("original", "adjustment", "replacement")

_NUMBERED = joined(named("template"), "/", named("series"), "/", named("number").text())

_EXAMPLE: dict[str, JsonValue] = {
    "seller_id": "3590000012",
    "template": "1",
    "series": "C24MXD",
    "number": 42,
    "relation": "original",
    "issued_on": "2024-10-05",
    "signed_at": "2024-10-05T08:00:00+07:00",
    "sent_at": "2024-10-05T08:00:05+07:00",
    "pay_method": "cash",
    "buyer_type": "anonymous",
    "amount_net": 56818,
    "amount_vat": 5682,
    "amount_gross": 62500,
    "net_10": 56818,
    "vat_10": 5682,
    "shop_id": "3590000012.CH07",
    "pump_auto": True,
    "litres_ron95_iii": 3.125,
    "fuel_ron95_iii": 62500,
}


class TaxEinvoice(Record):
    """Amounts in đồng: net and VAT, also by rate as declared, and total; fuel in litres and đồng, VAT included.

    `relation`: original, adjustment and replacement count in turnover; cancellation and error_notice are notices.
    `shop_id` is `<seller_id>.<store code>` where the invoice names the seller's store; a registered store's area and
    attributes go before the seller's.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    seller_id: ReporterCode
    template: Annotated[str, StringConstraints(pattern=r"^[1-9]$")]
    series: Annotated[str, StringConstraints(pattern=r"^[CK]\d{2}[TDLMNBGHX][A-Z]{2}$")]
    number: Annotated[int, Field(ge=0, le=99_999_999)]
    relation: Literal["original", "adjustment", "replacement", "cancellation", "error_notice"]
    issued_on: Day
    signed_at: Moment | None = None
    sent_at: Moment | None = None
    pay_method: Literal["cash", "transfer", "mixed"]
    buyer_type: Literal["business", "person", "anonymous"]
    amount_net: Dong = 0
    amount_vat: Dong = 0
    amount_gross: Dong = 0
    net_0: Dong | None = None
    net_5: Dong | None = None
    net_8: Dong | None = None
    net_10: Dong | None = None
    net_exempt: Dong | None = None
    net_not_declared: Dong | None = None
    net_other: Dong | None = None
    vat_5: Dong | None = None
    vat_8: Dong | None = None
    vat_10: Dong | None = None
    shop_id: ReporterCode | None = None
    pump_auto: bool = False
    litres_ron95_iii: Litres | None = None
    litres_ron95_v: Litres | None = None
    litres_e5_ron92: Litres | None = None
    litres_do_005s: Litres | None = None
    litres_do_0001s: Litres | None = None
    litres_kerosene: Litres | None = None
    litres_mazut: Litres | None = None
    fuel_ron95_iii: Dong | None = None
    fuel_ron95_v: Dong | None = None
    fuel_e5_ron92: Dong | None = None
    fuel_do_005s: Dong | None = None
    fuel_do_0001s: Dong | None = None
    fuel_kerosene: Dong | None = None
    fuel_mazut: Dong | None = None

    KEY: ClassVar[Term] = either(named("relation").is_in(COUNTED), _NUMBERED, joined(_NUMBERED, "/", named("relation")))
    RULES: ClassVar[tuple[RecordRule, ...]] = (
        RecordRule(
            ~named("relation").is_in(COUNTED)
            & ~(named("amount_net").equals(0) & named("amount_vat").equals(0) & named("amount_gross").equals(0)),
            "a notice carries no amounts",
            "thông báo hủy hoặc sai sót không mang số tiền",
        ),
        RecordRule(
            ~named("series").digits(1, 2).equals(named("issued_on").year_of_century()),
            "the year in series is not the year of issued_on",
            "năm trong ký hiệu khác năm lập",
        ),
        RecordRule(
            named("shop_id").is_set() & ~named("shop_id").starts_with(joined(named("seller_id"), ".")),
            "shop_id is not <seller_id>.<store code>",
            "shop_id phải là <seller_id>.<mã cửa hàng>",
        ),
    )


def _sum_of(prefix: str) -> pl.Expr:
    """Sum over the fuels that petrol shops retail; null where the invoice sells none."""
    parts = [pl.col(f"{prefix}_{fuel}") for fuel in RETAIL_FUELS]
    return pl.when(pl.any_horizontal(part.is_not_null() for part in parts)).then(pl.sum_horizontal(parts))


FEED = Feed(
    key="tax.einvoice",
    model=TaxEinvoice,
    effective="issued_on",
    reporter="seller_id",
    cadence=timedelta(minutes=15),
    name_vi="Hóa đơn điện tử",
    name_en="E-invoices",
    quality_source="einvoice",
    transport=("sent_at",),
    place="shop_id",
    enrich={
        "place_type": ("type", pl.String()),
        "seller_type": ("seller_type", pl.String()),
        "vsic": ("vsic", pl.String()),
    },
    derive={
        "counted": (pl.Boolean(), pl.col("relation").is_in(COUNTED)),
        "invoice_type": (
            pl.String(),
            pl.col("template").replace_strict(
                {
                    "1": "vat",
                    "2": "sales",
                    "3": "public_asset",
                    "4": "public_asset",
                    "5": "ticket",
                    "6": "transfer_note",
                },
                default="other",
            ),
        ),
        "code_kind": (
            pl.String(),
            pl.when(pl.col("series").str.slice(0, 1) == "K")
            .then(pl.lit("no_code"))
            .when(pl.col("series").str.slice(3, 1) == "M")
            .then(pl.lit("pos"))
            .otherwise(pl.lit("with_code")),
        ),
        "signed_hour": (
            pl.Int64(),
            pl.col("signed_at").dt.convert_time_zone("Asia/Ho_Chi_Minh").dt.hour().cast(pl.Int64),
        ),
        "sent_lag_min": (pl.Int64(), (pl.col("sent_at") - pl.col("signed_at")).dt.total_minutes()),
        "litres": (pl.Float64(), _sum_of("litres")),
        "fuel_value": (pl.Int64(), _sum_of("fuel")),
    },
)
