"""The course of a demo: set up, publish and show, stop and catch up, settle the account."""

from __future__ import annotations

import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import FrameType
from typing import Final

from pydantic_core import to_json
from rich.console import Console
from rich.live import Live

from deploy.demo.account import Account, settle_account
from deploy.demo.face import check_pages, pages_link
from deploy.demo.proof import prove
from deploy.demo.quality import quality_view, send_quality
from deploy.demo.reading import Snapshot, SnapshotReader
from deploy.demo.stage import Stage, set_up
from deploy.demo.table import Scene, account_view, live_view, plain_line
from deploy.local.progress import Progress
from deploy.simulator.channel import GatewayChannel
from deploy.simulator.ledger import Ledger
from deploy.simulator.province import Province
from deploy.simulator.publisher import Pace, ProvincePublisher
from deploy.simulator.roster import WITNESSES, of_agencies
from deploy.simulator.run import temporary_tokens
from ioc.errors import FatalError, RetryableError
from ioc.feeds.feed import load_feeds
from ioc.province.profile import Profile, load_profile, load_profile_catalogue
from ioc.settings import Settings

_LOOK_SECONDS: Final = 1.0
_LINE_SECONDS: Final = 5.0
_ARROW_LOOKS: Final = 3
_STILL_SECONDS: Final = 60.0
_CATCH_UP_SECONDS: Final = 600.0


@dataclass(frozen=True)
class Wishes:
    """What the command line asks for; `seconds` None = until Ctrl-C."""

    seconds: float | None
    pace: Pace
    seed: int


def demo(settings: Settings, wishes: Wishes, *, as_json: bool) -> int:
    """Run a demo; the exit status, 0 only when the account balances and everything stored is proven."""
    console = Console(stderr=as_json, highlight=False)
    signals = Signals()
    with signals.handled(), set_up(settings, Progress(), leaving=signals.ignore) as stage:
        account = _Course(stage, wishes, console, signals).run()
    if as_json:
        print(to_json(account.to_plain(), indent=2).decode())  # noqa: T201 - the command's result
    else:
        console.print(account_view(account))
    return 0 if account.holds else 1


