"""What an explanation says; the same as JSON."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict

from ioc.reading.approved import ApprovalNote


class _Said(BaseModel):
    model_config = ConfigDict(frozen=True)


class CalculationNode(_Said):
    """A figure or a sum that an indicator is made of; `inputs` are what this part is made of in turn.

    name:    as a formula names it, such as `ytd(a.b)`; None for a sum.
    what:    how it is computed: a formula, or what is summed up over which records, in SQL.
    text_vi: the same in a sentence for the reader of the figure, and in English.
    none_vi: why there is no value, and in English; None where there is one.
    """

    code: str | None = None
    name: str | None = None
    what: str
    text_vi: str = ""
    text_en: str = ""
    value: float | None
    none_vi: str | None = None
    none_en: str | None = None
    inputs: tuple[CalculationNode, ...] = ()


class Fraction(_Said):
    """What is divided by what, of a ratio or an average; a value is None where it is not known, or there is none."""

    numerator: str
    numerator_value: float | None
    denominator: str
    denominator_value: float | None


class Version(_Said):
    """One version of the definition; `definition` is the catalogue's row as it was loaded."""

    version: int
    state: str
    created_at: datetime
    retired_at: datetime | None
    definition: dict[str, str]


class CountedRecord(_Said):
    """A record that counts, and how much it adds to what. The key is cut: it may hold a pseudonym.

    adds_to: the code of a figure, for a division with its side. A record that counts in several sums is told for the
    first of them, numerators before denominators.
    """

    feed: str
    reporter: str
    record: str
    revision: int
    counts_on: date
    adds: float
    adds_to: str
    received_at: datetime


class ExcludedRecord(_Said):
    """A record of the same feed, place and period that adds nothing: the definition does not count it."""

    feed: str
    reporter: str
    record: str
    revision: int
    business_date: date
    received_at: datetime


class RejectionGroup(_Said):
    """Events of a feed refused for one reason, of reporters of the area; in the whole province of unknown too.

    They are those whose business day lies in the period; of an event whose day could not be read, the day it came.
    """

    feed: str
    rule: str
    field: str | None
    message_vi: str | None
    message_en: str | None
    events: int
    last_at: datetime


class Corrections(_Said):
    """What happened on one day (of the province) to records of the place and period, those moved there or away too.

    revisions: those that do not stand: replaced, or come after a newer one.
    late:      of these, those known to have come after a newer one; they moved no figure.
    voided:    of these, those of records that do not stand any more.
    """

    day: date
    feed: str
    revisions: int
    late: int
    voided: int


class Effect(_Said):
    """What a record added to a sum of the cell by a revision, and by the one after it."""

    adds_to: str
    before: float
    after: float


class Correction(_Said):
    """A revision that is not in force any more, and the sums that its successor changed.

    record: None where it is not known any more, because the record is voided.
    """

    feed: str
    reporter: str | None
    record: str | None
    revision: int
    recorded_at: datetime
    late: bool
    effects: tuple[Effect, ...]


class StatusThen(_Said):
    """The indicator's status in the area at a past moment, since when, and how complete its reports were.

    reported, due: reporters that were in, of those expected by name when it became so; None where no reporter is.
    """

    status: str
    since: datetime
    settlement: str | None
    reported: int | None
    due: int | None


class ChangeSince(_Said):
    """A record that came, was corrected or was voided after a moment, and the sums of the cell that it moved.

    what:     new, changed or voided.
    revision: that wins now; None where the record is voided.
    """

    feed: str
    reporter: str | None
    record: str
    revision: int | None
    changed_at: datetime
    what: str
    effects: tuple[Effect, ...]


class MovedSum(_Said):
    """By how much all changes together moved a sum of the cell."""

    adds_to: str
    by: float


class SinceThen(_Said):
    """What became of a figure after the moment as of which it is explained, and why.

    version_now:      of the definition that holds now; another one than then, where it was replaced.
    register_changes: how many entries of the registers of its feeds changed since: they move what is due.
    counts:           how many of these records are new, changed or voided.
    moved:            by how much the records that came since moved each sum, all of them together.
    """

    value_now: float | None
    version_now: int | None
    register_changes: int
    counts: dict[str, int]
    moved: tuple[MovedSum, ...]
    changes: tuple[ChangeSince, ...]
    changes_total: int


class MissingReporter(_Said):
    """Who has not reported, and how many reports it owes, where deadlines are counted."""

    code: str
    name: str
    reports: int | None = None


class Completeness(_Said):
    """Who should report and who has, of the feed and area, in the period; `missing` names twenty at most.

    expected, reported: reports that were due and came, of a feed whose reporters owe one for each day, week, ...;
               of what agencies report, one for each period of its cadence (agencies, in shorter days). None is expected
               of a feed that events drive: `reported` says how many have sent some.
    indicator: of what agencies report, the indicator that is to be reported; None for other feeds.
    """

    feed: str
    indicator: str | None = None
    expected: int | None
    reported: int
    missing: tuple[MissingReporter, ...]


class Freshness(_Said):
    """How far a feed has come: its newest event, and contributions of the feed that wait to be folded into figures."""

    feed: str
    newest_received_at: datetime | None
    waiting: int


class CarriedReport(_Said):
    """What an area reported last of a level, and has not reported anew: it is carried forward, and part of the figure.

    reported_for: the first day of the period that it is of; `until` the last.
    stale:        whether the period after that has passed, too, without a report.
    """

    area_code: str
    area_name: str
    reported_for: date
    until: date
    value: float
    stale: bool


class Explanation(_Said):
    """Everything that one figure is made of.

    as_of: of a level that agencies report, the first day of the period that they reported last; it stands until the
           next report, so that it may lie long before the cell.
    stale: whether any part of it stands longer than its cadence allows.
    carried: the parts that are of an earlier day: areas that have not reported anew.
    postponed:   a late record has moved it, and the roll-up has not computed it anew yet.
    known_at:    the moment as of which it is explained; None for now. All that follows is of that moment.
    status_then: the indicator's status then; None where none had been computed, or for now.
    since_then:  what has come since.
    approval:    what the last approval of the period says; None where it was not signed off.
    older_revisions: how many revisions of the corrected records were not looked at: of each, the newest 100 are.
    suppressed:  there is a figure, and readers do not see it: a small count of persons, or what would give one away.
    withheld:    why readers see no records and no parts, in both languages; None where they do.
    """

    code: str
    version: int
    name_vi: str
    name_en: str
    unit: str
    kind: str
    definition: dict[str, str]
    versions: tuple[Version, ...]
    area_code: str
    area_name: str
    period: str
    start: date
    end: date
    value: float | None
    updated_at: datetime | None
    as_of: date | None = None
    stale: bool = False
    carried: tuple[CarriedReport, ...] = ()
    postponed: bool = False
    known_at: datetime | None = None
    status_then: StatusThen | None = None
    since_then: SinceThen | None = None
    approval: ApprovalNote | None = None
    suppressed: bool = False
    withheld: str | None = None
    made_of: CalculationNode
    fraction: Fraction | None
    records: tuple[CountedRecord, ...]
    records_total: int
    excluded: tuple[ExcludedRecord, ...]
    excluded_total: int
    corrections: tuple[Corrections, ...]
    changes: tuple[Correction, ...]
    changes_total: int
    older_revisions: int = 0
    rejections: tuple[RejectionGroup, ...]
    completeness: tuple[Completeness, ...]
    freshness: tuple[Freshness, ...]


def shortened(key: str) -> str:
    """Return a record's key with pseudonyms cut to their first digits."""
    return "/".join(part[:11] + "…" if len(part) > 24 else part for part in key.split("/"))
