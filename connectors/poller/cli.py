"""`ioc poller list|run`."""

from __future__ import annotations

import sqlite3
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import structlog
import typer
from rich.console import Console

from connectors.formats.memory import Memory
from connectors.poller.database import SqlSource
from connectors.poller.declaration import FILE, PollerDeclaration, RestPoller, load_pollers
from connectors.poller.ledger import PollLedger
from connectors.poller.poll import Poller, PollResult
from connectors.poller.rest import RestSource
from connectors.poller.source import PollSource, SourceUnavailableError
from connectors.publishing.cli import Gateway, Secret, SecretFile
from connectors.publishing.publish import FileReader
from connectors.publishing.sending import open_client
from ioc.command.output import AsJson, show_rows
from ioc.errors import ConfigError, IocError, RetryableError
from ioc.faultpoint import fault_from
from ioc.feeds.feed import load_feeds
from ioc.logging import configure_logging
from ioc.settings import Settings
from ioc.stop_signal import stop_event

app = typer.Typer(no_args_is_help=True)
_TURN = 120.0  # seconds of one poller; a source without end does not keep the others from theirs
_log = structlog.get_logger("poller")


@app.command("list")
def list_pollers(as_json: AsJson = False) -> None:
    """Xem các nguồn được lấy định kỳ, đã lấy đến đâu, lỗi gần nhất · Show the pollers of the profile, how far each has
    come and what was wrong last.
    """
    settings = Settings()
    ledger = PollLedger(_ledger_file(settings))
    rows = []
    for declared in load_pollers(settings.profile, load_feeds()):
        state = ledger.find(declared.name)
        rows.append(
            {
                "name": declared.name,
                "kind": declared.kind,
                "feed": declared.feed,
                "every": declared.every,
                "polled_at": state.polled_at,
                "moved_at": state.moved_at,
                "accepted": state.accepted,
                "refused": state.refused,
                "error": state.error,
                "report": state.report,
            }
        )
    ledger.close()
    show_rows(rows, as_json=as_json, empty=f"Hồ sơ không khai báo nguồn nào · The profile has no {FILE}.")


@app.command()
def run(
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Lấy một lượt rồi dừng · Poll each once, and stop; 1 where one failed.")
    ] = False,
    only: Annotated[
        list[str] | None, typer.Option("--only", help="Chỉ nguồn này · Only the poller of this name; may be repeated.")
    ] = None,
    gateway: Gateway = "",
    token: Secret = "",
    token_file: SecretFile = None,
) -> None:
    """Lấy dữ liệu định kỳ và gửi qua cổng nhận cho đến khi có SIGTERM hoặc Ctrl-C · Poll what the profile declares and
    send it through the gateway, until SIGTERM or Ctrl-C.
    """
    settings = Settings()
    configure_logging(settings)
    stop = stop_event()
    declared = _chosen(load_pollers(settings.profile, load_feeds()), only or [])
    with ExitStack() as stack:
        ledger = PollLedger(_ledger_file(settings))
        stack.callback(ledger.close)
        ledger.hold()
        memory = stack.enter_context(Memory(settings.state_dir.absolute() / "connectors" / "poller-memory.sqlite3"))
        client = stack.enter_context(
            open_client(settings, Console(stderr=True), gateway=gateway, token=token, token_file=token_file)
        )
        reader = FileReader(settings, memory=memory)
        fault = fault_from(settings.fault)
        pollers = [Poller(one, source_of(one, settings), reader, client, ledger, fault=fault) for one in declared]
        for poller in pollers:
            stack.callback(poller.close)
        if once:
            raise typer.Exit(1 if [poller for poller in pollers if run_one(poller, ledger) is None] else 0)
        due = dict.fromkeys((poller.declared.name for poller in pollers), time.monotonic())
        while not stop.is_set():
            for poller in pollers:
                if not stop.is_set() and time.monotonic() >= due[poller.declared.name]:
                    until = time.monotonic() + _TURN
                    result = run_one(poller, ledger, lambda until=until: stop.is_set() or time.monotonic() > until)  # type: ignore[misc]
                    wait = poller.declared.every if result is None or result.whole else 0.0
                    due[poller.declared.name] = time.monotonic() + wait
            stop.wait(max(0.05, min(due.values()) - time.monotonic()))


def source_of(declared: PollerDeclaration, settings: Settings) -> PollSource:
    """Return the source that a declaration names; raises ConfigError where a secret is missing or a query is none."""
    if isinstance(declared, RestPoller):
        return RestSource(declared, settings.poller_secrets)
    return SqlSource(declared, settings.poller_secrets)


def run_one(poller: Poller, ledger: PollLedger, cut: Callable[[], bool] = lambda: False) -> PollResult | None:
    """Run one poller; None where it failed: that is kept and tried again next time, and the others go on."""
    name = poller.declared.name
    try:
        return poller.run(cut)
    except RetryableError as error:
        kind = "the source" if isinstance(error, SourceUnavailableError) else "the gateway"
        _log.warning(f"a poller waits for {kind}", poller=name, reason=str(error))
        _note(ledger, name, str(error))
    except IocError as error:
        _log.error("a poller cannot go on", poller=name, reason=str(error))
        _note(ledger, name, str(error))
    except Exception as error:
        # The last line: a page that a driver or a format trips over stops one poller, not all of them. The message may
        # quote a record; type and place do not.
        place = traceback.extract_tb(error.__traceback__)[-1]
        told = f"{type(error).__name__} ({Path(place.filename).name}:{place.lineno})"
        _log.error("a poller fails", poller=name, error=told)
        _note(ledger, name, f"{name}: lỗi khi đọc một trang; báo cho quản trị viên · a page cannot be read: {told}")
    return None


def _note(ledger: PollLedger, name: str, error: str) -> None:
    try:
        ledger.end(name, error)
    except sqlite3.Error as failure:  # a full disk: the log has said it
        _log.error("the ledger of the pollers cannot be written", poller=name, error=type(failure).__name__)


def _chosen(declared: tuple[PollerDeclaration, ...], only: list[str]) -> list[PollerDeclaration]:
    names = [one.name for one in declared]
    unknown = sorted(set(only) - set(names))
    if unknown:
        raise ConfigError(f"no poller is named {', '.join(unknown)}; there are: {', '.join(names) or 'none'}")
    if not declared:
        raise ConfigError(f"the profile declares no poller: it has no {FILE}; docs/pollers.md shows one")
    return [one for one in declared if not only or one.name in only]


def _ledger_file(settings: Settings) -> Path:
    return settings.state_dir.absolute() / "connectors" / "poller.sqlite3"
