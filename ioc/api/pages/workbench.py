"""The dead-letter workbench of a sector's engineer: what was refused, by cause, what to do, and what it would move.

The page changes nothing. A sender mends at the source and sends again; to mend or replay what lies here is the
operator's, by a reviewed rule (`ioc dead-letter`), so the page gives the commands. It does not read payloads, which
the API's role may not see: samples show what the reasons say, where each value is masked already.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Literal

import psycopg
from psycopg.rows import class_row
from pydantic_core import to_json

from ioc.catalogue.edition import Edition
from ioc.feeds.event import FIXED_ATTRIBUTES, REPORTER_URN, Record
from ioc.feeds.feed import Feed
from ioc.feeds.validation import may_be_repeated
from sql import load_queries

MOST_NAMED = 12
_MOST_CAUSES = 20
_PLAIN_FIELD = re.compile(r"[a-z_]+(\.[a-z_]+)*")

# resend: the sender mends the source and sends again. replay: the events are right, something here was not.
# either: the sender must say which of the two. operator: the sender need do nothing.
Way = Literal["resend", "replay", "either", "operator"]
_REGISTER = "Mã sai: sửa ở hệ thống nguồn rồi gửi lại. Mã đúng: nhờ người vận hành thêm vào danh bạ rồi phát lại."
_ADVICE: Mapping[str, tuple[Way, str]] = {
    "unknown_reporter": ("either", _REGISTER),
    "unknown_area": (
        "either",
        "Mã địa bàn sai: sửa ở hệ thống nguồn rồi gửi lại. Mã đúng: nhờ người vận hành cập nhật danh mục địa bàn hoặc "
        "danh bạ rồi phát lại.",
    ),
    "implausible_value": (
        "either",
        "Giá trị sai: sửa ở hệ thống nguồn rồi gửi lại. Giá trị đúng: nhờ đơn vị chủ trì chỉ tiêu nới giới hạn rồi "
        "người vận hành phát lại.",
    ),
    "conflict": (
        "resend",
        "Cùng một phiên bản (revision) mà nội dung khác: tăng revision rồi gửi lại; bản đã lưu vẫn giữ nguyên.",
    ),
    "unstorable": ("operator", "Bạn không phải làm gì: người vận hành đã được báo và sẽ phát lại."),
}
_DEFAULT: tuple[Way, str] = (
    "resend",
    "Sửa trường này ở hệ thống nguồn rồi gửi lại. Không sửa được ở nguồn: đề nghị người vận hành sửa hàng loạt theo "
    "quy tắc đã duyệt.",
)


@dataclass(frozen=True, kw_only=True)
class _CauseCount:
    rule: str
    field: str | None
    events: int
    waiting: int
    reporters: int
    last_at: datetime
    first_on: date | None
    last_on: date | None


@dataclass(frozen=True, kw_only=True)
class _FoundCause(_CauseCount):
    feed: str


@dataclass(frozen=True)
class Sample:
    """One refused event: its id where that is no person's number, and what its first reason says; value is masked."""

    recorded_at: datetime
    reporter: str | None
    event_id: str | None
    effective_on: date | None
    value: str | None
    message_vi: str
    message_en: str

    @property
    def shown_id(self) -> str | None:
        """The event's id, None where it might be a person's number."""
        return self.event_id if self.event_id and may_be_repeated(self.event_id) else None


