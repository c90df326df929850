"""The project's own processes on this machine, and Grafana."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import httpx

from deploy.doctor.finding import CheckResult
from deploy.local.service import endpoints
from grafana.alerting.contact import receiver
from ioc.settings import Settings

_LEAST_GRAFANA = (9, 4)
_RECEIVERS = "/api/alertmanager/grafana/config/api/v1/receivers"
_SHOWN = 5


def check_processes(settings: Settings) -> Iterator[CheckResult]:
    """Whether each process says that it is ready; one that answers nothing may run on another machine."""
    for one in endpoints(settings):
        where = f"{one.address.host}:{one.address.port}"
        if one.is_ready():
            yield CheckResult(part=one.name, check="ready", verdict="good", message=f"{where}: sẵn sàng · ready")
        elif one.address.answers():
            yield CheckResult(
                part=one.name,
                check="ready",
                verdict="fault",
                message=f"{where}: chạy nhưng chưa sẵn sàng · runs and is not ready",
                advice=f"Xem nhật ký của `ioc {one.name}` · Read the log of `ioc {one.name}`: it waits for Kafka or "
                "the database.",
            )
        else:
            yield CheckResult(
                part=one.name,
                check="ready",
                verdict="warning",
                message=f"{where}: không trả lời · nothing answers on this machine",
                advice=f"Nếu phải chạy ở đây: `systemctl start ioc-{one.name}` hoặc `make up` · Start it, unless it "
                f"runs on another machine ({one.address.setting}).",
            )


def check_collector(settings: Settings) -> Iterator[CheckResult]:
    """Whether the collector of traces takes what OTLP allows it to take: a request with no span in it.

    Nothing where no address is set. Traces are lost while it does not, and nothing else is.
    """
    if not settings.trace_url:
        return
    url = f"{settings.trace_url}/v1/traces"
    try:
        answer = httpx.post(url, content=b"", headers={"content-type": "application/x-protobuf"}, timeout=5.0)
        told = "" if answer.status_code == 200 else f"HTTP {answer.status_code}"
    except httpx.HTTPError as error:
        told = type(error).__name__
    yield CheckResult(
        part="collector",
        check="traces",
        verdict="warning" if told else "good",
        message=f"{url}: {told or 'nhận vết · takes traces'}",
        advice="Vết bị bỏ, dữ liệu không ảnh hưởng: bật OTLP/HTTP ở bộ thu, hoặc đặt IOC_TRACE_URL= · Traces are "
        "dropped, data is not concerned: switch OTLP over HTTP on there, or set IOC_TRACE_URL= to trace nothing."
        if told
        else "",
    )


def check_grafana(settings: Settings) -> Iterator[CheckResult]:
    """Whether Grafana answers, its version, whether the token gets in, and what it could not deliver; nothing where no
    address is set.
    """
    if not settings.grafana_url:
        return
    ask = partial(
        httpx.get, timeout=5.0, headers={"Authorization": f"Bearer {settings.grafana_token.get_secret_value()}"}
    )
    health = ask(f"{settings.grafana_url}/api/health").raise_for_status().json()
    yield judge_grafana(str(health.get("version", "")), settings.grafana_url)
    if not settings.grafana_token.get_secret_value():
        return
    answer = ask(f"{settings.grafana_url}{_RECEIVERS}")
    if not answer.is_success:
        yield CheckResult(
            part="grafana",
            check="token",
            verdict="fault",
            message=f"GRAFANA_TOKEN: HTTP {answer.status_code}",
            advice="Tạo token mới của tài khoản dịch vụ quyền Admin · Make a new token of a service account with the "
            "role Admin.",
        )
        return
    yield judge_delivery(answer.json())


def judge_delivery(receivers: Sequence[Mapping[str, Any]]) -> CheckResult:
    """Judge the newest attempt of each contact point of this project; a failed one is tried again a day later only.

    receivers: Grafana's answer; each has `integrations` with `lastNotifyAttempt` and, where it failed, its error.
    """
    own = [one for one in receivers if str(one["name"]).startswith(receiver(""))]
    failed = [
        f"{one['name']} ({channel['name']}, {channel['lastNotifyAttempt'][:19]}): {channel['lastNotifyAttemptError']}"
        for one in own
        for channel in one.get("integrations") or ()
        if channel.get("lastNotifyAttemptError")
    ]
    if not failed:
        message = (
            f"{len(own)} nơi nhận, không lần gửi gần nhất nào thất bại · contact points, no newest delivery failed"
        )
        return CheckResult(part="grafana", check="delivery", verdict="good", message=message)
    more = f" … +{len(failed) - _SHOWN}" if len(failed) > _SHOWN else ""
    return CheckResult(
        part="grafana",
        check="delivery",
        verdict="fault",
        message=f"{len(failed)} nơi nhận gửi không được · could not be delivered: {'; '.join(failed[:_SHOWN])}{more}",
        advice="Sửa máy chủ thư hoặc địa chỉ trong contacts.csv, rồi báo lại cho người nhận: Grafana gửi lại sau một "
        "ngày · Mend the mail server or the address in contacts.csv, and tell the recipient: Grafana tries again after "
        "a day only.",
    )


def judge_grafana(version: str, url: str) -> CheckResult:
    """Judge a server's version."""
    numbers = tuple(int(part) for part in version.split("-", maxsplit=1)[0].split(".")[:2] if part.isdecimal())
    fits = numbers >= _LEAST_GRAFANA
    return CheckResult(
        part="grafana",
        check="version",
        verdict="good" if fits else "fault",
        message=f"Grafana {version or '?'}, {url}",
        advice="" if fits else "Cần Grafana 9.4 trở lên · Grafana 9.4 or later is needed.",
    )
