"""`python -m deploy.documentation.weakness`: known weaknesses of the packages in the lock; what `make audit` runs.

pip-audit asks the Python Packaging Advisory Database for each locked version. Exit status 0 = none is known, 1 = some
are, 3 = it could not be asked, which says nothing about the packages.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import NamedTuple

from ioc.settings import ROOT

_SECONDS = 300
_ASK = ("--requirement", "requirements.lock", "--require-hashes", "--disable-pip", "--progress-spinner", "off")


class Weakness(NamedTuple):
    """An advisory that concerns a locked version."""

    package: str
    version: str
    advisory: str
    mended_in: tuple[str, ...]


class AdvisoryReport(NamedTuple):
    """What was found; `unknown` are packages of which nothing could be learned."""

    weaknesses: Sequence[Weakness]
    asked: int
    unknown: Sequence[str]


def read_answer(report: str) -> AdvisoryReport | None:
    """Return what pip-audit's JSON says; None where it is none: it has failed."""
    try:
        packages = json.loads(report)["dependencies"]
        found = [
            Weakness(one["name"], one["version"], advisory["id"], tuple(advisory["fix_versions"]))
            for one in packages
            for advisory in one.get("vulns", ())
        ]
        return AdvisoryReport(found, len(packages), [one["name"] for one in packages if "skip_reason" in one])
    except (ValueError, KeyError, TypeError):
        return None


def verdict(answer: AdvisoryReport | None) -> tuple[int, str]:
    """Return the exit status, and what to say."""
    if answer is None or (answer.asked == 0 or len(answer.unknown) == answer.asked):
        return 3, "audit: the advisories could not be asked; nothing is known about these packages now"
    lines = [
        f"{one.package} {one.version}: {one.advisory}"
        + (f", mended in {', '.join(one.mended_in)}" if one.mended_in else ", not mended yet")
        for one in answer.weaknesses
    ]
    if answer.unknown:
        lines.append(f"audit: nothing could be learned of {', '.join(answer.unknown)}")
    lines.append(f"audit: {len(answer.weaknesses)} known weaknesses in {answer.asked} packages")
    return (1 if answer.weaknesses else 3 if answer.unknown else 0), "\n".join(lines)


def main() -> int:
    """Ask, and say what was found."""
    try:
        asked = subprocess.run(
            [sys.executable, "-m", "pip_audit", "--format", "json", *_ASK],
            check=False,
            capture_output=True,
            text=True,
            cwd=ROOT,
            timeout=_SECONDS,
        )
        report, complaint = asked.stdout, asked.stderr.strip().rpartition("\n")[2]
    except subprocess.TimeoutExpired:
        report, complaint = "", f"no answer in {_SECONDS} s"
    status, told = verdict(read_answer(report))
    print(told if report or not complaint else f"{complaint[:300]}\n{told}")  # noqa: T201
    return status


if __name__ == "__main__":
    sys.exit(main())
