"""The units start commands that exist, as an unprivileged user, and start again after failures only."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

import pytest

from deploy.documentation import command_page
from ioc.settings import ROOT

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))


def read(unit: Path) -> ConfigParser:
    parser = ConfigParser(interpolation=None, strict=False)  # EnvironmentFile may be given twice
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(unit, encoding="utf-8")
    return parser


def test_there_is_a_unit_for_each_process() -> None:
    assert [unit.name for unit in UNITS] == [
        "ioc-api.service",
        "ioc-drop.service",
        "ioc-gateway.service",
        "ioc-poller.service",
        "ioc-quality.service",
        "ioc-retention.service",
        "ioc-rollup.service",
        "ioc-scheduler.service",
        "ioc-worker@.service",
    ]


def test_what_ends_by_itself_has_a_timer_and_all_else_is_enabled() -> None:
    ending = {unit.stem for unit in UNITS if read(unit)["Service"].get("Type") == "oneshot"}
    timers = sorted((ROOT / "deploy" / "systemd").glob("*.timer"))
    assert ending == {timer.stem for timer in timers} == {"ioc-quality", "ioc-retention"}
    assert {unit.stem for unit in UNITS if "Install" not in read(unit)} == ending
    for timer in timers:
        assert read(timer)["Timer"]["OnCalendar"]
        assert read(timer)["Install"]["WantedBy"] == "timers.target"


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_starts_a_command_that_exists(unit: Path) -> None:
    service = read(unit)["Service"]
    program, *command = service["ExecStart"].split()
    assert program == "/opt/ioc/.venv/bin/ioc"
    assert f"## `ioc {' '.join(command)}`" in command_page()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_a_unit_has_no_privileges_and_stops_at_wrong_settings(unit: Path) -> None:
    service = read(unit)["Service"]
    assert (service["User"], service["NoNewPrivileges"], service["ProtectSystem"]) == ("ioc", "yes", "strict")
    assert (service["Restart"], service["RestartPreventExitStatus"]) == ("on-failure", "2")
