"""Rules that tell when an indicator lags behind its target, one pair for each target of the catalogue."""

from __future__ import annotations

from grafana.alert_rule import AlertRule, Severity, board_link, number
from grafana.breakdown import feeds_of
from grafana.query import OutputColumn, bind
from grafana.sector_board import board_of
from ioc.catalogue import Catalogue, Indicator


def lag_rules(indicator: Indicator, catalogue: Catalogue, timezone: str) -> tuple[AlertRule, AlertRule]:
    """Return the rules of an indicator with a target: for its owner, and for leaders when it lasts a day."""
    target, board = indicator.target, board_of(indicator.sector)
    if target is None or board is None:
        raise ValueError(f"{indicator.code} has no target or no board")
    feeds = feeds_of(indicator, catalogue)

    def ask(figure: str) -> str:
        return bind(
            "alert",
            "indicator_pace",
            code=indicator.code,
            feeds=feeds,
            timezone=timezone,
            figure=OutputColumn(figure),
        )

    queries = {
        "A": ask("lag"),
        "VALUE": ask("value"),
        "EXPECTED": ask("expected"),
        "CHILDREN": ask("children"),
        "LAGGING": ask("lagging"),
        "REJECTED": bind("alert", "feed_rejected_share", feeds=feeds),
    }
    unit_en = catalogue.units[indicator.unit]
    due = f" đến ngày {target.on:%d/%m/%Y}" if target.on else ""
    chosen = (
        f"?var-level={{{{ $labels.area_level }}}}&var-area={{{{ $labels.area_id }}}}&var-indicator={indicator.code}"
    )
    messages = {
        "summary": f"{{{{ $labels.area }}}}: {indicator.name_vi} chậm {number('A')}% so với tiến độ",
        "summary_en": f"{{{{ $labels.area }}}}: {indicator.name_en} lags by {number('A')}%",
        "value": f"{number('VALUE')} {indicator.unit}",
        "expected": f"{number('EXPECTED')} {indicator.unit} (mục tiêu {target.op} {target.value:g}{due})",
        "lag": f"{number('A')}%",
        "cause": (
            '{{ if gt $values.CHILDREN.Value 0.0 }}{{ printf "%.0f" $values.LAGGING.Value }}/'
            '{{ printf "%.0f" $values.CHILDREN.Value }} địa bàn trực thuộc chưa đạt; {{ end }}'
            f"{number('REJECTED')}% bản tin của nguồn bị từ chối trong 24 giờ qua"
        ),
        "description_en": (
            f"Value {number('VALUE')} {unit_en}, expected {number('EXPECTED')} {unit_en}, "
            f"target {target.op} {target.value:g}."
        ),
        "link": board_link(board.key, chosen),
    }

    def rule(suffix: str, severity: Severity, hold: str, title: str) -> AlertRule:
        return AlertRule(
            key=(suffix, indicator.code),
            title=f"{title}: {indicator.name_vi} ({indicator.code})",
            kind="lag",
            severity=severity,
            sector=indicator.sector,
            owner=indicator.owners[0],
            queries=queries,
            firing="$A >= 0.1",
            hold=hold,
            messages=messages,
            labels={"code": indicator.code},
            board=board.key,
        )

    return (
        rule("lag", "warning", "10m", "Chậm tiến độ"),
        rule("lasting", "critical", "1d", "Chậm tiến độ kéo dài"),
    )
