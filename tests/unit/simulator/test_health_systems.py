"""Health records, visits and vaccination: courses that make sense, and nothing twice when the month begins again."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable

import pytest
from testbed.simulated import Month

from deploy.simulator.calendar import FIRST_DAY
from deploy.simulator.diagnosis import DIAGNOSES
from deploy.simulator.immunisation import SESSIONS, STOCKED
from deploy.simulator.record import System
from ioc.feeds.declared.health_checkout import COST_ITEMS, COST_SOURCES, HealthCheckout
from ioc.feeds.declared.health_record import SECTIONS_HELD
from ioc.feeds.declared.vaccination_dose import VaccinationDose
from ioc.province.profile import Profile

Build = Callable[[str, int], System]


@pytest.fixture(scope="module")
def visits(build: Build) -> Month:
    return Month(build("health.checkout", 2)).run(4000)


@pytest.fixture(scope="module")
def vaccination(build: Build) -> Month:
    return Month(build("vaccination.dose", 2)).run(4000)


def test_a_visit_is_completed_paid_and_sent(visits: Month) -> None:
    """But for the last days: whoever came a month ago has gone, and the summary of the visit is at the insurer's."""
    early = [life.data for life in visits.lives if life.data["check_in_on"] <= "2024-10-10"]
    assert len(early) > 600
    for data in early:
        assert data["completed_on"] is not None and data["send_status"] is not None
        owed = data["cost_copay"] + data["cost_selfpay"]
        assert (data["paid_on"] is not None) == (owed > 0)
        assert data.get("paid_amount") == (owed or None)
        assert sum(data[name] for name in COST_SOURCES) == data["cost_total"]
        assert sum(data[name] for name in COST_ITEMS) < data["cost_total"]
    late = [data["send_lag_h"] > 24 for data in early if data["send_status"] == "late"]
    assert late and all(late)


def test_revisions_of_a_visit_only_add_to_it(visits: Month) -> None:
    seen: dict[str, dict[str, object]] = {}
    for event in visits.events:
        before, data = seen.get(event["subject"], {}), event["data"]
        changed = {name for name, value in before.items() if value is not None and data[name] != value}
        assert changed <= {"send_status", "send_lag_h"}
        seen[event["subject"]] = data


def test_diagnoses_befall_whom_they_can(visits: Month, profile: Profile) -> None:
    places = {one.code: one for one in profile.reporters if one.feed == "health.checkout"}
    for life in visits.lives:
        data = life.data
        if data.get("icd_chapter") == "ch15":
            assert data["sex"] == "female" and data["age_group"] in ("15_24", "25_44")
        if data.get("icd_chapter") == "ch16":
            assert data["age_group"] == "under6"
        if data["visit_type"] == "inpatient":
            assert places[life.reporter].attributes["type"] in ("hospital", "centre")
    assert {life.reporter for life in visits.lives} == places.keys()


def test_diagnoses_cover_every_group_of_the_feed() -> None:
    groups = {"disease": 15, "ncd": 8, "injury": 8, "delivery": 2}
    for name, count in groups.items():
        assert len({getattr(found, name) for found in DIAGNOSES} - {None}) == count
    assert {found.chapter for found in DIAGNOSES} == {f"ch{n:02d}" for n in range(1, 23) if n != 20}
    assert all(HealthCheckout.model_fields.keys() >= found.content.keys() for found in DIAGNOSES)


def test_health_records_are_filled_and_linked_within_their_time(build: Build) -> None:
    month = Month(build("health.record", 2)).run(3000)
    records = [life.data for life in month.lives if life.data["kind"] == "record"]
    filled = Counter(name for data in records for name in SECTIONS_HELD if name in data)
    assert set(filled) == set(SECTIONS_HELD)
    assert 0.1 < filled["linked_on"] / len(records) < 0.8
    assert any("ended_on" in data for data in records)


def test_the_doses_of_a_session_are_of_one_person_and_site(vaccination: Month) -> None:
    doses = defaultdict(list)
    for life in vaccination.lives:
        if life.data["kind"] == "dose":
            doses[life.data["person_id"]].append((life.reporter, life.data))
    known = {tuple(sorted(session.doses)) for session in SESSIONS}
    for given in list(doses.values())[:-1]:  # the last session may be under way
        assert tuple(sorted((data["vaccine"], data["dose_no"]) for _, data in given)) in known
        assert len({site for site, _ in given}) == 1
        assert len({data["age_group"] for _, data in given}) == 1


def test_every_vaccine_of_the_feed_is_given(vaccination: Month) -> None:
    given = {vaccine for session in SESSIONS for vaccine, _ in session.doses}
    assert given >= set(STOCKED)
    assert given == {life.data["vaccine"] for life in vaccination.lives if life.data["kind"] == "dose"}
    assert given == set(VaccinationDose.model_fields["vaccine"].annotation.__args__[0].__args__)  # type: ignore[union-attr]


def test_stocks_begin_with_a_count_and_do_not_fall_below_nothing(vaccination: Month) -> None:
    """In the province; a station that lends more than it has is helped out the same day."""
    stock: Counter[str] = Counter()
    opened = set()
    for event in vaccination.events:
        data = event["data"]
        if data["kind"] == "movement":
            opened |= {data["vaccine"]} if data["movement"] == "count" else set()
            stock[data["vaccine"]] += data["quantity"]
    assert opened == set(STOCKED)
    assert all(stock[vaccine] > 0 for vaccine in STOCKED)


def test_a_month_that_begins_again_counts_nothing_twice(build: Build) -> None:
    """What the calendar asks for has the same keys and contents; only a register of targets and stocks is it."""
    system = build("vaccination.dose", 2)
    first, again = ([make() for _, make in system.schedule(FIRST_DAY)] for _ in range(2))
    assert [(life.subject, life.data) for life in first] == [(life.subject, life.data) for life in again]
    assert len({life.subject for life in first}) == len(first) == 82 * (5 + len(STOCKED))
