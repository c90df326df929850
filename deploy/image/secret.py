"""Runs a command with secrets that are kept in files.

A container is given its secrets as files, so that they are in no environment that `inspect` shows. For every variable
`IOC_<NAME>_FILE`, its file's content becomes `IOC_<NAME>` of the command, which takes this process's place.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_SUFFIX = "_FILE"
# Settings whose own names end so.
_OWN = frozenset({"IOC_ENV_FILE", "IOC_TOKEN_FILE"})


def with_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with each secret read from its file; raises OSError where one cannot be read."""
    result = dict(environment)
    for name, file in environment.items():
        if name.startswith("IOC_") and name.endswith(_SUFFIX) and name not in _OWN:
            del result[name]
            result[name.removesuffix(_SUFFIX)] = Path(file).read_text(encoding="utf-8").rstrip("\r\n")
    return result


def main() -> None:
    """Run `ioc` with the arguments of this command."""
    try:
        environment = with_secrets(os.environ)
    except OSError as error:
        sys.exit(f"error: a secret cannot be read: {error}. Mount its file, or correct the variable that names it.")
    os.execvpe("ioc", ["ioc", *sys.argv[1:]], environment)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
