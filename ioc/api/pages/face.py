"""The templates, and the names that they use."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from ioc.api.pages import number, word
from ioc.catalogue.indicator import Sector


class Face:
    """Renders pages of one province: its name and time zone, and the names of its sectors."""

    def __init__(self, province: str, note: str, sectors: Mapping[str, Sector], zone: ZoneInfo) -> None:
        self._templates = Environment(
            loader=PackageLoader("ioc.api.pages", "template"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        names = {key: sector.name_vi for key, sector in sectors.items()}
        self._templates.globals.update(
            province=province,
            note=note,
            statuses=word.STATUSES,
            severities=word.SEVERITIES,
            kinds=word.KINDS,
            changes=word.CHANGES,
            steps=word.STEPS,
            settlements=word.SETTLEMENTS,
            periods=word.PERIODS,
            kinds_of_indicator=word.KINDS_OF_INDICATOR,
            channels=word.CHANNELS,
            hidden=word.HIDDEN_EVIDENCE,
            sector_name=lambda key: names.get(key, "Hệ thống" if key == "platform" else key),
            now_text=lambda now: number.moment(now, zone),
        )
        self._templates.filters.update(
            num=number.number,
            amount=number.amount,
            lag=number.lag_text,
            day=number.day,
            days=number.days_text,
            moment=lambda at: number.moment(at, zone),
            clock=lambda at: number.moment(at, zone)[:5] if at is not None else number.NOTHING,
            bucket=number.bucket,
            span=number.span,
            lead=number.lead,
            within=number.within,
            field=word.field_name,
            plain=lambda value: _plain(value, zone),
        )

    def render(self, template: str, **shown: Any) -> str:
        """Return a page."""
        return self._templates.get_template(template).render(**shown)


def _plain(value: Any, zone: ZoneInfo) -> str:
    """Return a value of evidence as text: numbers and moments as they are written here."""
    if isinstance(value, bool):
        return "có" if value else "không"
    if value is None:
        return number.NOTHING
    if isinstance(value, int | float):
        return number.number(value)
    if isinstance(value, str):
        return _moment_or_day(value.replace(">=", "≥ ", 1).replace("<=", "≤ ", 1), zone)  # a target
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        return ", ".join(_plain(one, zone) for one in value)
    return json.dumps(value, ensure_ascii=False)


def _moment_or_day(text: str, zone: ZoneInfo) -> str:
    try:
        if len(text) == len("2024-10-05"):
            return number.day(date.fromisoformat(text))
        if len(text) > len("2024-10-05T00:00") and text[10:11] in "T ":
            return number.moment(datetime.fromisoformat(text), zone)
    except ValueError:
        pass
    return text
