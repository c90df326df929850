"""The envelope of an event: CloudEvents 1.0 around one revision of one record.

`source` names the reporter (`urn:ioc:reporter:<code>`), `subject` the record (`<reporter code>/<rest of its key>`),
so that no reporter can speak of another's records. `revision` orders the versions of a record; where it is absent,
the milliseconds of `time` stand in. `voided` marks a revision that removes its record and carries no data.

Source: CloudEvents 1.0.2, JSON event format and its public conformance cases: an attribute that is null is absent, a
time is RFC 3339, names of extension attributes are lower-case and alphanumeric and their values plain.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, GetCoreSchemaHandler, StringConstraints, create_model, model_validator
from pydantic_core import CoreSchema, core_schema, from_json

from ioc.errors import Reason, RejectedError
from ioc.feeds.bounds import SentAt
from ioc.feeds.rule import RecordRule, Term
from ioc.feeds.strict import StrictModel

REPORTER_URN = "urn:ioc:reporter:"
# What an event is, and which revision: a mend may correct who and what, never turn one kind into another.
FIXED_ATTRIBUTES = ("specversion", "type", "revision")
CONTENT_TYPE_EVENT = "application/cloudevents+json"
CONTENT_TYPE_BATCH = "application/cloudevents-batch+json"
MAX_REVISION = 2**62

MAX_EXTENSION = 1024
# `application/json`, any `+json`, with parameters such as a charset.
_JSON_TYPE = r"^[A-Za-z]+/([A-Za-z0-9!#$&^_.-]+\+)?[Jj][Ss][Oo][Nn]( *;[ -~]*)?$"
_URI = r"^[A-Za-z][A-Za-z0-9+.-]*:[!-~]+$"
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
# Control characters are refused: PostgreSQL's text cannot hold U+0000, and nothing that names a record needs one.
TEXT = r"^[^\x00-\x1f\x7f]+$"

ReporterCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$")]


class Record(StrictModel):
    """Base of every feed's data: one revision of one record, personal data already gone.

    KEY:   what follows the reporter's code in the record's key.
    RULES: what must hold between its fields; the first that is broken is told.
    """

    model_config = ConfigDict(extra="forbid")

    KEY: ClassVar[Term]
    RULES: ClassVar[tuple[RecordRule, ...]] = ()

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        values = self.__dict__
        for rule in self.RULES:
            if rule.broken.of(values):
                raise ValueError(*rule.told(values))
        return self

    def record_key(self) -> str:
        """Return what follows the reporter's code in the record's key."""
        return str(self.KEY.of(self.__dict__))


class _ExtensionValue:
    """What an extension attribute may be: true or false, a whole number of 32 bits, text, or null for absent."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        plain = core_schema.union_schema(
            [
                core_schema.str_schema(strict=True, max_length=MAX_EXTENSION),
                core_schema.bool_schema(strict=True),
                core_schema.int_schema(strict=True, ge=-(2**31), le=2**31 - 1),
                core_schema.none_schema(),
            ]
        )
        return core_schema.custom_error_schema(
            plain,
            custom_error_type="extension_value",
            custom_error_message="An extension attribute should be true, false, a whole number of 32 bits or a text "
            f"of at most {MAX_EXTENSION:,} characters",
        )


class _ExtensionName:
    """How the standard lets an extension attribute be named."""

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: object, _handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.custom_error_schema(
            core_schema.str_schema(pattern=r"^[a-z0-9]{1,64}$", strict=True),
            custom_error_type="extension_name",
            custom_error_message="The name of an extension attribute should be of the letters a to z and digits only, "
            "64 at most",
        )


