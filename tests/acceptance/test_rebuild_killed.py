"""A changed catalogue is loaded and swapped in beside running processes; the rebuild itself is killed on the way."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from testbed.invariants import assert_invariants
from testbed.run import Run

from ioc.catalogue import DATA
from ioc.catalogue.store import load_editions
from ioc.database.connection import connect
from ioc.settings import Settings

IOC = str(Path(sys.executable).with_name("ioc"))
# A flow, a distinct and a stock; what the ledger witnesses stays as it is.
CHANGES = {
    "lodging.guests.sex_female": "sex = 'female' AND age_years >= 18",
    "lodging.unique_guests.total": "overnight",
    "lodging.in_house.total": "overnight",
}


def changed_profile(settings: Settings, directory: Path) -> Settings:
    """The settings with a profile whose catalogue has these rows changed."""
    shutil.copytree(settings.profile, directory)
    shutil.copytree(DATA, directory / "catalogue")
    file = directory / "catalogue" / "lodging.csv"
    with file.open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    changed = [row for row in rows if row["code"] in CHANGES]
    assert len(changed) == len(CHANGES)
    for row in changed:
        row["where"] = CHANGES[row["code"]]
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return settings.model_copy(update={"profile": directory})


def test_events_flow_while_a_catalogue_is_swapped_in(run: Run, tmp_path: Path) -> None:
    run.publish_register()
    run.worker(kept=True)
    run.rollup(kept=True).wait_ready()
    run.publish(1500)
    run.wait_for(lambda: run.progress() > 1000, "events are stored")
    ended = threading.Event()

    def flow() -> None:
        while not ended.wait(0.3):
            run.publish(60, hourly=60)

    flowing = threading.Thread(target=flow)
    flowing.start()
    try:
        settings = changed_profile(run.settings, tmp_path / "profile")
        environment = settings.to_environment()
        subprocess.run([IOC, "profile", "load"], env=environment, check=True, capture_output=True, timeout=120)
        killed = subprocess.Popen([IOC, "rebuild", "--yes"], env=environment, stderr=subprocess.PIPE, text=True)
        assert killed.stderr is not None and "records" in killed.stderr.readline()
        killed.kill()
        killed.communicate(timeout=30)
        assert candidates(settings) >= CHANGES.keys()
        done = subprocess.run(
            [IOC, "rebuild", "--yes", "--json"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        time.sleep(1)
    finally:
        ended.set()
        flowing.join()
    answer = json.loads(done.stdout)
    assert answer["swapped"] and {one["code"] for one in answer["indicators"]} >= CHANGES.keys()
    assert candidates(settings) == set()
    run.wait_drained()
    run.wait_for(lambda: run.waiting() == 0, "the roll-up folds everything")
    assert_invariants(run)


def candidates(settings: Settings) -> set[str]:
    """Codes that wait."""
    with connect(settings, "reader") as connection:
        return set(load_editions(connection).candidates)
