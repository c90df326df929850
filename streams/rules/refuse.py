"""Why the register or the calendar refuses an event, in two languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ioc.errors import Reason
from ioc.feeds.feed import Feed
from ioc.feeds.plausibility import Now, implausible_date
from ioc.feeds.validation import mask


def reason_of(feed: Feed, row: Mapping[str, Any], now: Now) -> Reason:
    """Return the reason of the row's `rule`: unknown_reporter, implausible_date or unknown_area."""
    rule = row["rule"]
    if rule == "unknown_reporter":
        return Reason(
            field="source",
            rule=rule,
            value=mask(row["reporter"]),
            message_vi=f"đơn vị báo cáo chưa có trong danh bạ của nguồn {feed.key}; hãy đăng ký trước khi gửi",
            message_en=f"reporter is not in the register of {feed.key}; register it, then replay the event",
        )
    if rule == "implausible_date":
        column = row["implausible"]
        return implausible_date(feed, column, row["effective_on"] if column == feed.effective else row[column], now)
    return Reason(
        field="data.area_code" if feed.located else "source",
        rule=rule,
        value=str(row["area_code"] or ""),
        message_vi="không có đơn vị hành chính này vào ngày nghiệp vụ; kiểm tra danh bạ hoặc danh mục địa bàn",
        message_en="no such administrative unit on the business date; check the register or the area list",
    )
