"""Who gets a message about an incident, and who next: the duty ladder of each sector, `duty.csv` and `absences.csv`.

The files name posts, not persons. Addresses are those of the post.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ioc.table import Problems, is_there, read_rows

ANY = "*"
STEPS = ("owner", "deputy", "head", "leader")
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
        """Return who gets the message on a day: the post of the step, or its stand-in."""
        post = self.rung(sector, step)
        for _ in range(len(self._absences)):  # a stand-in may be away too; a ring of them ends here
            if post is None or (absence := self._absence(post.post, day)) is None:
                return post
            post = self._by_post.get(absence.stand_in)
        return post

    def find(self, post: str) -> Post | None:
        """Return a post by its code."""
        return self._by_post.get(post)

    def _absence(self, post: str, day: date) -> Absence | None:
        return next((a for a in self._absences if a.post == post and a.first_on <= day <= a.last_on), None)


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
        posts.append(Post(sector, step, *names, hours or 1.0))
    return posts
