"""Why an event is refused: the rules of the envelope, and pydantic's errors told in Vietnamese and English.

Gateway and agents answer with the same reasons. What a reason shows of the input is masked, because an input
that fails may hold what should never have been sent: a name, an identity card, a phone number
(NĐ 13/2023/NĐ-CP).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from pydantic import ValidationError

from ioc.errors import Reason
from ioc.feeds.event import Envelope
from ioc.feeds.feed import Feed

MAX_REASONS = 20
MAX_VALUE = 32
_MAX_MESSAGE = 300
_RFC3339 = "RFC 3339, ví dụ 2024-10-01T08:00:00+07:00"
_PLAIN_NAME = re.compile(r"[A-Za-z][A-Za-z_]*[0-9]{0,2}[A-Za-z_]*")

# Templates take the error's `ctx`; a type that is not listed falls back to its English message.
_VIETNAMESE: Mapping[str, str] = {
    "missing": "thiếu trường bắt buộc",
    "extra_forbidden": "trường này không có trong cấu trúc của bản ghi",
    "literal_error": "giá trị phải là một trong: {expected}",
    "enum": "giá trị phải là một trong: {expected}",
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


def check_envelope(feed: Feed, envelope: Envelope) -> list[Reason]:
    """Return why a well-formed envelope of `feed` breaks the rules between attributes; empty = it keeps them.

    A void has no data and every other event has it; the subject is `<reporter>/<record key>`, so that no
    reporter can speak of another's records.
    """
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
        field=".".join(map(_field_name, details["loc"])),
        rule=rule,
        # What is missing has no value of its own: pydantic shows the object around it.
        value="" if rule in ("missing", "json_invalid") else mask(details["input"]),
        message_vi=vietnamese[:_MAX_MESSAGE].replace("' or '", "' hoặc '"),
        message_en=english[:_MAX_MESSAGE],
    )


def _field_name(part: str | int) -> str:
    """Return a step of the path; senders name unknown fields, so only what looks like a name is shown."""
    return str(part) if isinstance(part, int) or _PLAIN_NAME.fullmatch(part) else mask(part)
