"""Fuels: which names of goods mean which product, from when until when, as data (`fuels.csv` of the profile).

A pattern is looked for in the name written as plain words: lower case, no diacritics, letters and digits apart, so
that `Xăng RON 95-III Vùng 2` is `xang ron 95 iii vung 2`. A pattern with diacritics is looked for in the name with
them. The first row that fits on the day of the invoice tells the product. What looks like fuel and fits no row is a
finding, never passed over in silence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from connectors.formats.plain import plain
from ioc.feeds.declared.tax_einvoice import FUELS
from ioc.table import Problems, is_there, read_rows

FILE = "fuels.csv"
_SHIPPED = Path(__file__).with_name("data") / FILE
_COLUMNS = ("product", "pattern", "unless", "valid_from", "valid_to", "note")
_DOTTED = re.compile(r"\b([dfk])\.o\b")
_SULPHUR = re.compile(r"(?<![0-9,.])0(05|001|25|5)\s?s\b")
_PIECES = re.compile(r"[^\W\d_]+|\d+|%")
# Words that name a sale of something else, or a service, although a fuel is named in it.
_OTHER = re.compile(
    r"^(phieu|the|voucher|coupon)\b"
    r"|^(dich vu|van chuyen|cuoc|phi|cho|thue|giao nhan|binh|can nhua|may|loc|phu gia|tho|nhot|nuoc|tinh dau)\b"
)
_LIKE = re.compile(
    r"\bxang\b|\bron 9\d\b|\bmogas\b|\b(dau )?(diesel|diezel|diezen|diesen|dieden)\b|\bdau (do|ko|fo|hoa)\b"
    r"|\bmaz\w*t\b|\bmadut\b|\bkerosene?\b|\bjet a\b|\be (5|10|15|20|85)\b.*\b9\d\b|\b0 0\d+ s\b|\bnhien lieu\b"
    r"|\bdo 0\b|\bfo\b(?= (no?|r|\d))|^(do|ko|fo)$|^do b \d|\bdau (lua|do|ko|fo)\b|\bbio ?(diesel|diezen)\b"
    r"|\bethanol\b|^[mxra] 9\d\b"
)
_NOT_LIKE = re.compile(
    r"\bdau hoa (hong|cuc|oai|buoi|nhai|sua|lai|huong|anh|tra|dai|moc)\b|\bxang (thom|xe may do choi)\b"
)


@dataclass(frozen=True)
class FuelName:
    """One row: `product` is a column of the feed; `pattern` means it from `valid_from` until before `valid_to`."""

    product: str
    pattern: re.Pattern[str]
    unless: re.Pattern[str] | None = None
    valid_from: date = date.min
    valid_to: date = date.max


@dataclass(frozen=True)
class Fuels:
    """The rows, in the order in which they are asked."""

    rows: Sequence[FuelName] = ()

    def product_of(self, name: str, on: date) -> str | None:
        """Return the product that a name or code of goods means on a day, None where it means none that is known."""
        words, spelt = _words(name), _spelt(name)
        if _OTHER.search(words) or _NOT_LIKE.search(words):
            return None
        for row in self.rows:
            if row.unless is not None and row.unless.search(words):
                continue
            if row.valid_from <= on < row.valid_to and (row.pattern.search(words) or row.pattern.search(spelt)):
                return row.product
        return None

    def looks_like_fuel(self, name: str) -> bool:
        """Return whether a name speaks of fuel, known or not, sold or carried."""
        words = _words(name)
        if _NOT_LIKE.search(words):
            return False
        return bool(_LIKE.search(words)) or any(row.pattern.search(words) for row in self.rows)


def load_fuels(path: Path) -> Fuels:
    """Read a table of fuels; raises ConfigError naming file, row and column of a product or pattern that is none."""
    rows, problems = list[FuelName](), Problems()
    for row in read_rows(path, _COLUMNS, problems):
        product = row.required("product")
        if product not in FUELS:
            row.complain("product", f"{product!r} is none of {', '.join(FUELS)}")
        try:
            pattern = re.compile(row.required("pattern"))
            unless = re.compile(row.text("unless")) if row.text("unless") else None
        except re.error as error:
            row.complain("pattern", f"is no regular expression: {error}")
            continue
        rows.append(
            FuelName(product, pattern, unless, row.day("valid_from") or date.min, row.day("valid_to") or date.max)
        )
    problems.raise_if_any()
    return Fuels(tuple(rows))


@lru_cache(maxsize=1)
def shipped_fuels() -> Fuels:
    """Return the fuels that come with the project, for profiles without a table of their own."""
    return load_fuels(_SHIPPED)


def profile_fuels(profile: Path) -> Fuels:
    """Return a profile's fuels."""
    own = profile / FILE
    return load_fuels(own) if is_there(own) else shipped_fuels()


def _words(name: str) -> str:
    """Return the name as plain words; `D.O` is `do`, as `DO005S` is `do 0 05 s`."""
    short = _DOTTED.sub(r"\1o", plain(name.replace("°", " ").replace("º", " ")))
    return " ".join(_PIECES.findall(_SULPHUR.sub(r"0,\1 s", short)))


def _spelt(name: str) -> str:
    return " ".join(_PIECES.findall(unicodedata.normalize("NFC", name.lower())))
