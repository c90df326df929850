"""From a sector system's codes (MA_CSKCB, codes of stations, agencies, portals) to those of the reporters' register.

The crosswalk is data of the profile, `crosswalk.csv`. A code that is neither there nor in the register is refused with
the codes nearest to it, never guessed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from connectors.formats.findings import Findings
from ioc.feeds.validation import mask
from ioc.province.reporter import Attribute, Reporter
from ioc.table import Problems, is_there, read_rows

FILE = "crosswalk.csv"
_COLUMNS = ("feeds", "system", "code", "reporter", "note")
_NEAREST = 3
_CODE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")


@dataclass(frozen=True)
class CodeCrosswalk:
    """codes: (feed, code as the system writes it, in capitals) -> reporter; reporters: feed -> the register's codes;
    attributes: (feed, reporter) -> what else the register says.

    A feed without any reporter in the register takes every code that can be one.
    """

    codes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    reporters: Mapping[str, frozenset[str]] = field(default_factory=dict)
    attributes: Mapping[tuple[str, str], Mapping[str, Attribute]] = field(default_factory=dict)

    def attribute(self, feed: str, code: str, name: str) -> Attribute | None:
        """Return what the register says of a reporter beside its name, None where it says nothing."""
        return self.attributes.get((feed, code), {}).get(name)

    def reporter(self, feed: str, code: str) -> str | None:
        """Return the register's code, None for an unknown one."""
        known = self.codes.get((feed, code.upper()))
        if known is not None:
            return known
        registered = self.reporters.get(feed)
        if registered is None:
            return code if _CODE.fullmatch(code) else None
        return code if code in registered else None

    def is_registered(self, feed: str, code: str) -> bool:
        """Return whether the register itself knows a code."""
        return code in self.reporters.get(feed, ())

    def nearest(self, feed: str, code: str) -> list[str]:
        """Return the codes most like an unknown one, the best first."""
        known = {given: given for of, given in self.codes if of == feed}
        known |= {code.upper(): code for code in self.reporters.get(feed, ())}
        return [known[found] for found in difflib.get_close_matches(code.upper(), known, n=_NEAREST, cutoff=0.6)]

    def read(self, feed: str, code: str, place: str, findings: Findings) -> str:
        """Return the register's code; notes a reason for one that is missing or unknown."""
        if not code:
            findings.missing(place)
            return ""
        known = self.reporter(feed, code)
        if known is not None:
            return known
        near = ", ".join(self.nearest(feed, code))
        findings.refuse(
            place,
            "unknown_code",
            "mã đơn vị không có trong danh bạ hoặc bảng chuyển mã"
            + (f"; gần giống: {near}" if near else "")
            + f"; bổ sung vào {FILE} của hồ sơ tỉnh nếu mã đúng",
            "the code is neither in the register nor in the crosswalk"
            + (f"; nearest: {near}" if near else "")
            + f"; add it to the profile's {FILE} if it is right",
            mask(code),
        )
        return ""


def load_crosswalk(profile: Path, reporters: tuple[Reporter, ...]) -> CodeCrosswalk:
    """Read a profile's crosswalk; raises ConfigError naming file, row and column of a code told twice or unknown."""
    registered: dict[str, set[str]] = {}
    for reporter in reporters:
        registered.setdefault(reporter.feed, set()).add(reporter.code)
    codes: dict[tuple[str, str], str] = {}
    path, problems = profile / FILE, Problems()
    if is_there(path):
        for row in read_rows(path, _COLUMNS, problems):
            code, reporter_code = row.required("code"), row.required("reporter")
            for feed in row.words("feeds", tuple(registered)):
                if reporter_code not in registered.get(feed, set()):
                    row.complain("reporter", f"{reporter_code} does not report {feed}; see reporters_*.csv")
                if codes.setdefault((feed, code.upper()), reporter_code) != reporter_code:
                    row.complain("code", f"{code} of {feed} means another reporter already")
    problems.raise_if_any()
    attributes = {(reporter.feed, reporter.code): reporter.attributes for reporter in reporters}
    return CodeCrosswalk(codes, {feed: frozenset(found) for feed, found in registered.items()}, attributes)
