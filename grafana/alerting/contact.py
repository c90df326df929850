"""The contact points that are made of the profile's `contacts.csv` and duty ladders.

Recipients who are not listed there are reached at the addresses of the settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from grafana_foundation_sdk.builders.alerting import ContactPoint

from grafana.alerting.message import EMAIL, SUBJECT, TEXT
from grafana.alerting.rule import OPERATOR
from grafana.boards.board import Json, to_json
from grafana.uid import stable_uid
from ioc.errors import ConfigError
from ioc.province.contact import OPERATORS, Contact
from ioc.province.duty import split_addresses
from ioc.settings import Settings

# Of the platform's operators, for what Grafana itself can resolve: the database answers again, the scheduler runs
# again.
WATCH = "watch"
# Of a webhook: a secret, which a server never shows again, and where Grafana reads it of the environment.
RECEIPT_USER, CREDENTIALS = "ioc", "password"
RECEIPT_TOKEN = "${IOC_RECEIPT_TOKEN}"  # noqa: S105 - names the variable


def recipients(contacts: Mapping[str, Contact]) -> list[str]:
    """Return those whom Grafana reaches at an address of their own; Telegram and Zalo are the platform's affair."""
    return sorted({name for name, contact in contacts.items() if contact.is_grafanas} - {OPERATORS, OPERATOR})


def contact_points(contacts: Mapping[str, Contact], settings: Settings) -> list[Json]:
    """Return the contact points in the API's form: operators, the same for what resolves, and each recipient."""
    fallback = Contact(settings.alert_webhook_url, split_addresses(settings.alert_email))
    operators = next(
        (one for name in (OPERATORS, OPERATOR) if (one := contacts.get(name)) and one.is_grafanas), fallback
    )
    if not operators.is_grafanas:
        raise ConfigError("alerts have nowhere to go: set IOC_ALERT_WEBHOOK_URL or IOC_ALERT_EMAIL")
    told = {OPERATORS: (operators, False), WATCH: (operators, True)}
    told |= {name: (contacts[name], False) for name in recipients(contacts)}
    points: list[Json] = []
    for name, (contact, resolves) in told.items():
        points += _points(name, contact, resolves=resolves)
        if settings.receipt_token.get_secret_value():
            points.append(_receipts(name, contact, settings.api_address, resolves=resolves))
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


def _receipts(name: str, contact: Contact, api: str, *, resolves: bool) -> Json:
    """Return the webhook that tells the API what went to a recipient, through which channels.

    By user and password: Grafana 9.4 reads `authorization_credentials` under a wrong name, and sends none.
    """
    channels = [channel for channel, used in (("webhook", contact.webhook), ("email", contact.emails)) if used]
    address = f"{api}/v1/notifications/grafana?{urlencode([('via', channel) for channel in channels])}"
    words = {"title": f'{{{{ template "{SUBJECT}" . }}}}', "message": "–"}
    settings = {"url": address, "httpMethod": "POST", "username": RECEIPT_USER, CREDENTIALS: RECEIPT_TOKEN}
    point = _point(name, "webhook", settings | words, resolves)
    return point | {"uid": stable_uid("contact", name, "receipt")}


def _point(name: str, kind: str, settings: Mapping[str, object], resolves: bool) -> Json:
    uid = stable_uid("contact", name, kind)
    built: Json = to_json(ContactPoint().name(receiver(name)).uid(uid).settings(dict(settings)).build())
    return built | {"type": kind, "disableResolveMessage": not resolves}
