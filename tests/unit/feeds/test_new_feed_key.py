"""What cannot be a new feed is refused before anything is written."""

from __future__ import annotations

from datetime import timedelta

import pytest

from deploy.scaffold.feed import NewFeed, require_new
from ioc.errors import ConfigError


def new(key: str, name_vi: str = "Chỉ số nước", name_en: str = "Water readings") -> NewFeed:
    return NewFeed(key, name_vi, name_en, timedelta(hours=24))


def test_a_new_key_is_taken() -> None:
    # Not the example of docs/adding-a-feed.md, which a maintainer may have made before running this.
    require_new(new("specimen.two_words"))
    assert new("specimen.two_words").class_name == "SpecimenTwoWords"


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("Water.Meter", "DOMAIN.RECORD"),
        ("water", "DOMAIN.RECORD"),
        ("water.", "DOMAIN.RECORD"),
        ("water.a.b", "DOMAIN.RECORD"),
        ("water_a.b", "DOMAIN.RECORD"),
        ("water.meter\n", "DOMAIN.RECORD"),
        ("water.meter/../../x", "DOMAIN.RECORD"),
        ("w" * 40 + ".meter", "DOMAIN.RECORD"),
        ("tourism.stay", r"there is a feed tourism\.stay already"),
        ("stream.position", "there is a table stream_position already"),
        ("indicator.value", "there is a table indicator_value already"),
    ],
)
def test_what_cannot_be_a_key_is_refused(key: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        require_new(new(key))


@pytest.mark.parametrize("name", ["", 'a "b"', "a\nb", "a\\b", "Water readings"])
def test_a_name_that_would_spoil_the_module_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"name"):
        require_new(new("specimen.two_words", name_vi=name))
