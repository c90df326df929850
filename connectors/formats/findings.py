"""What reading one record finds wrong: reasons that refuse it, and warnings that do not."""

from __future__ import annotations

from ioc.errors import Reason, RejectedError
from ioc.feeds.validation import mask

_NOBODY = 4
_LONGEST_NAME = 200


class Findings:
    """Collects the reasons and warnings of one record, so that its sender learns of all mistakes at once.

    A finding is told once, however often the code reads the place where it lies.
    """

    def __init__(self) -> None:
        self.reasons: list[Reason] = []
        self.warnings: list[Reason] = []

    def refuse(self, field: str, rule: str, vi: str, en: str, value: str = "") -> None:
        """Add a reason; `value` must hold nothing that identifies a person."""
        _add(self.reasons, reason(field, rule, vi, en, value))

    def warn(self, field: str, rule: str, vi: str, en: str, value: str = "") -> None:
        """Add a warning; `value` must hold nothing that identifies a person."""
        _add(self.warnings, reason(field, rule, vi, en, value))

    def missing(self, field: str) -> None:
        """Add the reason of a required field that is absent or empty."""
        self.refuse(field, "required", "thiếu trường bắt buộc", "is required; fill it in and send the file again")

    def settle(self) -> None:
        """Raise RejectedError where the record is refused."""
        if self.reasons:
            raise RejectedError(self.reasons)


def reason(field: str, rule: str, vi: str, en: str, value: str = "") -> Reason:
    """Return a reason; `value` must hold nothing that identifies a person."""
    return Reason(field=field, rule=rule, value=value, message_vi=vi, message_en=en)


def refused(field: str, rule: str, vi: str, en: str, value: str = "") -> RejectedError:
    """Return the error of a single reason."""
    return RejectedError([reason(field, rule, vi, en, value)])


def shown(text: str) -> str:
    """Return a code or rate as reasons may show it: too short to be anyone's name or number, else masked."""
    return text if len(text) <= _NOBODY and text.isprintable() else mask(text)


def shown_name(text: str) -> str:
    """Return the name of a file, sheet or element without signs that would steer a terminal."""
    printable = "".join(sign if sign.isprintable() else "?" for sign in text)
    return printable if len(printable) <= _LONGEST_NAME else printable[: _LONGEST_NAME - 1] + "…"


def _add(findings: list[Reason], finding: Reason) -> None:
    if finding not in findings:
        findings.append(finding)
