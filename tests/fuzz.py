"""`make fuzz`: atheris looks for inputs that crash or hang a parser, from the samples of every format.

Not part of `make test`: atheris is fetched for the run (`pip install atheris`, Python 3.11). FUZZ_SECONDS sets how
long it looks; what it found lies in .cache/fuzz as a file that gives the fault again.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "unit" / "formats")]


def main() -> None:
    """Run until the time is over or an input fails; the number of inputs is printed by the fuzzer."""
    import atheris  # noqa: PLC0415 - fetched for this run only

    with atheris.instrument_imports(include=["connectors"]):
        import test_format_fuzz as inputs  # noqa: PLC0415

    corpus = ROOT / ".cache" / "fuzz"
    corpus.mkdir(parents=True, exist_ok=True)
    for name, samples in inputs.BY_FORMAT.items():
        for file, content in samples:
            (corpus / f"{name}-{file}").write_bytes(content)
    # The file's name tells the station, whose parser would else stop at once.
    file = next(file for file, _ in inputs.BY_FORMAT["station_txt"])
    options = [f"-max_total_time={os.environ.get('FUZZ_SECONDS', '60')}", "-timeout=20", "-rss_limit_mb=2048"]
    atheris.Setup(
        [sys.argv[0], str(corpus), *options, f"-artifact_prefix={corpus}/"],
        lambda content: inputs.check("atheris", content, file),
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
