"""Use of the province's apps and virtual assistants: a visit to an app, a question to an assistant.

The reporter is the app's operator. Each province has apps of its own, which its catalogue names. Users are pseudonyms;
what they ask or do never travels.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, JsonValue, StringConstraints

from ioc.feeds.bounds import Day
from ioc.feeds.event import Record
from ioc.feeds.feed import Feed
from ioc.feeds.kind import kind_rules, shape
from ioc.feeds.rule import RecordRule, Term, joined, named
from ioc.pseudonym import PSEUDONYM_PATTERN

Pseudonym = Annotated[str, StringConstraints(pattern=PSEUDONYM_PATTERN)]
App = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
KINDS = {
    "visit": shape("item_id app user_id"),
    "question": shape("item_id assistant answered"),
}
_EXAMPLE: dict[str, JsonValue] = {
    "kind": "visit",
    "item_id": "k1:0123456789abcdef0123456789abcdef",
    "occurred_on": "2024-10-07",
    "app": "brvt_smart",
    "user_id": "k1:89abcdef0123456789abcdef01234567",
}


class AppUsage(Record):
    """One of:

    visit:    a user opened an app.
    question: somebody asked an assistant; `answered` when it gave an answer instead of passing.

    `item_id` is the pseudonym of the visit's or the question's id in the operator's system.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    kind: Literal["visit", "question"]
    item_id: Pseudonym
    occurred_on: Day
    app: App | None = None
    user_id: Pseudonym | None = None
    assistant: Literal["assistant_citizen", "assistant_officer"] | None = None
    answered: bool | None = None

    KEY: ClassVar[Term] = joined(named("kind"), "/", named("item_id"))
    RULES: ClassVar[tuple[RecordRule, ...]] = tuple(kind_rules(KINDS))


FEED = Feed(
    key="app.usage",
    model=AppUsage,
    effective="occurred_on",
    cadence=timedelta(minutes=90),
    name_vi="Sử dụng ứng dụng công dân và trợ lý ảo",
    name_en="Use of citizen apps and virtual assistants",
)
