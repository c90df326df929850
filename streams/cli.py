"""`ioc worker`, `ioc rollup`, `ioc reconcile`, `ioc rebuild`, `ioc dead-letter` and `ioc quality`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from ioc.command.output import AsJson, show_rows
from ioc.settings import Settings
from streams.rebuild.cli import rebuild

app = typer.Typer()
app.command()(rebuild)
letters = typer.Typer(help="Events that were refused: why, and their replay after a mend.", no_args_is_help=True)
app.add_typer(letters, name="dead-letter")
quality = typer.Typer(help="Quality of the data as the platform measures it.", no_args_is_help=True)
app.add_typer(quality, name="quality")

FeedOption = Annotated[str | None, typer.Option("--feed", help="Only this feed, e.g. tourism.stay.")]
RuleOption = Annotated[str | None, typer.Option("--rule", help="Only this rule, e.g. unknown_reporter.")]
Within = Annotated[str, typer.Option("--within", help="How far back, e.g. '1 day'.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Most events.")]


@app.command()
def worker() -> None:
    """Run the Faust agents of all feeds until stopped."""
    from streams.worker.process import run_worker  # noqa: PLC0415 - `ioc --help` stays fast

    run_worker(Settings())


@app.command()
def rollup() -> None:
    """Fold contributions into indicators until stopped."""
    from streams.rollup.service import run_rollup  # noqa: PLC0415

    run_rollup(Settings())


@app.command()
def reconcile(as_json: AsJson = False) -> None:
    """Recompute every cell and figure from the records, in SQL, and compare; exit status 1 where they differ."""
    from streams.proof.reconcile import reconcile as run  # noqa: PLC0415

    result = run(Settings())
    rows = [vars(difference) for difference in result.differences]
    if as_json:
        typer.echo(result.to_json())
    else:
        show_rows(rows[:50], as_json=False, title="Differences", empty="Stored and recomputed are equal.")
        typer.echo(f"{result.cells:,} sums and {result.figures:,} figures compared, {len(rows):,} differ")
    raise typer.Exit(1 if rows else 0)


@letters.command("list")
def list_letters(feed: FeedOption = None, within: Within = "30 days", as_json: AsJson = False) -> None:
    """Show refused events grouped by cause, most frequent first."""
    from streams.dead_letter.letter import list_causes  # noqa: PLC0415

    rows = list_causes(Settings(), feed=feed, within=within)
    if not as_json:
        shown = ("feed", "rule", "field", "message_vi", "events", "replayable")
        rows = [{name: row[name] for name in shown} for row in rows]
    show_rows(rows, as_json=as_json, empty="No event was refused.")


@letters.command("show")
def show_letters(
    feed: FeedOption = None,
    rule: RuleOption = None,
    within: Within = "30 days",
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Show single refused events with their reasons, newest first."""
    from streams.dead_letter.letter import show_events  # noqa: PLC0415

    rows = show_events(Settings(), feed=feed, rule=rule, within=within, limit=limit)
    show_rows(rows, as_json=as_json, empty="No event was refused.")


@letters.command("replay")
def replay_letters(
    feed: Annotated[str, typer.Option("--feed", help="The feed to replay into.")],
    rule: RuleOption = None,
    limit: Limit = 10_000,
    as_json: AsJson = False,
) -> None:
    """Send refused events to their feed again, after what refused them was mended; harmless when repeated."""
    from ioc.errors import ConfigError  # noqa: PLC0415
    from ioc.feeds.feed import load_feeds  # noqa: PLC0415
    from streams.dead_letter.letter import replay  # noqa: PLC0415

    feeds = load_feeds()
    if feed not in feeds:
        raise ConfigError(f"no feed is named {feed!r}; there are {', '.join(feeds)}")
    replayed = replay(Settings(), feeds[feed], rule=rule, limit=limit)
    show_rows([{"feed": feed, "replayed": replayed}], as_json=as_json)


@quality.command("report")
def report_quality(
    on: Annotated[
        datetime | None,
        typer.Option("--on", formats=["%Y-%m-%d"], help="Day to measure; default: yesterday, and today so far."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure and show, send nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure the data's quality and report it as the figures of `data_quality`; what has not changed is not sent."""
    from datetime import UTC  # noqa: PLC0415 - `ioc --help` stays fast

    from ioc.feeds.feed import load_feeds  # noqa: PLC0415
    from ioc.province.profile import load_profile, load_profile_catalogue  # noqa: PLC0415
    from streams.quality.report import report_quality as run  # noqa: PLC0415

    settings, feeds = Settings(), load_feeds()
    reports = run(
        settings,
        [] if on is None else [on.date()],
        datetime.now(UTC),
        profile=load_profile(settings.profile),
        catalogue=load_profile_catalogue(settings.profile, feeds),
        feeds=feeds,
        dry_run=dry_run,
    )
    show_rows(
        [report.to_row() for report in reports],
        as_json=as_json,
        title="Chất lượng dữ liệu · data quality",
        empty="There is nothing to measure: no catalogue is loaded (`ioc profile load`), no event has come.",
    )
    if not as_json:
        changed = sum(report.status != "unchanged" for report in reports)
        typer.echo(f"{changed} {'to send' if dry_run else 'sent'}, {len(reports) - changed} unchanged")
