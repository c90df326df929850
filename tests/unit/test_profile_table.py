"""Tables of the profile that are no CSV are told so, with the row, and end nothing else."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from connectors.poller.declaration import load_pollers
from ioc.errors import ConfigError
from ioc.province.calendar import load_calendar
from ioc.province.profile import load_profile
from ioc.province.register_file import rows_of
from ioc.table import Problems, Row, is_there, read_rows

# A quote that is never closed makes one cell of all that follows, longer than a cell may be.
OPEN_QUOTE = 'code,name\n1,"' + "x" * 200_000


def test_a_quote_that_is_never_closed_is_told_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "areas.csv"
    path.write_text(OPEN_QUOTE, encoding="utf-8")
    problems = Problems()
    assert list(read_rows(path, ("code", "name"), problems)) == []
    with pytest.raises(ConfigError, match=r"areas\.csv row 2: .* · .*is no CSV \(field larger.*; look at its quotes"):
        problems.raise_if_any()


def test_a_register_with_one_is_told_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "reporters_hotels.csv").write_text(OPEN_QUOTE, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"reporters_hotels\.csv: .* · is no CSV"):
        list(rows_of(tmp_path))


def row_of(path: Path, content: bytes) -> tuple[list[Row], list[str]]:
    """The rows of a file with these bytes, and what is complained about."""
    path.write_bytes(content)
    problems = Problems()
    return list(read_rows(path, ("code", "name"), problems)), problems.found


@pytest.mark.parametrize("sign", ["\0", "\x1b", "\x0c", "\x0b", "\x85", "\u2028", "\u2029"])
def test_a_control_sign_in_a_cell_is_told_with_its_place(sign: str, tmp_path: Path) -> None:
    rows, found = row_of(tmp_path / "areas.csv", f"code,name\n1,a{sign}b\n2,c\n".encode())
    assert len(rows) == 2  # it cuts no row in two
    (told,) = found
    assert told.startswith("areas.csv row 2 column name: có ký tự điều khiển U+")
    assert f"holds the control sign U+{ord(sign):04X}; type the cell anew" in told


@pytest.mark.parametrize("text", ["nan", "-inf", "1e999", "1_000", "١٢", "0x10", "1,5", "--1", "9" * 5000])
def test_what_only_python_calls_a_number_or_a_day_is_told(text: str, tmp_path: Path) -> None:
    ((row,), _) = row_of(tmp_path / "a.csv", f'code,name\n"{text}",x\n'.encode())
    assert (row.integer("code"), row.number_of("code"), row.day("code")) == (None, None, None)
    assert len(row.problems.found) == 3 and all("a.csv dòng 2 cột code: " in told for told in row.problems.found)


@pytest.mark.parametrize("text", ["20250101", "2025-W01-1", "2025-02-30", "0000-01-01", "2025-1-1", "２０２５-01-01"])
def test_a_day_is_written_in_one_way(text: str, tmp_path: Path) -> None:
    ((row,), _) = row_of(tmp_path / "a.csv", f"code,name\n{text},x\n".encode())
    assert row.day("code") is None and "YYYY-MM-DD" in row.problems.found[0]
    ((row,), found) = row_of(tmp_path / "a.csv", b"code,name\n2025-01-31,-1.5e3\n")
    assert (row.day("code"), row.number_of("name"), found) == (date(2025, 1, 31), -1500.0, [])


def test_what_is_no_file_is_told_and_a_broken_link_is_not_nothing(tmp_path: Path) -> None:
    (tmp_path / "directory.csv").mkdir()
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere.csv")
    for name in ("directory", "loop", "gone"):
        path = tmp_path / f"{name}.csv"
        problems = Problems()
        assert is_there(path) and list(read_rows(path, ("code",), problems)) == []
        assert len(problems.found) == 1 and str(path) in problems.found[0]
    (tmp_path / "holidays.csv").symlink_to(tmp_path / "nowhere.csv")
    with pytest.raises(ConfigError, match=r"holidays\.csv"):
        load_calendar(tmp_path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", None], ids=["encoding", "directory"])
def test_a_profile_s_own_toml_files_are_told(content: bytes | None, tmp_path: Path) -> None:
    for name, load in (("profile.toml", load_profile), ("pollers.toml", lambda path: load_pollers(path, {}))):
        path = tmp_path / name
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content)
        with pytest.raises(ConfigError, match=re.escape(name)):
            load(tmp_path)


def test_an_entry_behind_a_cell_with_a_line_break_is_the_one_that_ends(tmp_path: Path) -> None:
    """csv counts rows, a text lines: the line that is written anew must be that of the reporter."""
    (tmp_path / "reporters_a.csv").write_text(
        'feeds,code,name,valid_to\na.b,1,"hai\ndòng\u2028này",\na.b,2,x,\n', encoding="utf-8"
    )
    found = {row.values["code"]: (row.line, row.end) for row in rows_of(tmp_path)}
    assert found == {"1": (1, 3), "2": (3, 4)}
