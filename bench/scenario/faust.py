"""An empty agent of stock Faust over the same single events."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.bed import SINGLE, Bed
from bench.drain import program, running, wait_for
from bench.site import free_ports
from ioc.errors import FatalError


class EmptyAgent:
    """Records a second that Faust hands over when nothing is done with them."""

    name = "faust"
    title = "Stock Faust, empty agent"
    every_round = True

    def prepare(self, bed: Bed) -> None:
        bed.site.preload(SINGLE, bed.load.singles)

    def measure(self, bed: Bed) -> Mapping[str, float]:
        with bed.site.fresh(topic_prefix=SINGLE) as settings:
            topic = bed.site.feed.topic(SINGLE)
            argv = [sys.executable, "-m", "bench.stock_faust", topic, str(bed.load.events)]
            log = settings.state_dir / "log" / "faust.log"
            log.unlink(missing_ok=True)
            with running([program("faust", argv, free_ports(1)[0])], settings) as started:
                wait_for(started["faust"], lambda: _answer(log) is not None, timeout=120.0)
            answer = _answer(log)
        if answer is None:
            raise FatalError(f"the empty agent gave no answer; see {log}")
        return {"faust_records_s": answer}


def _answer(log: Path) -> float | None:
    """Return the rate that the agent has printed; Faust's terminal codes may stand before it."""
    found = re.search(r'{"rate": ([0-9.]+)}', log.read_text()) if log.exists() else None
    return float(found[1]) if found else None
