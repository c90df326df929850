"""Where people are reached: the profile's `contacts.csv`, and the posts of its duty ladders.

Columns `name,webhook,email`, and where wanted `telegram,zalo`: a chat's number, a user's number. `name` is an owner as
the catalogue writes it, a post of a duty ladder, or `operators`.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ioc.province.duty import Ladder, is_email, split_addresses
from ioc.table import Problems, read_rows

OPERATORS = "operators"
_CHAT = re.compile(r"-?[0-9]{1,20}|@[A-Za-z0-9_]{5,32}")
_USER = re.compile(r"[0-9]{5,25}")


@dataclass(frozen=True)
class Contact:
    """Where one recipient is reached: a URL, e-mail addresses, a chat of Telegram, a user of Zalo; '' is not used."""

    webhook: str = ""
    emails: tuple[str, ...] = ()
    telegram: str = ""
    zalo: str = ""

    def __bool__(self) -> bool:
        return bool(self.webhook or self.emails or self.telegram or self.zalo)

    def over(self, other: Contact) -> Contact:
        """Return this contact, with the other's addresses where it has none."""
        return Contact(
            self.webhook or other.webhook,
            self.emails or other.emails,
            self.telegram or other.telegram,
            self.zalo or other.zalo,
        )

    @property
    def is_grafanas(self) -> bool:
        """Whether Grafana itself can reach it."""
        return bool(self.webhook or self.emails)


def load_contacts(path: Path, known: Collection[str]) -> dict[str, Contact]:
    """Read the profile's contacts, if it has any.

    known: the owners and posts that may be told. Raises ConfigError naming file, row and column for a name that is
    none of them, a name that stands twice, no address, and an address that is none.
    """
    if not path.exists():
        return {}
    problems = Problems()
    contacts: dict[str, Contact] = {}
    for row in read_rows(path, ("name", "webhook", "email"), problems, optional=("telegram", "zalo")):
        name = row.required("name")
        emails = split_addresses(row.text("email"))
        contact = Contact(row.text("webhook"), emails, row.text("telegram"), row.text("zalo"))
        if name in contacts:
            row.complain("name", f"{name} stands twice; keep one row")
        elif name not in known:
            row.complain(
                "name", f"{name!r} is no owner of the catalogue, no post of a duty ladder and not {OPERATORS!r}"
            )
        if not contact:
            row.complain("email", "must hold an address where webhook, telegram and zalo hold none")
        if contact.webhook and not is_url(contact.webhook):
            row.complain("webhook", f"{contact.webhook!r} is no http(s) address")
        for address in contact.emails:
            if not is_email(address):
                row.complain("email", f"{address!r} is no e-mail address")
        if contact.telegram and not _CHAT.fullmatch(contact.telegram):
            row.complain("telegram", f"{contact.telegram!r} is no chat: write its number, or @channel")
        if contact.zalo and not _USER.fullmatch(contact.zalo):
            row.complain("zalo", f"{contact.zalo!r} is no user's number as the Official Account knows it")
        contacts[name] = contact
    problems.raise_if_any()
    return contacts


def contacts_of(profile: Path, ladder: Ladder, known: Collection[str] = ()) -> dict[str, Contact]:
    """Return where everybody is reached: posts of the ladder at their addresses, `contacts.csv` before them.

    A cell that is empty there leaves what the ladder says. known: who may be named beside posts and operators.
    """
    found = {post.post: Contact(emails=split_addresses(post.email)) for post in ladder.posts if post.email}
    names = {post.post for post in ladder.posts} | {OPERATORS, *known}
    for name, contact in load_contacts(profile / "contacts.csv", names).items():
        found[name] = contact.over(found.get(name, Contact()))
    return found


def is_url(text: str) -> bool:
    """Return whether a text is an address that a webhook can be sent to."""
    try:
        address = urlsplit(text)
        if re.search(r"\s", text):  # no host and no path holds a blank
            return False
        return address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        return False
