"""Figures that are behind the pace of a target: one finding an indicator, with the areas and breakdowns at fault."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from ioc.catalogue import Indicator
from ioc.catalogue.target import is_rate, write_number
from streams.rules import wording
from streams.rules.incident import Finding
from streams.rules.shortfall import FigurePart, PartShortfall, part_codes, shortfalls
from streams.rules.wording import Bilingual
from streams.status.judged import PassMoment
from streams.status.sight import Sight, touches_of

_NAMED = 20
_PAST = timedelta(days=2)  # behind the clock: a simulated province, or one that reads old files
_CRITICAL_LAG = 20.0  # points, or per cent of what is expected


def lag_since(judged_at: datetime, through: date | None, moment: PassMoment, zone: ZoneInfo) -> datetime:
    """Return since when a figure lags.

    That is when it was first judged so; in a province whose business lies in the past, the end of the period that was
    judged: a time of the clock would stand beside figures of another year.
    """
    if through is None or moment.now - moment.business_now < _PAST:
        return judged_at
    return min(datetime.combine(through + timedelta(days=1), time(), zone), judged_at)


def lagging(scene: Sight) -> Iterator[Finding]:
    """One an indicator: the province, or units right below it, are behind the pace of a target."""
    root = scene.ground.root
    sources = {target.target_id: target.source for target in scene.targets}
    rows = scene.statuses.filter(pl.col("status") == "lagging")
    for (code,), group in rows.group_by("code", maintain_order=True):
        indicator = scene.edition.indicators[str(code)]
        by_area = {row["area_id"]: row for row in group.sort("lag", descending=True).iter_rows(named=True)}
        below = [row for area_id, row in by_area.items() if _parent(scene, area_id) == root.area_id]
        shown = by_area.get(root.area_id) or (below[0] if below else None)
        if shown is None:
            continue
        area = scene.ground.areas[scene.ground.index[shown["area_id"]]]
        overdue = shown["target_on"] is not None and shown["through"] >= shown["target_on"]
        critical = shown["area_id"] == root.area_id and (shown["lag"] >= _CRITICAL_LAG or overdue)
        unit, unit_en = indicator.unit, scene.english.get(indicator.unit, "")
        lag = (
            Bilingual(f"{wording.number_vi(shown['lag'])} điểm %", f"{wording.number_en(shown['lag'])} points")
            if shown["lag_in"] == "point"
            else wording.amount(shown["lag"], "%")
        )
        places = [scene.ground.areas[scene.ground.index[row["area_id"]]] for row in below]
        worst = [
            Bilingual(
                f"{place.name_vi} ({wording.amount(row['value'], unit, unit_en).vi})",
                f"{place.name_en} ({wording.amount(row['value'], unit, unit_en).en})",
            )
            for place, row in zip(places, below, strict=True)
        ]
        due = None if shown["target_on"] is None else wording.day_text(shown["target_on"])
        ahead = None if shown["forecast"] is None else wording.amount(shown["forecast"], unit, unit_en)
        source = sources.get(shown["target_id"], "").removeprefix("target: ").removeprefix("limit: ")
        parts = _parts(scene, indicator, shown)
        title, summary = wording.lagging(
            Bilingual(indicator.name_vi, indicator.name_en),
            Bilingual(area.name_vi, area.name_en),
            wording.amount(shown["value"], unit, unit_en),
            wording.amount(shown["expected"], unit, unit_en),
            lag,
            worst,
            [_named_part(scene, one, unit) for one in parts],
            ahead,
            due,
            source,
        )
        yield Finding(
            cause=f"lagging:{code}",
            kind="lagging",
            severity="critical" if critical else "warning",
            sector=indicator.sector,
            owner=indicator.owner,
            title_vi=title.vi,
            title_en=title.en,
            summary_vi=summary.vi,
            summary_en=summary.en,
            since=lag_since(shown["since"], shown["through"], scene.moment, scene.zone),
            code=str(code),
            area_id=shown["area_id"],
            period=shown["period"],
            bucket=shown["bucket"],
            value=shown["value"],
            expected=shown["expected"],
            lag=shown["lag"],
            unit=unit,
            forecast=shown["forecast"],
            evidence={
                "target": f"{shown['target_op']}{write_number(shown['target'])}",
                "target_on": None if shown["target_on"] is None else shown["target_on"].isoformat(),
                "lag_in": shown["lag_in"],
                "needed_per_week": shown["needed_per_week"],
                "areas": [
                    {
                        "area_id": row["area_id"],
                        "name": scene.ground.areas[scene.ground.index[row["area_id"]]].name_vi,
                        "value": row["value"],
                        "expected": row["expected"],
                        "lag": row["lag"],
                    }
                    for row in list(by_area.values())[:_NAMED]
                ],
                "areas_total": len(by_area),
                "breakdowns": [
                    {
                        "code": one.part.code,
                        "name": one.part.name,
                        "value": one.part.value,
                        "expected": round(one.expected, 3),
                        "shortfall": round(one.missing, 3),
                        "share": round(100 * one.share, 1),
                    }
                    for one in parts
                ],
            },
            touches=touches_of(group),
            link={
                "board": "indicator",
                "code": str(code),
                "area_id": shown["area_id"],
                "period": shown["period"],
                "on": shown["bucket"].isoformat(),
            },
        )


def _parts(scene: Sight, indicator: Indicator, shown: Mapping[str, Any]) -> list[PartShortfall]:
    """Return the breakdowns that hold an indicator back in an area, of the same period, the worst first."""
    others = [(code, one.breakdown) for code, one in scene.edition.indicators.items() if one.sector == indicator.sector]
    codes = part_codes(indicator.code, indicator.breakdown, others)
    if not codes:
        return []
    rows = scene.statuses.filter(
        pl.col("code").is_in(codes)
        & (pl.col("area_id") == shown["area_id"])
        & (pl.col("period") == shown["period"])
        & (pl.col("bucket") == shown["bucket"])
        & pl.col("value").is_not_null()
    )
    parts = [
        FigurePart(
            row["code"], scene.edition.indicators[row["code"]].name_vi, row["value"], row["expected"], row["usual"]
        )
        for row in rows.iter_rows(named=True)
    ]
    return shortfalls(parts, shown["expected"], shown["target_op"], adds_up=not is_rate(indicator))


def _named_part(scene: Sight, short: PartShortfall, unit: str) -> Bilingual:
    indicator = scene.edition.indicators[short.part.code]
    value = wording.amount(short.part.value, unit, scene.english.get(unit, ""))
    return Bilingual(f"{indicator.name_vi} ({value.vi})", f"{indicator.name_en} ({value.en})")


def _parent(scene: Sight, area_id: int) -> int | None:
    return scene.ground.areas[scene.ground.index[area_id]].parent_id
