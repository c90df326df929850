"""Files of every format from a province's records, each with what it means beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from deploy.simulator.native.file import Desk, NativeFile
from deploy.simulator.native.roster import WRITERS
from deploy.simulator.record import Life

# These take what they need themselves: one document, the readings of one station, guests of one kind.
OF_ALL = frozenset(
    {"station_txt", "document_edxml", "lodging_foreign_xml", "lodging_foreign_xlsx", "lodging_vietnamese_xlsx"}
)


def native_files(lives: Mapping[str, Sequence[Life]], desk: Desk, *, at_most: int) -> Iterator[tuple[str, NativeFile]]:
    """Yield (format, file) for each format whose feed has records that it can carry.

    lives:   records as they stand, by feed. at_most: how many records of a feed go into a file.
    """
    for name, (feed, writers) in WRITERS.items():
        own = lives.get(feed, ())
        every = 1 if name in OF_ALL else max(1, len(own) // at_most)
        for writer in writers:
            file = writer(own[::every], desk) if own else None
            if file is not None and file.told:
                yield name, file


def write_native(directory: Path, lives: Mapping[str, Sequence[Life]], desk: Desk, *, at_most: int) -> int:
    """Write `DIRECTORY/<format>/<file>` and `<file>.told.json` for each format; return how many files."""
    count = 0
    for name, file in native_files(lives, desk, at_most=at_most):
        path = directory / name / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        told = {
            "read_at": desk.now.isoformat(),
            "establishment": file.establishment,
            "records": [asdict(one) for one in file.told],
        }
        path.with_name(f"{file.name}.told.json").write_text(
            json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
        count += 1
    return count
