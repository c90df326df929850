"""Who is told: contact points, the policy that routes by owner and severity, and the words of the messages.

The owner is told first; leaders only of a lag that lasts. Addresses come from the profile's `contacts.csv`
(columns `name,webhook,email`, where `name` is an owner, `leaders` or `operators`); who is not listed there is
reached at the addresses of the settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from grafana_foundation_sdk.builders.alerting import ContactPoint, NotificationTemplate

from grafana.alert_rule import OPERATOR
from grafana.board import Json, to_json
from grafana.uid import stable_uid
from ioc.errors import ConfigError
from ioc.settings import Settings
from ioc.table import Problems, read_rows

OPERATORS, LEADERS = "operators", "leaders"
TEMPLATE_NAME = "ioc"
_TEMPLATE = """\
{{ define "ioc.title" -}}
{{ if eq .Status "firing" }}[CẢNH BÁO{{ if eq .CommonLabels.severity "critical" }} - NGHIÊM TRỌNG{{ end }}]\
{{ else }}[ĐÃ TRỞ LẠI BÌNH THƯỜNG]{{ end }} {{ (index .Alerts 0).Annotations.summary }}\
{{ if gt (len .Alerts) 1 }} (tổng số {{ len .Alerts }} cảnh báo){{ end }}
{{- end }}

{{ define "ioc.message" -}}
{{ range .Alerts }}
{{- if eq .Status "resolved" }}Đã trở lại bình thường: {{ end }}{{ .Annotations.summary }}
{{- with .Annotations.value }}
- Giá trị: {{ . }}{{ end }}
{{- with .Annotations.expected }}
- Kỳ vọng: {{ . }}{{ end }}
{{- with .Annotations.lag }}
- Mức chậm: {{ . }}{{ end }}
{{- with .Annotations.cause }}
- Nguyên nhân có thể: {{ . }}{{ end }}
- Chủ trì: {{ .Labels.owner }}
- Bắt đầu: {{ .StartsAt.Format "15:04 02/01/2006 MST" }}
- Xem chi tiết: {{ .Annotations.link }}
English: {{ .Annotations.summary_en }}{{ with .Annotations.description_en }}. {{ . }}{{ end }}

{{ end }}
{{- end }}
"""


@dataclass(frozen=True)
class Contact:
    """Where one recipient is reached; an empty address is not used."""

    webhook: str
    email: str


def load_contacts(path: Path) -> dict[str, Contact]:
    """Read the profile's contacts, if it has any; raises ConfigError naming file, row and column."""
    if not path.exists():
        return {}
    problems = Problems()
    contacts: dict[str, Contact] = {}
    for row in read_rows(path, ("name", "webhook", "email"), problems):
        contact = Contact(row.text("webhook"), row.text("email"))
        if not (contact.webhook or contact.email):
            row.complain("email", "must hold an address where webhook holds none")
        contacts[row.required("name")] = contact
    problems.raise_if_any()
    return contacts


def contact_points(owners: Iterable[str], contacts: Mapping[str, Contact], settings: Settings) -> list[Json]:
    """Return the contact points of operators, leaders and each owner, in the API's form."""
    fallback = Contact(settings.alert_webhook_url, settings.alert_email)
    if not (fallback.webhook or fallback.email):
        raise ConfigError("alerts have nowhere to go: set IOC_ALERT_WEBHOOK_URL or IOC_ALERT_EMAIL")
    points: list[Json] = []
    for name in (OPERATORS, LEADERS, *recipients(owners)):
        contact = contacts.get(name, fallback)
        if contact.webhook:
            points.append(_point(name, "webhook", {"url": contact.webhook, "httpMethod": "POST"}))
        if contact.email:
            addresses = ";".join(part.strip() for part in contact.email.replace(";", ",").split(","))
            points.append(_point(name, "email", {"addresses": addresses, "singleEmail": True}))
    return points


def recipients(owners: Iterable[str]) -> list[str]:
    """Return the owners with a contact point of their own; the operator's rules go to `operators`."""
    return sorted(set(owners) - {OPERATOR})


def notification_policy(owners: Iterable[str]) -> Json:
    """Return the policy: a lasting lag goes to leaders too, the rest to its owner, else to operators."""
    lasting = [["kind", "=", "lag"], ["severity", "=", "critical"]]
    leaders = _route(LEADERS, lasting, "1w") | {"continue": True}
    own = [_route(owner, [["owner", "=", owner]], "1d") for owner in recipients(owners)]
    return {
        "receiver": _receiver(OPERATORS),
        "group_by": ["sector", "area"],
        "group_wait": "30s",
        "group_interval": "5m",
        "repeat_interval": "4h",
        "routes": [leaders, *own],
    }


def message_template() -> Json:
    """Return the template that all contact points use."""
    template: Json = to_json(NotificationTemplate().name(TEMPLATE_NAME).template(_TEMPLATE).build())
    return template


def _route(name: str, matchers: list[list[str]], repeat: str) -> Json:
    return {"receiver": _receiver(name), "object_matchers": matchers, "repeat_interval": repeat}


def _point(name: str, kind: str, settings: Json) -> Json:
    words = {"message": '{{ template "ioc.message" . }}'}
    words["subject" if kind == "email" else "title"] = '{{ template "ioc.title" . }}'
    built: Json = to_json(
        ContactPoint().name(_receiver(name)).uid(stable_uid("contact", name, kind)).settings(settings | words).build()
    )
    return built | {"type": kind, "disableResolveMessage": False}


def _receiver(name: str) -> str:
    return f"IOC: {name}"
