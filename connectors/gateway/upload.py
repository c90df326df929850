"""Files in the formats of sector systems at the gateway: read as they are, judged record by record, written in parts.

The body goes to a file as it comes, so that its size costs no memory; it is read in a thread, 500 events at a time,
each part written to Kafka before the next is read.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from email.message import Message
from itertools import islice
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel
from starlette.requests import Request

from connectors.formats.format import BadRecord, Event, Item, Remark
from connectors.formats.memory import Memory
from connectors.gateway.answer import RequestRefusedError, refusal
from connectors.gateway.control import feed_of
from connectors.gateway.intake import Intake
from connectors.gateway.verdict import Verdict, judge
from connectors.publishing.publish import FileReader
from connectors.publishing.report import FileResult
from ioc.errors import Reason
from ioc.feeds.feed import Feed
from ioc.reading.receipt import receipt_id
from ioc.settings import Settings
from ioc.web.access import RequestFacts
from ioc.web.tokens import Token

Language = Literal["vi", "en"]
Result = TypeVar("Result")
_PART = 500
TOO_LARGE = 413  # by itself, for its topic
_MOST_ERRORS = 1000
_MOST_UPLOADS = 4
_BODY_SECONDS = 300.0
FILE_KINDS = (
    "application/xml",
    "text/xml",
    "application/json",
    "text/csv",
    "text/plain",
    "application/zip",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "application/octet-stream",
)


class FileError(BaseModel):
    """What is wrong at one place of a file: the line, row or element, the field, the rule, and what to do."""

    place: str
    field: str
    rule: str
    value: str
    message: str


class FileResponse(BaseModel):
    """What became of a file; accepted = on all in-sync replicas of Kafka, or would be in a dry run.

    refused:  records that are none, and events that the gateway refused.
    errors:   the first 1,000; `error_counts` counts all, by rule.
    receipts: ask GET /v1/receipts/{receipt} what became of the accepted events downstream.
    """

    feed: str
    format: str
    dry_run: bool
    accepted: int = 0
    refused: int = 0
    errors: list[FileError] = []
    warnings: list[FileError] = []
    error_counts: dict[str, int] = {}
    receipts: list[str] = []


@dataclass(frozen=True)
class Asked:
    """What a sender asks for beside the file; what follows is for files that do not name theirs.

    charset: the encoding that Content-Type declares, which counts for text that is not UTF-8.
    """

    language: Language
    dry_run: bool = False
    establishment: str = ""
    reporter: str = ""
    charset: str = ""


@dataclass
class _Tally:
    """What was found in a file so far."""

    language: Language
    accepted: int = 0
    refused: int = 0
    errors: list[FileError] = field(default_factory=list)
    warnings: list[FileError] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    receipts: list[str] = field(default_factory=list)

    def refuse(self, place: str, reasons: Sequence[Reason]) -> None:
        """Count one refused record."""
        self.refused += 1
        for reason in reasons:
            self.counts[reason.rule] += 1
            if len(self.errors) < _MOST_ERRORS:
                self.errors.append(self._error(place, reason))

    def warn(self, place: str, reasons: tuple[Reason, ...]) -> None:
        """Keep what looks wrong and was taken."""
        for reason in reasons:
            if len(self.warnings) < _MOST_ERRORS:
                self.warnings.append(self._error(place, reason))

    def _error(self, place: str, reason: Reason) -> FileError:
        message = reason.message_en if self.language == "en" else reason.message_vi
        return FileError(place=place, field=reason.field, rule=reason.rule, value=reason.value, message=message)


class Upload:
    """Takes files; `feeds` are by key."""

    def __init__(self, settings: Settings, feeds: Mapping[str, Feed], intake: Intake) -> None:
        self._settings = settings
        self._feeds = feeds
        self._by_type = {feed.event_type: feed for feed in feeds.values()}
        self._intake = intake
        self._made: FileReader | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="files")
        self._turn = asyncio.Lock()
        self._free = _MOST_UPLOADS

    async def take(self, request: Request, key: str, asked: Asked) -> FileResponse:
        """Answer a file; raises `RequestRefusedError`, half-way too where Kafka goes away.

        What was confirmed before stays; sending the file again is harmless.
        """
        token = self._intake.admit(request)
        feed = feed_of(self._feeds, key, token)
        _check_kind(request)
        if not self._settings.pseudonym_key.get_secret_value():
            raise _NO_KEY
        if not self._free:
            raise _BUSY
        self._free -= 1
        try:
            with tempfile.TemporaryDirectory(prefix="ioc-upload-") as directory:
                file = Path(directory) / ("tệp" if asked.language == "vi" else "file")
                await self._receive(request, file)
                answer = await self._read(file, feed, token, asked)
        finally:
            self._free += 1
        facts: RequestFacts = request.scope["facts"]
        facts.accepted, facts.refused = answer.accepted, answer.refused
        return answer

    async def _receive(self, request: Request, file: Path) -> None:
        """Write the body to `file` as it comes, within bounds of size and time."""
        limit = self._settings.gateway_max_file
        size = 0
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                with file.open("wb") as target:
                    async for chunk in request.stream():
                        size += len(chunk)
                        if size > limit:
                            raise refusal(
                                413,
                                "",
                                "too_large",
                                vi=f"tệp quá lớn: tối đa {limit:,} byte; hãy chia nhỏ",
                                en=f"the file is too large: at most {limit:,} bytes; split it",
                            )
                        target.write(chunk)
        except TimeoutError:
            raise refusal(408, "", "body_timeout", vi="nội dung gửi quá chậm", en="the body came too slowly") from None

    async def _read(self, file: Path, feed: Feed, token: Token, asked: Asked) -> FileResponse:
        """Read the file part by part, and write each part; one file at a time, as the reader's memory wants it."""
        tally, result = _Tally(asked.language), FileResult(file.name)
        async with self._turn:
            reader = await self._in_thread(self._reader)
            named = reader.naming(establishment=asked.establishment, reporter=asked.reporter, charset=asked.charset)
            items = named.read(file, result, name=file.name)
            try:
                index = 0
                while part := await self._in_thread(lambda: list(islice(items, _PART))):
                    verdicts = self._judge_part(feed, token, part, index, tally)
                    index += len(part)
                    await self._intake.pace(token, len(part))
                    self._intake.require_live(token)  # a file may take minutes
                    if verdicts and not asked.dry_run:
                        record_offsets = await self._intake.write(verdicts, token)
                        for verdict in verdicts:
                            if verdict.result.code == TOO_LARGE:
                                tally.accepted -= 1
                                tally.refuse(verdict.place or "", verdict.result.reasons)
                        if receipt := receipt_id(record_offsets, self._settings.topic_prefix):
                            tally.receipts.append(receipt)
                if not asked.dry_run:
                    await self._in_thread(reader.memory.commit)
            finally:
                await self._in_thread(reader.memory.rollback)
        return FileResponse(
            feed=feed.key,
            format=result.format,
            dry_run=asked.dry_run,
            accepted=tally.accepted,
            refused=tally.refused,
            errors=tally.errors,
            warnings=tally.warnings,
            error_counts=dict(tally.counts),
            receipts=tally.receipts,
        )

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        """Do work in the one thread of files: the reader's memory belongs to a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _judge_part(self, feed: Feed, token: Token, part: Sequence[Item], index: int, tally: _Tally) -> list[Verdict]:
        """Return the events of a part that pass; `index` is that of its first item."""
        passed = []
        for item_index, item in enumerate(part, index):
            if isinstance(item, BadRecord):
                tally.refuse(item.where, item.reasons)
            elif isinstance(item, Remark):
                tally.warn(item.where, (item.warning,))
            else:
                verdict = self._judge(feed, token, item_index, item)
                if verdict.result.status == "refused":
                    tally.refuse(item.where, verdict.result.reasons)
                else:
                    tally.accepted += 1
                    tally.warn(item.where, item.warnings)
                    passed.append(verdict)
        return passed

    def _judge(self, feed: Feed, token: Token, index: int, event: Event) -> Verdict:
        """Judge an event of a file as any other, and that it is one of the feed that was named."""
        verdict = judge(self._by_type, token, index, dict(event.envelope), now=self._intake.now())
        if verdict.feed is not feed and verdict.result.status == "accepted":
            result = verdict.result.model_copy(update={"status": "refused", "code": 422, "reasons": [_OTHER_FEED]})
            return Verdict(result, verdict.feed)
        return replace(verdict, place=event.where)

    def _reader(self) -> FileReader:
        """Return the reader, made with the first file: it loads the province's profile and formats."""
        if self._made is None:
            memory = Memory(self._settings.state_dir.absolute() / "connectors" / "memory.sqlite3")
            self._made = FileReader(self._settings, memory=memory)
        return self._made


