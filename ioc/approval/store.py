"""Approvals in the database: signed, listed, verified."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import psycopg
from psycopg.rows import class_row, scalar_row
from psycopg.types.json import Jsonb

from ioc.approval.digest import SignedFigure, digest_of
from ioc.approval.model import Approval, ApprovalState, RevisedFigure, Verification
from ioc.catalogue.store import load_editions
from ioc.errors import QuestionError
from ioc.feeds.feed import Feed
from ioc.period import PERIODS, end_of, start_of
from ioc.reading.explanation import Cell, Explainer
from ioc.reading.past import PastFigures, PastMoment, past
from ioc.territory.area import AreaTree
from sql import load_queries

_EXPLAINED = 20  # revisions whose reason is shown


class Changed(NamedTuple):
    """One row of `select_changed`."""

    code: str
    area_code: str
    area_name: str
    approved: float | None
    now: float | None
    approved_version: int | None
    version_now: int | None
    area_id: int


def sign(
    connection: psycopg.Connection, sector: str, period: str, on: date, *, by: str, reason: str = "", today: date
) -> Approval:
    """Sign off the period of a sector that holds `on`, as its figures are now; over the writer's connection.

    today: of the province; a period that is not over cannot be signed.
    Raises QuestionError where there is nothing to sign, or where it was signed already and no reason is given.
    """
    if period not in PERIODS:
        raise QuestionError(
            f"no period is named {period!r}; there are {', '.join(PERIODS)}",
            f"không có kỳ {period!r}; các kỳ là {', '.join(PERIODS)}",
        )
    if not by.strip():
        raise QuestionError("say who signs: --by", "hãy ghi người duyệt: --by")
    bucket = start_of(period, on)
    if end_of(period, bucket) >= today:
        raise QuestionError(
            f"the {period} from {bucket} is not over yet; sign it afterwards",
            f"kỳ bắt đầu {bucket:%d/%m/%Y} chưa kết thúc; hãy duyệt sau",
        )
    queries = load_queries("approval")
    with connection.transaction():
        connection.execute(queries["lock"])
        due = {"sector": sector, "period": period, "bucket": bucket}
        if connection.cursor(row_factory=scalar_row).execute(queries["is_postponed"], due).fetchone():
            raise QuestionError(
                f"figures of the {period} from {bucket} are being computed after a late record; sign it in a minute",
                f"số liệu của kỳ bắt đầu {bucket:%d/%m/%Y} đang được tính lại do có hồ sơ đến muộn; hãy duyệt sau",
            )
        found = _figures_now(connection, sector, period, bucket)
        if not found:
            raise QuestionError(
                f"{sector} has no figure of the {period} from {bucket}; `ioc indicator list` names the sectors",
                f"{sector} chưa có số liệu của kỳ bắt đầu {bucket:%d/%m/%Y}",
            )
        earlier = list_approvals(connection, sector=sector, period=period, bucket=bucket, limit=1)
        reason = reason.strip()
        if earlier and not reason:
            raise QuestionError(
                f"it was approved by {earlier[0].signed_by} already; say why it is approved again: --reason",
                f"kỳ này đã được {earlier[0].signed_by} duyệt; hãy ghi lý do duyệt lại: --reason",
            )
        row = {
            "sector": sector,
            "period": period,
            "bucket": bucket,
            "signed_by": by.strip(),
            "reason": reason if earlier else "",
            "figures": len(found),
            "digest": digest_of(sector, period, bucket, found),
            "previous_id": earlier[0].approval_id if earlier else None,
        }
        cursor = connection.cursor(row_factory=scalar_row)
        approval_id = cursor.execute(queries["insert_approval"], row).fetchone()
        assert approval_id is not None
        by_area: dict[int, dict[str, tuple[int, float]]] = {}
        for one in found:
            by_area.setdefault(one.area_id, {})[one.code] = (one.version, one.value)
        with connection.cursor().copy(queries["copy_figures"]) as copy:
            for area_id, figures in by_area.items():
                copy.write_row((approval_id, area_id, Jsonb(figures)))
        return find_approval(connection, approval_id)


def list_approvals(
    connection: psycopg.Connection,
    *,
    sector: str | None = None,
    period: str | None = None,
    bucket: date | None = None,
    approval_id: int | None = None,
    limit: int = 100,
) -> list[Approval]:
    """Return approvals, the newest first."""
    asked = {"sector": sector, "period": period, "bucket": bucket, "approval_id": approval_id, "limit": limit}
    cursor = connection.cursor(row_factory=class_row(Approval))
    return cursor.execute(load_queries("approval")["list_approvals"], asked).fetchall()


def find_approval(connection: psycopg.Connection, approval_id: int) -> Approval:
    """Return one approval; raises QuestionError for a number that there is not."""
    found = list_approvals(connection, approval_id=approval_id, limit=1)
    if not found:
        raise QuestionError(
            f"there is no approval {approval_id}; `ioc approval list` shows them",
            f"không có lần duyệt số {approval_id}; xem `ioc approval list`",
        )
    return found[0]


class Verifier:
    """Verifies over a read-only connection in autocommit mode."""

    def __init__(
        self, connection: psycopg.Connection, feeds: Mapping[str, Feed], areas: AreaTree, timezone: str
    ) -> None:
        self._connection = connection
        self._feeds = feeds
        self._areas = areas
        self._timezone = timezone
        self._queries = load_queries("approval")

    def verify(self, approval: Approval, *, limit: int = 100, history: bool = False) -> Verification:
        """Compute the digest again, and compare the figures with those of now.

        history: compute it from what history tells of the moment of signing, too.
        """
        cursor = self._connection.cursor(row_factory=class_row(SignedFigure))
        kept = cursor.execute(self._queries["select_approved"], [approval.approval_id]).fetchall()
        place = (approval.sector, approval.period, approval.bucket)
        digest = digest_of(*place, kept)
        told = self._digest_of_history(approval) if history else None
        changed = self._changed(approval, limit)
        broken = digest != approval.digest or (told is not None and told != approval.digest)
        verdict: ApprovalState = "broken" if broken else "revised" if changed else "intact"
        revisions = [self._revision(approval, row, explained=at < _EXPLAINED) for at, row in enumerate(changed)]
        return Verification(
            approval=approval,
            verdict=verdict,
            digest_kept=digest,
            digest_history=told,
            revisions=tuple(revisions),
        )

    def _changed(self, approval: Approval, limit: int) -> list[Changed]:
        asked = {"limit": limit, **approval.model_dump(include={"approval_id", "sector", "period", "bucket"})}
        cursor = self._connection.cursor(row_factory=class_row(Changed))
        return cursor.execute(self._queries["select_changed"], asked).fetchall()

    def _digest_of_history(self, approval: Approval) -> str:
        """Return the digest over the figures as they were when the approval was signed."""
        with past(self._connection, PastMoment(approval.signed_at)):
            live = load_editions(self._connection).live
            codes = list(live.slots.get(approval.sector, {}))
            versions: dict[str, int] = dict(
                self._connection.execute(load_queries("past")["select_versions"], [approval.sector]).fetchall()
            )
            reader = PastFigures(self._connection, live.compiled, self._feeds, anew=True)
            found = reader.read(codes, approval.sector, approval.period, [approval.bucket], self._areas.areas)
        figures = (SignedFigure(area, code, versions[code], value) for (code, area, _), value in found.items())
        return digest_of(approval.sector, approval.period, approval.bucket, figures)

    def _revision(self, approval: Approval, row: Changed, *, explained: bool) -> RevisedFigure:
        told = {"code": row.code, "area_code": row.area_code, "area_name": row.area_name}
        found = RevisedFigure(**told, approved=row.approved, now=row.now)
        if not explained:
            return found
        vi, en = self._reason(approval, row)
        return found.model_copy(update={"reason_vi": vi, "reason_en": en})

    def _reason(self, approval: Approval, row: Changed) -> tuple[str, str]:
        """Return what has come since the approval that moves a figure."""
        parts: list[tuple[str, str]] = []
        if row.approved_version != row.version_now and None not in (row.approved_version, row.version_now):
            parts.append(("định nghĩa chỉ tiêu đã đổi", "the definition was replaced"))
        with past(self._connection, PastMoment(approval.signed_at)):
            compiled = load_editions(self._connection).live.compiled
            if row.code in compiled.plans:
                explainer = Explainer(self._connection, compiled, self._feeds, self._areas, timezone=self._timezone,
                                      moment=PastMoment(approval.signed_at))  # fmt: skip
                cell: Cell = explainer.cell(row.area_code, approval.period, approval.bucket)
                parts += _counted(explainer.came_since(row.code, cell))
        if not parts:
            parts.append(
                ("danh sách đơn vị báo cáo hoặc kỳ dữ liệu đã đổi", "the register, or the days known, changed")
            )
        return "; ".join(vi for vi, _ in parts), "; ".join(en for _, en in parts)


def _figures_now(connection: psycopg.Connection, sector: str, period: str, bucket: date) -> list[SignedFigure]:
    asked = {"sector": sector, "period": period, "bucket": bucket}
    cursor = connection.cursor(row_factory=class_row(SignedFigure))
    return cursor.execute(load_queries("approval")["select_figures"], asked).fetchall()


def _counted(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    words = {
        "new": ("bản ghi đến muộn", "records came late"),
        "changed": ("bản ghi được sửa", "records were corrected"),
        "voided": ("bản ghi bị hủy", "records were voided"),
    }
    return [(f"{counts[what]} {vi}", f"{counts[what]} {en}") for what, (vi, en) in words.items() if counts.get(what)]
