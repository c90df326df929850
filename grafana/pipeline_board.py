"""The board of the pipeline, for the operator: is everything that was sent in the numbers, and how soon."""

from __future__ import annotations

from collections.abc import Sequence

from grafana_foundation_sdk.builders.dashboard import Dashboard

from grafana.board import Folder, default_board
from grafana.panel import default_row
from grafana.pipeline_panel import (
    feed_table,
    feed_timeseries,
    freshness_table,
    gap_stat,
    gap_table,
    latency_timeseries,
    outcome_stat,
    outcome_timeseries,
    overdue_bargauge,
    pending_stat,
    position_table,
    rejection_table,
    rejection_timeseries,
)
from grafana.text import Language, Text
from grafana.variable import feed_variable

PIPELINE = "pipeline"
PIPELINE_FOLDER = Folder("ioc-folder-pipeline", Text("IOC - Hệ thống", "IOC - System"))
PIPELINE_TITLE = Text("Luồng dữ liệu: nhận, kiểm tra, ghi", "Pipeline: received, checked, stored")


def pipeline_board(feeds: Sequence[str], timezone: str, language: Language) -> Dashboard:
    """Compose the pipeline's board in one language. Its times are real ones, whatever the business dates."""
    return (
        default_board(PIPELINE, PIPELINE_TITLE, language, timezone)
        .time("now-1h", "now")
        .refresh("10s")
        .with_variable(feed_variable(language))
        .with_panel(outcome_stat(language))
        .with_panel(outcome_timeseries(language))
        .with_panel(feed_timeseries(language))
        .with_panel(feed_table(language))
        .with_row(default_row("freshness", Text("Dữ liệu sống", "Live data").of(language)))
        .with_panel(overdue_bargauge(language, feeds))
        .with_panel(freshness_table(language, feeds))
        .with_row(default_row("speed", Text("Độ trễ và từ chối", "Latency and rejections").of(language)))
        .with_panel(latency_timeseries(language))
        .with_panel(rejection_timeseries(language))
        .with_panel(rejection_table(language))
        .with_row(default_row("backlog", Text("Tồn đọng và mất mát", "Backlog and loss").of(language)))
        .with_panel(pending_stat(language, "pending_delta", Text("Chờ tổng hợp", "Waiting to be rolled up")))
        .with_panel(
            pending_stat(language, "pending_relay", Text("Chờ chuyển vào hàng lỗi", "Waiting for the dead letters"))
        )
        .with_panel(gap_stat(language))
        .with_panel(position_table(language))
        .with_panel(gap_table(language))
    )
