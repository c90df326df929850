"""The tree of errors: an error's class says what happens next.

`FatalError`     the process ends with a message for the operator; trying again cannot help.
`RetryableError` the same call may succeed later; callers back off and try again.
`RejectedError`  one input is wrong; it is refused or dead-lettered with its reasons, and other inputs go on.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict


class IocError(Exception):
    """Base of all errors this project raises on purpose."""


class FatalError(IocError):
    """The process cannot go on; the message says what to do."""


class ConfigError(FatalError):
    """A setting, a profile file or the catalogue is wrong; the message names file, row and column."""


class QuestionError(ConfigError):
    """What was asked for does not exist or cannot be known; both messages say what to ask instead."""

    def __init__(self, message_en: str, message_vi: str) -> None:
        super().__init__(message_en)
        self.message_vi = message_vi


class ExpressionError(ConfigError):
    """An expression or formula of the catalogue cannot be used; the message is Vietnamese, then English."""

    def __init__(self, message_vi: str, message_en: str) -> None:
        super().__init__(f"{message_vi} · {message_en}")


class PositionGapError(FatalError):
    """A batch does not start where the database says; restarting at the stored position fixes it."""


class CatalogueChangedError(FatalError):
    """The catalogue in the database is newer than what the process has loaded; starting again fixes it."""


class RetryableError(IocError):
    """An outside dependency is slow or away; the work may be tried again as it is."""


class KafkaUnavailableError(RetryableError):
    """Kafka did not acknowledge in time."""


class DatabaseUnavailableError(RetryableError):
    """PostgreSQL is away or cancelled the statement."""


class ConcurrentWriteError(RetryableError):
    """Another worker changed the same records; the transaction is rolled back and run again."""


class DeliveryError(RetryableError):
    """A message could not be handed over now; `retry_after`: seconds that the other side asks for, where it does."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UndeliverableError(IocError):
    """The recipient's address is refused for good; sending the message again as it is cannot help."""


class UnstorableError(IocError):
    """The database refuses values (out of range, wrong encoding, a broken rule); the events at fault are set aside."""


class Reason(BaseModel):
    """Why an input was refused: where (`field`), which `rule`, what it held, and a sentence in two languages."""

    model_config = ConfigDict(frozen=True)

    field: str
    rule: str
    value: str = ""
    message_vi: str
    message_en: str


class RejectedError(IocError):
    """One input is refused; `reasons` is never empty."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("; ".join(f"{r.field}: {r.message_en}" for r in self.reasons))
