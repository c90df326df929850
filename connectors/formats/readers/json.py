"""JSON from outside: one object, an array of objects, or an object a line (NDJSON), which may be of any length."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from connectors.formats.findings import refused, shown_name
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
    objects = [_object(line) for line in head]
    # Lines where two lines begin an object and one of them is whole: the other is a bad record, not a bad file.
    if len(head) == 2 and any(one is not None for one in objects) and all(map(_begins, head)):
        return JsonFile(source, next(one for one in objects if one is not None))
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
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_object_of)
    except RejectedError:
        raise
    except json.JSONDecodeError as error:
        raise refused(
            "",
            "json_invalid",
            "JSON sai cú pháp (ở dòng:cột này, tính từ đầu tệp hay đầu dòng NDJSON); hãy xuất lại tệp",
            "the JSON is broken (at this line:column, counted from the begin of the file, or of its line in NDJSON); "
            "export it again",
            f"{error.lineno}:{error.colno}",
        ) from None
    except (ValueError, RecursionError):
        raise refused(
            "",
            "json_invalid",
            "JSON lồng quá sâu hoặc có số dài hàng nghìn chữ số; hãy xuất lại tệp",
            "the JSON is nested too deep, or holds a number of thousands of digits; export it again",
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
        keys = [key for key, _ in pairs]
        twice = shown_name(next(key for key in keys if keys.count(key) > 1))[:40]
        raise refused(
            twice,
            "json_key_twice",
            f"trường {twice} xuất hiện hai lần trong một đối tượng; chỉ giữ một",
            f"the field {twice} is there twice in one object; keep one",
        )
    return found


def _no_constant(name: str) -> NoReturn:
    raise refused(
        "",
        "json_number",
        f"{name} không phải số của JSON; để null nếu không có giá trị",
        f"{name} is no number of JSON; write null where there is no value",
    )


def _begins(line: str) -> bool:
    return line.lstrip().startswith("{")
