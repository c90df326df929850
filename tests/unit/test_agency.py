"""Whoever answers for a reported indicator can report it: checked when a profile is loaded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ioc.errors import ConfigError
from ioc.feeds.feed import load_feeds
from ioc.province.profile import check_agencies, load_profile, load_profile_catalogue
from ioc.settings import ROOT

PROFILES = sorted(path.parent for path in (ROOT / "ioc" / "profiles").glob("*/profile.toml"))


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.name)
def test_every_reported_indicator_has_its_agency(path: object) -> None:
    check_agencies(load_profile(path), load_profile_catalogue(path, load_feeds()))  # type: ignore[arg-type]


def test_an_agency_of_another_name_is_told() -> None:
    """It is not matched by chance: 'Sở Y Tế' is not 'Sở Y tế'."""
    profile = load_profile(PROFILES[0])
    catalogue = load_profile_catalogue(PROFILES[0], load_feeds())
    renamed = tuple(
        replace(one, name="Bảo hiểm xã hội tỉnh") if one.name == "BHXH tỉnh" else one for one in profile.reporters
    )
    with pytest.raises(ConfigError, match=r"BHXH tỉnh \(8: .*reporters_report\.csv"):
        check_agencies(replace(profile, reporters=renamed), catalogue)
