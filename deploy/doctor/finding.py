"""What one check found, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict

CheckVerdict = Literal["good", "warning", "fault", "unknown"]


class CheckResult(BaseModel):
    """The answer of one check. `unknown`: it could not be looked at, which is not good.

    part: what was looked at, such as `kafka`. message and advice: Vietnamese · English; good findings need no advice.
    """

    model_config = ConfigDict(frozen=True)

    part: str
    check: str
    verdict: CheckVerdict
    message: str
    advice: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether the exit status has to tell of it."""
        return self.verdict in ("fault", "unknown")


def exit_status(found: Iterable[CheckResult]) -> int:
    """Return 1 where something is at fault or unknown, else 0."""
    return 1 if any(one.is_bad for one in found) else 0


Check = Callable[[], Iterable[CheckResult]]


def run_checks(checks: Iterable[tuple[str, Check]], gates: Container[str] = ()) -> Iterator[CheckResult]:
    """Yield the findings of all checks; one that fails is a finding itself, and does not stop the others.

    gates: parts whose further checks are left out once one of them could not be looked at: a server that does not
    answer is told once, not waited for again and again.
    """
    away: set[str] = set()
    for part, check in checks:
        if part in away:
            continue
        try:
            yield from check()
        except Exception as error:
            if part in gates:
                away.add(part)
            yield CheckResult(
                part=part,
                check=getattr(check, "__name__", "check").strip("_"),
                verdict="unknown",
                message=f"không kiểm tra được · could not be looked at: {type(error).__name__}: {error}",
                advice="Sửa lỗi này trước rồi chạy lại · Mend this first, then run it again.",
            )


def clock_finding(part: str, ahead: float, uncertainty: float, tolerance: float) -> CheckResult:
    """Judge another machine's clock: `ahead` of this one by so many seconds, known to `uncertainty` seconds."""
    told = f"{ahead:+.2f} s (±{uncertainty:.2f} s)"
    off = abs(ahead) - uncertainty
    if off <= tolerance:
        return CheckResult(
            part=part, check="clock", verdict="good", message=f"đồng hồ lệch máy này · clock against this one: {told}"
        )
    return CheckResult(
        part=part,
        check="clock",
        verdict="fault" if off > 10 * tolerance else "warning",
        message=f"đồng hồ lệch máy này · clock differs from this machine's: {told}",
        advice="Đồng bộ giờ (chrony) trên cả hai máy · Let both machines follow the same time servers (`chronyc "
        "tracking` on each): times of arrival, lateness and rejected future dates depend on it.",
    )