@dataclass(frozen=True, kw_only=True)
class Cause(_CauseCount):
    """Refused events of one feed, rule and field.

    waiting: how many were not replayed yet; first_on, last_on: their business days, where they could be read;
    moves: names of the indicators that a replay may move at most; sample_command, replay_command: for the operator;
    proposal: a rule in JSON to complete, empty where no rule can mend the field.
    """

    feed: Feed
    samples: Sequence[Sample]
    moves: Sequence[str]

    @property
    def way(self) -> Way:
        """Whose turn it is."""
        return _ADVICE.get(self.rule, _DEFAULT)[0]

    @property
    def advice(self) -> str:
        """What to do, in Vietnamese."""
        return _ADVICE.get(self.rule, _DEFAULT)[1]

    @property
    def sample_command(self) -> str:
        """Shows some with their masked content."""
        return self._command("sample")

    @property
    def replay_command(self) -> str:
        """Sends them again as they are; empty where only other content can be accepted."""
        return "" if self.way == "resend" else self._command("replay")

    @property
    def proposal(self) -> str:
        """A rule of `ioc dead-letter mend` whose values are still to be filled in."""
        steps = self._steps() if self.way != "operator" and self.rule != "missing" else []
        if not steps:
            return ""
        rule = {"feed": self.feed.key, "rule": self.rule, "field": self.field, "why": "LÝ DO, SỐ CÔNG VĂN"}
        return to_json({**rule, "steps": steps}, indent=2).decode()

    def _steps(self) -> list[dict[str, Any]]:
        """Return the steps that put another value at the field, wherever the event says the same."""
        name = self.field or ""
        if not _PLAIN_FIELD.fullmatch(name) or name.partition(".")[0] in FIXED_ATTRIBUTES:
            return []
        wrong, right = "GIÁ TRỊ SAI", "GIÁ TRỊ ĐÚNG"
        if name != "source":
            if not _is_text(self.feed.model, name.removeprefix("data.")):
                return []  # a number or a day is what the sender has counted: no table can say what it should be
            return [{"op": "map", "path": f"/{name.replace('.', '/')}", "values": {wrong: right}}]
        # The reporter stands in the source, at the beginning of the subject, and in the records of some feeds.
        steps: list[dict[str, Any]] = [
            {"op": "map", "path": "/source", "values": {REPORTER_URN + wrong: REPORTER_URN + right}},
            {"op": "prefix", "path": "/subject", "old": f"{wrong}/", "new": f"{right}/"},
        ]
        if self.feed.reporter is not None:
            steps.append({"op": "map", "path": f"/data/{self.feed.reporter}", "values": {wrong: right}})
        return steps

    def _command(self, act: str) -> str:
        return shlex.join(["ioc", "dead-letter", act, "--feed", self.feed.key, "--rule", self.rule])


@cache
def _is_text(model: type[Record], name: str) -> bool:
    """Whether a record's field holds a code or another text, which a table can correct."""
    field = model.model_json_schema().get("properties", {}).get(name, {})
    return any(
        "$ref" in part or (part.get("type") == "string" and part.get("format") not in ("date", "date-time"))
        for part in (field, *field.get("anyOf", ()))
    )


def read_causes(
    connection: psycopg.Connection, feeds: Mapping[str, Feed], edition: Edition, asked: Mapping[str, Any]
) -> tuple[Cause, ...]:
    """Return the causes, the newest first, at most 20; `asked` as of `select_causes` but its limit."""
    queries = load_queries("sending")
    rows = connection.cursor(row_factory=class_row(_FoundCause)).execute(
        queries["select_causes"], {**asked, "limit": _MOST_CAUSES}
    )
    samples = connection.cursor(row_factory=class_row(Sample))
    return tuple(
        Cause(
            **{**vars(row), "feed": feeds[row.feed]},
            samples=samples.execute(
                queries["select_samples"], {**asked, "feed": row.feed, "rule": row.rule, "field": row.field}
            ).fetchall(),
            moves=fed_by(edition, row.feed),
        )
        for row in rows.fetchall()
    )


def fed_by(edition: Edition, feed: str) -> tuple[str, ...]:
    """Return the names of the indicators that a feed's records may move, those computed from others included."""
    compiled = edition.compiled
    codes: set[str] = set()
    for code, plan in compiled.plans.items():
        if any(measure.feed == feed for measure in plan.measures):
            codes |= {code, *compiled.dependents(code)}
    return tuple(sorted(edition.indicators[code].name_vi for code in codes))
