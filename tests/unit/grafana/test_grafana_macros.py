"""Macros and variables become what Grafana makes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from grafana.query.macros import Situation, expand
from ioc.errors import ConfigError

SITUATION = Situation(
    datetime(2024, 10, 1, 7, tzinfo=timezone(timedelta(hours=7))),
    datetime(2024, 10, 31, tzinfo=UTC),
    timedelta(minutes=5),
    {"area": "771", "feed": ["tax.einvoice", "o'x"]},
)
START, END = "'2024-10-01T00:00:00.000000Z'", "'2024-10-31T00:00:00.000000Z'"


@pytest.mark.parametrize(
    ("sql", "expanded"),
    [
        ("$__timeFrom()::timestamptz", f"{START}::timestamptz"),
        ("$__timeTo()", END),
        ("$__timeFilter(b.at)", f"b.at BETWEEN {START} AND {END}"),
        ("$__timeGroup(at, $__interval)", "time_bucket('300.000s',at)"),
        ("$__timeGroupAlias(at, '1h')", "time_bucket('3600.000s',at) AS \"time\""),
        ("n * 1000.0 / $__interval_ms", "n * 1000.0 / 300000"),
        ("a = ${area:sqlstring}", "a = '771'"),
        ("f IN (${feed:sqlstring})", "f IN ('tax.einvoice','o''x')"),
        ("$area [[area]] ${area:raw}", "771 771 771"),
        ("${feed:csv}", "tax.einvoice,o'x"),
        ("price$ = '5$'", "price$ = '5$'"),
    ],
)
def test_expands(sql: str, expanded: str) -> None:
    assert expand(sql, SITUATION) == expanded


@pytest.mark.parametrize(
    "sql",
    ["$nowhere", "${area:glob}", "$__unknown(x)", "$__timeGroup(at)", "$__timeGroup(at, soon)", "$__timeFrom"],
)
def test_refuses_what_grafana_would_leave_in_the_query(sql: str) -> None:
    with pytest.raises(ConfigError):
        expand(sql, SITUATION)
