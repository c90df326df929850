"""Tables of the profile that are no CSV are told so, with the row, and end nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from ioc.errors import ConfigError
from ioc.province.register_file import rows_of
from ioc.table import Problems, read_rows

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
