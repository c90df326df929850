"""The envelope of an event: CloudEvents 1.0 around one revision of one record.

`source` names the reporter (`urn:ioc:reporter:<code>`), `subject` the record (`<reporter code>/<rest of its key>`),
so that no reporter can speak of another's records. `revision` orders the versions of a record; where it is absent,
the milliseconds of `time` stand in. `voided` marks a revision that removes its record and carries no data.

Source: CloudEvents 1.0.2, JSON event format; extension attributes are lower-case and alphanumeric.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model

from ioc.feeds.bounds import SentAt

REPORTER_URN = "urn:ioc:reporter:"
CONTENT_TYPE_EVENT = "application/cloudevents+json"
CONTENT_TYPE_BATCH = "application/cloudevents-batch+json"
MAX_REVISION = 2**62

# Control characters are refused: PostgreSQL's text cannot hold U+0000, and nothing that names a record needs one.
_TEXT = r"^[^\x00-\x1f\x7f]+$"

ReporterCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]


class Record(BaseModel, ABC):
    """Base of every feed's data: one revision of one record, personal data already gone."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @abstractmethod
    def record_key(self) -> str:
        """Return what follows the reporter's code in the record's key."""


class Envelope(BaseModel):
    """CloudEvents attributes that every event carries; `data` is typed per feed by `envelope_of`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    specversion: Literal["1.0"]
    id: Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=_TEXT)]
    source: Annotated[str, StringConstraints(pattern=rf"^{REPORTER_URN}[0-9A-Za-z][0-9A-Za-z._-]{{0,63}}$")]
    type: Annotated[str, StringConstraints(max_length=128)]
    subject: Annotated[str, StringConstraints(min_length=3, max_length=256, pattern=_TEXT)]
    time: SentAt
    revision: Annotated[int, Field(ge=0, le=MAX_REVISION)] | None = None
    voided: bool = False
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: Annotated[str, StringConstraints(max_length=256)] | None = None
    data: Any = None

    @property
    def reporter(self) -> str:
        """The reporter's code."""
        return self.source[len(REPORTER_URN) :]

    @property
    def effective_revision(self) -> int:
        """The revision, or the milliseconds of `time` where none was given."""
        return self.revision if self.revision is not None else int(self.time.timestamp() * 1000)


def envelope_of(event_type: str, model: type[Record]) -> type[Envelope]:
    """Return the envelope whose `type` is `event_type` and whose `data` is a `model` (or nothing, for a void)."""
    fields: dict[str, Any] = {"type": (Literal[event_type], ...), "data": (model | None, None)}
    return create_model(f"{model.__name__}Event", __base__=Envelope, **fields)
