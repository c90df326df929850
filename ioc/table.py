"""Strict reading of the CSV files that people edit: areas, reporters, catalogue.

Every complaint names file, row (as a spreadsheet counts it) and column and says what to do. All complaints of
a run are gathered before a `ConfigError` is raised, so that an editor mends a file once.
"""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from ioc.errors import ConfigError

_SHOWN = 50
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")  # what a column of the database holds
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass
class Problems:
    """Complaints gathered over one or several files."""

    found: list[str] = field(default_factory=list)

    def add(self, where: str, message: str) -> None:
        """Note one complaint, `Vietnamese · English`; `where` is a file, or what `Row.at` returns."""
        vietnamese, both, english = message.partition(" · ")
        self.found.append(f"{where}: {vietnamese} · {where}: {english}" if both else f"{where}: {message}")

    def raise_if_any(self) -> None:
        """Raise a `ConfigError` that lists every complaint."""
        if not self.found:
            return
        shown = self.found[:_SHOWN]
        if len(self.found) > _SHOWN:
            shown.append(f"... and {len(self.found) - _SHOWN} more")
        raise ConfigError("\n".join(shown))


@dataclass(frozen=True)
class Row:
    """One row of a file: its texts by column, stripped of outer blanks."""

    path: Path
    number: int
    values: dict[str, str]
    problems: Problems

    def at(self, column: str) -> str:
        """Return where this is, for a complaint."""
        return f"{self.path.name} row {self.number} column {column}"

    def complain(self, column: str, message: str) -> None:
        """Note a complaint about one cell: `Vietnamese · English`.

        It is noted as `areas.csv dòng 4 cột level: còn trống · areas.csv row 4 column level: is empty`.
        """
        vietnamese, both, english = message.partition(" · ")
        if both:
            self.problems.found.append(
                f"{self.path.name} dòng {self.number} cột {column}: {vietnamese} · {self.at(column)}: {english}"
            )
        else:
            self.problems.add(self.at(column), message)

    def text(self, column: str) -> str:
        """Return the cell's text, '' when empty."""
        return self.values[column]

    def required(self, column: str) -> str:
        """Return the cell's text; complain when it is empty."""
        if not self.values[column]:
            self.complain(column, "còn trống; hãy điền giá trị · is empty; give it a value")
        return self.values[column]

    def choice(self, column: str, allowed: Sequence[str]) -> str:
        """Return the cell's text; complain unless it is one of `allowed`."""
        value = self.values[column]
        if value not in allowed:
            self.complain(
                column,
                f"{value!r} không nằm trong các giá trị cho phép"
                f" · {value!r} is not one of {', '.join(map(repr, allowed))}",
            )
        return value

    def words(self, column: str, allowed: Sequence[str]) -> tuple[str, ...]:
        """Return the cell's `;`-separated words; complain about each that is not one of `allowed`."""
        words = tuple(word.strip() for word in self.values[column].split(";") if word.strip())
        for word in words:
            if word not in allowed:
                self.complain(
                    column,
                    f"{word!r} không nằm trong các giá trị cho phép"
                    f" · {word!r} is not one of {', '.join(map(repr, allowed))}",
                )
        return words

    def integer(self, column: str) -> int | None:
        """Return the cell as a whole number, None when empty or wrong."""
        value = self.values[column]
        if not value:
            return None
        if not _WHOLE.fullmatch(value):  # `int` takes 1_000, and digits of other scripts
            self.complain(
                column,
                f"{value!r} không phải số nguyên; chỉ viết chữ số"
                f" · {value!r} is not a whole number; write it with digits only",
            )
            return None
        return int(value)

    def number_of(self, column: str) -> float | None:
        """Return the cell as a decimal number, None when empty or wrong."""
        value = self.values[column]
        if not value:
            return None
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        # "nan", "1e999" and "1_000" are floats to Python, and numbers to nobody.
        if not math.isfinite(number) or "_" in value or not value.isascii():
            self.complain(
                column,
                f"{value!r} không phải số; viết chữ số và dấu chấm"
                f" · {value!r} is not a number; write it with digits and a point",
            )
            return None
        return number

    def day(self, column: str) -> date | None:
        """Return the cell as a date, None when empty or wrong."""
        value = self.values[column]
        if not value:
            return None
        try:
            if _DAY.fullmatch(value):  # `fromisoformat` takes 2025-W01-1 too
                return date.fromisoformat(value)
        except ValueError:
            pass
        self.complain(
            column,
            f"{value!r} không phải ngày; viết dạng YYYY-MM-DD · {value!r} is not a date; write it as YYYY-MM-DD",
        )
        return None


