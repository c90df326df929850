"""Why an event is refused: the rules of the envelope, and pydantic's errors told in Vietnamese and English.

Gateway and agents answer with the same reasons. What a reason shows of the input is masked, because an input
that fails may hold what should never have been sent: a name, an identity card, a phone number
(NĐ 13/2023/NĐ-CP).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json, to_json

from ioc.errors import Reason, RejectedError
from ioc.feeds.event import Envelope, with_data
from ioc.feeds.feed import Feed

MAX_REASONS = 20
# So many mistakes are none of an event's own fields: telling them one by one would cost more than the event.
_MOST_ERRORS = 500
# Attributes that no feed declares; tracing and the like need a handful.
MAX_EXTENSIONS = 32
MAX_VALUE = 32
_MAX_MESSAGE = 300
_LONGEST_ID = 128
# Identity cards have 9 or 12 digits, telephone numbers 10 with a leading 0.
_PERSONAL_NUMBER = re.compile(r"(?<![0-9A-Za-z])([0-9]{9}|0[0-9]{9}|[0-9]{12})(?![0-9A-Za-z])")
_RFC3339 = "RFC 3339, ví dụ 2024-10-01T08:00:00+07:00"
# Of these the last step of the path is a name that the sender chose; all others are declared.
_OF_FOREIGN_NAMES = ("extra_forbidden", "extension_name", "extension_value")

# Templates take the error's `ctx`; a type that is not listed falls back to its English message.
_VIETNAMESE: Mapping[str, str] = {
    "missing": "thiếu trường bắt buộc",
    "extra_forbidden": "trường này không có trong cấu trúc của bản ghi",
    "literal_error": "giá trị phải là một trong: {expected}",
    "enum": "giá trị phải là một trong: {expected}",
    "extension_name": "tên thuộc tính mở rộng chỉ gồm chữ thường a-z và chữ số, không quá 64 ký tự",
    "extension_value": "thuộc tính mở rộng phải là true, false, số nguyên 32 bit hoặc chuỗi không quá 1024 ký tự",
    "none_required": "trường này phải để trống (null)",
    "string_type": "phải là một chuỗi ký tự",
    "string_unicode": "chuỗi ký tự không phải UTF-8 hợp lệ",
    "string_too_short": "phải có ít nhất {min_length} ký tự",
    "string_too_long": "không được quá {max_length} ký tự",
    "string_pattern_mismatch": "không đúng khuôn dạng {pattern}",
    "int_type": "phải là một số nguyên",
    "int_parsing": "không đọc được thành số nguyên",
    "int_parsing_size": "số nguyên quá lớn",
    "int_from_float": "phải là số nguyên, không có phần thập phân",
    "float_type": "phải là một số",
    "float_parsing": "không đọc được thành số",
    "finite_number": "phải là một số hữu hạn (không nhận NaN, Infinity)",
    "multiple_of": "phải là bội số của {multiple_of}",
    "greater_than": "phải lớn hơn {gt}",
    "greater_than_equal": "phải lớn hơn hoặc bằng {ge}",
    "less_than": "phải nhỏ hơn {lt}",
    "less_than_equal": "phải nhỏ hơn hoặc bằng {le}",
    "bool_type": "phải là true hoặc false",
    "bool_parsing": "phải là true hoặc false",
    "date_type": "phải là một ngày (YYYY-MM-DD)",
    "date_parsing": "không đọc được thành ngày (YYYY-MM-DD)",
    "date_from_datetime_parsing": "không đọc được thành ngày (YYYY-MM-DD)",
    "date_from_datetime_inexact": "phải là một ngày (YYYY-MM-DD), không kèm giờ",
    "datetime_type": f"phải là một thời điểm ({_RFC3339})",
    "datetime_parsing": f"không đọc được thành thời điểm ({_RFC3339})",
    "datetime_from_date_parsing": f"không đọc được thành thời điểm ({_RFC3339})",
    "datetime_object_invalid": "thời điểm không hợp lệ",
    "timezone_aware": "thời điểm phải có múi giờ (ví dụ +07:00)",
    "timezone_offset": "múi giờ không đúng",
    "dict_type": "phải là một đối tượng JSON",
    "model_type": "phải là một đối tượng JSON",
    "model_attributes_type": "phải là một đối tượng JSON",
    "list_type": "phải là một mảng JSON",
    "json_invalid": "không phải JSON hợp lệ",
    "json_type": "phải là JSON",
}


def read_event(feed: Feed, raw: bytes) -> Envelope:
    """Return a well-formed event of `feed` from its JSON, for gateway and agents alike; `check_envelope` comes next.

    Raises RejectedError with its reasons.
    """
    try:
        envelope = feed.envelope.validate_json(raw)
        if envelope.data_base64 is None:
            return envelope
        return feed.envelope.validate_json(to_json(with_data(from_json(raw)), inf_nan_mode="constants"))
    except ValidationError as error:
        raise RejectedError(reasons_of(error)) from None


def check_envelope(feed: Feed, envelope: Envelope) -> list[Reason]:
    """Return why a well-formed envelope of `feed` breaks the rules between attributes; empty = it keeps them.

    A void has no data and every other event has it; the subject is `<reporter>/<record key>`, so that no
    reporter can speak of another's records.
    """
    if len(envelope.__pydantic_extra__) > MAX_EXTENSIONS:
        return [TOO_MANY_ATTRIBUTES]
    data = envelope.data
    if data is not None and not envelope.voided:
        reporter = envelope.reporter
        if feed.reporter is not None and getattr(data, feed.reporter) != reporter:
            return [
                Reason(
                    field=f"data.{feed.reporter}",
                    rule="reporter_mismatch",
                    value=mask(getattr(data, feed.reporter)),
                    message_vi="phải là mã đơn vị báo cáo nêu trong source",
                    message_en="must be the reporter that source names",
                )
            ]
        if envelope.subject == f"{reporter}/{data.record_key()}":
            return []
        return [
            Reason(
                field="subject",
                rule="subject_mismatch",
                value=mask(envelope.subject),
                message_vi=f"phải là <mã đơn vị báo cáo>/<khóa bản ghi> theo source và data ({feed.name_vi})",
                message_en=f"must be <reporter code>/<record key>, as source and data say ({feed.name_en})",
            )
        ]
    reasons = []
    if data is not None:
        reasons.append(
            Reason(
                field="data",
                rule="void_with_data",
                message_vi="sự kiện hủy (voided) không được kèm data",
                message_en="a void (voided = true) must have no data",
            )
        )
    elif not envelope.voided:
        reasons.append(
            Reason(
                field="data",
                rule="missing",
                message_vi="thiếu data; chỉ sự kiện hủy (voided = true) mới không có data",
                message_en="data is missing; only a void (voided = true) has none",
            )
        )
    if len(envelope.subject) <= len(envelope.reporter) + 1 or not envelope.subject.startswith(f"{envelope.reporter}/"):
        reasons.append(
            Reason(
                field="subject",
                rule="subject_mismatch",
                value=mask(envelope.subject),
                message_vi="phải bắt đầu bằng mã đơn vị báo cáo của source và dấu /",
                message_en="must start with the reporter code of source and a slash",
            )
        )
    return reasons


def reasons_of(error: ValidationError) -> list[Reason]:
    """Return at most `MAX_REASONS` reasons, in pydantic's order; `rule` is pydantic's error type."""
    if error.error_count() > _MOST_ERRORS:
        return [_TOO_MANY]
    return reasons_from(error.errors(include_url=False))


def reasons_from(errors: Iterable[Mapping[str, Any]]) -> list[Reason]:
    """Return the same of errors as pydantic lists them."""
    return [_reason(details) for details in islice(errors, MAX_REASONS)]


def mask(value: object) -> str:
    """Return a value's outline in at most `MAX_VALUE` characters: enough to find the mistake, not the person.

    Text keeps its first two and its last character. What has many digits keeps only its shape (`##/##/####`);
    numbers below 1,000 and booleans are shown; of objects and arrays nothing is.
    """
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int | float):
        return f"{value:.6g}" if abs(value) < 1000 else "#" * min(int(math.log10(abs(value))) + 1, MAX_VALUE)
    if not isinstance(value, str):
        return ""
    digits = sum(c.isdigit() for c in value)
    if digits >= 4 or 2 * digits >= len(value) > 0:
        masked = "".join("#" if c.isdigit() else "x" if c.isalpha() else c for c in value[:MAX_VALUE])
    elif len(value) <= 4:
        masked = value[:1] + "*" * (len(value) - 1)
    else:
        masked = value[:2] + "*" * (min(len(value), MAX_VALUE) - 3) + value[-1]
    return "".join(c if c.isprintable() else "?" for c in masked)


def may_be_repeated(event_id: str) -> bool:
    """Whether an answer may show an id: its sender knows the event by it, but it must not be a person's number.

    >>> [may_be_repeated(event_id) for event_id in ("2024-10-05/77-0001#3", "đơn 7", "079012345678", "sđt 0912345678")]
    [True, True, False, False]
    """
    return len(event_id) <= _LONGEST_ID and event_id.isprintable() and not _PERSONAL_NUMBER.search(event_id)


def _reason(details: Mapping[str, Any]) -> Reason:
    """Turn one of pydantic's errors into a reason."""
    rule: str = details["type"]
    english: str = details["msg"]
    context: Mapping[str, Any] = details.get("ctx", {})
    if rule in ("value_error", "assertion_error") and context["error"].args:
        # A model says why its fields contradict each other: ValueError(English[, Vietnamese]).
        english, *translated = map(str, context["error"].args)
        vietnamese = translated[0] if translated else f"các trường mâu thuẫn với nhau: {english}"
    else:
        template = _VIETNAMESE.get(rule)
        vietnamese = template.format_map(context) if template else f"giá trị không hợp lệ: {english}"
    return Reason(
        field=_field(rule, details["loc"]),
        rule=rule,
        # What is missing has no value of its own: pydantic shows the object around it.
        value="" if rule in ("missing", "json_invalid") else mask(details["input"]),
        message_vi=vietnamese[:_MAX_MESSAGE].replace("' or '", "' hoặc '"),
        message_en=english[:_MAX_MESSAGE],
    )


def _field(rule: str, path: Sequence[str | int]) -> str:
    """Return the path as it may be shown: senders name unknown fields, and may name them after a person."""
    steps = [str(step) for step in path]
    if rule in _OF_FOREIGN_NAMES:
        steps[-1] = mask(steps[-1])
    return ".".join(steps)


TOO_MANY_ATTRIBUTES = Reason(
    field="",
    rule="too_many_attributes",
    message_vi=f"sự kiện có quá nhiều thuộc tính; ngoài các thuộc tính đã khai, tối đa {MAX_EXTENSIONS}",
    message_en=f"the event has too many attributes; at most {MAX_EXTENSIONS} beside those that are declared",
)
_TOO_MANY = Reason(
    field="",
    rule="too_many_errors",
    message_vi="sự kiện có quá nhiều lỗi, không thể liệt kê; hãy đối chiếu với cấu trúc ở GET /v1/schemas",
    message_en="the event has too many mistakes to list; compare it with its schema at GET /v1/schemas",
)
