"""Changes of the register of reporters in the profile's own CSV files: checked whole, or not made at all.

The files stay what a domain expert reviews in a spreadsheet; only the row that changes is written anew.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ioc.command.act import note_change
from ioc.errors import ConfigError
from ioc.province.profile import load_profile

_PATTERN = "reporters_*.csv"
_NEW_FILE = "reporters_added.csv"
_FIXED = ("feeds", "registers", "code", "name", "area_code", "valid_from", "valid_to")


@dataclass(frozen=True)
class RegisterRow:
    """A row of one of the files: lines `line` to before `end`, from 0, the header included; a cell may hold a break."""

    path: Path
    line: int
    end: int
    header: tuple[str, ...]
    values: Mapping[str, str]

    @property
    def feeds(self) -> tuple[str, ...]:
        """The feeds that the reporter reports."""
        return tuple(self.values["feeds"].split(";"))


def rows_of(profile: Path) -> Iterator[RegisterRow]:
    """Yield the rows of all files; raises ConfigError for a file that is no such register."""
    for path in sorted(profile.glob(_PATTERN)):
        rows: list[tuple[int, int, list[str]]] = []
        try:
            reader = csv.reader(_lines(path))
            begin = 0
            for cells in reader:
                rows.append((begin, reader.line_num, cells))
                begin = reader.line_num
        except csv.Error as error:
            raise ConfigError(
                f"{path}: không phải CSV ({error}); xem dấu ngoặc kép · is no CSV ({error}); look at its quotes"
            ) from error
        header = tuple(rows[0][2]) if rows else ()
        if not {"feeds", "code", "valid_to"} <= set(header):
            raise ConfigError(
                f"{path} has no columns feeds, code and valid_to; `ioc profile show` tells what is wrong."
            )
        for begin, end, cells in rows[1:]:
            if any(cells):
                yield RegisterRow(path, begin, end, header, dict(zip(header, cells, strict=False)))


def add_rows(profile: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    """Append reporters to the file that holds others of their feeds, and return it.

    rows: all of the same feeds; values by column. Raises ConfigError where the profile would not hold with them.
    """
    path = _file_for(profile, rows)
    text = path.read_text(encoding="utf-8-sig") if path.exists() else _line(_FIXED)
    header = next(csv.reader([text.splitlines()[0]]))
    if unknown := sorted({name for row in rows for name, value in row.items() if value and name not in header}):
        raise ConfigError(
            f"{path.name} has no column {', '.join(unknown)}; its columns are {', '.join(header)}. Add the column in "
            "the file, or leave the attribute out."
        )
    added = "".join(_line([row.get(name, "") for name in header]) for row in rows)
    with _checked(profile, path):
        _write(path, text + ("" if text.endswith("\n") else "\n") + added)
    note_change(subject=", ".join(row["code"] for row in rows[:5]), after={"file": path.name, "rows": rows[:200]})
    return path


def _file_for(profile: Path, rows: Sequence[Mapping[str, str]]) -> Path:
    """Return the file in which the most reporters have the feeds and columns of the new ones; else a new file."""
    feeds = set(rows[0]["feeds"].split(";"))
    columns = {name for row in rows for name, value in row.items() if value}
    counts = Counter((columns <= set(row.header), row.path) for row in rows_of(profile) if feeds & set(row.feeds))
    return max(counts, key=lambda found: (found[0], counts[found]))[1] if counts else profile / _NEW_FILE


def end_reporter(profile: Path, code: str, on: date, feed: str = "") -> list[RegisterRow]:
    """Write the day on which a reporter closed into its rows that still hold, and return them.

    Raises ConfigError where there is none, or where `feed` is one of several that a row is for.
    """
    found = [
        row
        for row in rows_of(profile)
        if row.values["code"] == code and not row.values["valid_to"] and (not feed or feed in row.feeds)
    ]
    if not found:
        raise ConfigError(f"No open entry of {code} is in the register; `ioc reporter list --code {code}` shows all.")
    if feed and (shared := [row for row in found if row.feeds != (feed,)]):
        raise ConfigError(
            f"{shared[0].path.name} row {shared[0].line + 1}: {code} reports {', '.join(shared[0].feeds)} by one row. "
            "Give the feeds rows of their own first, or end it without --feed."
        )
    with ExitStack() as changes:
        for path in dict.fromkeys(row.path for row in found):
            changes.enter_context(_checked(profile, path))
            lines = _lines(path)
            for row in found:
                if row.path == path:
                    values = {**row.values, "valid_to": on.isoformat()}
                    lines[row.line : row.end] = [_line([values[name] for name in row.header])] + [""] * (
                        row.end - row.line - 1
                    )
            _write(path, "".join(lines))
    note_change(subject=code, before=[row.values for row in found])
    return found


@contextmanager
def _checked(profile: Path, path: Path) -> Iterator[None]:
    """Undo the change of a file where the profile does not load with it."""
    before = path.read_bytes() if path.exists() else None
    undo: Callable[[], object] = path.unlink if before is None else lambda: path.write_bytes(before or b"")
    try:
        yield
        load_profile(profile)
    except BaseException:
        undo()
        raise


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        told = "không đọc được, hoặc không phải UTF-8 · cannot be read, or is not UTF-8"
        raise ConfigError(f"{str(path)[:200]}: {told} ({type(error).__name__})") from error
    return list(io.StringIO(text, newline=""))  # as csv counts lines


def _line(cells: Sequence[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(cells)
    return buffer.getvalue()


def _write(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
