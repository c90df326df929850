"""This machine: Python, libraries, disk, permissions of files with secrets, and the secrets themselves."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

from deploy.doctor.finding import CheckResult
from ioc.setting_secret import SHIPPED_SECRETS
from ioc.setting_type import is_loopback
from ioc.settings import Settings

_GIB = 1024**3
_LEAST_BYTES = 2 * _GIB
_LEAST_SHARE = 0.1


def check_python() -> Iterator[CheckResult]:
    """Python's version, and whether every library of the project is installed in a version that fits."""
    told = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info[:2] < (3, 13)
    yield CheckResult(
        part="machine",
        check="python",
        verdict="good" if fits else "fault",
        message=f"Python {told}",
        advice="" if fits else "Dùng Python 3.11 hoặc 3.12 · Use Python 3.11 or 3.12: `make setup`.",
    )
    yield judge_libraries(requires("ioc-streams") or [])


def judge_libraries(wanted: Iterable[str]) -> CheckResult:
    """Compare what is installed with requirements as packages state them."""
    wrong = []
    for text in wanted:
        one = Requirement(text)
        if one.marker is not None and not one.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(one.name)
        except PackageNotFoundError:
            wrong.append(f"{one.name} thiếu · missing")
            continue
        if not one.specifier.contains(found, prereleases=True):
            wrong.append(f"{one.name} {found}, cần · needs {one.specifier}")
    if wrong:
        return CheckResult(
            part="machine",
            check="libraries",
            verdict="fault",
            message="; ".join(wrong),
            advice="Cài lại theo requirements.lock · Install what requirements.lock names: `make setup`, or "
            "`pip install --require-hashes -r requirements.lock`.",
        )
    return CheckResult(
        part="machine", check="libraries", verdict="good", message="đủ thư viện · every library is there and fits"
    )


def check_disk(settings: Settings) -> Iterator[CheckResult]:
    """Space where the state directory lies; Kafka and PostgreSQL lie there too, where they are the local ones."""
    place = next(
        path for path in (settings.state_dir.absolute(), *settings.state_dir.absolute().parents) if path.exists()
    )
    usage = shutil.disk_usage(place)
    yield judge_space(str(place), usage.free, usage.total)


def judge_space(place: str, free: int, total: int) -> CheckResult:
    """Judge bytes that are free of a disk."""
    told = f"{place}: {free / _GIB:.1f} GiB / {total / _GIB:.1f} GiB"
    if free >= max(_LEAST_BYTES, 0) and free >= total * _LEAST_SHARE:
        return CheckResult(part="machine", check="disk", verdict="good", message=f"còn trống · free, {told}")
    return CheckResult(
        part="machine",
        check="disk",
        verdict="fault" if free < _LEAST_BYTES else "warning",
        message=f"sắp đầy đĩa · little space is left, {told}",
        advice="Thêm đĩa, hoặc giảm thời hạn lưu rồi chạy `ioc retention` · Add space, or shorten "
        "IOC_RETENTION_..._DAYS "
        "and IOC_KAFKA_RETENTION_DAYS, then run `ioc retention`. PostgreSQL and Kafka stop when it is full.",
    )


def check_permissions(settings: Settings) -> Iterator[CheckResult]:
    """Files with secrets are read by their owner alone; the state directory can be written."""
    for path in (settings.token_file, settings.poller_secrets, settings.state_dir / "zalo-token.json"):
        if path.exists():
            yield judge_mode(path)
    state = settings.state_dir.absolute()
    writable = os.access(next(path for path in (state, *state.parents) if path.exists()), os.W_OK)
    yield CheckResult(
        part="machine",
        check="state directory",
        verdict="good" if writable else "fault",
        message=f"{state}: {'ghi được · can be written' if writable else 'không ghi được · cannot be written'}",
        advice="" if writable else f"chown/chmod {state}, hoặc đặt IOC_STATE_DIR · or set IOC_STATE_DIR elsewhere.",
    )


def judge_mode(path: Path) -> CheckResult:
    """Judge who else may read a file or directory that holds secrets."""
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        wanted = "700" if path.is_dir() else "600"
        return CheckResult(
            part="machine",
            check="permissions",
            verdict="fault",
            message=f"{path} có quyền {mode:03o}: người khác đọc được · others may read it",
            advice=f"chmod {wanted} {path}",
        )
    return CheckResult(
        part="machine", check="permissions", verdict="good", message=f"{path}: {mode:03o}, chỉ chủ đọc · owner only"
    )


def check_secrets(settings: Settings) -> Iterator[CheckResult]:
    """Whether passwords and keys are still those that come with the project."""
    known = [
        f"IOC_{name.upper()}"
        for name in SHIPPED_SECRETS
        if getattr(settings, name) == type(settings).model_fields[name].default
    ]
    if known:
        # Settings refuse them as soon as anything is reachable from outside: what is left is a machine for trying.
        yield CheckResult(
            part="settings",
            check="secrets",
            verdict="warning",
            message=f"còn giá trị mặc định · still as shipped: {', '.join(known)}",
            advice="Chỉ dùng để thử trên một máy; đặt giá trị riêng trước khi vận hành · For trying on one machine "
            "only; set values of your own before anything real (docs/install.md).",
        )
    else:
        yield CheckResult(
            part="settings", check="secrets", verdict="good", message="không còn mặc định · none is as shipped"
        )
    security = settings.kafka_security_protocol
    outside = not all(is_loopback(one.rpartition(":")[0].strip("[]")) for one in settings.kafka_bootstrap.split(","))
    if outside and security not in {"SASL_SSL", "SSL"}:
        yield CheckResult(
            part="settings",
            check="encryption",
            verdict="warning",
            message=f"Kafka ở máy khác mà không mã hóa · Kafka is elsewhere and not encrypted: {security}",
            advice="IOC_KAFKA_SECURITY_PROTOCOL=SASL_SSL, IOC_KAFKA_SSL_CAFILE (docs/security.md)",
        )
    if not is_loopback(settings.db_host) and settings.db_sslmode != "verify-full":
        yield CheckResult(
            part="settings",
            check="encryption",
            verdict="warning",
            message="chứng thư của PostgreSQL không được kiểm tra · is not checked: "
            f"IOC_DB_SSLMODE={settings.db_sslmode}",
            advice="IOC_DB_SSLMODE=verify-full, IOC_DB_SSLROOTCERT (docs/security.md)",
        )
