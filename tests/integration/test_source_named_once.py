"""What is not known names each source once, on the pages and in the digest, however many causes bear its name."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.rows import dict_row

from sql import load_queries

PROVINCE = 771
AGENCY = "Sở Xây dựng"
CAUSES = (
    "report.value:twin-1",
    "report.value:twin-2",
    "report.value:nobody-1",
    "report.value:nobody-2",
    "report.value",
    "tourism.stay",
    None,
    None,
)


@pytest.fixture
def unknown(db: psycopg.Connection) -> None:
    """Eight indicators that are not known: two agencies of one name, two that no register has, feeds, nothing."""
    db.execute(
        "INSERT INTO reporter (feed_id, code, name, area_code, valid_from, valid_to, attributes)"
        " SELECT feed_id, code, %s, '77', '2020-01-01', 'infinity', '{}' FROM feed, unnest(%s::text[]) AS code"
        " WHERE key = 'report.value'",
        [AGENCY, ["twin-1", "twin-2"]],
    )
    codes = [code for (code,) in db.execute("SELECT code FROM indicator WHERE live ORDER BY indicator_id LIMIT 8")]
    for hours, (code, cause) in enumerate(zip(codes, CAUSES, strict=True)):
        db.execute(
            "INSERT INTO indicator_status (code, area_id, sector, unit, owner, status, since, period, cause,"
            " computed_at) VALUES (%s, %s, 'lodging', '%%', 'x', 'stale', now() - make_interval(hours => %s),"
            " 'day', %s, now())",
            [code, PROVINCE, hours + 1, cause],
        )


@pytest.mark.usefixtures("unknown")
def test_each_source_is_named_once_with_all_its_indicators(db: psycopg.Connection) -> None:
    cursor = db.cursor(row_factory=dict_row)
    asked = {"area_id": PROVINCE, "statuses": ["stale", "incomplete", "no_data"]}
    page = cursor.execute(load_queries("page")["count_causes"].encode(), asked).fetchall()
    said = [(row["name_vi"], row["is_agency"], row["indicators"]) for row in page]
    assert len({name for name, *_ in said}) == len(said)
    assert (AGENCY, True, 2) in said
    assert (None, False, 2) in said
    (reports,) = [row for row in page if row["cause"] == "report.value"]
    assert (reports["is_agency"], reports["indicators"]) == (False, 3)
    (agency,) = [row for row in page if row["name_vi"] == AGENCY]
    first = cursor.execute("SELECT min(since) AS since FROM indicator_status WHERE cause LIKE '%twin%'").fetchone()
    assert first == {"since": agency["since"]}
    digest = cursor.execute(
        load_queries("digest")["list_unknown"].encode(), {"root": PROVINCE, "sectors": ["lodging"]}
    ).fetchall()
    assert [(row["source"], row["is_agency"], row["indicators"]) for row in digest] == said
