"""The files of a simulated span are stored, and every figure that the simulator foretells is the one that is stored.

The truth is the simulator's own arithmetic (`deploy/simulator/truth.py`); neither catalogue nor engines make it.
"""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import pytest
from testbed.pipeline import Pipeline

from deploy.simulator.calendar import SimulatedSpan
from deploy.simulator.files import write_span
from ioc.province.profile import load_profile_catalogue
from ioc.settings import Settings

# Tết of 2024 was on 10 February: the fortnight before it has begun.
SPAN = SimulatedSpan(date(2024, 2, 2), 4)


def test_the_files_of_a_span_give_the_figures_that_the_simulator_means(
    pipeline: Pipeline, settings: Settings, tmp_path: Path
) -> None:
    rows = load_profile_catalogue(settings.profile, pipeline.feeds).indicators.values()
    write_span(tmp_path, pipeline.profile, rows, span=SPAN, hourly=30, twins=1)
    for path in sorted(tmp_path.glob("*/*.ndjson")):
        feed = path.parent.name
        if feed != "report.value":  # says figures, and moves none
            pipeline.send(feed, [json.loads(line) for line in path.read_text().splitlines()])
    pipeline.roll_up()
    stored = {
        (code, area, str(bucket)[:7]): value
        for code, area, bucket, value in pipeline.rows(
            "SELECT code, area_code, bucket::text, value FROM indicator_value WHERE period = 'month'"
        )
    }
    told = list(csv.DictReader((tmp_path / "truth" / "figures.csv").read_text().splitlines()))
    assert len(told) > 500 and len({row["code"] for row in told}) > 15
    wrong = [
        (row, found)
        for row in told
        if (found := stored.get((row["code"], row["area"], row["month"])))
        != pytest.approx(float(row["value"]), abs=1e-3)
        and (found is not None or float(row["value"]) != 0)
    ]
    assert wrong == []
    codes = {row["code"] for row in told}
    known = {(row["code"], row["month"]) for row in told if row["area"] == "77"}
    more = [
        key for key, value in stored.items() if key[0] in codes and key[1] == "77" and value and key[::2] not in known
    ]
    assert more == [], "no month is counted that the simulator does not know of"
    outcomes = {
        row["outcome"]: 0 for row in csv.DictReader((tmp_path / "truth" / "events.csv").read_text().splitlines())
    }
    assert outcomes.keys() == {"new", "corrected", "voided", "superseded", "duplicate", "rejected"}
