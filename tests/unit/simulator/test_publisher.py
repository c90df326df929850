"""Sending: in order for each reporter, again when there was no answer, and nothing lost from the account."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence

import httpx
import pytest

from deploy.simulator.channel import Delivery, GatewayChannel
from deploy.simulator.ledger import ExpectedOutcome, Ledger, Outgoing
from deploy.simulator.province import Province
from deploy.simulator.publisher import Pace, ProvincePublisher
from deploy.simulator.roster import WITNESSES
from ioc.errors import FatalError
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile
from ioc.settings import Settings

PACE = Pace(rate=400, day_seconds=12.0)


class FakeChannel:
    """A gateway that takes what is expected to be taken; `answers` says which sending goes unanswered."""

    def __init__(self, answers: Callable[[int], bool] = lambda _: True) -> None:
        self._answers = answers
        self.sendings = 0
        self.arrived: list[Outgoing] = []
        self.closed = False

    def send(self, events: Sequence[Outgoing]) -> Delivery:
        self.sendings += 1
        self.arrived.extend(events)
        if not self._answers(self.sendings):
            return Delivery(None, 1)
        return Delivery(tuple(one.outcome is not ExpectedOutcome.REJECTED for one in events), 0)

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def province() -> Province:
    return Province(load_profile(Settings(_env_file=None).profile))


def publish(
    province: Province, channels: list[FakeChannel], make: Callable[[], FakeChannel]
) -> tuple[ProvincePublisher, Ledger]:
    def open_channel(_: str) -> FakeChannel:
        channels.append(make())
        return channels[-1]

    ledger = Ledger(load_feeds(), WITNESSES)
    publisher = ProvincePublisher(province, ledger, open_channel, PACE)
    publisher.run(threading.Event(), seconds=1.0, patience=5.0)
    return publisher, ledger


def test_events_of_a_reporter_arrive_in_order_and_all_are_settled(province: Province) -> None:
    channels: list[FakeChannel] = []
    publisher, ledger = publish(province, channels, FakeChannel)
    by_reporter: dict[str, list[int]] = defaultdict(list)
    for channel in channels:
        for one in channel.arrived:
            by_reporter[one.reporter].append(int(str(one.event["id"]).rsplit("-", 1)[1]))
    made_once = [ids for ids in by_reporter.values() if len(set(ids)) == len(ids)]
    assert all(ids == sorted(ids) for ids in made_once)
    arrived = sum(len(channel.arrived) for channel in channels)
    assert arrived > 2500
    assert sum(tally.published for tally in ledger.tallies.values()) == arrived
    assert publisher.unsettled == 0
    assert all(channel.closed for channel in channels)


def test_what_a_system_has_little_of_is_gathered(province: Province) -> None:
    channels: list[FakeChannel] = []
    publish(province, channels, FakeChannel)
    arrived, sendings = (sum(count) for count in zip(*((len(c.arrived), c.sendings) for c in channels), strict=True))
    assert arrived / sendings > 75


def test_what_was_not_answered_is_sent_again_and_counted_as_doubtful(province: Province) -> None:
    channels: list[FakeChannel] = []
    publisher, ledger = publish(province, channels, lambda: FakeChannel(lambda sending: sending != 1))
    arrived = sum(len(channel.arrived) for channel in channels)
    published = sum(tally.published for tally in ledger.tallies.values())
    unknown = sum(tally.unknown for tally in ledger.tallies.values())
    assert unknown > 0
    assert published + unknown == arrived
    assert publisher.unsettled == 0


def test_a_gateway_that_never_answers_leaves_unsettled_events(province: Province) -> None:
    channel = FakeChannel(lambda _: False)
    publisher = ProvincePublisher(province, Ledger(load_feeds(), WITNESSES), lambda _: channel, PACE)
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    publisher.run(stop, patience=0.2)
    assert publisher.unsettled > 0


def test_a_refused_token_ends_the_run(province: Province) -> None:
    class Refusing(FakeChannel):
        def send(self, events: Sequence[Outgoing]) -> Delivery:
            raise FatalError("the gateway does not know this token")

    publisher = ProvincePublisher(province, Ledger(load_feeds(), WITNESSES), lambda _: Refusing(), PACE)
    with pytest.raises(FatalError, match="token"):
        publisher.run(threading.Event(), seconds=5.0, patience=1.0)


def gateway(statuses: list[int]) -> Callable[[httpx.Request], httpx.Response]:
    """Answers with one status after the other, 0 for a connection that breaks, -1 for one that is refused."""

    def answer(request: httpx.Request) -> httpx.Response:
        status = statuses.pop(0)
        if status == 0:
            raise httpx.ReadTimeout("no answer", request=request)
        if status == -1:
            raise httpx.ConnectError("refused", request=request)
        if status != 207:
            return httpx.Response(status, headers={"retry-after": "0"})
        events = json.loads(request.content)
        results = [{"id": e["id"], "status": "accepted" if "data" in e else "refused"} for e in events]
        return httpx.Response(207, json={"results": results})

    return answer


@pytest.mark.parametrize(
    ("statuses", "doubtful"), [([207], 0), ([429, 207], 0), ([-1, 207], 0), ([0, 207], 1), ([503, 0, 207], 2)]
)
def test_only_attempts_that_may_have_arrived_are_doubtful(statuses: list[int], doubtful: int) -> None:
    events = [
        Outgoing("tourism.stay", "r", {"id": "a", "data": {}}, ExpectedOutcome.NEW),
        Outgoing("tourism.stay", "r", {"id": "b"}, ExpectedOutcome.REJECTED),
    ]
    channel = GatewayChannel(
        "http://gateway.invalid",
        "secret",
        transport=httpx.MockTransport(gateway(statuses)),
        sleep=lambda _: None,
    )
    assert channel.send(events) == Delivery((True, False), doubtful)
    channel.close()
