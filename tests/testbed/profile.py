"""A profile made for a test."""

from __future__ import annotations

import csv
import shutil
from dataclasses import asdict, fields
from pathlib import Path

from ioc.territory.area import FOREVER, Area, AreaTree


def write_profile(source: Path, target: Path, areas: AreaTree) -> None:
    """A copy of a profile with other units."""
    shutil.copytree(source, target)
    with (target / "areas.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Area)], lineterminator="\n")
        writer.writeheader()
        for area in areas.areas:
            row = {name: "" if value in (None, FOREVER) else value for name, value in asdict(area).items()}
            writer.writerow(row)
