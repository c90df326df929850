"""`ioc db size` counts every row, and its parts add up to what the server says."""

from __future__ import annotations

import json

from testbed.feed_event import stay
from testbed.pipeline import Pipeline
from typer.testing import CliRunner

from ioc.database.cli import app
from ioc.settings import Settings


def test_the_room_of_each_table_is_what_the_server_says(settings: Settings, pipeline: Pipeline) -> None:
    pipeline.send("tourism.stay", [stay(guest=number) for number in range(40)])
    pipeline.roll_up()
    environment = {name: value for name, value in settings.to_environment().items() if name.startswith("IOC_")}
    shown = CliRunner().invoke(app, ["size", "--json"], env=environment)
    assert shown.exit_code == 0, shown.output
    rows = {row["table"]: row for row in json.loads(shown.stdout)}
    stays = rows["tourism_stay"]
    assert (stays["rows"], rows["stream_batch"]["rows"], rows["record_identity"]["rows"]) == (40, 1, 40)
    assert stays["bytes_a_row"] == stays["bytes_an_event"] == round(stays["total_bytes"] / 40, 1)
    ((server,),) = pipeline.rows("SELECT hypertable_size('tourism_stay')")
    assert stays["total_bytes"] == server
    for row in rows.values():
        assert row["total_bytes"] >= row["table_bytes"] + row["index_bytes"] >= 0, row
    # The rest is the server's own catalogue.
    ((whole,),) = pipeline.rows("SELECT pg_database_size(current_database())")
    assert 0 < sum(row["total_bytes"] for row in rows.values()) < whole  # type: ignore[operator]
