"""What docs/install.md tells to write into the files of each process is what the process has and may."""

from __future__ import annotations

import re

import pytest
import yaml

from ioc.setting_secret import SECRETS_OF
from ioc.settings import ROOT, Settings

PAGE = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^ *\| `/etc/ioc/ioc-(\w+)\.env` \| (.*) \|$", PAGE, re.MULTILINE))
USERS = {
    document["metadata"]["name"]
    for document in yaml.safe_load_all((ROOT / "deploy/kubernetes/operators/kafka.yaml").read_text(encoding="utf-8"))
    if document and document["kind"] == "KafkaUser"
}
# It publishes what it has measured as a sector system does.
PUBLISHING = {"quality": "ioc-gateway"}


def test_every_unit_has_its_file() -> None:
    units = {path.name.removeprefix("ioc-") for path in (ROOT / "deploy" / "systemd").glob("ioc-*.service")}
    assert FILES.keys() == {unit.partition("@")[0].partition(".")[0] for unit in units}


@pytest.mark.parametrize("process", sorted(FILES))
def test_a_process_gets_a_kafka_user_of_its_own_and_the_secrets_that_it_needs(process: str) -> None:
    told = FILES[process]
    user = re.findall(r"IOC_KAFKA_SASL_USERNAME=([\w-]+)", told)
    assert ("IOC_KAFKA_SASL_PASSWORD" in told) == bool(user)
    assert user in ([], [PUBLISHING.get(process, f"ioc-{process}")])
    assert set(user) <= USERS
    named = {name.lower() for name in re.findall(r"\bIOC_([A-Z_]+)", told)}
    assert named <= Settings.model_fields.keys()
    secrets = {name for name in named if name.endswith(("_password", "_key", "_token", "_secret"))}
    if process in SECRETS_OF:
        # The key before is for the time of its rotation only.
        assert secrets == SECRETS_OF[process] - {"pseudonym_previous_key"}


def test_every_setting_of_the_common_file_is_one() -> None:
    told = re.findall(r"^ +IOC_([A-Z_]+)=", PAGE, re.MULTILINE)
    assert len(told) > 20
    assert {name.lower() for name in told} <= Settings.model_fields.keys()
