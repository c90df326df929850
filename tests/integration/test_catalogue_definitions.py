"""The SQL that the catalogue's pages show is what PostgreSQL understands, over the record tables as they are."""

from __future__ import annotations

import re

import psycopg

from deploy.documentation.definition import define
from ioc.catalogue import DATA, load_catalogue
from ioc.feeds.feed import load_feeds

PARAMETERS = {"from": "2024-10-01", "to": "2024-10-31", "area": "77"}


def test_every_definition_runs(db: psycopg.Connection) -> None:
    feeds = load_feeds()
    catalogue = load_catalogue(DATA, feeds)
    ran = 0
    for found in catalogue.indicators.values():
        if found.formula:
            continue
        sql = define(found, catalogue, feeds).sql.replace("%", "%%")
        row = db.execute(re.sub(r":(from|to|area)\b", r"%(\1)s", sql), PARAMETERS).fetchone()
        assert row in ((None,), (0,)), found.code  # nothing is recorded yet
        ran += 1
    assert ran > 1000
