"""Tables from outside: the sheets of a workbook and delimited text give the same rows of cells.

A table's headings are the first row, among the first ten that hold anything, in which a format finds the columns that
it needs. Rows marked as a template's sample are never data, in whichever carrier they come.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from connectors.formats.findings import refused
from connectors.formats.plain import compact, composed, plain
from connectors.formats.readers.cell import InputField
from connectors.formats.readers.lines import MAX_LINE, lines_of
from connectors.formats.readers.source import Source

MAX_HEADING_ROW = 10
MAX_COLUMNS = 512
DELIMITERS = ",;\t|"

# The first column of an SDMX-CSV file, version 1.0 and 2.0.
_SDMX = ("DATAFLOW", "STRUCTURE")
_SAMPLE = re.compile(r"\[\s*(example|test|sample|vi du|mau)\s*\]")

TableRow = tuple[InputField, ...]


@dataclass(frozen=True)
class Table:
    """One sheet (`sheet` is its name) or one delimited file (`sheet` is empty).

    rows:   starts anew: (row number, cells) of every row that holds anything.
    hidden: a sheet that its sender does not see.
    """

    source: Source
    sheet: str
    rows: Callable[[], Iterator[tuple[int, TableRow]]]
    hidden: bool = False

    def place(self, number: int) -> str:
        """Return a row's place behind the file's name: `!5` of a sheet, `:5` of a text."""
        return f": {self.sheet}!{number}" if self.sheet else f":{number}"

    def head(self) -> list[tuple[int, TableRow]]:
        """Return the first rows, among which the headings stand."""
        first: list[tuple[int, TableRow]] = []
        for row in self.rows():
            first.append(row)
            if len(first) == MAX_HEADING_ROW:
                break
        return first


@dataclass(frozen=True)
class Headings:
    """Where a format's columns stand: the row of the headings, and name -> index of the cell.

    texts:    the headings themselves, in their short form.
    twice:    name -> indexes of all columns headed so, where several.
    unknown:  index -> heading of the columns that none of the names is for.
    is_sdmx:  they are those of SDMX-CSV.
    labelled: cells hold a code and its label (`77: Vũng Tàu`), as SDMX-CSV has them on request.
    """

    row: int
    columns: dict[str, int]
    texts: tuple[str, ...] = ()
    twice: dict[str, list[int]] = field(default_factory=dict)
    unknown: dict[int, str] = field(default_factory=dict)
    is_sdmx: bool = False
    labelled: bool = False

    def overflows(self, row: TableRow) -> bool:
        """Return whether a row holds something behind the last heading.

        In delimited text that is a sign of a delimiter inside a cell: `12,5` between commas is two cells.
        """
        return any(cell.text for cell in row[len(self.texts) :])

    def repeated_in(self, row: TableRow) -> bool:
        """Return whether a row says the headings again, as the pages of an export do."""
        return all(
            place < len(row) and compact(row[place].text) == self.texts[place] for place in self.columns.values()
        )

    def contradicted_in(self, row: TableRow) -> str:
        """Return the name of a column that is there twice and says two things; empty where there is none."""
        for name, places in self.twice.items():
            told = {row[place].text for place in places if place < len(row) and row[place].text}
            if len(told) > 1:
                return name
        return ""


def find_headings(
    table: Table, columns: Iterable[tuple[str, tuple[str, ...]]], needed: Iterable[str]
) -> Headings | None:
    """Return where `columns` (name, spellings of the heading) stand, None where a needed one is nowhere.

    Case, diacritics, blanks, signs and a remark in parentheses or behind `*` do not matter. In SDMX-CSV ids are exact,
    since a column of names may stand beside each (`REF_AGENCY`, `Agency`) or behind it (`REF_AGENCY: Agency`).
    """
    columns = [*columns]
    exact = {spelling: name for name, spellings in columns for spelling in spellings}
    wanted = {compact(spelling): name for name, spellings in reversed(columns) for spelling in reversed(spellings)}
    needs = set(needed)
    for number, row in table.head():
        found: dict[str, int] = {}
        places: dict[str, list[int]] = {}
        sdmx = bool(row) and row[0].text.partition("[")[0].partition(":")[0] in _SDMX
        unknown: dict[int, str] = {}
        for index, cell in enumerate(row):
            name = (
                exact.get(cell.text.partition(":")[0])
                if sdmx
                else wanted.get(compact(cell.text)) or wanted.get(compact(cell.text.partition("(")[0]))
            )
            if name is None and cell.text:
                unknown[index] = cell.text
            if name is not None:
                found.setdefault(name, index)
                places.setdefault(name, []).append(index)
        if needs <= found.keys():
            twice = {name: several for name, several in places.items() if len(several) > 1}
            texts = tuple(compact(cell.text.partition(":")[0] if sdmx else cell.text) for cell in row)
            labelled = sdmx and any(": " in cell.text for cell in row)
            return Headings(number, found, texts, twice, unknown, sdmx, labelled)
    return None


def closest_headings(
    head: Sequence[tuple[int, TableRow]], columns: Sequence[tuple[str, tuple[str, ...]]]
) -> tuple[int, list[str]]:
    """Return how many of `columns` the best of the first rows (`head`) names, and which it lacks."""
    best: set[str] = set()
    for _, row in head:
        texts = {compact(cell.text) for cell in row} | {compact(cell.text.partition("(")[0]) for cell in row}
        named = {name for name, spellings in columns if any(compact(spelling) in texts for spelling in spellings)}
        best = max(best, named, key=len)
    return len(best), [name for name, _ in columns if name not in best]


def is_sample(cells: Iterable[str]) -> bool:
    """Return whether a row or record is a template's sample, which says so (`[EXAMPLE]`, `[TEST]`, `[VÍ DỤ]`)."""
    return any("[" in text and _SAMPLE.search(plain(text)) for text in cells)


def open_delimited(source: Source, delimiter: str | None = None) -> Table:
    """Return delimited text as a table; raises RejectedError where it has no columns at all."""
    first = next((text for _, text in lines_of(source) if text.strip()), "")
    counts = {sign: first.count(sign) for sign in DELIMITERS}
    chosen = delimiter or max(counts, key=lambda sign: counts[sign])
    return Table(source, "", lambda: _rows(source, chosen))


def _rows(source: Source, delimiter: str) -> Iterator[tuple[int, TableRow]]:
    csv.field_size_limit(MAX_LINE)
    reader = csv.reader((text + "\n" for _, text in lines_of(source)), delimiter=delimiter, strict=True)
    try:
        for values in reader:
            if len(values) > MAX_COLUMNS:
                raise refused(
                    f":{reader.line_num}",
                    "too_many_columns",
                    f"dòng có hơn {MAX_COLUMNS} cột; kiểm tra dấu phân cách",
                    f"the row has more than {MAX_COLUMNS} columns; check the delimiter",
                )
            if any(value.strip() for value in values):
                row = tuple(InputField(f"{index}", composed(value)) for index, value in enumerate(values, 1))
                yield reader.line_num, row
    except csv.Error:
        raise refused(
            f":{reader.line_num}",
            "csv_invalid",
            "dấu nháy kép không khép, hoặc ô quá dài; hãy xuất lại tệp CSV",
            "a quotation mark is not closed, or a cell is too long; export the CSV again",
        ) from None
