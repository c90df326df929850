"""What reading one record finds wrong: reasons that refuse it, and warnings that do not."""

from __future__ import annotations

from ioc.errors import Reason, RejectedError
from ioc.feeds.validation import mask

_NOBODY = 4


class Findings:
    """Collects the reasons and warnings of one record, so that its sender learns of all mistakes at once.

    A finding is told once, however often the code reads the place where it lies.
    """

    def __init__(self) -> None:
        self.reasons: list[Reason] = []
        self.warnings: list[Reason] = []

    def refuse(self, field: str, rule: str, vi: str, en: str, value: str = "") -> None:
        """Add a reason; `value` must hold nothing that identifies a person."""
        _add(self.reasons, Reason(field=field, rule=rule, value=value, message_vi=vi, message_en=en))

    def warn(self, field: str, rule: str, vi: str, en: str, value: str = "") -> None:
        """Add a warning; `value` must hold nothing that identifies a person."""
        _add(self.warnings, Reason(field=field, rule=rule, value=value, message_vi=vi, message_en=en))

    def missing(self, field: str) -> None:
        """Add the reason of a required field that is absent or empty."""
        self.refuse(field, "required", "thiếu trường bắt buộc", "is required; fill it in and send the file again")

    def settle(self) -> None:
        """Raise RejectedError where the record is refused."""
        if self.reasons:
            raise RejectedError(self.reasons)


def refused(field: str, rule: str, vi: str, en: str, value: str = "") -> RejectedError:
    """Return the error of a single reason."""
    return RejectedError([Reason(field=field, rule=rule, value=value, message_vi=vi, message_en=en)])


def shown(text: str) -> str:
    """Return a code or rate as reasons may show it: too short to be anyone's name or number, else masked."""
    return text if len(text) <= _NOBODY else mask(text)


def _add(findings: list[Reason], finding: Reason) -> None:
    if finding not in findings:
        findings.append(finding)
