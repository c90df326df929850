"""Rules that tell when data stops: at a feed, in the pipeline, or at the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from grafana.alert_rule import OPERATOR, AlertRule, RuleKind, Severity, board_link, number
from grafana.pipeline_board import PIPELINE
from grafana.query import OutputColumn, bind
from grafana.text import Text
from ioc.catalogue import Catalogue
from ioc.catalogue.indicator import PLATFORM
from ioc.feeds.feed import Feed


def stale_rule(feed: Feed, catalogue: Catalogue) -> AlertRule:
    """Return the rule that a feed is silent for longer than its cadence."""
    using = [found for found in catalogue.indicators.values() if found.feed == feed.key]

    def ask(figure: str) -> str:
        return bind("alert", "feed_age", feed=feed.key, figure=OutputColumn(figure))

    return AlertRule(
        key=("stale", feed.key),
        title=f"Dữ liệu cũ: {feed.name_vi} ({feed.key})",
        kind="stale",
        severity="warning",
        sector=catalogue.sector_of(feed.key),
        owner=using[0].owners[0] if using else OPERATOR,
        queries={"A": ask("overdue"), "VALUE": ask("age"), "EXPECTED": ask("cadence")},
        firing="$A > 1",
        hold="2m",
        messages={
            "summary": f"{feed.name_vi}: không có dữ liệu mới trong {number('VALUE', 0)} phút",
            "summary_en": f"{feed.name_en}: nothing new for {number('VALUE', 0)} minutes",
            "value": f"{number('VALUE', 0)} phút",
            "expected": f"không quá {number('EXPECTED', 0)} phút",
            "lag": f"gấp {number('A')} lần chu kỳ",
            "cause": "hệ thống nguồn ngừng gửi, hoặc mọi bản tin đều không đến được cổng tiếp nhận",
            "link": board_link(PIPELINE),
        },
        labels={"feed": feed.key},
    )


def pipeline_rules() -> tuple[AlertRule, ...]:
    """Return the rules of the pipeline itself and of the data source."""
    silence = {figure: bind("alert", "pipeline_silence", figure=OutputColumn(figure)) for figure in ("overdue", "age")}
    return (
        _pipeline_rule(
            "silence",
            Text("Luồng dữ liệu đứng yên", "The pipeline stands still"),
            {"A": silence["overdue"], "VALUE": silence["age"]},
            firing="$A > 1",
            hold="2m",
            value=f"không nguồn nào ghi được dữ liệu trong {number('VALUE', 0)} phút",
            expected="mỗi nguồn có dữ liệu mới trong chu kỳ của nó",
            cause="tiến trình xử lý (ioc worker), cổng tiếp nhận hoặc Kafka ngừng",
        ),
        _pipeline_rule(
            "partition",
            Text("Một phân vùng Kafka không được xử lý", "A Kafka partition is not processed"),
            {"A": bind("alert", "partition_standstill")},
            firing="$A > 60",
            hold="5m",
            value=f"{{{{ $labels.topic }}}}, phân vùng {{{{ $labels.partition }}}}: {number('A', 0)} phút",
            expected="các phân vùng khác của chủ đề này vẫn tiến",
            cause="không tiến trình nào nhận phân vùng này, hoặc các đơn vị của nó không gửi gì",
            severity="warning",
        ),
        _pipeline_rule(
            "rollup",
            Text("Tổng hợp chỉ tiêu bị chậm", "The roll-up is behind"),
            {"A": bind("alert", "rollup_age")},
            firing="$A > 60",
            hold="1m",
            value=f"thay đổi cũ nhất đã chờ {number('A', 0)} giây",
            expected="không quá 60 giây",
            cause="tiến trình tổng hợp (ioc rollup) ngừng hoặc quá tải",
        ),
        _pipeline_rule(
            "gap",
            Text("Mất dữ liệu trong Kafka", "Records were lost in Kafka"),
            {"A": bind("alert", "gap_lost")},
            firing="$A > 0",
            hold="0s",
            value=f"{{{{ $labels.topic }}}}: {number('A', 0)} bản ghi trong 24 giờ qua",
            expected="0",
            cause="Kafka xóa bản ghi trước khi được đọc: thời gian lưu quá ngắn so với thời gian ngừng xử lý",
        ),
        _pipeline_rule(
            "rejection",
            Text("Tỷ lệ từ chối cao", "Many events are rejected"),
            {"A": bind("alert", "rejection_share")},
            firing="$A > 20",
            hold="5m",
            value=f"{{{{ $labels.feed_name }}}}: {number('A')}% trong 15 phút qua",
            expected="không quá 20%",
            cause="hệ thống nguồn đổi định dạng hoặc danh mục; xem quy tắc bị vi phạm trên bảng điều khiển",
            severity="warning",
        ),
        _pipeline_rule(
            "relay",
            Text("Sự kiện lỗi chưa được chuyển tiếp", "Dead letters are not relayed"),
            {"A": bind("alert", "relay_age")},
            firing="$A > 900",
            hold="5m",
            value=f"sự kiện cũ nhất đã chờ {number('A', 0)} giây",
            expected="không quá 900 giây",
            cause="Kafka không nhận, hoặc tiến trình chuyển tiếp ngừng",
            severity="warning",
        ),
        _pipeline_rule(
            "datasource",
            Text("Không đọc được cơ sở dữ liệu", "The database cannot be read"),
            {"A": bind("alert", "datasource")},
            firing="$A < 1",
            hold="1m",
            value="truy vấn kiểm tra thất bại",
            expected="trả lời được",
            cause="PostgreSQL ngừng, mật khẩu sai hoặc mạng gián đoạn; các cảnh báo khác tạm im lặng",
            kind="datasource",
            on_error="Alerting",
        ),
    )


def _pipeline_rule(
    key: str,
    title: Text,
    queries: Mapping[str, str],
    *,
    firing: str,
    hold: str,
    value: str,
    expected: str,
    cause: str,
    severity: Severity = "critical",
    kind: RuleKind = "pipeline",
    on_error: Literal["OK", "Alerting"] = "OK",
) -> AlertRule:
    return AlertRule(
        key=("pipeline", key),
        title=title.vi,
        kind=kind,
        severity=severity,
        sector=PLATFORM,
        owner=OPERATOR,
        queries=queries,
        firing=firing,
        hold=hold,
        messages={
            "summary": title.vi,
            "summary_en": title.en,
            "value": value,
            "expected": expected,
            "cause": cause,
            "link": board_link(PIPELINE),
        },
        on_error=on_error,
    )
