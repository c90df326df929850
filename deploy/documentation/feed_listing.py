"""The page of feeds: what each is, who reports it, and the columns that the catalogue's expressions may use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from deploy.documentation.reference import NOTE
from ioc.feeds.feed import Feed


def feed_page(feeds: Mapping[str, Feed]) -> str:
    """Return the page of all feeds, in the order of their keys."""
    ordered = [feeds[key] for key in sorted(feeds)]
    lines = [
        "# Nguồn dữ liệu · Feeds",
        "",
        NOTE,
        "",
        "Mỗi nguồn là một loại bản ghi của một ngành: một chủ đề Kafka, một bảng bản ghi, một danh sách đơn vị báo",
        "cáo. Thêm nguồn mới: [adding-a-feed.md](adding-a-feed.md).",
        "",
        "A feed is one kind of record of one sector: a Kafka topic, a record table, a register of reporters. Names of",
        "topics begin with `IOC_TOPIC_PREFIX`. Silence longer than the cadence makes a feed stale. To add one:",
        "[adding-a-feed.md](adding-a-feed.md).",
        "",
        "| feed | nguồn | what it is | topic | record table | cadence | in `data_quality` |",
        "|---|---|---|---|---|---|---|",
        *(_row(feed) for feed in ordered),
    ]
    for feed in ordered:
        lines += ["", *_section(feed)]
    return "\n".join(lines) + "\n"


def _row(feed: Feed) -> str:
    source = f"`{feed.quality_source}`" if feed.quality_source else ""
    return (
        f"| [`{feed.key}`](#{feed.key.replace('.', '')}) | {feed.name_vi} | {feed.name_en} | `{feed.topic()}` | "
        f"`{feed.table}` | {_duration(feed.cadence)} | {source} |"
    )


def _section(feed: Feed) -> Iterator[str]:
    yield f"## {feed.key}"
    yield ""
    yield f"{feed.name_vi} · {feed.name_en}. Counts on the day of `{feed.effective}`."
    yield ""
    yield "| column | type | from |"
    yield "|---|---|---|"
    own = {column.name for column in feed.model_columns}
    for column in feed.columns:
        if column.name in own:
            needed = feed.model.model_fields[column.name].is_required()
            origin = "the record" if needed else "the record, optional"
        elif column.name in feed.enrich:
            origin = f"the register of reporters (`{feed.enrich[column.name][0]}`)"
        else:
            origin = "computed"
        yield f"| `{column.name}` | {column.sql_type} | {origin} |"


def _duration(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes % 1440 == 0:
        return f"{minutes // 1440} d"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"
