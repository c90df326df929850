"""What each event of a batch means for its record, whatever the order of arrival.

The highest revision of a record wins. Compared with what is stored and with its neighbours in the batch, an event
is one of:

    new         first that is known of its record
    corrected   replaces an older revision (or revives a voided record)
    voided      removes its record, or marks one that has not come yet
    superseded  older than the winning revision: kept in the history, counts nowhere
    duplicate   same revision, same content
    conflict    same revision, other content: rejected
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

STORED_SCHEMA: dict[str, pl.DataType] = {
    "key": pl.String(),
    "stored_revision": pl.Int64(),
    "stored_hash": pl.String(),
    "stored_at": pl.Datetime("us", "UTC"),
}
HISTORY_SCHEMA: dict[str, pl.DataType] = {
    "key": pl.String(),
    "revision": pl.Int64(),
    "history_hash": pl.String(),
}


@dataclass(frozen=True)
class Classified:
    """Events taken apart; every frame has the columns of the events plus `stored_revision`, `_hash` and `_at`.

    winners:    revisions that stand from now on, voids among them, one a record.
    superseded: revisions that go to the history at once: overtaken before they were stored.
    conflicts:  revisions refused.
    outcomes:   `partition`, `outcome`, `events`: what each event came to when they are taken one by one, so that the
                counts do not depend on how the log was cut.
    """

    winners: pl.DataFrame
    superseded: pl.DataFrame
    conflicts: pl.DataFrame
    outcomes: pl.DataFrame


def classify(events: pl.DataFrame, stored: pl.DataFrame, history: pl.DataFrame) -> Classified:
    """Compare a batch with what is known of its records.

    events:  `partition`, `key`, `revision`, `content_hash`, `voided` and whatever else, in the order of the log.
    stored:  `STORED_SCHEMA`, the winning revision of each known key (`stored_at` null = voided).
    history: `HISTORY_SCHEMA`, older revisions for the (key, revision) of this batch.
    """
    same = ["key", "revision"]
    # Only what is compared goes through the joins and windows; the rest of the columns are put beside it at the end.
    frame = (
        events.select("partition", "key", "revision", "content_hash", "voided")
        .with_row_index("row")
        .join(stored, on="key", how="left", maintain_order="left")
        .join(history, on=same, how="left", maintain_order="left")
    )
    # Few records come twice in a batch, and only they need windows, which cost more than all the rest.
    again = frame["key"].is_duplicated()
    frame = pl.concat([_judge(frame.filter(~again), again=False), _judge(frame.filter(again), again=True)]).sort("row")
    whole = events.hstack(frame.select("stored_revision", "stored_hash", "stored_at"))
    return Classified(
        winners=whole.filter(frame["wins"]),
        superseded=whole.filter(frame["fresh"] & ~frame["wins"]),
        conflicts=whole.filter(frame["outcome"] == "conflict"),
        outcomes=frame.group_by("partition", "outcome").agg(events=pl.len()),
    )


def _judge(frame: pl.DataFrame, *, again: bool) -> pl.DataFrame:
    """Add what each event comes to: `fresh`, `wins`, `outcome`.

    again: each record has several events here; otherwise it has one.
    """
    same = ["key", "revision"]
    revision = pl.col("revision")
    reference = (
        pl.when(pl.col("stored_revision") == revision).then(pl.col("stored_hash")).otherwise(pl.col("history_hash"))
    )
    if again:
        repeated = pl.int_range(pl.len()).over(same) > 0
        reference = pl.coalesce(reference, pl.when(repeated).then(pl.col("content_hash").first().over(same)))
    frame = frame.with_columns(fresh=reference.is_null(), same=reference == pl.col("content_hash"))
    # Of the revisions that are new: which are higher than all before them, and which win in the end.
    before, highest = pl.col("stored_revision"), revision
    if again:
        risen = pl.when("fresh").then("revision")
        before = pl.max_horizontal(before, risen.cum_max().forward_fill().shift(1).over("key"))
        highest = risen.max().over("key")
    return frame.with_columns(
        wins=pl.col("fresh")
        & (revision == highest)
        & (pl.col("stored_revision").is_null() | (revision > pl.col("stored_revision"))),
        outcome=pl.when("same")
        .then(pl.lit("duplicate"))
        .when(~pl.col("fresh"))
        .then(pl.lit("conflict"))
        .when(revision < before)
        .then(pl.lit("superseded"))
        .when("voided")
        .then(pl.lit("voided"))
        .when(before.is_null())
        .then(pl.lit("new"))
        .otherwise(pl.lit("corrected")),
    )
