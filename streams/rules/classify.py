"""What each event of a batch means for the record it speaks of, whatever the order of arrival.

The highest revision of a record stands. Compared with what is stored and with its neighbours in the batch, an event
is one of:

    new         first that is known of its record
    corrected   replaces an older revision (or revives a voided record)
    voided      removes its record, or marks one that has not come yet
    superseded  older than what stands: kept in the history, counts nowhere
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
    """A batch taken apart; every frame has the columns of the events plus `stored_revision`, `_hash` and `_at`.

    winners:    revisions that stand from now on, voids among them, one a record.
    superseded: revisions that go to the history at once: overtaken before they were stored.
    conflicts:  revisions refused.
    The counts are those of events taken one by one; `overtaken` arrived after a newer revision.
    """

    winners: pl.DataFrame
    superseded: pl.DataFrame
    conflicts: pl.DataFrame
    duplicate: int
    corrected: int
    voided: int
    overtaken: int

    @property
    def accepted(self) -> int:
        """Events that became part of the records or of their history."""
        return self.winners.height + self.superseded.height


def classify(events: pl.DataFrame, stored: pl.DataFrame, history: pl.DataFrame) -> Classified:
    """Compare a batch with what is known of its records.

    events:  `key`, `revision`, `content_hash`, `voided` and whatever else, in the order of the log.
    stored:  `STORED_SCHEMA`, the standing revision of each known key (`stored_at` null = voided).
    history: `HISTORY_SCHEMA`, older revisions for the (key, revision) of this batch.
    """
    same = ["key", "revision"]
    frame = events.join(stored, on="key", how="left", maintain_order="left").join(
        history, on=same, how="left", maintain_order="left"
    )
    known = (
        pl.when(pl.col("stored_revision") == pl.col("revision"))
        .then(pl.col("stored_hash"))
        .otherwise(pl.col("history_hash"))
    )
    first = pl.col("content_hash").first().over(same)
    repeated = pl.int_range(pl.len()).over(same) > 0
    reference = pl.coalesce(known, pl.when(repeated).then(first))
    frame = frame.with_columns(
        outcome=pl.when(reference.is_null())
        .then(pl.lit("accepted"))
        .when(reference == pl.col("content_hash"))
        .then(pl.lit("duplicate"))
        .otherwise(pl.lit("conflict"))
    ).drop("history_hash")
    accepted = frame.filter(pl.col("outcome") == "accepted")
    stands = (pl.col("revision") == pl.col("revision").max().over("key")) & (
        pl.col("revision") > pl.col("stored_revision").fill_null(-1)
    )
    # The counts speak of each event as if it had come alone, so that they do not depend on how the log was cut.
    before = pl.max_horizontal("stored_revision", pl.col("revision").cum_max().shift(1).over("key"))
    rose = before.is_null() | (pl.col("revision") > before)
    accepted = accepted.with_columns(stands=stands, rose=rose, follows=before.is_not_null()).drop("outcome")
    helping = ("stands", "rose", "follows")
    return Classified(
        winners=accepted.filter("stands").drop(helping),
        superseded=accepted.filter(~pl.col("stands")).drop(helping),
        conflicts=frame.filter(pl.col("outcome") == "conflict").drop("outcome"),
        duplicate=frame.filter(pl.col("outcome") == "duplicate").height,
        corrected=accepted.filter(pl.col("rose") & pl.col("follows") & ~pl.col("voided")).height,
        voided=accepted.filter(pl.col("rose") & pl.col("voided")).height,
        overtaken=accepted.filter(~pl.col("rose")).height,
    )
