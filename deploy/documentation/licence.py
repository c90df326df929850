"""Under which licence each package of the lock may be used; `python -m deploy.documentation.licence` lists them."""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import typer

from ioc.settings import ROOT

# What may be used with, or beside, software under Apache-2.0: as libraries, unmodified (LGPL, MPL).
ALLOWED = re.compile(
    r"apache|\bmit\b|bsd|\bisc\b|python software foundation|\bpsf|mpl|mozilla|lgpl|lesser general|unlicense"
    r"|public domain|zlib|hpnd|cc0|0bsd|blueoak|zpl|eclipse|epl",
    re.IGNORECASE,
)
# Packages whose metadata name no licence that is known by its name; a person has read the file that they carry.
READ_BY_A_PERSON = {
    "venusian": "Repoze Public License, whose terms are those of BSD-3-Clause",
    "verlib2": "BSD-2-Clause",
}
# Copyleft that would reach into this project's own code.
REFUSED = re.compile(r"\bagpl|affero|(?<!l)gpl|(?<!lesser )general public", re.IGNORECASE)


def locked_packages(lock: Path = ROOT / "requirements.lock") -> list[str]:
    """Return the names that the lock pins."""
    return re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", lock.read_text(encoding="utf-8"), re.MULTILINE)


def licence_of(found: Distribution) -> str:
    """Return a package's licence: its SPDX expression, else its classifiers, else the first line of its own words."""
    told = found.metadata.json
    if expression := told.get("license_expression"):
        return str(expression)
    if found.name in READ_BY_A_PERSON:
        return READ_BY_A_PERSON[found.name]
    classifiers = [one.rpartition(" :: ")[2] for one in told.get("classifier", ()) if one.startswith("License ::")]
    named = [one for one in classifiers if one != "OSI Approved"]
    return "; ".join(named) or str(told.get("license", "")).strip().split("\n")[0]


def licences() -> dict[str, str]:
    """Return the licence of each package of the lock that is installed here, by name."""
    found = {}
    for name in locked_packages():
        try:
            found[name] = licence_of(distribution(name))
        except PackageNotFoundError:
            continue  # for another Python or platform
    return found


def is_allowed(licence: str) -> bool:
    """Whether a licence may be used; of several that one may choose from (`A OR B`), one is enough."""
    choices = re.split(r"\bOR\b", licence)
    return any(ALLOWED.search(one) and not REFUSED.search(one) for one in choices)


if __name__ == "__main__":
    for package, licence in sorted(licences().items()):
        typer.echo(f"{package}: {licence}")
