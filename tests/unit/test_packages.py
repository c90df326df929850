"""Compose file, manifests, image and units: valid by their schemas, without rights, and with no secret too many."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from deploy.image.secret import with_secrets
from ioc.settings import ROOT, Settings

DEPLOY = ROOT / "deploy"
COMPOSE = DEPLOY / "compose.yaml"
MANIFESTS = sorted((DEPLOY / "kubernetes" / "base").glob("*.yaml"))
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
# Process -> the roles of the database whose passwords it may know.
ROLES = {
    "boards": {"grafana"},
    "gateway": set(),
    "poller": set(),
    "worker": {"worker"},
    "rollup": {"rollup"},
    "scheduler": {"scheduler"},
    "api": {"reader", "api"},  # incidents are acknowledged on its pages
    "prepare": {"owner"},
    "retention": {"owner"},  # only the owner of a table may drop a part of it
}
PASSWORD = re.compile(r"IOC_DB_([A-Z]+)_PASSWORD_FILE")


def documents(file: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(file.read_text(encoding="utf-8")) if document]


def manifests() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in MANIFESTS:
        for document in documents(file):
            if document["kind"] != "Kustomization":
                yield f"{document['kind']}/{document['metadata']['name']}", document


def name_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def pod_of(document: dict[str, Any]) -> dict[str, Any]:
    """The pod's specification in a deployment, a job or a timed job."""
    spec = document["spec"]["jobTemplate"]["spec"] if document["kind"] == "CronJob" else document["spec"]
    return dict(spec["template"]["spec"])


PODS = [(name, document) for name, document in manifests() if document["kind"] in ("Deployment", "Job", "CronJob")]


def test_the_compose_file_fits_its_schema() -> None:
    schema = distribution("check-jsonschema").locate_file("check_jsonschema/builtin_schemas/vendor/compose-spec.json")
    rules = json.loads(Path(str(schema)).read_text(encoding="utf-8"))
    checking = jsonschema.validators.validator_for(rules)(rules)
    assert [error.message for error in checking.iter_errors(documents(COMPOSE)[0])] == []


@pytest.mark.parametrize(("name", "document"), list(manifests()), ids=name_of)
def test_a_manifest_fits_its_schema(name: str, document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, "1.33", strict=True)


def test_kustomize_names_every_manifest() -> None:
    (kustomization,) = documents(DEPLOY / "kubernetes" / "base" / "kustomization.yaml")
    assert sorted(kustomization["resources"]) == [f.name for f in MANIFESTS if f.name != "kustomization.yaml"]


