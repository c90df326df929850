"""`ioc dead-letter list|show|sample|mend|replay`."""

from __future__ import annotations

import getpass
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from pydantic_core import to_json

from ioc.command.act import note_change
from ioc.command.output import AsJson, show_rows
from ioc.errors import ConfigError
from ioc.feeds.feed import load_feeds
from ioc.settings import Settings
from streams.dead_letter.letter import list_causes, replay, show_events
from streams.dead_letter.mending import plan_mend, samples, send_mended
from streams.dead_letter.rule import read_rule

app = typer.Typer(no_args_is_help=True)

FeedOption = Annotated[str | None, typer.Option("--feed", help="Chỉ nguồn này · Only this feed, e.g. tourism.stay.")]
RuleOption = Annotated[
    str | None, typer.Option("--rule", help="Chỉ quy tắc này · Only this rule, e.g. unknown_reporter.")
]
Within = Annotated[str, typer.Option("--within", help="Lùi lại bao lâu · How far back, e.g. '1 day'.")]
Limit = Annotated[int, typer.Option("--limit", min=1, help="Số sự kiện tối đa · At most this many events.")]


@app.command("list")
def list_letters(feed: FeedOption = None, within: Within = "30 days", as_json: AsJson = False) -> None:
    """Sự kiện bị từ chối, gom theo nguyên nhân, nhiều nhất trước · Show refused events grouped by cause, most
    frequent first.
    """
    rows = list_causes(Settings(), feed=feed, within=within)
    if not as_json:
        shown = ("feed", "rule", "field", "message_vi", "events", "replayable")
        rows = [{name: row[name] for name in shown} for row in rows]
    show_rows(rows, as_json=as_json, empty="Không có sự kiện bị từ chối · No event was refused.")


@app.command("show")
def show_letters(
    feed: FeedOption = None,
    rule: RuleOption = None,
    within: Within = "30 days",
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """Từng sự kiện bị từ chối kèm lý do, mới nhất trước · Show single refused events with their reasons, newest
    first.
    """
    rows = show_events(Settings(), feed=feed, rule=rule, within=within, limit=limit)
    show_rows(rows, as_json=as_json, empty="Không có sự kiện bị từ chối · No event was refused.")


@app.command("sample")
def sample_letters(
    feed: Annotated[str, typer.Option("--feed", help="Nguồn · The feed, e.g. tourism.stay.")],
    rule: RuleOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="Bao nhiêu mẫu · How many samples.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Vài sự kiện bị từ chối, nội dung đã che · A few refused events with their content masked, to see what a rule of
    `ioc dead-letter mend` has to change.
    """
    found = samples(Settings(), feed, rule, limit)
    if as_json:
        typer.echo(to_json(found, indent=2))
        return
    for one in found:
        reasons = "; ".join(f"{reason['field']}: {reason['message_vi']}" for reason in one["reasons"])
        typer.echo(f"{one['reporter'] or '–'} · {reasons}\n{to_json(one['payload'], indent=2).decode()}\n")
    if not found:
        typer.echo("Không có sự kiện bị từ chối · No event was refused.")


@app.command("mend")
def mend_letters(
    rule_file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Quy tắc sửa, tệp JSON · The rule, a JSON file.")
    ],
    apply: Annotated[
        str,
        typer.Option(
            "--apply",
            metavar="DIGEST",
            help="Sửa và gửi lại; mã băm của quy tắc như đã xem trước · Send; the digest that the preview has shown.",
        ),
    ] = "",
    reviewed_by: Annotated[
        str, typer.Option("--reviewed-by", help="Người duyệt quy tắc, không phải người chạy · Who reviewed the rule.")
    ] = "",
    limit: Limit = 10_000,
    as_json: AsJson = False,
) -> None:
    """Sửa hàng loạt sự kiện bị từ chối theo một quy tắc đã duyệt; không có --apply thì chỉ xem trước · Mend refused
    events in bulk by a reviewed rule; without --apply it shows what would be accepted and which indicators would move.
    """
    rule = read_rule(rule_file)
    feeds = load_feeds()
    if rule.feed not in feeds:
        raise ConfigError(f"{rule_file}: no feed is named {rule.feed!r}; there are {', '.join(feeds)}")
    if apply and not reviewed_by.strip():
        raise ConfigError("--reviewed-by: name the second person who has read the rule and its preview")
    if apply and reviewed_by.strip() == getpass.getuser():
        raise ConfigError(f"--reviewed-by: {reviewed_by} runs this command; a rule is reviewed by somebody else")
    if apply and apply != rule.digest:
        raise ConfigError(
            f"--apply {apply}: the rule's digest is {rule.digest}; it is another rule than the one that was reviewed"
        )
    settings = Settings()
    plan = plan_mend(settings, feeds[rule.feed], rule, limit=limit)
    sent = send_mended(settings, feeds[rule.feed], plan) if apply else 0
    row = {
        "digest": plan.digest,
        "waiting": plan.waiting,
        "not_meant": plan.not_meant,
        "refused": sum(plan.refused.values()),
        "reasons": dict(plan.refused),
        "new": plan.new,
        "replacing": plan.replacing,
        "known": plan.known,
        "indicators": len(plan.moving),
        "sent": sent,
    }
    after = {**row, "why": rule.why, "steps": [step.model_dump(mode="json") for step in rule.steps]}
    note_change(subject=f"{rule.feed} {rule.rule}", after={**after, "reviewed_by": reviewed_by})
    moving = [asdict(one) for one in plan.moving]
    if as_json:
        typer.echo(to_json([{**row, "moving": moving}], indent=2))
        return
    show_rows([row], as_json=False, title="Quy tắc sửa · mend")
    show_rows(
        moving,
        as_json=False,
        title="Chỉ tiêu sẽ đổi · indicators that move",
        empty="Không chỉ tiêu nào đổi · None moves.",
    )
    if not apply:
        typer.echo(f"Chưa gửi gì · Nothing was sent. --apply {plan.digest} --reviewed-by …")


@app.command("replay")
def replay_letters(
    feed: Annotated[str, typer.Option("--feed", help="Nguồn để gửi lại · The feed to replay into.")],
    rule: RuleOption = None,
    limit: Limit = 10_000,
    as_json: AsJson = False,
) -> None:
    """Gửi lại sự kiện bị từ chối sau khi sửa nguyên nhân; lặp lại không sao · Send refused events to their feed
    again, once the cause is fixed; harmless when repeated.
    """
    feeds = load_feeds()
    if feed not in feeds:
        raise ConfigError(f"no feed is named {feed!r}; there are {', '.join(feeds)}")
    replayed = replay(Settings(), feeds[feed], rule=rule, limit=limit)
    show_rows([{"feed": feed, "replayed": replayed}], as_json=as_json)
