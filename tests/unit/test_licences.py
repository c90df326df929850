"""Every package that the lock names is under a licence that a province may use and hand on."""

from __future__ import annotations

import pytest

from deploy.documentation.licence import is_allowed, licences, locked_packages


def test_every_package_is_under_a_licence_that_is_allowed() -> None:
    found = licences()
    assert len(found) > 0.9 * len(locked_packages())
    assert {name: licence for name, licence in found.items() if not is_allowed(licence)} == {}


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("Apache-2.0", True),
        ("MIT License", True),
        ("LGPL-3.0-only", True),
        ("GNU Lesser General Public License v3 (LGPLv3)", True),
        ("GPL-2.0-only OR MIT", True),
        ("GPL-3.0-or-later", False),
        ("GNU General Public License v3 (GPLv3)", False),
        ("GNU Affero General Public License v3", False),
        ("AGPL-3.0", False),
        ("Proprietary", False),
        ("", False),
    ],
)
def test_licences(licence: str, allowed: bool) -> None:
    assert is_allowed(licence) == allowed
