"""Incidents of the stream itself: partitions halted, events and contributions set aside, events that were lost.

One incident for each cause and feed. Each ends with what caused it: halted partitions when an operator lets the reading
go on, dead letters when they are replayed, contributions when they fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import psycopg
from psycopg.rows import dict_row

from ioc.feeds.feed import Feed
from ioc.province.duty import CENTRE
from sql import load_queries
from streams.rules.incident import PLATFORM, Finding, Severity
from streams.rules.wording import Bilingual, number_en, number_vi

# A loss has no end of its own: it is told for a day. What is neither replayed nor mended is told for a week.
_LOSS_TOLD = timedelta(days=1)
_LETTER_TOLD = timedelta(days=7)


class StreamFaults:
    """Reads what does not fit over a connection that the caller keeps."""

    def __init__(
        self, connection: psycopg.Connection, feeds: Mapping[str, Feed], sectors: Mapping[str, str], topic_prefix: str
    ) -> None:
        """
        sectors: the catalogue's sector that each feed serves.
        """
        self._connection = connection
        self._feeds = feeds
        self._sectors = sectors
        self._by_topic = {feed.topic(topic_prefix): key for key, feed in feeds.items()}
        self._queries = load_queries("stream_fault")

    def findings(self, now: datetime) -> list[Finding]:
        """Return what is there now, one finding for each cause and feed."""
        return [*self._halted(), *self._letters(now), *self._contributions(), *self._lost(now)]

    def _halted(self) -> Iterator[Finding]:
        for row in self._rows("select_halted", topics=list(self._by_topic)):
            title = Bilingual("tạm dừng đọc, chờ quyết định", "reading has halted, an operator has to decide")
            names = {
                "remade": Bilingual("topic Kafka đã bị xóa và tạo lại", "the Kafka topic was deleted and made again"),
                "truncated": Bilingual("nhật ký Kafka đã bị cắt ngắn", "the Kafka log was truncated"),
            }
            why = names[row["kind"]]
            summary = Bilingual(
                f"{row['partitions']} phân vùng: {why.vi}. Sự kiện mới chờ trong Kafka, chưa được ghi. "
                f"Xem và cho đọc tiếp: ioc position list, ioc position accept {row['topic']}.",
                f"{row['partitions']} partitions: {why.en}. New events wait in Kafka and are not stored. "
                f"See, and let the reading go on: ioc position list, ioc position accept {row['topic']}.",
            )
            evidence = {name: row[name] for name in ("topic", "kind", "partitions", "positions")}
            yield self._finding("pipeline_stopped", "halted", row, title, summary, evidence, severity="critical")

    def _letters(self, now: datetime) -> Iterator[Finding]:
        for row in self._rows("select_unstorable", since=now - _LETTER_TOLD, now=now):
            title = _counted(row["events"], "sự kiện bị gác lại", "events set aside")
            summary = Bilingual(
                "Cơ sở dữ liệu không nhận các sự kiện này; phần còn lại vẫn được ghi. "
                f"Xem và gửi lại: ioc dead-letter list --feed {row['key']}.",
                "The database would not take them; the rest was written. "
                f"See and replay: ioc dead-letter list --feed {row['key']}.",
            )
            evidence = {"events": row["events"], "reason": row["reason"]}
            yield self._finding("events_set_aside", "unstorable", row, title, summary, evidence)

    def _contributions(self) -> Iterator[Finding]:
        for row in self._rows("select_contributions"):
            title = _counted(
                row["events"], "phần đóng góp chưa cộng được vào chỉ tiêu", "contributions that no sum can hold"
            )
            first, last = row["first_on"], row["last_on"]
            summary = Bilingual(
                f"Số liệu từ {first:%d/%m/%Y} đến {last:%d/%m/%Y} còn thiếu phần này; khi bản ghi được đính chính, hệ "
                f"thống tự cộng lại. Lý do: {row['fault']}.",
                f"Figures of {first} to {last} lack them; they are folded once a correction has made room. "
                f"Reason: {row['fault']}.",
            )
            evidence = {"contributions": row["events"], "records": row["records"], "reason": row["fault"]}
            yield self._finding("events_set_aside", "contribution", row, title, summary, evidence)

    def _lost(self, now: datetime) -> Iterator[Finding]:
        parameters = {"since": now - _LOSS_TOLD, "now": now, "topics": list(self._by_topic)}
        for row in self._rows("select_lost", **parameters):
            title = _counted(row["lost"], "sự kiện bị mất", "events lost")
            summary = Bilingual(
                "Kafka đã xóa trước khi được đọc; đơn vị gửi cần gửi lại từ thời điểm này.",
                "Kafka had deleted them before they were read; their senders have to send them again.",
            )
            evidence = {"events": row["lost"], "topic": row["topic"]}
            yield self._finding("events_set_aside", "lost", row, title, summary, evidence)

    def _finding(
        self,
        kind: str,
        cause: str,
        row: Mapping[str, Any],
        title: Bilingual,
        summary: Bilingual,
        evidence: Mapping[str, Any],
        severity: Severity = "warning",
    ) -> Finding:
        key = row.get("key") or self._by_topic[row["topic"]]
        feed = self._feeds.get(key)
        name = Bilingual(feed.name_vi, feed.name_en) if feed else Bilingual(key, key)
        return Finding(
            cause=f"{kind}:{key}:{cause}",
            kind=kind,
            severity=severity,
            sector=self._sectors.get(key, PLATFORM),
            owner=CENTRE,
            title_vi=f"{name.vi}: {title.vi}",
            title_en=f"{name.en}: {title.en}",
            summary_vi=summary.vi,
            summary_en=summary.en,
            since=row["since"],
            feed=key,
            evidence=evidence,
            link={"board": "pipeline", "feed": key},
        )

    def _rows(self, query: str, **parameters: object) -> list[dict[str, Any]]:
        cursor = self._connection.cursor(row_factory=dict_row)
        return cursor.execute(self._queries[query].encode(), parameters).fetchall()


def _counted(number: int, vi: str, en: str) -> Bilingual:
    return Bilingual(f"{number_vi(number, 0)} {vi}", f"{number_en(number, 0)} {en}")