@pytest.mark.parametrize(("name", "document"), PODS, ids=name_of)
def test_a_pod_has_no_rights_and_only_its_own_secrets(name: str, document: dict[str, Any]) -> None:
    pod = pod_of(document)
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] and not pod["automountServiceAccountToken"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    told = {match[1].lower() for variable in container.get("env") or () if (match := PASSWORD.match(variable["name"]))}
    assert told == ROLES[container["name"]]
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
    for variable in container.get("env") or ():
        if variable["name"].endswith("_FILE"):
            assert str(Path(variable["value"]).parent) in mounted


def reached_by(app: str) -> set[str]:
    """The policies that let a pod reach something."""
    found = set()
    for name, document in manifests():
        spec = document.get("spec", {})
        if document["kind"] != "NetworkPolicy" or "Egress" not in spec["policyTypes"] or not spec.get("egress"):
            continue
        selector = spec["podSelector"]
        labels = [selector["matchLabels"]["app"]] if "matchLabels" in selector else []
        listed = [value for one in selector.get("matchExpressions", ()) for value in one["values"]]
        if not selector or app in (*labels, *listed):
            found.add(name.partition("/")[2])
    return found


def test_the_gateway_reaches_kafka_and_the_api_but_no_database() -> None:
    assert reached_by("gateway") == {"names", "to-kafka", "to-api", "to-collector"}
    # Receipts are looked up in both; a file that is tried on a page goes through the gateway.
    assert reached_by("api") == {"names", "to-kafka", "to-database", "to-gateway", "to-mail-and-channels"}
    gateway = documents(COMPOSE)[0]["services"]["gateway"]
    assert gateway["environment"]["IOC_API_URL"] == "http://api:18082"
    assert "secrets" not in gateway


def test_what_is_traced_reaches_the_collector_and_nothing_else_does() -> None:
    """`open_tracing` is called by these; their setting is in the one place that all share."""
    traced = {"gateway", "worker", "rollup"}
    assert {app for app in (*traced, "api", "scheduler", "poller") if "to-collector" in reached_by(app)} == traced
    services = documents(COMPOSE)[0]["services"]
    for app in traced:
        assert services[app]["environment"]["IOC_TRACE_URL"] == "${IOC_TRACE_URL:-}"
        assert "data" in services[app]["networks"]
    (settings,) = [document for name, document in manifests() if name == "ConfigMap/settings"]
    assert settings["data"]["IOC_TRACE_URL"] == ""


def test_composed_processes_have_no_rights_and_only_their_own_secrets() -> None:
    services = documents(COMPOSE)[0]["services"]
    ours = {name: service for name, service in services.items() if service["image"] == "ioc:latest"}
    assert ROLES.keys() <= ours.keys()
    for name, service in ours.items():
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        told = {match[1].lower() for variable in service["environment"] if (match := PASSWORD.match(variable))}
        assert told == ROLES.get(name, set()), name
        secrets = set(service.get("secrets", ()))
        for variable, value in service["environment"].items():
            if variable.endswith("_FILE"):
                assert Path(value).name in secrets, name
    declared = documents(COMPOSE)[0]["secrets"]
    assert {f.name for f in (DEPLOY / "image" / "secrets.example").iterdir()} == set(declared)


def test_what_is_too_old_goes_every_night_in_every_package(tmp_path: Path) -> None:
    """As systemd's timer has it: at half past two in the province."""
    timed = {document["metadata"]["name"]: document for _, document in manifests() if document["kind"] == "CronJob"}
    spec = timed["retention"]["spec"]
    assert (spec["schedule"], spec["timeZone"], spec["concurrencyPolicy"]) == (
        "30 2 * * *",
        "Asia/Ho_Chi_Minh",
        "Forbid",
    )
    assert pod_of(timed["retention"])["containers"][0]["args"] == ["retention"]
    assert "to-database" in reached_by("retention")
    service = documents(COMPOSE)[0]["services"]["retention"]
    # The loop itself, with a clock and a program of the test's: it waits until then, tries again, and waits a day.
    calls = tmp_path / "calls"
    (tmp_path / "bin").mkdir()
    for name, script in {
        "sleep": f'echo "sleep $1" >> {calls}; [ $(grep -c sleep {calls}) -lt 4 ] || kill -TERM $PPID',
        "python3": f'echo "$@" >> {calls}; [ $(grep -c retention {calls}) -gt 1 ]',
        "date": '[ "$1" = -d ] && echo 100000 || echo 96400',
    }.items():
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    loop = service["command"][0].replace("$$", "$")
    subprocess.run(
        [*service["entrypoint"], loop], env={"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}, timeout=30, check=True
    )
    run = "/opt/ioc/deploy/image/secret.py retention"
    assert calls.read_text().split("\n")[:-1] == ["sleep 3601", run, "sleep 1800", run, "sleep 3601", run, "sleep 3601"]


def test_whatever_is_set_is_a_setting() -> None:
    """A misspelt variable would be passed over without a word."""
    known = {f"IOC_{name.upper()}" for name in Settings.model_fields} | {"IOC_ENV_FILE"}
    for file in (COMPOSE, DEPLOY / "image" / "Dockerfile", *MANIFESTS):
        for variable in re.findall(r"\bIOC_[A-Z_]+[A-Z]\b", file.read_text(encoding="utf-8")):
            assert variable in known or variable.removesuffix("_FILE") in known, f"{file.name}: {variable}"


def test_the_image_copies_what_there_is_and_runs_without_rights() -> None:
    text = (DEPLOY / "image" / "Dockerfile").read_text(encoding="utf-8")
    for line in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE):
        *sources, _ = line.split()
        for source in sources:
            assert (ROOT / source).exists(), source
    allowed = (DEPLOY / "image" / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py") if path.parent.name != "tests"}
    for package in packages:
        assert f"COPY {package} {package}" in text and f"!{package}\n" in allowed, package
    assert re.findall(r"^USER (.+)$", text, re.MULTILINE) == ["10001:10001"]


def test_secrets_are_read_from_files(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("a secret\n")
    environment = {"IOC_DB_WRITER_PASSWORD_FILE": str(tmp_path / "password"), "IOC_TOKEN_FILE": "/t", "PATH": "/bin"}
    assert with_secrets(environment) == {"IOC_DB_WRITER_PASSWORD": "a secret", "IOC_TOKEN_FILE": "/t", "PATH": "/bin"}
    with pytest.raises(FileNotFoundError):
        with_secrets({"IOC_PSEUDONYM_KEY_FILE": str(tmp_path / "gone")})


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_is_exposed_as_little_as_can_be(unit: Path, tmp_path: Path) -> None:
    program = shutil.which("systemd-analyze")
    assert program, "systemd-analyze is part of Debian's package systemd"
    done = subprocess.run(
        [program, "security", "--offline=true", "--no-pager", "--threshold=30", unit],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-300:] + done.stderr
