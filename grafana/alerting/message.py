"""The words of the messages: Vietnamese first, an English line; short enough for a lock screen, the rest below."""

from __future__ import annotations

from grafana_foundation_sdk.builders.alerting import NotificationTemplate

from grafana.boards.board import Json, to_json

TEMPLATE_NAME = "ioc"
SUBJECT, TEXT, EMAIL = "ioc.subject", "ioc.text", "ioc.email"
_HEADS = {
    "open_critical": "[CẢNH BÁO NGHIÊM TRỌNG]",
    "open": "[CẢNH BÁO]",
    "closed": "[ĐÃ KẾT THÚC]",
    "resolved": "[ĐÃ TRỞ LẠI]",
}
# What Grafana itself reports when a rule's query fails; the message says so in place of a row's text.
_UNREADABLE = (
    "Grafana không đọc được cơ sở dữ liệu",
    "Grafana cannot read the database; nothing is known of incidents meanwhile",
)
_ROWS = (
    ("places", "Địa bàn"),
    ("figure", "Giá trị"),
    ("period", "Kỳ"),
    ("through", "Số liệu đến hết ngày"),
    ("expected", "Kỳ vọng đến nay"),
    ("lag", "Mức chậm"),
    ("forecast", "Dự báo đến hạn"),
    ("since", "Từ"),
    ("ended", "Đến"),
)


def message_template() -> Json:
    """Return the template file that all contact points use."""
    template: Json = to_json(NotificationTemplate().name(TEMPLATE_NAME).template(template_text()).build())
    return template


def template_text() -> str:
    """Return the definitions of subject, plain text and e-mail.

    One group is one incident and step, so that the first alert says what there is to say: what it said before, with
    other
    figures, may still be in the group.
    """
    head = (
        f'{{{{ if eq .Status "resolved" }}}}{_HEADS["resolved"]}'
        f'{{{{ else if eq .CommonLabels.event "closed" }}}}{_HEADS["closed"]}'
        f'{{{{ else if eq .CommonLabels.severity "warning" }}}}{_HEADS["open"]}'
        f"{{{{ else }}}}{_HEADS['open_critical']}{{{{ end }}}}"
    )
    rows = "".join(
        f'{{{{ with .Annotations.{name} }}}}{{{{ if ne . "–" }}}}\n- {title}: {{{{ . }}}}{{{{ end }}}}{{{{ end }}}}'
        for name, title in _ROWS
    )
    unreadable = 'eq .Labels.alertname "DatasourceError" "DatasourceNoData"'
    return f"""\
{{{{ define "{SUBJECT}" -}}}}
{head} {{{{ with index .Alerts 0 }}}}{{{{ if {unreadable} }}}}{_UNREADABLE[0]}\
{{{{ else }}}}{{{{ .Annotations.title }}}}{{{{ end }}}}{{{{ end }}}}
{{{{- end }}}}

{{{{ define "{TEXT}" -}}}}
{{{{ with index .Alerts 0 }}}}{{{{ if {unreadable} }}}}{_UNREADABLE[0]}
English: {_UNREADABLE[1]}
{{{{ else }}}}{{{{ .Annotations.summary }}}}{rows}
- Cơ quan chủ trì: {{{{ .Labels.owner }}}}
{{{{ with .Annotations.addressee }}}}- Báo cho: {{{{ . }}}}
{{{{ end }}}}\
- Xem: {{{{ .Annotations.link }}}}
{{{{ with .Annotations.page }}}}- Tiếp nhận: {{{{ . }}}}
{{{{ end }}}}\
{{{{ with .Annotations.notice }}}}{{{{ if ne . "–" }}}}- Lưu ý: {{{{ . }}}}
{{{{ end }}}}{{{{ end }}}}English: {{{{ .Annotations.title_en }}}}. {{{{ .Annotations.summary_en }}}}
{{{{ end }}}}{{{{ end }}}}
{{{{- end }}}}

{{{{ define "{EMAIL}" -}}}}
{{{{ template "{TEXT}" . }}}}
{{{{- end }}}}
"""
