"""`pollers.toml` is checked whole: what is wrong is named with its place, and no secret lies in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.poller.declaration import FILE, load_pollers, read_secret
from ioc.errors import ConfigError
from ioc.feeds.feed import load_feeds

REST = """
[[rest]]
name = "pms"
feed = "tourism.daily_report"
url = "https://pms.example.vn/api/reports"
items = "/data"
paging = {kind = "offset", parameter = "offset", limit_parameter = "limit", size = 100}
since = {parameter = "updated_since", at = "/updated_at", start = "2024-01-01T00:00:00Z"}
auth = {kind = "oauth2", token_url = "https://pms.example.vn/token", client_id = "ioc", secret = "pms"}
"""
SQL = """
[[sql]]
name = "hotel-db"
feed = "tourism.daily_report"
driver = "psycopg"
connect = {host = "10.1.2.3", dbname = "hotel", user = "ioc_read"}
secret = "hotel_db"
query = "SELECT code AS establishment_code, changed_at, id FROM report"
watermark = "changed_at"
key = "id"
start = "2024-01-01T00:00:00+07:00"
"""


def load(directory: Path, text: str) -> list[str]:
    (directory / FILE).write_text(text)
    return [one.name for one in load_pollers(directory, load_feeds())]


def test_a_profile_declares_pollers(tmp_path: Path) -> None:
    assert load_pollers(tmp_path, load_feeds()) == ()
    assert load(tmp_path, REST + SQL) == ["pms", "hotel-db"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (REST.replace("tourism.daily_report", "tourism.nothing"), "no feed 'tourism.nothing'"),
        (REST + REST, "two pollers are named pms"),
        (REST.replace("https://pms.example.vn/api", "http://pms.example.vn/api"), "use https"),
        (REST.replace('items = "/data"\n', ""), "say in `items`"),
        (REST.replace("size = 100", "size = 0"), "size"),
        (REST + "\ncolour = 1", "colour"),
        (REST.replace("secret =", "password ="), "password"),
        (SQL.replace('driver = "psycopg"', 'driver = "no_such_driver"'), "not installed"),
        (SQL.replace('driver = "psycopg"', 'driver = "json"'), "no dialect"),
        (SQL.replace("FROM report", "FROM report; DROP TABLE report"), "one SELECT"),
        ("[[rest", "pollers.toml"),
    ],
)
def test_what_is_wrong_is_named(text: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=told):
        load(tmp_path, text)


def test_a_secret_lies_in_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "pms").write_text("abc\n")
    assert read_secret(tmp_path, "pms") == "abc"
    with pytest.raises(ConfigError, match="IOC_POLLER_SECRETS"):
        read_secret(tmp_path, "other")
