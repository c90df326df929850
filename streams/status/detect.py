"""What is wrong now, one finding a cause: the pipeline, then feeds, then reporters, and only then figures that lag."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from ioc.catalogue.indicator import REPORT_FEED
from ioc.province.duty import CENTRE
from streams.rules import wording
from streams.rules.incident import PLATFORM, Finding, Incident, Touch
from streams.rules.wording import Bilingual
from streams.status.feeds import FeedState
from streams.status.lagging import lagging
from streams.status.sight import Sight, touches_of

PIPELINE = "pipeline"
_NAMED = 20
_LEAST_EVENTS = 20  # of an hour: fewer are no share
_LEAST_SHARE = 5.0  # per cent
_JUMP = 3.0  # times the share of the week before
_UNKNOWN = ("stale", "incomplete", "no_data")


def detect(scene: Sight) -> list[Finding]:
    """Return what is wrong, one finding a cause.

    While the pipeline stands still nothing else is said of feeds; of a feed that is silent or unread nothing is said of
    its reporters; and figures that are not known are not called behind.
    """
    findings = list(_pipeline(scene))
    of_feeds = list(_feeds(scene))
    findings += of_feeds
    findings += _reporters(scene, scene.unread | {found.feed for found in of_feeds if found.feed is not None})
    findings += _agencies(scene)
    findings += lagging(scene)
    return [*findings, *scene.measured]


def unknown_in(scene: Sight) -> Callable[[Incident], bool]:
    """Return a test: whether nothing can be said now of what opened an incident."""
    rows = scene.statuses.filter(pl.col("status").is_in(_UNKNOWN) & (pl.col("area_id") == scene.ground.root.area_id))
    unjudged = frozenset(rows["code"].to_list())
    silent = scene.moment.silent

    def is_unknown(incident: Incident) -> bool:
        kind, _, subject = incident.cause.partition(":")
        if kind == "lagging":
            return subject in unjudged
        feed = subject.split(":")[0]
        if kind in ("feed_silent", "rejections_up", "reporter_missing") and feed in scene.unread:
            return True
        return kind == "reporter_missing" and feed in silent and feed != REPORT_FEED

    return is_unknown


def _pipeline(scene: Sight) -> Iterator[Finding]:
    if not scene.outages:
        return
    outages = sorted(scene.outages, key=lambda outage: outage.since)
    since = outages[0].since
    title, summary = wording.pipeline_stopped([o.text for o in outages], wording.moment_text(since, scene.zone))
    yield Finding(
        cause=PIPELINE,
        kind="pipeline_stopped",
        severity="critical",
        sector=PLATFORM,
        owner=CENTRE,
        title_vi=title.vi,
        title_en=title.en,
        summary_vi=summary.vi,
        summary_en=summary.en,
        since=since,
        evidence={"parts": [{"part": o.part, "since": o.since.isoformat(), **o.detail} for o in outages]},
        link={"board": "pipeline"},
    )


def _feeds(scene: Sight) -> Iterator[Finding]:
    now = scene.moment.now
    for key, state in scene.states.items():
        if key in scene.unread or not state.is_begun:
            continue
        share = 100 * state.rejected / state.consumed if state.consumed else 0.0
        usual = 100 * state.week_rejected / state.week_consumed if state.week_consumed else 0.0
        rules = scene.rejections.get(key, ())
        only_refused = state.consumed > 0 and state.accepted == 0 and state.rejected > 0
        jumped = state.consumed >= _LEAST_EVENTS and share >= max(_LEAST_SHARE, _JUMP * usual)
        if rules and (jumped or (only_refused and key in scene.moment.silent)):
            yield _refusing(scene, state, share, usual, rules)
        elif key in scene.moment.silent and key != REPORT_FEED:
            name = Bilingual(state.name_vi, state.name_en)
            span = None if state.newest_at is None else now - state.newest_at
            last = None if state.newest_at is None else wording.moment_text(state.newest_at, scene.zone)
            touches = _resting_on(scene, key, "stale")
            title, summary = wording.feed_silent(name, span, last, state.rejected, len(touches))
            since = (state.newest_at or now) + state.cadence
            yield Finding(
                cause=f"feed_silent:{key}",
                kind="feed_silent",
                severity="warning",
                sector=scene.sectors.get(state.key, state.sector),
                owner=_owner_of(scene, key),
                title_vi=title.vi,
                title_en=title.en,
                summary_vi=summary.vi,
                summary_en=summary.en,
                since=min(since, now),
                feed=key,
                evidence={
                    "newest_accepted_at": None if state.newest_at is None else state.newest_at.isoformat(),
                    "cadence_minutes": state.cadence.total_seconds() / 60,
                    "refused_last_hour": state.rejected,
                },
                touches=touches,
                link={"board": "quality", "feed": key},
            )


def _refusing(
    scene: Sight, state: FeedState, share: float, usual: float, rules: Sequence[Mapping[str, Any]]
) -> Finding:
    first = rules[0]
    reason = Bilingual(first["message_vi"] or first["rule"], first["message_en"] or first["rule"])
    began: datetime = first["since"] or scene.moment.now
    when = wording.moment_text(began, scene.zone)
    name = Bilingual(state.name_vi, state.name_en)
    title, summary = wording.rejections_up(name, share, usual, first["rule"], reason, when)
    evidence: dict[str, Any] = {
        "share": round(share, 2),
        "usual_share": round(usual, 2),
        "consumed": state.consumed,
        "rejected": state.rejected,
        "rules": [
            {name: row[name] for name in ("rule", "field", "events", "reporters", "named")}
            | {"since": row["since"].isoformat() if row["since"] else None}
            for row in rules
        ],
    }
    loaded = scene.loaded_at
    if loaded is not None and timedelta() <= began - loaded <= timedelta(hours=24):
        evidence["profile_loaded_at"] = loaded.isoformat()
        extra = wording.moment_text(loaded, scene.zone)
        summary = Bilingual(
            f"{summary.vi} Danh mục, sổ đăng ký được nạp lại lúc {extra.vi}.",
            f"{summary.en} Catalogue and registers were loaded at {extra.en}.",
        )
    return Finding(
        cause=f"rejections_up:{state.key}",
        kind="rejections_up",
        severity="critical" if state.key in scene.moment.silent else "warning",
        sector=scene.sectors.get(state.key, state.sector),
        owner=_owner_of(scene, state.key),
        title_vi=title.vi,
        title_en=title.en,
        summary_vi=summary.vi,
        summary_en=summary.en,
        since=began,
        feed=state.key,
        evidence=evidence,
        touches=_resting_on(scene, state.key, None),
        link={"board": "quality", "feed": state.key},
    )


def _reporters(scene: Sight, silent: frozenset[str]) -> Iterator[Finding]:
    """One a feed: who has not reported the newest day whose deadline has passed."""
    for feed in sorted({feed for feed, _ in scene.missing}):
        if feed in silent or feed in scene.held or feed in scene.moment.silent:
            continue
        duty = scene.deadlines.duties(feed)[0]
        late = [
            day
            for key, day in scene.missing
            if key == feed and scene.deadlines.due(duty, day) <= scene.moment.business_now
        ]
        missing = scene.missing[feed, max(late)] if late else ()
        if not missing:
            continue
        day, state, call = max(late), scene.states[feed], scene.moment.calls[feed, max(late)]
        names = [one.name for one in missing]
        reported, due = int(call.reported[0]), int(call.due[0])
        text = Bilingual(state.name_vi, state.name_en)
        title, summary = wording.reporters_missing(text, wording.day_text(day), names, reported, due)
        touches = _resting_on(scene, feed, "incomplete")
        yield Finding(
            cause=f"reporter_missing:{feed}",
            kind="reporter_missing",
            severity="warning" if touches else "info",
            sector=scene.sectors.get(state.key, state.sector),
            owner=_owner_of(scene, feed),
            title_vi=title.vi,
            title_en=title.en,
            summary_vi=summary.vi,
            summary_en=summary.en,
            since=scene.deadlines.due(duty, day),
            feed=feed,
            period="day",
            bucket=day,
            value=reported,
            expected=due,
            evidence={
                "day": day.isoformat(),
                "reported": reported,
                "due": due,
                "missing": [{"code": one.code, "name": one.name, "area_id": one.area_id} for one in missing[:_NAMED]],
                "missing_total": len(missing),
            },
            touches=touches,
            link={"board": "quality", "feed": feed, "on": day.isoformat()},
        )


def _agencies(scene: Sight) -> Iterator[Finding]:
    """One an agency: the reports that it owes."""
    if REPORT_FEED in scene.held:
        return
    rows = scene.statuses.filter(
        pl.col("cause").str.starts_with(f"{REPORT_FEED}:") & pl.col("status").is_in(["incomplete", "stale"])
    )
    for (cause,), group in rows.group_by("cause", maintain_order=True):
        agency = str(cause).partition(":")[2]
        name = scene.agencies.get(agency, agency)
        codes = sorted(set(group["code"].to_list()))
        reported = [code for code in codes if scene.edition.indicators[code].feed == REPORT_FEED] or codes
        owed = [scene.edition.indicators[code] for code in reported]
        title, summary = wording.reports_missing(
            Bilingual(name, scene.english.get(name, name)), [Bilingual(one.name_vi, one.name_en) for one in owed]
        )
        first = scene.edition.indicators[reported[0]]
        yield Finding(
            cause=f"reporter_missing:{cause}",
            kind="reporter_missing",
            severity="warning",
            sector=first.sector,
            owner=first.owner,
            title_vi=title.vi,
            title_en=title.en,
            summary_vi=summary.vi,
            summary_en=summary.en,
            since=group["since"].min(),  # type: ignore[arg-type]
            feed=REPORT_FEED,
            evidence={"agency": agency, "name": name, "indicators": reported[:_NAMED], "total": len(reported)},
            touches=touches_of(group),
            link={"board": "quality", "feed": REPORT_FEED, "agency": agency},
        )


def _owner_of(scene: Sight, feed: str) -> str:
    """Return who answers for most of the indicators that rest on a feed alone."""
    owners = [
        indicator.owner
        for code, indicator in scene.edition.indicators.items()
        if indicator.feed == feed or scene.edition.compiled.feeds(code) == (feed,)
    ]
    return max(sorted(set(owners)), key=owners.count) if owners else CENTRE


def _resting_on(scene: Sight, feed: str, status: str | None) -> frozenset[Touch]:
    """Return the figures that a feed's fault has made so; without a status, those of the province that rest on it."""
    rows = scene.statuses
    if status is not None:
        return touches_of(rows.filter((pl.col("cause") == feed) & (pl.col("status") == status)))
    compiled = scene.edition.compiled
    codes = [code for code in scene.edition.indicators if feed in compiled.feeds(code)]
    return touches_of(rows.filter(pl.col("code").is_in(codes) & (pl.col("area_id") == scene.ground.root.area_id)))
