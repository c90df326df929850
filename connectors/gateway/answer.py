"""The answer to a sender: it has the same shape for every outcome, so that a client needs to parse only one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel

from ioc.errors import Reason, RejectedError


class EventResult(BaseModel):
    """What became of the event at place `index` of a request; `code`, `reasons`: why it was refused."""

    index: int
    id: str | None
    status: Literal["accepted", "refused"]
    code: Literal[202, 400, 403, 413, 422] = 202
    reasons: list[Reason] = []


class PublishResponse(BaseModel):
    """Accepted = on all in-sync replicas of Kafka. `reasons` are those of a request refused as a whole."""

    accepted: int = 0
    refused: int = 0
    results: list[EventResult] = []
    reasons: list[Reason] = []


class RequestRefusedError(RejectedError):
    """The request as a whole is answered with an HTTP status, and none of its events is taken."""

    def __init__(self, status: int, reasons: Sequence[Reason], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reasons)
        self.status = status
        self.headers = dict(headers or {})


def refusal(
    status: int, field: str, rule: str, *, vi: str, en: str, headers: Mapping[str, str] | None = None
) -> RequestRefusedError:
    """Return a refusal with one reason."""
    reason = Reason(field=field, rule=rule, message_vi=vi, message_en=en)
    return RequestRefusedError(status, [reason], headers)


def status_of(results: Sequence[EventResult]) -> int:
    """Return the HTTP status of a request whose events were judged one by one.

    202 = all accepted (an empty batch too), 207 = some; all refused: their code, or 422 where codes differ.
    """
    codes = {result.code for result in results}
    if codes <= {202}:
        return 202
    if 202 in codes:
        return 207
    return codes.pop() if len(codes) == 1 else 422


def all_accepted(ids: Sequence[str | None]) -> bytes:
    """Return the `PublishResponse` of a request of which every event was accepted, as JSON: as the model writes it.

    ids: of the events, as they may be shown; none has a character that JSON escapes.
    """
    results = ",".join(
        [
            f'{{"index":{index},"id":null,{_ACCEPTED}}}'
            if shown is None
            else f'{{"index":{index},"id":"{shown}",{_ACCEPTED}}}'
            for index, shown in enumerate(ids)
        ]
    )
    return f'{{"accepted":{len(ids)},"refused":0,"results":[{results}],"reasons":[]}}'.encode()


_ACCEPTED = '"status":"accepted","code":202,"reasons":[]'
