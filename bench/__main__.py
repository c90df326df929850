"""`python -m bench`: measure, compare, report. Exit status 0 unless something failed; low speed is not a failure."""

from __future__ import annotations

import json
import signal
import sys
from typing import Annotated

import typer
from rich.console import Console

from bench.bed import Bed
from bench.report import facts_of, flat, page_section, show, write_latest, write_page
from bench.scenario import SCENARIOS
from bench.site import Site
from bench.workload import make_load
from deploy.local.progress import Progress
from ioc.database.connection import connect
from ioc.errors import IocError

_EVENTS, _ROUNDS = 250_000, 3
_QUICK_EVENTS, _QUICK_ROUNDS = 50_000, 1


def main(
    events: Annotated[int | None, typer.Option("--events", min=1000, help="Events of the load.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer events, one round, no history.")] = False,
    only: Annotated[list[str] | None, typer.Option("--only", help="Only this scenario; may be repeated.")] = None,
    write_docs: Annotated[bool, typer.Option("--write-docs", help="Put the results into docs/performance.md.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the results as JSON.")] = False,
) -> None:
    """Measure the worker beside its peer, the database alone and an empty agent of stock Faust."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the servers are stopped then, too
    scenarios = [scenario() for scenario in SCENARIOS]
    known = [scenario.name for scenario in scenarios]
    if unknown := sorted(set(only or ()) - set(known)):
        raise typer.BadParameter(f"no scenario {', '.join(unknown)}; there are {', '.join(known)}")
    scenarios = [scenario for scenario in scenarios if not only or scenario.name in only]
    wanted = events or (_QUICK_EVENTS if quick else _EVENTS)
    rounds = _QUICK_ROUNDS if quick else _ROUNDS
    progress = Progress()
    with Site(progress) as site:
        with connect(site.settings, "reader") as reader:
            facts = facts_of(reader, events=wanted, rounds=rounds, command=_command())
        with progress.step(f"Make {wanted:,} e-invoice events"):
            bed = Bed(site, make_load(site.profile, site.feed, wanted), quick)
        for scenario in scenarios:
            with progress.step(f"Prepare: {scenario.title}"):
                scenario.prepare(bed)
        for number in range(rounds):
            for scenario in scenarios:
                if number == 0 or scenario.every_round:
                    with progress.step(f"Round {number + 1} of {rounds}: {scenario.title}"):
                        measured = scenario.measure(bed)
                    bed.keep(measured)
                    progress.done(", ".join(f"{name} {value:,.2f}" for name, value in measured.items()))
    result = flat(bed.values, facts)
    write_latest(result)
    if write_docs:
        write_page(page_section(bed.values, facts))
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False))
    else:
        show(bed.values, Console())


def _command() -> str:
    return " ".join(["python -m bench", *sys.argv[1:]])


if __name__ == "__main__":
    try:
        typer.run(main)
    except IocError as error:
        Console(stderr=True).print(f"error: {error}", markup=False, soft_wrap=True)
        sys.exit(1)
