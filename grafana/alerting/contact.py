"""Who is told, and where: the profile's `contacts.csv`, and the contact points that are made of it.

Columns `name,webhook,email`. `name` is an owner as the catalogue writes it, a post of the duty ladder, or
`operators`. Whoever
is not listed is reached at the addresses of the settings.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from grafana_foundation_sdk.builders.alerting import ContactPoint

from grafana.alerting.message import EMAIL, SUBJECT, TEXT
from grafana.alerting.rule import OPERATOR
from grafana.boards.board import Json, to_json
from grafana.uid import stable_uid
from ioc.errors import ConfigError
from ioc.settings import Settings
from ioc.table import Problems, read_rows

OPERATORS = "operators"
# Of the platform's operators, for what Grafana itself can resolve: the database answers again, the scheduler runs
# again.
WATCH = "watch"
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")


@dataclass(frozen=True)
class Contact:
    """Where one recipient is reached: a URL, and e-mail addresses; what is empty is not used."""

    webhook: str
    emails: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.webhook or self.emails)


def load_contacts(path: Path, known: Collection[str]) -> dict[str, Contact]:
    """Read the profile's contacts, if it has any.

    known: the owners and posts that may be told. Raises ConfigError naming file, row and column for a name that is
    none of
    them, a name that stands twice, no address, and an address that is none.
    """
    if not path.exists():
        return {}
    problems = Problems()
    contacts: dict[str, Contact] = {}
    for row in read_rows(path, ("name", "webhook", "email"), problems):
        name, contact = row.required("name"), Contact(row.text("webhook"), split_addresses(row.text("email")))
        if name in contacts:
            row.complain("name", f"{name} stands twice; keep one row")
        elif name not in known:
            row.complain(
                "name", f"{name!r} is no owner of the catalogue, no post of a duty ladder and not {OPERATORS!r}"
            )
        if not contact:
            row.complain("email", "must hold an address where webhook holds none")
        if contact.webhook and not is_url(contact.webhook):
            row.complain("webhook", f"{contact.webhook!r} is no http(s) address")
        for address in contact.emails:
            if not _EMAIL.fullmatch(address):
                row.complain("email", f"{address!r} is no e-mail address")
        contacts[name] = contact
    problems.raise_if_any()
    return contacts


def split_addresses(text: str) -> tuple[str, ...]:
    """Return the addresses that a comma or a semicolon separates."""
    return tuple(part.strip() for part in re.split(r"[,;]", text) if part.strip())


def is_url(text: str) -> bool:
    """Return whether a text is an address that a webhook can be sent to."""
    try:
        address = urlsplit(text)
        return address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        return False


def recipients(contacts: Mapping[str, Contact]) -> list[str]:
    """Return those who are reached at an address of their own."""
    return sorted(set(contacts) - {OPERATORS, OPERATOR})


def contact_points(contacts: Mapping[str, Contact], settings: Settings) -> list[Json]:
    """Return the contact points in the API's form: operators, the same for what resolves, and each recipient."""
    fallback = Contact(settings.alert_webhook_url, split_addresses(settings.alert_email))
    operators = contacts.get(OPERATORS) or contacts.get(OPERATOR) or fallback
    if not operators:
        raise ConfigError("alerts have nowhere to go: set IOC_ALERT_WEBHOOK_URL or IOC_ALERT_EMAIL")
    points = list(_points(OPERATORS, operators, resolves=False)) + list(_points(WATCH, operators, resolves=True))
    for name in recipients(contacts):
        points += _points(name, contacts[name], resolves=False)
    return points


def receiver(name: str) -> str:
    """Return the name of a recipient's contact points."""
    return f"IOC: {name}"


def _points(name: str, contact: Contact, *, resolves: bool) -> Iterable[Json]:
    subject = f'{{{{ template "{SUBJECT}" . }}}}'
    if contact.webhook:
        words = {"title": subject, "message": f'{{{{ template "{TEXT}" . }}}}'}
        settings: dict[str, object] = {"url": contact.webhook, "httpMethod": "POST", **words}
        yield _point(name, "webhook", settings, resolves)
    if contact.emails:
        words = {"subject": subject, "message": f'{{{{ template "{EMAIL}" . }}}}'}
        settings = {"addresses": ";".join(contact.emails), "singleEmail": True, **words}
        yield _point(name, "email", settings, resolves)


def _point(name: str, kind: str, settings: Mapping[str, object], resolves: bool) -> Json:
    uid = stable_uid("contact", name, kind)
    built: Json = to_json(ContactPoint().name(receiver(name)).uid(uid).settings(dict(settings)).build())
    return built | {"type": kind, "disableResolveMessage": not resolves}
