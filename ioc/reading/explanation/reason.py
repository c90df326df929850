"""Why there is no value: one sentence in two languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from ioc.catalogue.opening import OpenPeriods
from ioc.catalogue.plan import Computed, Quotient, Reported, ReportedFlow
from ioc.catalogue.step import Step
from ioc.feeds.feed import Feed
from ioc.reading.explanation.cell import Cell
from ioc.reading.explanation.model import CalculationNode


@dataclass(frozen=True)
class MissingValue:
    """Why a figure has no value."""

    vi: str
    en: str


def reason_of(
    step: Step,
    cell: Cell,
    where: Cell,
    opened: OpenPeriods,
    inputs: Sequence[CalculationNode],
    counted: Mapping[str, Sequence[date]],
    feeds: Mapping[str, Feed],
) -> MissingValue:
    """Return why a step has no value.

    where:   the cell of the step's span.
    counted: the open days of the feeds that its plan reads.
    """
    if cell.area.valid_from > cell.end or cell.area.valid_to <= cell.start:
        return MissingValue(
            f"{cell.area.name_vi} không tồn tại trong kỳ này", f"{cell.area.name_en} did not exist in this period"
        )
    plan = step.plan
    if isinstance(plan, Computed):
        for part in inputs:
            if part.value is None:
                return MissingValue(f"thiếu số liệu: {part.text_vi}", f"there is no value of: {part.text_en}")
        if opened.holds(cell.period, cell.start):
            return MissingValue("mẫu số bằng 0", "the denominator is 0")
    if isinstance(plan, ReportedFlow) and step.span != "year" and cell.period not in plan.periods:
        return MissingValue(
            f"chỉ tiêu được báo cáo theo {_PERIODS_VI[plan.periods[0]]}, không có số cho kỳ ngắn hơn",
            f"it is reported by the {plan.periods[0]}; there is no figure of a shorter period",
        )
    if isinstance(plan, Reported):
        return MissingValue(
            f"chưa cơ quan nào báo cáo chỉ tiêu này cho {cell.area.name_vi}",
            f"no agency has reported it for {cell.area.name_en}",
        )
    for feed, days in counted.items():
        if not any(where.start <= day <= where.end for day in days):
            name = feeds[feed]
            return MissingValue(
                f"trong kỳ, cả tỉnh chưa có bản ghi nào của “{name.name_vi}”",
                f"the whole province has no record of “{name.name_en}” in the period",
            )
    if isinstance(plan, Quotient):
        return MissingValue(
            "không có bản ghi nào để chia (mẫu số bằng 0)", "there is no record to divide by: the whole is 0"
        )
    return MissingValue(
        "số liệu của kỳ chưa được tổng hợp",
        "the figures of the period have not been computed yet; is the roll-up running?",
    )


_PERIODS_VI = {"day": "ngày", "week": "tuần", "month": "tháng", "quarter": "quý", "year": "năm"}
