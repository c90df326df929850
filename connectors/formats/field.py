"""Field maps: which name in the file becomes which column of the record, how, and what happens to personal data.

A field is declared once; reading, the pages of `docs/feeds/` and the checks of personal data all use the declaration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from connectors.formats.age import birth_of
from connectors.formats.findings import Findings
from connectors.formats.plain import compact
from connectors.formats.readers.cell import InputField
from connectors.formats.value import day_of, moment_of, number_of, typed_number_of, whole_of

if TYPE_CHECKING:
    from connectors.formats.format import Context

# What becomes of a personal field: it does not leave, or only as what is named.
Personal = Literal["", "dropped", "keyed HMAC", "age band", "area only", "group only"]
# How many digits are left of a citizen's number, 12 that begin with 0, where a spreadsheet took it as a number.
_LOST_ZEROS = (10, 11)
Convert = Callable[[str, "Context"], Any]


@dataclass(frozen=True)
class FieldReading:
    """How a text becomes a value. `convert` raises ValueError where it cannot; `vi` and `en` say what is expected.

    typed: how a number that is one in its file already is read, where that differs from a number as people write it.
    dates: whether a workbook's date is one way to give the value. Where it is none, Excel has bent what was typed:
           `09/2024` became the day 2024-09-01, and the code `3-1` the third of January.
    """

    says: str
    convert: Convert
    rule: str
    vi: str
    en: str
    typed: Convert | None = None
    dates: bool = False


@dataclass(frozen=True)
class Field:
    """One field of a source.

    name:     the record's column, or a name of the format's own for what a column is derived from.
    sources:  its spellings in the file, the documented one first; `a.b` is a path in JSON.
    reading:  None = its presence alone is read, or nothing of it (`dropped`).
    required: refused where it is empty.
    personal: what becomes of it, where it is personal data (NĐ 13/2023/NĐ-CP).
    note:     for the feed's page.
    """

    name: str
    sources: tuple[str, ...]
    reading: FieldReading | None
    required: bool = False
    personal: Personal = ""
    note: str = ""


def field(
    name: str,
    sources: str,
    reading: FieldReading | None,
    *,
    required: bool = False,
    personal: Personal = "",
    note: str = "",
) -> Field:
    """Return a field; `sources` are spellings with `|` between them."""
    return Field(name, tuple(part.strip() for part in sources.split("|")), reading, required, personal, note)


def dropped(sources: str) -> Field:
    """Return a personal field of which nothing leaves."""
    return field("", sources, None, personal="dropped")


def read_fields(
    fields: tuple[Field, ...], cells: Mapping[str, InputField], findings: Findings, context: Context
) -> dict[str, Any]:
    """Return the values of the fields that are filled; notes a reason for each that is missing or misspelt."""
    values: dict[str, Any] = {}
    for declared in fields:
        if declared.reading is None:
            continue
        cell = cells.get(declared.name)
        if cell is not None and cell.is_unread:
            cell.refuse_unread(findings)
            continue
        if cell is None or not cell.text:
            if declared.required:
                findings.missing(cell.field if cell is not None else declared.sources[0])
            continue
        reading = declared.reading
        if cell.holds == "date" and not reading.dates:
            cell.optional(findings)
            continue
        convert = reading.typed if reading.typed is not None and cell.holds == "number" else reading.convert
        try:
            values[declared.name] = convert(cell.text, context)
        except (ValueError, OverflowError):
            cell.refuse(findings, reading.rule, reading.vi, reading.en)
    return values


def _text(text: str, context: Context) -> str:
    return text


def _person_of_number(text: str, context: Context) -> str:
    if len(text) in _LOST_ZEROS:
        raise ValueError(text)
    return text


TEXT = FieldReading("text", _text, "text", "phải là văn bản", "must be text")
PERSON = FieldReading(
    "a person's number",
    _text,
    "lost_zeros",
    "số định danh phải ở định dạng văn bản (Text): dạng số làm mất số 0 đứng đầu",
    "the person's number must be text: as a number it loses its leading zeros",
    typed=_person_of_number,
)
DAY = FieldReading(
    "day",
    lambda text, context: day_of(text, context.timezone),
    "date",
    "ngày phải có dạng YYYY-MM-DD hoặc dd/mm/yyyy",
    "must be a day as YYYY-MM-DD or dd/mm/yyyy",
    dates=True,
)
BIRTH = FieldReading(
    "birth date",
    lambda text, context: birth_of(text, context.timezone),
    "date",
    "ngày sinh phải có dạng YYYY-MM-DD hoặc dd/mm/yyyy; chỉ biết năm hay tháng: 1988, 05/1988",
    "must be a day as YYYY-MM-DD or dd/mm/yyyy; of a year or month alone: 1988, 05/1988",
    dates=True,
)
MOMENT = FieldReading(
    "time",
    lambda text, context: moment_of(text, context.timezone),
    "datetime",
    "thời điểm phải có dạng 2024-10-05T08:15:00+07:00, 05/10/2024 08:15 hoặc yyyyMMddHHmmss",
    "must be a time as 2024-10-05T08:15:00+07:00, 05/10/2024 08:15 or yyyyMMddHHmmss",
    dates=True,
)
WHOLE = FieldReading(
    "whole number",
    lambda text, context: whole_of(text),
    "whole",
    "phải là số nguyên (1234)",
    "must be a whole number (1234)",
    typed=lambda text, context: whole_of(text, typed_number_of),
)
NUMBER = FieldReading(
    "number",
    lambda text, context: float(number_of(text)),
    "number",
    "phải là số, ví dụ 1234,5 hoặc 1234.5; không viết 1.234 vì có hai cách hiểu",
    "must be a number such as 1234.5 or 1234,5; 1.234 can be read in two ways and is refused",
    typed=lambda text, context: float(typed_number_of(text)),
)
_FLAGS = {
    **dict.fromkeys(("true", "1", "co", "yes", "y", "x", "dung"), True),
    **dict.fromkeys(("false", "0", "khong", "no", "n", "sai"), False),
}
FLAG = FieldReading(
    "yes or no",
    lambda text, context: _flag(text),
    "flag",
    "phải là có/không (true/false, 1/0)",
    "must be yes or no (true/false, 1/0)",
)


def _flag(text: str) -> bool:
    try:
        return _FLAGS[compact(text)]
    except KeyError:
        raise ValueError(text) from None


def choice(names: Mapping[str, str]) -> FieldReading:
    """One of a closed list: spelling -> value; case, diacritics and blanks do not matter."""
    known = {compact(spelling): value for spelling, value in names.items()}
    known |= {compact(value): value for value in names.values()}
    shown = ", ".join(dict.fromkeys(names))

    def convert(text: str, context: Context) -> str:
        value = known.get(compact(text))
        if value is None:
            value = known.get(compact(text.partition(" - ")[0]))
        if value is None:
            raise ValueError(text)
        return value

    return FieldReading(f"one of {shown}", convert, "choice", f"phải là một trong: {shown}", f"must be one of: {shown}")


def literal(*values: str) -> FieldReading:
    """One of the record's own words."""
    return choice({value: value for value in values})


def columns_of(fields: tuple[Field, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return (name, spellings) of the fields that are read, as headings are looked for."""
    return tuple((declared.name, declared.sources) for declared in fields if declared.reading is not None)