def read_rows(
    path: Path,
    columns: Sequence[str],
    problems: Problems,
    *,
    optional: Sequence[str] = (),
    extra: bool = False,
) -> Iterator[Row]:
    """Yield the rows of a UTF-8 CSV file whose header holds `columns` (and `optional` ones, empty where
    they are missing; with `extra`, others).

    Complaints about the file or its header end the reading of this file, never that of its neighbours.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        problems.add(
            str(path),
            "không có tệp này; tạo tệp, hoặc đặt IOC_PROFILE đúng thư mục"
            " · does not exist; create it, or point IOC_PROFILE at the right directory",
        )
        return
    except UnicodeDecodeError:
        problems.add(str(path), "không phải UTF-8; lưu lại dạng 'CSV UTF-8' · is not UTF-8; save it as 'CSV UTF-8'")
        return
    except OSError as error:  # a directory, a link to itself, a file of someone else
        problems.add(
            str(path)[:200],
            f"không đọc được tệp ({error.strerror}); kiểm tra quyền truy cập"
            f" · cannot be read ({error.strerror}); check what it is and its permissions",
        )
        return
    # Not `splitlines`: it ends a line at signs (U+2028, form feed) that a cell pasted from a document may hold.
    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        lines = list(reader)
    except csv.Error as error:  # a cell of more characters than any has, such as a quote that is never closed
        problems.add(
            f"{path.name} row {reader.line_num}",
            f"không phải CSV ({error}); xem dấu ngoặc kép · is no CSV ({error}); look at its quotes",
        )
        return
    header = lines[0] if lines else []
    missing = [column for column in columns if column not in header]
    unknown = [] if extra else [column for column in header if column not in (*columns, *optional)]
    twice = sorted({column for column in header if header.count(column) > 1})
    for names, message in (
        (missing, "add these columns to the header"),
        (unknown, "unknown columns; remove or rename them"),
        (twice, "columns named twice; keep one of each"),
    ):
        if names:
            problems.add(f"{path.name} row 1", f"tiêu đề cột chưa đúng · {message}: {', '.join(names)}")
    if missing or unknown or twice:
        return
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            problems.add(
                f"{path.name} row {number}",
                f"có {len(cells)} ô, tiêu đề có {len(header)}; đặt trong ngoặc kép chữ có dấu phẩy"
                f" · has {len(cells)} cells, the header {len(header)}; quote texts that hold commas",
            )
            continue
        for column, cell in zip(header, cells, strict=True):
            if strange := next((sign for sign in cell if _is_control(sign)), ""):
                told = f"{path.name} row {number} column {column}"
                problems.add(
                    told,
                    f"có ký tự điều khiển U+{ord(strange):04X}; hãy gõ lại ô này"
                    f" · holds the control sign U+{ord(strange):04X}; type the cell anew",
                )
        values = dict.fromkeys(optional, "") | dict(zip(header, map(str.strip, cells), strict=True))
        yield Row(path, number, values, problems)


def is_there(path: Path) -> bool:
    """Whether something bears a name, be it a broken link: what cannot be read is not what nobody has written."""
    return path.exists() or path.is_symlink()


def _is_control(sign: str) -> bool:
    return sign not in "\t\r\n" and unicodedata.category(sign) in ("Cc", "Zl", "Zp", "Cs")


def write_rows(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    """Write rows of texts as a file that `read_rows` reads; the first row's names are the header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
