"""Files of every format from a province's records, each with what it means beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from deploy.simulator.native.course import LATER, first_lives, later_files
from deploy.simulator.native.file import Desk, NativeFile
from deploy.simulator.native.roster import WRITERS
from deploy.simulator.record import Life

# These take what they need themselves: one document, the readings of one station, guests of one kind.
OF_ALL = frozenset(
    {"station_txt", "document_edxml", "lodging_foreign_xml", "lodging_foreign_xlsx", "lodging_vietnamese_xlsx"}
)


def native_files(
    lives: Mapping[str, Sequence[Life]], desk: Desk, *, at_most: int, later: bool = False
) -> Iterator[tuple[str, NativeFile]]:
    """Yield (format, file) for each format whose feed has records that it can carry.

    lives:   records as they stand, by feed. at_most: how many records of a feed go into a file.

    later: behind each file comes the next one of the same records, with corrections, voids, late ones and a broken one.
    """
    for name, (feed, writers) in WRITERS.items():
        own = lives.get(feed, ())
        every = 1 if name in OF_ALL else max(1, len(own) // at_most)
        for writer in writers if own else ():
            taken = own[::every]
            file = writer(first_lives(taken) if later else taken, desk)
            if file.told:
                yield name, file
                yield from ((name, next_one) for next_one in later_files(name, feed, writer, taken, desk) if later)


def write_native(directory: Path, lives: Mapping[str, Sequence[Life]], desk: Desk, *, at_most: int) -> int:
    """Write `DIRECTORY/<format>/<file>` and `<file>.told.json` for each format; return how many files."""
    count = 0
    for name, file in native_files(lives, desk, at_most=at_most, later=True):
        path = directory / name / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
        told = {
            "read_at": (desk.now + LATER if file.is_later else desk.now).isoformat(),
            "establishment": file.establishment,
            "refused": file.refused,
            "records": [asdict(one) for one in file.told],
        }
        path.with_name(f"{file.name}.told.json").write_text(
            json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
        )
        count += 1
    return count
