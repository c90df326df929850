"""Who gets a message on a day, whoever is away; and what a duty ladder, absences, contacts and deadlines may hold."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ioc.errors import ConfigError
from ioc.province.calendar import BusinessCalendar
from ioc.province.contact import is_url, load_contacts
from ioc.province.deadline import Deadline, Deadlines
from ioc.province.duty import STEPS, Absence, Ladder, Post, is_email, load_ladder, split_addresses

DAY = date(2024, 10, 10)
POSTS = [Post("lodging", step, name, name, name, f"{name}@x.vn", 4.0) for step, name in enumerate(STEPS)]
HEADER = "sector,step,post,post_vi,post_en,email,after_hours\n"


def away(post: str, stand_in: str, first: int = 1, last: int = 31) -> Absence:
    return Absence(post, date(2024, 10, first), date(2024, 10, last), stand_in)


def told(*absences: Absence, day: date = DAY) -> str | None:
    post = Ladder(POSTS, absences).on_duty("lodging", 0, day)
    return post.post if post else None


def test_a_stand_in_of_a_stand_in_and_one_of_two_absences_that_overlap() -> None:
    assert told(away("owner", "deputy")) == "deputy"
    assert told(away("owner", "deputy"), away("deputy", "head")) == "head"
    assert told(away("owner", "deputy", 1, 9), away("owner", "head", 11, 20)) == "owner"
    # Two absences overlap, and who stands in by the first is away: the other one is there.
    assert told(away("owner", "deputy"), away("deputy", "owner"), away("owner", "leader", 5, 31)) == "leader"
    assert told(away("owner", "deputy", 10, 10)) == "deputy"


@pytest.mark.parametrize("others", range(4))
def test_where_everyone_is_away_the_post_itself_gets_it_whatever_else_the_file_holds(others: int) -> None:
    """Who got it depended on how many other absences there were."""
    past = [Absence("leader", date(2020, 1, n + 1), date(2020, 1, n + 1), "head") for n in range(others)]
    assert told(away("owner", "deputy"), away("deputy", "owner"), *past) == "owner"
    assert told(away("owner", "nobody"), *past) == "owner"


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.lists(st.builds(away, st.sampled_from(STEPS), st.sampled_from(STEPS), st.integers(1, 12), st.integers(9, 31)))
)
def test_somebody_always_gets_it_and_who_is_away_only_where_all_are(absences: list[Absence]) -> None:
    found = told(*absences)
    assert found is not None
    gone = {one.post for one in absences if one.first_on <= DAY <= one.last_on}
    if found in gone:
        assert found == "owner"
        assert {one.stand_in for one in absences if one.post == "owner" and one.first_on <= DAY <= one.last_on} <= gone


def test_a_sector_without_ladder_and_a_step_without_post() -> None:
    assert Ladder(POSTS).on_duty("land", 0, DAY) is None
    gap = Ladder([POSTS[0], POSTS[3]])
    assert gap.on_duty("lodging", 1, DAY) is None
    assert gap.next_step("lodging", 0) == 3
    assert gap.next_step("lodging", 3) is None


@pytest.mark.parametrize(
    ("posts", "absences", "words"),
    [
        ("lodging,owner,a,A,A,không-phải-thư,4", "", "is no e-mail address"),
        ("lodging,owner,a,A,A,a@x.vn;b@,4", "", "'b@' không phải địa chỉ thư"),
        ("lodging,owner,a,A,A,,4", "", "is empty"),
        ("lodging,owner,a,A,A,a@x.vn,4", "a,2024-10-01,2024-10-02,a", "is the post itself"),
        ("lodging,owner,a,A,A,a@x.vn,4", "a,2024-10-01,2024-10-02,b", "is no post of duty.csv"),
        ("lodging,owner,a,A,A,a@x.vn,4", "a,2024-10-02,2024-10-01,a", "on or after first_on"),
        ("lodging,owner,a,A,A,a@x.vn,4", "a,2024-02-30,2024-10-01,a", "is not a date"),
        ("lodging,owner,a,A,A,a@x.vn,0", "", "above 0"),
        ("none,owner,a,A,A,a@x.vn,4", "", "is not one of"),
    ],
)
def test_a_wrong_ladder_is_told(tmp_path: Path, posts: str, absences: str, words: str) -> None:
    (tmp_path / "duty.csv").write_text(f"{HEADER}{posts}\n", encoding="utf-8")
    (tmp_path / "absences.csv").write_text(f"post,first_on,last_on,stand_in\n{absences}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        load_ladder(tmp_path, ["lodging"])


@pytest.mark.parametrize("text", ["a@x.vn", "phong.tin-hoc+ioc@so.baclieu.gov.vn", "a@tỉnh.vn"])
def test_addresses_of_e_mail(text: str) -> None:
    assert is_email(text)


@pytest.mark.parametrize(
    "text", ["", "a", "a@x", "@x.vn", "a@x..vn", "a@.vn", "a@x.vn.", "a b@x.vn", "a@b@x.vn", "<a@x.vn>"]
)
def test_what_is_no_address_of_e_mail(text: str) -> None:
    assert not is_email(text)


def test_an_address_that_is_written_twice_gets_one_message() -> None:
    assert split_addresses("a@x.vn; b@x.vn,a@x.vn,;") == ("a@x.vn", "b@x.vn")


@pytest.mark.parametrize("url", ["x.vn", "//x.vn", "ftp://x.vn", "http://", "http://x.vn:0", "http://x.vn:99999",
                                 "http://x y.vn/", "http://x.vn/a b", "http://[::1"])  # fmt: skip
def test_what_is_no_address_of_a_webhook(url: str) -> None:
    assert not is_url(url)


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ("operators,,,,", "must hold an address"),
        ("operators,,,@ab,", "is no chat"),
        ("operators,,,12-3,", "is no chat"),
        ("operators,,,,abc", "is no user's number"),
        ("operators,,a@x..vn,,", "is no e-mail address"),
        ("operators,http://x y/,,,", "is no http"),
        ("Operators,,a@x.vn,,", "is no owner"),
        (",,a@x.vn,,", "is empty"),
        ("operators,,a@x.vn,,\noperators,,b@x.vn,,", "twice"),
    ],
)
def test_a_wrong_contact_is_told(tmp_path: Path, cells: str, words: str) -> None:
    path = tmp_path / "contacts.csv"
    path.write_text(f"name,webhook,email,telegram,zalo\n{cells}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=words):
        load_contacts(path, ["operators"])


def test_the_deadline_that_names_more_of_a_reporter_counts_in_whatever_order() -> None:
    rows = [
        Deadline("f", "daily", name, True, days, False, time(9), "") for days, name in enumerate(["A-*", "A-1", "*"])
    ]
    for order in (rows, rows[::-1]):
        found = Deadlines(order, BusinessCalendar(), ZoneInfo("Asia/Ho_Chi_Minh"))
        assert [found.find("f", "daily", one).reporter for one in ("A-1", "A-2", "B")] == ["A-1", "A-*", "*"]
