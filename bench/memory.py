"""A process's resident memory over time."""

from __future__ import annotations

from pathlib import Path
from statistics import median


class MemoryTrace:
    """Samples of resident memory in MiB, as Linux counts it (`VmRSS`), and the peak (`VmHWM`)."""

    def __init__(self) -> None:
        self.samples: list[float] = []
        self.peak = 0.0

    def sample(self, pid: int) -> None:
        """Take a sample; a process that is gone gives none."""
        try:
            status = Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return
        fields = dict(line.split(":", 1) for line in status.splitlines())
        if "VmRSS" in fields:
            self.samples.append(_mib(fields["VmRSS"]))
            self.peak = max(self.peak, _mib(fields["VmHWM"]))

    @property
    def growth(self) -> float:
        """Median of the last third of the samples over that of the middle third; 1 = flat."""
        third = len(self.samples) // 3
        if not third:
            return 1.0
        return median(self.samples[-third:]) / median(self.samples[third : 2 * third])


def _mib(text: str) -> float:
    return int(text.split(maxsplit=1)[0]) / 1024