class _Course:
    """One run on a stage that is ready."""

    def __init__(self, stage: Stage, wishes: Wishes, console: Console, signals: Signals) -> None:
        self._stage = stage
        self._wishes = wishes
        self._console = console
        self._signals = signals
        self._feeds = load_feeds()
        self._profile: Profile = load_profile(stage.settings.profile)
        self._ledger = Ledger(self._feeds, WITNESSES)
        self._catalogue = load_profile_catalogue(stage.settings.profile, self._feeds)
        reported = of_agencies(self._catalogue.indicators.values())
        self._province = Province(self._profile, seed=wishes.seed, indicators=reported)
        self._begin = time.monotonic()
        self._looks: deque[Snapshot] = deque(maxlen=_ARROW_LOOKS + 1)

    def run(self) -> Account:
        settings = self._stage.settings
        reader = SnapshotReader(settings, self._feeds)
        try:
            self._console.print(f"Trang web · pages: {pages_link(settings)}", soft_wrap=True, markup=False)
            with temporary_tokens(settings.token_file) as tokens:
                publisher = ProvincePublisher(
                    self._province,
                    self._ledger,
                    lambda publisher: GatewayChannel(settings.gateway_address, tokens[publisher]),
                    self._wishes.pace,
                )
                self._publish(publisher, reader)
            self._catch_up(reader)
            arrived_at = datetime.now(UTC)
            pages = check_pages(settings)
            self._console.print(f"Trang web: {pages} trang trả lời · {pages} pages answered")
            with self._console.status("Tính lại từ bản ghi · recomputing everything from the records"):
                proof = prove(settings, self._feeds, reader, self._ledger, self._catalogue.indicators)
            account = settle_account(
                publisher.tallies(),
                reader.counts(),
                proof,
                surprises=tuple(self._ledger.surprises),
                unsettled=publisher.unsettled,
            )
            # After the account: the platform's reports are none of the simulated province's. How long the account
            # takes says nothing of how fresh the data is.
            with self._console.status("Đo chất lượng dữ liệu · measuring the data's quality"):
                reports = send_quality(settings, arrived_at, self._profile, self._catalogue, self._feeds)
            self._catch_up(reader)
            if reports:
                self._console.print(quality_view(reports))
            return account
        finally:
            reader.close()

    def _publish(self, publisher: ProvincePublisher, reader: SnapshotReader) -> None:
        """Publish in a thread of its own and show what happens, until it ends."""
        failure: list[Exception] = []

        def work() -> None:
            try:
                publisher.run(self._signals.stop, seconds=self._wishes.seconds)
            except Exception as error:
                failure.append(error)

        worker = threading.Thread(target=work, name="publisher", daemon=True)
        self._begin = time.monotonic()
        worker.start()
        self._signals.publishing = True
        try:
            with self._screen() as show:
                while worker.is_alive():
                    worker.join(_LOOK_SECONDS)
                    with suppress(RetryableError):  # the next look may see more
                        show(self._scene(publisher, reader))
        finally:
            self._signals.stop.set()
            worker.join(2.0)
        if failure:
            raise failure[0]

    def _scene(self, publisher: ProvincePublisher, reader: SnapshotReader) -> Scene:
        day, hour = self._province.now
        snapshot = reader.snapshot(day, hour)
        self._looks.append(snapshot)
        province = self._profile.province_code
        return Scene(
            elapsed=time.monotonic() - self._begin,
            day=day,
            hour=hour,
            tallies=publisher.tallies(),
            now=snapshot,
            before=self._looks[0],
            columns={province: "Toàn tỉnh", **reader.districts(day)},
            indicators=reader.indicators,
            notes=self._stage.notes(),
        )

    @contextmanager
    def _screen(self) -> Iterator[Callable[[Scene], None]]:
        """Give a function that shows a scene: a live table, or a line every few seconds."""
        if self._console.is_terminal:
            with Live(console=self._console, auto_refresh=False) as live:
                yield lambda scene: live.update(live_view(scene, self._console.width), refresh=True)
            return
        last = float("-inf")

        def show(scene: Scene) -> None:
            nonlocal last
            if scene.elapsed - last >= _LINE_SECONDS:
                last = scene.elapsed
                self._console.print(plain_line(scene), soft_wrap=True)

        yield show

    def _catch_up(self, reader: SnapshotReader) -> None:
        """Wait until agents and roll-up have nothing left; raises FatalError when they stand still."""
        begin = moved = time.monotonic()
        before: tuple[int, int] | None = None
        with self._console.status("") as status:
            while (behind := reader.behind()) != (0, 0):
                now = time.monotonic()
                if behind != before:
                    before, moved = behind, now
                if now - moved > _STILL_SECONDS or now - begin > _CATCH_UP_SECONDS:
                    raise FatalError(
                        f"{behind[0]} Kafka records and {behind[1]} contributions are still waiting, and nothing "
                        f"has moved for {now - moved:.0f} s.\n{self._stage.last_words()}\n"
                        "Mend the cause and run `make demo` again."
                    )
                self._stage.notes()
                status.update(f"Chờ xử lý nốt · catching up: {behind[0]} records, {behind[1]} contributions")
                time.sleep(0.2)


class Signals:
    """Ctrl-C and SIGTERM: the first ends the publishing, another one (or one during set-up) everything."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self.publishing = False

    @contextmanager
    def handled(self) -> Iterator[None]:
        """Handle both signals meanwhile."""
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def ignore(self) -> None:
        """Nothing may disturb the stopping of processes; all its waits are bounded."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self.publishing and not self.stop.is_set():
            self.stop.set()
            return
        self.ignore()
        raise KeyboardInterrupt
