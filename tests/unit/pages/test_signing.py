"""Links, sessions and forms: read by their own key and kind alone, until their time is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from testbed.secret import NO_SHIPPED_SECRETS

from ioc.settings import Settings
from ioc.web.signing import Signing, Visitor

NOW = datetime(2024, 10, 24, 7, tzinfo=UTC)


class Clock:
    now = NOW

    def __call__(self) -> datetime:
        return self.now


def signing(clock: Clock | None = None, **settings: object) -> Signing:
    return Signing(Settings(_env_file=None, **NO_SHIPPED_SECRETS | settings), clock or Clock())  # type: ignore[arg-type]


def signed(link: str) -> str:
    return link.rpartition("/")[2]


def test_a_link_opens_its_page_for_whom_it_was_made() -> None:
    made = signing(public_url="https://ioc.example.vn")
    link = made.link("/incidents/12", "Chủ tịch")
    assert link.startswith("https://ioc.example.vn/link/")
    assert made.open_link(signed(link)) == ("/incidents/12", Visitor("Chủ tịch", None, NOW + timedelta(hours=72)))
    assert made.is_https and not signing().is_https


def test_its_time_ends() -> None:
    clock = Clock()
    made = signing(clock)
    link, session = made.link("/", "a", hours=1), made.session(made.new_session("b", "0123456789ab"))
    clock.now = NOW + timedelta(minutes=59)
    assert made.open_link(signed(link)) and made.open_session(session)
    clock.now = NOW + timedelta(hours=1)
    assert made.open_link(signed(link)) is None
    clock.now = NOW + timedelta(hours=12)
    assert made.open_session(session) is None


@pytest.mark.parametrize("position", [0, 5, -1])
def test_what_was_changed_is_nothing(position: int) -> None:
    made = signing()
    letters = list(signed(made.link("/", "a")))
    letters[position] = "A" if letters[position] != "A" else "B"
    assert made.open_link("".join(letters)) is None
    assert made.open_link("") is None and made.open_session("x.y") is None


def test_another_key_and_another_kind_open_nothing() -> None:
    made, other = signing(), signing(link_key="another")
    link, session = signed(made.link("/", "a")), made.session(made.new_session("b", "0123456789ab"))
    assert other.open_link(link) is None and other.open_session(session) is None
    assert made.open_session(link) is None and made.open_link(session) is None


def test_a_form_is_of_one_session_and_one_action() -> None:
    made = signing()
    form = made.form("session", "acknowledge/12")
    assert made.is_form(form, "session", "acknowledge/12")
    assert not made.is_form(form, "another", "acknowledge/12")
    assert not made.is_form(form, "session", "acknowledge/13")
    assert not made.is_form("", "session", "acknowledge/12")
