"""`make mutation`: break each promise in a copy of the checkout, and see its test fail there.

With all of them caught, the table in docs/testing.md is written. Names as arguments run only those mutations.
"""

from __future__ import annotations

import difflib
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import typer

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from testbed.mutation import Mutation, load_mutations, table_of, with_table  # noqa: E402 - tests are no package

COPY = ROOT / ".state" / "mutation"
PAGE = ROOT / "docs" / "testing.md"
_COPIED = ("ioc", "sql", "streams", "connectors", "grafana", "deploy", "bench", "tests", "pyproject.toml")
# The end of pytest's output when a test failed; a fixture that failed, or no test at all, proves nothing.
_FAILED = re.compile(r"^\d+ failed(?!.*error)", re.MULTILINE)
# Well above what any of them takes on a busy machine.
_SECONDS = 900


def main(names: list[str]) -> int:
    """Run mutations; 0 when each was caught."""
    known = {mutation.name: mutation for mutation in load_mutations()}
    for name in names:
        if name not in known:
            near = ", ".join(difflib.get_close_matches(name, known)) or "see tests/mutation/mutations.toml"
            typer.echo(f"no mutation is named {name!r}: {near}", err=True)
            return 2
    mutations = [known[name] for name in names or known]
    missed: list[Mutation] = []
    for number, mutation in enumerate(mutations, 1):
        typer.echo(f"{number}/{len(mutations)} ", nl=False)
        if not _is_caught(mutation):
            missed.append(mutation)
    shutil.rmtree(COPY, ignore_errors=True)
    if missed:
        typer.echo(f"{len(missed)} of {len(mutations)} mutations were not caught: {', '.join(m.name for m in missed)}")
        return 1
    typer.echo(f"{len(mutations)} mutations, each caught")
    if not names:
        PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), table_of(mutations)), encoding="utf-8")
    return 0


def _is_caught(mutation: Mutation) -> bool:
    """Whether the test fails on the mutated copy."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, COPY / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, COPY / name)
    (COPY / ".cache").symlink_to(ROOT / ".cache")
    for edit in mutation.edits:
        edit.apply(COPY)
    begin = time.monotonic()
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *shlex.split(mutation.test)],
            cwd=COPY,
            # Before the installed project, here and in every process that the test starts.
            env={**os.environ, "PYTHONPATH": str(COPY)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        typer.echo(f"MISSED  {mutation.name}: its test did not end within {_SECONDS} s")
        return False
    caught = _FAILED.search(done.stdout) is not None
    typer.echo(f"{'caught' if caught else 'MISSED':7} {time.monotonic() - begin:5.0f} s  {mutation.name}")
    typer.echo("\n".join(line for line in done.stdout.splitlines() if line.startswith("E  "))[:600])
    if not caught:
        typer.echo(done.stdout[-3000:])
    return caught


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
