"""JSON from outside: one object, an array of objects, or an object a line (NDJSON), which may be of any length."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from connectors.formats.findings import refused
from connectors.formats.readers.lines import lines_of
from connectors.formats.readers.source import Source, text_chunks
from ioc.errors import RejectedError

MAX_BYTES = 32 * 2**20
MAX_LINE = 4 * 2**20
# An escaped half of a character beyond the first 65,536.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass(frozen=True)
class JsonFile:
    """A JSON file.

    first:    its first object, by which formats recognise it. content: None for lines.
    doubtful: it writes halves of characters (`\\ud83d`); those without their other half can be stored nowhere.
    """

    source: Source
    first: dict[str, Any]
    content: Any = None
    doubtful: bool = False

    def items(self) -> Iterator[tuple[str, Any]]:
        """Yield (place, value) of each top-level value; a line that is no JSON is a RejectedError in its place."""
        if self.content is None:
            yield from _lines(self.source)
        elif isinstance(self.content, list):
            yield from ((f"[{index}]", self._whole(value)) for index, value in enumerate(self.content))
        else:
            yield "", self._whole(self.content)

    def _whole(self, value: Any) -> Any:
        return _checked(value) if self.doubtful else value


def open_json(source: Source) -> JsonFile:
    """Return the file; raises RejectedError where it is neither JSON nor JSON lines, or holds no object."""
    lines = lines_of(source, MAX_LINE)
    filled = (text for _, text in lines if text.strip())
    head = [*_take(filled, 2)]
    if len(head) == 2 and (first := _object(head[0])) is not None and head[1].lstrip().startswith(("{", "[")):
        return JsonFile(source, first)
    if source.size > MAX_BYTES:
        raise refused(
            "",
            "file_too_large",
            f"tệp JSON vượt {MAX_BYTES // 2**20} MiB; hãy chia nhỏ, hoặc gửi mỗi bản ghi một dòng (NDJSON)",
            f"the JSON exceeds {MAX_BYTES // 2**20} MiB; split it, or send one record a line (NDJSON)",
        )
    text = "".join(text_chunks(source))
    content = parse_json(text)
    first_value = next(iter(content), None) if isinstance(content, list) else content
    return JsonFile(
        source, first_value if isinstance(first_value, dict) else {}, content, _HALF.search(text) is not None
    )


def parse_json(text: str) -> Any:
    """Return what a text holds; raises RejectedError where it is no JSON (NaN and a key twice are none)."""
    try:
        # RecursionError: nested too deep; ValueError: no JSON, or a number of thousands of digits.
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_object_of)
    except (ValueError, RecursionError):
        raise refused(
            "",
            "json_invalid",
            "tệp không phải JSON hợp lệ (UTF-8); hãy xuất lại tệp",
            "the file is not valid JSON in UTF-8; export it again",
        ) from None


def _checked(value: Any) -> Any:
    """Return a value, or why it is refused: text with half a character, such as a cut emoji."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return refused(
            "",
            "half_character",
            "văn bản chứa nửa ký tự (\\ud800–\\udfff đứng một mình); hãy xuất lại tệp từ nguồn",
            "a text holds half a character (\\ud800 to \\udfff by itself); export the file again",
        )
    return value


def _lines(source: Source) -> Iterator[tuple[str, Any]]:
    for number, text in lines_of(source, MAX_LINE):
        if not text.strip():
            continue
        try:
            value = parse_json(text)
            yield f":{number}", _checked(value) if _HALF.search(text) else value
        except RejectedError as error:
            yield f":{number}", error


def _take(lines: Iterator[str], count: int) -> Iterator[str]:
    try:
        for _ in range(count):
            yield next(lines)
    except (StopIteration, RejectedError):
        # A line that is too long shows one large document, not lines.
        return


def _object(text: str) -> dict[str, Any] | None:
    try:
        value = parse_json(text)
    except RejectedError:
        return None
    return value if isinstance(value, dict) else None


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
