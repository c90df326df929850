"""A rule that mends refused events: which ones, and what is changed in each; JSON that a second person reviews.

The steps are those of JSON Patch (RFC 6902) with paths as of RFC 6901, as far as mending needs them: `test`, `replace`,
`add`, `remove`; and two more: `map` replaces a text by what a table says, `prefix` replaces how a text begins.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator
from pydantic_core import from_json, to_json

from ioc.errors import ConfigError
from ioc.feeds.event import FIXED_ATTRIBUTES

Pointer = Annotated[str, StringConstraints(pattern=r"^(/([^~/]|~0|~1)*)+$")]


class _PathStep(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Pointer


class TestStep(_PathStep):
    """The event is meant only where the value at the path is this one."""

    op: Literal["test"]
    value: Any


class ReplaceStep(_PathStep):
    """Put another value in place of the one at the path; an event without it is not meant."""

    op: Literal["replace"]
    value: Any


class AddStep(_PathStep):
    """Put a value at a path, whether there is one or not."""

    op: Literal["add"]
    value: Any


class RemoveStep(_PathStep):
    """Take away what is at the path; an event without it is not meant."""

    op: Literal["remove"]


class MapStep(_PathStep):
    """Replace the text at the path by what the table says; an event whose text it does not name is not meant."""

    op: Literal["map"]
    values: dict[str, Any]


class PrefixStep(_PathStep):
    """Replace the beginning of the text at the path; an event whose text does not begin so is not meant."""

    op: Literal["prefix"]
    old: Annotated[str, StringConstraints(min_length=1)]
    new: str


MendStep = Annotated[TestStep | ReplaceStep | AddStep | RemoveStep | MapStep | PrefixStep, Field(discriminator="op")]


class MendRule(BaseModel):
    """Mends the events of one feed that one rule refused, at one field where it is named."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    feed: str
    rule: str
    field: str | None = None
    why: Annotated[str, StringConstraints(min_length=10)]
    steps: Annotated[tuple[MendStep, ...], Field(min_length=1)]

    @field_validator("steps")
    @classmethod
    def _keep_what_is_fixed(cls, steps: tuple[MendStep, ...]) -> tuple[MendStep, ...]:
        wrong = [step.path for step in steps if step.op != "test" and step.path.split("/")[1] in FIXED_ATTRIBUTES]
        if wrong:
            raise ValueError(f"{', '.join(wrong)} must stay as the sender wrote it")
        if all(step.op == "test" for step in steps):
            raise ValueError("no step changes anything")
        return steps

    @property
    def digest(self) -> str:
        """Return what identifies the rule: whoever applies it names the digest that the preview has shown."""
        return hashlib.sha256(to_json(self.model_dump(mode="json"))).hexdigest()[:16]


def read_rule(path: Path) -> MendRule:
    """Read a rule; raises ConfigError with the place of its first mistake."""
    try:
        return MendRule.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise ConfigError(f"{path}: {where}: {first['msg']}; docs/operate.md shows a rule") from error


def mend(rule: MendRule, payload: bytes) -> bytes | None:
    """Return the event with the rule's changes; None where the event is not meant, or is no JSON object."""
    try:
        event = from_json(payload)
    except ValueError:
        return None
    if not isinstance(event, dict):
        return None
    for step in rule.steps:
        if not _take(event, step):
            return None
    return to_json(event)


def _take(event: dict[str, Any], step: MendStep) -> bool:
    """Take one step; False where the event does not have what it needs."""
    *way, last = (part.replace("~1", "/").replace("~0", "~") for part in step.path[1:].split("/"))
    place: Any = event
    for part in way:
        place = _child(place, part)
    key: Any = int(last) if isinstance(place, list) and last.isdecimal() else last
    there = key < len(place) if isinstance(place, list) and isinstance(key, int) else isinstance(place, dict)
    if not there or (isinstance(place, dict) and step.op != "add" and key not in place):
        return False
    if step.op == "remove":
        del place[key]
        return True
    if step.op == "test":
        return bool(place[key] == step.value) and isinstance(place[key], bool) == isinstance(step.value, bool)
    changed, value = _changed(step, None if step.op == "add" else place[key])
    if changed:
        place[key] = value
    return changed


def _changed(step: ReplaceStep | AddStep | MapStep | PrefixStep, value: Any) -> tuple[bool, Any]:
    """Return whether a value is meant, and what it becomes."""
    match step:
        case MapStep():
            meant = isinstance(value, str) and value in step.values
            return meant, step.values[value] if meant else value
        case PrefixStep():
            meant = isinstance(value, str) and value.startswith(step.old)
            return meant, step.new + value.removeprefix(step.old) if meant else value
        case _:
            return True, step.value


def _child(place: Any, part: str) -> Any:
    if isinstance(place, dict):
        return place.get(part)
    if isinstance(place, list) and part.isdecimal() and int(part) < len(place):
        return place[int(part)]
    return None
