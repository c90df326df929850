"""The project's own processes on this machine, and Grafana."""

from __future__ import annotations

from collections.abc import Iterator

import httpx

from deploy.doctor.finding import CheckResult
from deploy.local.service import endpoints
from ioc.settings import Settings

_LEAST_GRAFANA = (9, 4)


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


def check_grafana(settings: Settings) -> Iterator[CheckResult]:
    """Whether Grafana answers, its version, and whether the token gets in; nothing where no address is set."""
    if not settings.grafana_url:
        return
    health = httpx.get(f"{settings.grafana_url}/api/health", timeout=5.0).raise_for_status().json()
    yield judge_grafana(str(health.get("version", "")), settings.grafana_url)
    token = settings.grafana_token.get_secret_value()
    answer = httpx.get(
        f"{settings.grafana_url}/api/datasources", headers={"Authorization": f"Bearer {token}"}, timeout=5.0
    )
    if token and not answer.is_success:
        yield CheckResult(
            part="grafana",
            check="token",
            verdict="fault",
            message=f"GRAFANA_TOKEN: HTTP {answer.status_code}",
            advice="Tạo token mới của tài khoản dịch vụ quyền Admin · Make a new token of a service account with the "
            "role Admin.",
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
