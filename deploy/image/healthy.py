"""A container's health check: `healthy.py PORT [PATH]`; exit status 0 when the process on that port says it is well."""

from __future__ import annotations

import sys
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener


def is_well(port: int, path: str = "/ready", timeout: float = 3.0) -> bool:
    """Return whether `GET path` answers 200."""
    try:
        with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{port}{path}", timeout=timeout) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


if __name__ == "__main__":
    sys.exit(0 if is_well(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "/ready") else 1)
