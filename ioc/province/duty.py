"""Who gets a message about an incident, and who next: the duty ladder of each sector, `duty.csv` and `absences.csv`.

The files name posts, not persons. Addresses are those of the post.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ioc.table import Problems, is_there, read_rows

ANY = "*"
# Who answers for what is nobody's sector: the pipeline, records, proofs; with its English name.
CENTRE, CENTRE_EN = "Trung tâm điều hành thông minh tỉnh", "Provincial intelligent operations centre"
STEPS = ("owner", "deputy", "head", "leader")
# One @, and words between the points of the domain.
_EMAIL = re.compile(r"[^@\s,;<>\"]+@(?:[^@\s,;<>\".]+\.)+[^@\s,;<>\".]+")
_COLUMNS = ("sector", "step", "post", "post_vi", "post_en", "email", "after_hours")
_ABSENCES = ("post", "first_on", "last_on", "stand_in")


@dataclass(frozen=True)
class Post:
    """One rung of a sector's ladder. `after_hours`: office hours without acknowledgement until the next step.

    step: 0 who answers for the sector, 1 the deputy, 2 the department's head, 3 the provincial leader.
    """

    sector: str
    step: int
    post: str
    post_vi: str
    post_en: str
    email: str
    after_hours: float


@dataclass(frozen=True)
class Absence:
    """From `first_on` to `last_on` another post stands in."""

    post: str
    first_on: date
    last_on: date
    stand_in: str


class Ladder:
    """The ladders of all sectors; a sector without a rung of its own has that of `*`."""

    def __init__(self, posts: Iterable[Post], absences: Iterable[Absence] = ()) -> None:
        self.posts = tuple(posts)
        self._rungs: Mapping[tuple[str, int], Post] = {(post.sector, post.step): post for post in self.posts}
        self._by_post: Mapping[str, Post] = {post.post: post for post in self.posts}
        self._absences = tuple(absences)

    def rung(self, sector: str, step: int) -> Post | None:
        """Return who is on a step; None beyond the top, or where the step is left out."""
        return self._rungs.get((sector, step)) or self._rungs.get((ANY, step))

    def next_step(self, sector: str, step: int) -> int | None:
        """Return the next step above that has somebody; None at the top."""
        return next((above for above in range(step + 1, len(STEPS)) if self.rung(sector, above)), None)

    def on_duty(self, sector: str, step: int, day: date) -> Post | None:
        """Return who gets the message on a day: the post of the step, or who stands in for it.

        A stand-in may be away too, and a post may have several. Where all of them are away, the post of the step gets
        it: a message to nobody would be lost.
        """
        post = self.rung(sector, step)
        if post is None:
            return None
        asked = [post]
        for one in asked:  # the stand-ins of a stand-in are appended, and asked after all others
            stand_ins = [a.stand_in for a in self._absences if a.post == one.post and a.first_on <= day <= a.last_on]
            if not stand_ins:
                return one
            found = (self._by_post.get(stand_in) for stand_in in stand_ins)
            asked += [other for other in found if other is not None and other not in asked]
        return post

    def find(self, post: str) -> Post | None:
        """Return a post by its code."""
        return self._by_post.get(post)


def split_addresses(text: str) -> tuple[str, ...]:
    """Return the addresses that a comma or a semicolon separates, each once."""
    return tuple(dict.fromkeys(part.strip() for part in re.split(r"[,;]", text) if part.strip()))


def is_email(text: str) -> bool:
    """Return whether a text is an address that a message can be sent to, such as `ubnd@tinh.gov.vn`."""
    return _EMAIL.fullmatch(text) is not None


def load_ladder(profile: Path, sectors: Iterable[str]) -> Ladder:
    """Read a profile's `duty.csv` and, where there is one, `absences.csv`; without the first nobody is told by name.

    Raises ConfigError naming file, row and column.
    """
    problems = Problems()
    posts = _read_posts(profile / "duty.csv", (ANY, "platform", *sectors), problems)
    absences: list[Absence] = []
    path = profile / "absences.csv"
    if is_there(path):
        known = {post.post for post in posts}
        for row in read_rows(path, _ABSENCES, problems):
            for column in ("post", "stand_in"):
                if row.required(column) not in known:
                    row.complain(column, f"{row.text(column)!r} không có trong duty.csv · is no post of duty.csv")
            if row.text("post") == row.text("stand_in"):
                row.complain("stand_in", "trùng với post; ghi vị trí khác · is the post itself; name another one")
            first, last = row.day("first_on"), row.day("last_on")
            if first is None or last is None or last < first:
                row.complain("last_on", "phải là ngày không trước first_on · must be a day on or after first_on")
            else:
                absences.append(Absence(row.text("post"), first, last, row.text("stand_in")))
    problems.raise_if_any()
    return Ladder(posts, absences)


def _read_posts(path: Path, sectors: tuple[str, ...], problems: Problems) -> list[Post]:
    posts: list[Post] = []
    seen: set[tuple[str, int]] = set()
    if not is_there(path):
        return posts
    for row in read_rows(path, _COLUMNS, problems):
        sector = row.choice("sector", sectors)
        step = STEPS.index(row.text("step")) if row.choice("step", STEPS) in STEPS else 0
        if (sector, step) in seen:
            row.complain(
                "step", f"{row.text('step')} của {sector} có hai dòng; chỉ giữ một · is there twice; keep one row"
            )
        seen.add((sector, step))
        hours = row.number_of("after_hours")
        if hours is None or not 0 < hours <= 1000:
            row.complain("after_hours", "phải là số giờ làm việc lớn hơn 0 · must be a number of office hours above 0")
        names = (row.required("post"), row.required("post_vi"), row.required("post_en"), row.required("email"))
        for address in split_addresses(names[-1]):
            if not is_email(address):
                row.complain("email", f"{address!r} không phải địa chỉ thư · is no e-mail address")
        posts.append(Post(sector, step, *names, hours or 1.0))
    return posts
