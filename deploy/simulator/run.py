"""`ioc simulate`: the simulated province against a stack that runs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from deploy.simulator.channel import GatewayChannel
from deploy.simulator.ledger import Ledger
from deploy.simulator.province import Province
from deploy.simulator.publisher import Pace, ProvincePublisher
from deploy.simulator.roster import PUBLISHERS, WITNESSES, of_agencies
from ioc.command.output import show_rows
from ioc.feeds.feed import load_feeds
from ioc.province.profile import load_profile, load_profile_catalogue
from ioc.settings import Settings
from ioc.stop_signal import stop_event
from ioc.web.tokens import TokenFile


def simulate(
    settings: Settings, *, seconds: float | None, rate: float, day_seconds: float, seed: int, as_json: bool
) -> None:
    """Publish until `seconds` have passed or the process is asked to end, and print what was published.

    Revisions start at the present second, so that a later run with the same records corrects an earlier one.
    """
    feeds = load_feeds()
    province = Province(
        load_profile(settings.profile),
        seed=seed,
        revision_base=int(time.time()),
        indicators=of_agencies(load_profile_catalogue(settings.profile, feeds).indicators.values()),
    )
    if province.left_out:
        names = ", ".join(province.left_out)
        typer.echo(
            f"Hồ sơ của tỉnh không có đơn vị báo cáo nào của: {names}; các nguồn này không được mô phỏng"
            f" · the profile has no reporter of: {names}; nothing is simulated of these feeds",
            err=True,
        )
    stop = stop_event()
    with temporary_tokens(settings.token_file) as tokens:
        publisher = ProvincePublisher(
            province,
            Ledger(feeds, WITNESSES),
            lambda publisher: GatewayChannel(settings.gateway_address, tokens[publisher]),
            Pace(rate, day_seconds),
        )
        progress = Live(
            get_renderable=lambda: _progress(publisher),
            console=Console(stderr=True),
            refresh_per_second=2,
            transient=True,
        )
        with progress:
            publisher.run(stop, seconds=seconds)
    rows = [
        {"feed": feed, "published": t.published, "refused": t.refused, "sent_without_answer": t.unknown}
        for feed, t in publisher.tallies().items()
    ]
    show_rows(rows, as_json=as_json)


def _progress(publisher: ProvincePublisher) -> Text:
    tallies = publisher.tallies()
    published = sum(tally.published for tally in tallies.values())
    refused = sum(tally.refused for tally in tallies.values())
    return Text(f"{published:,} published, {refused:,} refused · đã gửi, bị từ chối — Ctrl-C ends · dừng")


@contextmanager
def temporary_tokens(file: Path) -> Iterator[Mapping[str, str]]:
    """A token for each publisher, revoked afterwards: publisher -> secret."""
    tokens = TokenFile(file)
    created = {name: tokens.create(f"simulated {name}", feeds, ("*",)) for name, feeds in PUBLISHERS.items()}
    try:
        yield {name: secret for name, (_, secret) in created.items()}
    finally:
        for token, _ in created.values():
            tokens.revoke(token.id)
