"""The demo's last look: the data's quality as the platform measures it, and reports it to itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.table import Table

from ioc.catalogue import Catalogue
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.settings import Settings
from streams.quality.report import QualityReport, report_quality
from streams.rules.quality import FRESHNESS, SECTOR, SHARES

_TITLES = (
    "hợp lệ %\nvalid",
    "thiếu trường %\nlack a field",
    "trùng %\nduplicate",
    "mới nhất, giây trước\nnewest, s ago",
)


def send_quality(
    settings: Settings, now: datetime, profile: Profile, catalogue: Catalogue, feeds: Mapping[str, Feed]
) -> list[QualityReport]:
    """Measure today up to `now` (and yesterday, for a demo over midnight); send the figures to `report.value`."""
    return report_quality(settings, [], now, profile=profile, catalogue=catalogue, feeds=feeds)


def quality_view(reports: Sequence[QualityReport]) -> Table:
    """The newest day's figures, a row a source of the catalogue."""
    table = Table(
        title="Chất lượng dữ liệu đã nhận · Quality of what came",
        title_justify="left",
        box=None,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("nguồn · source", no_wrap=True)
    for title in _TITLES:
        table.add_column(title, justify="right")
    names = (*SHARES, FRESHNESS)
    by_source: dict[str, dict[str, float]] = {}
    for report in sorted(reports, key=lambda one: one.figure.period_start):
        sector, name, source = (*report.figure.indicator.split("."), "")[:3]
        if sector == SECTOR and name in names:
            by_source.setdefault(source, {})[name] = report.figure.value
    for shown, values in by_source.items():
        table.add_row(shown, *(f"{values[name]:.1f}" if name in values else "–" for name in names))
    return table