def language_of(request: Request) -> Language:
    """Return the language that Accept-Language puts first, Vietnamese where it names neither."""
    wishes = []
    for index, part in enumerate(request.headers.get("accept-language", "")[:200].lower().split(",")):
        name, _, weight = part.strip().partition(";q=")
        language = name.partition("-")[0]
        if language in ("vi", "en"):
            wishes.append((-_weight(weight), index, language))
    return "en" if wishes and min(wishes)[2] == "en" else "vi"


def charset_of(request: Request) -> str:
    """Return the encoding that Content-Type declares, empty where it declares none."""
    kind = Message()
    kind["content-type"] = request.headers.get("content-type", "")[:200]
    return kind.get_content_charset("")


def _weight(text: str) -> float:
    try:
        return min(max(float(text[:5]), 0.0), 1.0) if text else 1.0
    except ValueError:
        return 0.0


def _check_kind(request: Request) -> None:
    kind = request.headers.get("content-type", "application/octet-stream").partition(";")[0].strip().lower()
    if kind not in FILE_KINDS or request.headers.get("content-encoding", "identity").lower() != "identity":
        listed = ", ".join(FILE_KINDS)
        raise refusal(
            415,
            "content-type",
            "unsupported_media_type",
            vi=f"hãy gửi tệp làm nội dung yêu cầu, không nén, với một trong các kiểu: {listed}",
            en=f"send the file as the request's body, uncompressed, as one of {listed}",
        )


_OTHER_FEED = Reason(
    field="type",
    rule="other_feed",
    message_vi="bản ghi thuộc nguồn dữ liệu khác với nguồn nêu trong địa chỉ",
    message_en="the record belongs to another feed than the address names",
)
_BUSY: RequestRefusedError = refusal(
    503,
    "",
    "busy",
    vi="đang đọc nhiều tệp khác; hãy gửi lại sau vài giây",
    en="many other files are being read; send it again in some seconds",
    headers={"retry-after": "5"},
)
_NO_KEY: RequestRefusedError = refusal(
    503,
    "",
    "files_unavailable",
    vi="cổng này không nhận tệp vì chưa có khóa giả danh (IOC_PSEUDONYM_KEY); hãy báo đơn vị vận hành",
    en="this gateway takes no files: it has no key for pseudonyms (IOC_PSEUDONYM_KEY); tell its operator",
    headers={"retry-after": "3600"},
)
