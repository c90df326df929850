"""Incidents over any course of findings, and the ladder over any course of acts: every step has its own clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from ioc.province.calendar import BusinessCalendar
from ioc.province.duty import Absence, Ladder, Post
from streams.rules.incident import CauseWatch, Finding, Incident, next_step

settings.register_profile("incident", derandomize=True, max_examples=150, deadline=None)
RULES = settings.get_profile("incident")

BEGIN = datetime(2024, 10, 21, 1, tzinfo=UTC)  # a Monday, 08:00 in Viet Nam
ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
KINDS = ("lagging", "feed_silent", "pipeline_stopped", "rejections_up", "reporter_missing")


def finding(cause: str, severity: str = "warning") -> Finding:
    kind = cause.partition(":")[0]
    texts = dict.fromkeys(("owner", "title_vi", "title_en", "summary_vi", "summary_en"), "x")
    return Finding(cause=cause, kind=kind, severity=severity, sector="lodging", since=BEGIN, **texts)  # type: ignore[arg-type]


class Table:
    """The incident table: does with each move what the database does."""

    def __init__(self) -> None:
        self.rows: list[Incident] = []
        self.history: list[tuple[int, str, datetime]] = []
        self.watch = CauseWatch()

    def look(self, now: datetime, causes: Sequence[str], unknown: Sequence[str] = ()) -> None:
        """One pass: what is found, and what cannot be judged."""
        moves = self.watch.advance(
            sorted(self.rows, key=lambda one: (one.closed_at is not None, -one.incident_id)),
            [finding(cause) for cause in causes],
            now,
            lambda incident: incident.cause in unknown,
        )
        for move in moves:
            number = move.incident_id
            if move.what == "opened":
                assert move.finding is not None
                number = len(self.rows) + 1
                one = move.finding
                self.rows.append(
                    Incident(number, one.cause, one.kind, "warning", one.sector, now, now, None, 0, 0, now, None, None)
                )
            assert number is not None
            row = self.rows[number - 1]
            if move.what == "closed":
                row = replace(row, closed_at=now)
            elif move.what == "reopened":
                row = replace(row, closed_at=None, reopened=row.reopened + 1, seen_at=now)
            elif move.what in ("seen", "changed"):
                row = replace(row, seen_at=now)
            self.rows[number - 1] = row
            if move.what != "seen":
                self.history.append((number, move.what, now))


courses = st.lists(
    st.tuples(
        st.integers(1, 600),  # minutes since the look before
        st.sets(st.sampled_from([f"{kind}:x" for kind in KINDS]), max_size=3),
        st.sets(st.sampled_from([f"{kind}:x" for kind in KINDS]), max_size=2),
    ),
    max_size=40,
)


@RULES
@given(courses)
def test_one_open_incident_a_cause_and_its_history_alternates(course: list[tuple[int, set[str], set[str]]]) -> None:
    table, now = Table(), BEGIN
    for minutes, found, unknown in course:
        now += timedelta(minutes=minutes)
        closed_before = {row.incident_id for row in table.rows if row.closed_at is not None}
        table.look(now, sorted(found), sorted(unknown - found))
        open_causes = [row.cause for row in table.rows if row.closed_at is None]
        assert len(open_causes) == len(set(open_causes))
        for row in table.rows:
            # What cannot be judged closes nothing, and neither does what has only just gone.
            if row.closed_at == now and row.incident_id not in closed_before:
                assert row.cause not in found | unknown
                assert now - row.seen_at >= row.clear_after
    for number in range(1, len(table.rows) + 1):
        acts = [what for one, what, _ in table.history if one == number and what != "changed"]
        assert acts[0] == "opened"
        assert all({before, after} != {"closed"} for before, after in pairwise(acts))
        assert all((before == "closed") == (after == "reopened") for before, after in pairwise(acts))


@RULES
@given(st.sampled_from(KINDS), st.integers(1, 90), st.integers(1, 90), st.integers(2, 40))
def test_a_value_that_flaps_opens_one_incident(kind: str, bad: int, good: int, rounds: int) -> None:
    """However often it comes and goes within two days: ten messages would be read by nobody."""
    table, now = Table(), BEGIN
    for _ in range(rounds):
        for minutes, causes in ((bad, [f"{kind}:x"]), (good, [])):
            for _ in range(minutes):
                now += timedelta(minutes=1)
                table.look(now, causes)
    assert len(table.rows) <= 1
    closings = [what for _, what, _ in table.history].count("closed")
    assert closings <= 4  # the end has to last four times as long each time


def test_what_comes_back_much_later_is_another_incident() -> None:
    table = Table()
    table.look(BEGIN, ["lagging:x"])
    table.look(BEGIN + timedelta(hours=2), [])
    assert table.rows[0].closed_at is not None
    table.look(BEGIN + timedelta(days=8, hours=2), ["lagging:x"])
    assert [row.closed_at is None for row in table.rows] == [False, True]


# ---------------------------------------------------------------------------------------------- the duty ladder
def ladder(hours: Sequence[float]) -> Ladder:
    return Ladder([Post("lodging", step, f"p{step}", "", "", "", after) for step, after in enumerate(hours)])


CALENDAR = BusinessCalendar()  # weekends only
acts = st.lists(st.tuples(st.integers(0, 96), st.sampled_from(["look", "ack", "silence"])), max_size=40)


@RULES
@given(acts, st.lists(st.floats(0.5, 20), min_size=1, max_size=4), st.sampled_from(["warning", "critical", "info"]))
def test_the_ladder_is_climbed_a_step_at_a_time_and_never_while_it_is_silenced(
    course: list[tuple[int, str]], hours: list[float], severity: str
) -> None:
    posts, now = ladder(hours), BEGIN
    incident = Incident(1, "lagging:x", "lagging", severity, "lodging", now, now, None, 0, 0, now, None, None)  # type: ignore[arg-type]
    for quarter_hours, act in course:
        now += timedelta(minutes=15 * quarter_hours)
        if act == "ack":
            incident = replace(incident, acknowledged_at=now)
        elif act == "silence":
            incident = replace(incident, silenced_until=now + timedelta(hours=5))
        step = next_step(incident, posts, CALENDAR, now, ZONE)
        if step is None:
            continue
        assert severity != "info"
        assert step == incident.step + 1 < len(hours)
        assert incident.silenced_until is None or incident.silenced_until <= now
        waited = now - incident.step_at
        assert waited >= timedelta(hours=hours[incident.step])
        if incident.acknowledged_at is not None and incident.acknowledged_at >= incident.step_at:
            assert now - incident.acknowledged_at >= timedelta(hours=3 * hours[incident.step])
        incident = replace(incident, step=step, step_at=now)


def test_office_hours_count_for_a_warning_and_the_clock_for_what_is_critical() -> None:
    friday = datetime(2024, 10, 25, 8, tzinfo=UTC)  # 15:00 in Viet Nam, two office hours before the weekend
    posts = ladder([4, 8])
    row = Incident(1, "lagging:x", "lagging", "warning", "lodging", friday, friday, None, 0, 0, friday, None, None)
    monday = datetime(2024, 10, 28, tzinfo=UTC) + timedelta(hours=0.5)  # 07:30, when offices open
    assert next_step(row, posts, CALENDAR, monday + timedelta(hours=1.9), ZONE) is None
    assert next_step(row, posts, CALENDAR, monday + timedelta(hours=2), ZONE) == 1
    assert next_step(replace(row, severity="critical"), posts, CALENDAR, friday + timedelta(hours=4), ZONE) == 1
    assert next_step(replace(row, closed_at=monday), posts, CALENDAR, monday + timedelta(days=9), ZONE) is None


def test_a_step_without_a_post_is_passed_over_and_a_ring_of_stand_ins_ends() -> None:
    posts = [Post("lodging", 0, "owner", "", "", "", 1), Post("*", 3, "chair", "", "", "", 1)]
    away = [Absence("owner", date(2024, 10, 1), date(2024, 10, 31), "chair"),
            Absence("chair", date(2024, 10, 20), date(2024, 10, 22), "owner")]  # fmt: skip
    one = Ladder(posts, away)
    assert one.next_step("lodging", 0) == 3
    assert one.next_step("lodging", 3) is None
    on_duty = one.on_duty("lodging", 0, date(2024, 10, 5))
    assert on_duty is not None and on_duty.post == "chair"
    assert one.on_duty("lodging", 0, date(2024, 10, 21)) is not None
    assert one.on_duty("lodging", 0, date(2024, 11, 1)) == posts[0]