class Envelope(StrictModel):
    """CloudEvents attributes that every event carries; `data` is typed per feed by `envelope_of`.

    Extension attributes that are not named here are checked by the standard's rules and used for nothing.
    data_base64: the standard's other way to carry data; `read_event` turns it into `data`.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[_ExtensionName, _ExtensionValue]  # type: ignore[assignment]

    specversion: Literal["1.0"]
    id: Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=TEXT)]
    source: Annotated[str, StringConstraints(pattern=rf"^{REPORTER_URN}[0-9A-Za-z][0-9A-Za-z._-]{{0,63}}$")]
    type: Annotated[str, StringConstraints(max_length=128)]
    subject: Annotated[str, StringConstraints(min_length=3, max_length=256, pattern=TEXT)]
    time: SentAt
    revision: Annotated[int, Field(ge=0, le=MAX_REVISION)] | None = None
    voided: bool | None = False
    datacontenttype: Annotated[str, StringConstraints(max_length=256, pattern=_JSON_TYPE)] | None = None
    dataschema: Annotated[str, StringConstraints(max_length=256, pattern=_URI)] | None = None
    data: Any = None
    data_base64: Annotated[str, StringConstraints(min_length=1)] | None = None

    @property
    def reporter(self) -> str:
        """The reporter's code."""
        return self.source[len(REPORTER_URN) :]

    @property
    def effective_revision(self) -> int:
        """The revision, or the milliseconds of `time` where none was given."""
        return self.revision if self.revision is not None else int(self.time.timestamp() * 1000)


def event_json(
    event_type: str,
    subject: str,
    time: str,
    *,
    event_id: str = "",
    revision: int | None = None,
    data: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Return an event as a dict ready for JSON, for those who write events; without `data` it is a void.

    subject:  `<reporter>/<rest of the record's key>`; the reporter becomes the source.
    time:     RFC 3339 with its offset.
    event_id: without one, the hash of all the rest: the same content has the same id.
    """
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": event_id,
        "source": f"{REPORTER_URN}{subject.partition('/')[0]}",
        "type": event_type,
        "subject": subject,
        "time": time,
        **({} if revision is None else {"revision": revision}),
        "datacontenttype": "application/json",
        **({"voided": True} if data is None else {"data": data}),
    }
    if not event_id:
        del event["id"]
        event["id"] = hashlib.sha256(json.dumps(event, sort_keys=True).encode()).hexdigest()[:32]
    return event


def envelope_of(event_type: str, model: type[Record]) -> type[Envelope]:
    """Return the envelope whose `type` is `event_type` and whose `data` is a `model` (or nothing, for a void)."""
    fields: dict[str, Any] = {"type": (Literal[event_type], ...), "data": (model | None, None)}
    return create_model(f"{model.__name__}Event", __base__=Envelope, **fields)


def attribute_value(name: str, text: str) -> str | int | bool:
    """Return an attribute's value from a header's text: only the standard's spelling of its type is read as that.

    Source: CloudEvents 1.0.2, type system (canonical string encodings). Some SDKs write `True` for `true`.
    """
    if name == "revision" and _INTEGER.fullmatch(text):
        return int(text)
    if name == "voided" and text.lower() in ("true", "false"):
        return text.lower() == "true"
    return text


def with_data(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event whose `data_base64` holds JSON with that JSON as its `data`; raises RejectedError."""
    if event.get("data") is not None:
        raise RejectedError([_TWO_DATA])
    opened = {name: value for name, value in event.items() if name != "data_base64"}
    try:
        opened["data"] = from_json(base64.b64decode(event["data_base64"], validate=True))
    except (ValueError, binascii.Error):
        raise RejectedError([_NO_JSON]) from None
    return opened


_TWO_DATA = Reason(
    field="data_base64",
    rule="data_twice",
    message_vi="chỉ được có data hoặc data_base64, không được có cả hai",
    message_en="an event has data or data_base64, not both",
)
_NO_JSON = Reason(
    field="data_base64",
    rule="data_base64",
    message_vi="data_base64 phải là JSON (UTF-8) mã hóa base64; nên gửi JSON trong data",
    message_en="data_base64 must be JSON in UTF-8, encoded in base64; better send the JSON in data",
)
