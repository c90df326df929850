"""`make fuzz`: atheris looks for inputs that crash or hang a parser, for each format from its samples.

Not part of `make test`: atheris is fetched for the run (`pip install atheris`, Python 3.11). FUZZ_SECONDS is the time
for each format. The number of inputs of each is printed; what failed lies in .cache/fuzz as a file that gives the
fault again.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "unit" / "formats")]
CORPUS = ROOT / ".cache" / "fuzz"
_TAKEN = re.compile(r"stat::number_of_executed_units:\s*([0-9]+)")


def fuzz_all(seconds: int) -> int:
    """Fuzz every format in a process of its own, print what each took, and return the exit status."""
    import test_format_fuzz as inputs  # noqa: PLC0415 - after the path is set

    total, failed = 0, []
    for name in inputs.WITH_SAMPLES:
        run = subprocess.run(
            [sys.executable, __file__, name, str(seconds)], capture_output=True, text=True, check=False
        )
        taken = int(found[1]) if (found := _TAKEN.search(run.stderr)) else 0
        total += taken
        print(f"{name}: {taken:,} inputs{'' if run.returncode == 0 else ', FAILED'}", flush=True)  # noqa: T201
        if run.returncode or not taken:
            failed.append(name)
            print(run.stdout[-2000:], run.stderr[-4000:])  # noqa: T201
    print(f"{total:,} inputs over {len(inputs.WITH_SAMPLES)} formats; {len(failed)} failed")  # noqa: T201
    return 1 if failed else 0


def fuzz_one(name: str, seconds: int) -> None:
    """Run until the time is over or an input fails."""
    import atheris  # noqa: PLC0415 - fetched for this run only

    with atheris.instrument_imports(include=["connectors"]):
        import test_format_fuzz as inputs  # noqa: PLC0415

    corpus = CORPUS / name
    corpus.mkdir(parents=True, exist_ok=True)
    samples = inputs.BY_FORMAT[name]
    for file, content in samples:
        (corpus / file).write_bytes(content)
    options = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=2048", "-print_final_stats=1"]
    atheris.Setup(
        [sys.argv[0], str(corpus), *options, f"-artifact_prefix={CORPUS}/{name}-"],
        # The file's name may tell what its content does not, such as the station.
        lambda content: inputs.assert_events_and_findings(name, content, samples[0][0]),
    )
    atheris.Fuzz()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        fuzz_one(sys.argv[1], int(sys.argv[2]))
    else:
        sys.exit(fuzz_all(int(os.environ.get("FUZZ_SECONDS", "20"))))
