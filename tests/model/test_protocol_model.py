"""The protocol's model holds under every fault that it knows, and each promise that is broken makes it fail.

`docs/model/protocol.pml` is checked exhaustively by Spin: every interleaving of two workers, the roll-up, the log and
the faults. Faults are combined by twos, which keeps a check within seconds.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ioc.settings import ROOT

MODEL = ROOT / "docs" / "model" / "protocol.pml"
FAULTS = ("CRASHES", "REBALANCES", "LOSSES", "DELETIONS", "REMAKES")
COMBINATIONS = [
    {"CRASHES": 2},
    {"CRASHES": 1, "REBALANCES": 1},
    {"CRASHES": 1, "LOSSES": 1},
    {"CRASHES": 1, "DELETIONS": 1},
    {"REBALANCES": 1, "LOSSES": 1},
    {"REBALANCES": 1, "DELETIONS": 1},
    {"LOSSES": 1, "DELETIONS": 1},
    {"REMAKES": 1},
    {"REMAKES": 1, "CRASHES": 1},
]
# A promise of docs/testing.md, broken, and the faults under which that shows.
MUTATIONS = {
    "M_ACK_EARLY": {"CRASHES": 1},
    "M_START_AT_GROUP": {"CRASHES": 1},
    "M_NO_POSITION_CHECK": {"REBALANCES": 1},
    "M_TRUST_OVERLAP": {"REBALANCES": 1},
    "M_SKIP_GAPS": {"LOSSES": 1},
    "M_NO_TRANSACTION": {"CRASHES": 1},
    "M_NO_WATCHDOG": {"LOSSES": 1},
    "M_TAKE_APART": {"CRASHES": 1},
    "M_SUM_TWICE": {},
    "M_KEEP_REPLACED": {},
    "M_LAST_ARRIVAL": {},
    "M_NO_TOPIC_ID": {"REMAKES": 1},
    "M_STALE_BATCH": {"REMAKES": 1},
}


def check(directory: Path, faults: dict[str, int], *mutations: str) -> tuple[int, int]:
    """Visit all states of the model; return how many errors and states there were."""
    defines = [f"-D{name}={faults.get(name, 0)}" for name in FAULTS] + [f"-D{name}" for name in mutations]
    for command in (
        ["spin", "-a", *defines, str(MODEL)],
        ["gcc", "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-o", "pan", "pan.c"],
    ):
        subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=120)
    done = subprocess.run(
        ["./pan", "-m100000", "-w22"], cwd=directory, check=True, capture_output=True, text=True, timeout=300
    )
    assert "max search depth too small" not in done.stdout
    errors = re.search(r"errors: (\d+)", done.stdout)
    states = re.search(r"(\d+) states, stored", done.stdout)
    assert errors and states, done.stdout
    return int(errors[1]), int(states[1])


@pytest.mark.parametrize("faults", COMBINATIONS, ids=lambda faults: "-".join(faults).lower())
def test_every_event_counts_once(
    tmp_path: Path, record_property: Callable[[str, object], None], faults: dict[str, int]
) -> None:
    errors, states = check(tmp_path, faults)
    record_property("states", states)
    assert errors == 0
    assert states > 10_000  # it did look


@pytest.mark.parametrize(("mutation", "faults"), MUTATIONS.items(), ids=MUTATIONS)
def test_a_broken_promise_is_found(tmp_path: Path, mutation: str, faults: dict[str, int]) -> None:
    errors, _ = check(tmp_path, faults, mutation)
    assert errors > 0


def test_every_mutation_of_the_model_is_tried() -> None:
    assert set(re.findall(r"\bM_[A-Z_]+\b", MODEL.read_text(encoding="utf-8"))) - {"M_"} == set(MUTATIONS)
