"""Programs that set-up runs: output into one log, a failure that says what happened and what to do."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ioc.errors import FatalError


class Command:
    """Runs programs with their output appended to `log`; never with a standard input."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def run(self, argv: Sequence[str | Path], *, cwd: Path | None = None, as_root: bool = False) -> None:
        """Run to the end; raises `FatalError` with the end of its output when it fails."""
        arguments = [*_root_prefix(argv), *map(str, argv)] if as_root else [str(argument) for argument in argv]
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("a") as log:
            log.write(f"$ {shlex.join(arguments)}\n")
            log.flush()
            begin = log.tell()
            done = subprocess.run(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                check=False,
            )
        if done.returncode != 0:
            with self.log.open(errors="replace") as log:
                log.seek(begin)
                tail = "\n".join(f"    {line}" for line in log.read().splitlines()[-15:])
            raise FatalError(
                f"`{shlex.join(arguments)}` failed with status {done.returncode}. Its last lines:\n{tail}\n"
                f"All of it is in {self.log}. Mend the cause and run `make setup` again: it goes on here."
            )

    def output(self, argv: Sequence[str | Path]) -> str:
        """What a short program prints; empty when it fails."""
        done = subprocess.run(list(argv), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else ""


def _root_prefix(argv: Sequence[str | Path]) -> list[str]:
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        raise FatalError(f"This needs root: {shlex.join(map(str, argv))}\nRun `make setup` as root, or install sudo.")
    return ["sudo", "-n"]
