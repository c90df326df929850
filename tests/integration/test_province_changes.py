"""Whose data a database holds, and what units there are on which day: neither is taken for granted."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from testbed.feed_event import HOTEL, ISLAND, stay
from testbed.pipeline import Pipeline

from ioc.settings import ROOT, Settings

IOC = str(Path(sys.executable).with_name("ioc"))


def run(settings: Settings, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [IOC, *words], env=settings.to_environment(), capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("service", ["worker", "rollup"])
def test_no_service_counts_in_another_provinces_areas(database: Settings, service: str) -> None:
    """The profile was switched and the database was not: it would keep figures of areas that nobody sees."""
    switched = database.model_copy(update={"profile": ROOT / "ioc" / "profiles" / "bac_lieu"})
    done = run(switched, service)
    assert done.returncode != 0
    assert "holds the data of Bà Rịa - Vũng Tàu (ba_ria_vung_tau)" in done.stdout + done.stderr
    assert "IOC_DB_NAME" in done.stdout + done.stderr and "Traceback" not in done.stderr


def test_latest_figures_are_those_of_the_units_there_are(pipeline: Pipeline) -> None:
    """Districts until June 2025; since then the communes lie right below the province, which is another one."""

    def shown() -> dict[str, float]:
        done = run(pipeline.settings, "indicator", "show", "lodging.guests.total", "--json")
        return {row["area_code"]: row["value"] for row in json.loads(done.stdout)}

    def below(day: date) -> set[str]:
        areas = pipeline.profile.areas
        (root,) = areas.roots(day)
        return {root.code, *(unit.code for unit in areas.children(root.area_id, day))}

    pipeline.send("tourism.stay", [stay(HOTEL, 1, "2024-10-05"), stay(ISLAND, 2, "2024-10-05")])
    pipeline.roll_up()
    before = shown()
    assert set(before) == below(date(2024, 10, 5)) and len(before) == 1 + 8
    assert (before["77"], before["747"], before["755"], before["748"]) == (2, 1, 1, 0)

    pipeline.now = datetime(2025, 9, 1, tzinfo=UTC)
    pipeline.send("tourism.stay", [stay(HOTEL, 3, "2025-07-05")])
    pipeline.roll_up()
    after = shown()
    assert set(after) == below(date(2025, 7, 5)) and {"77", "747"}.isdisjoint(after)
    assert after["79"] == after["26506"] == 1 and sum(after.values()) == 2
