"""`ioc status`."""

from __future__ import annotations

from typing import Annotated

import typer

from ioc.command.output import AsJson, AsOf, show_rows
from ioc.database.connection import connect, translated_errors
from ioc.incident.reading import count_statuses, list_statuses
from ioc.reading.past import within
from ioc.reading.past.latest import moment_of
from ioc.settings import Settings

app = typer.Typer()


@app.command()
def status(
    sector: Annotated[str | None, typer.Option("--sector", help="Chỉ ngành này · Only this sector.")] = None,
    area: Annotated[
        str | None, typer.Option("--area", help="Mã địa bàn; mặc định cả tỉnh · Code of an area; none = the province.")
    ] = None,
    code: Annotated[
        str | None, typer.Option("--code", help="Chỉ chỉ tiêu này, ở mọi địa bàn · Only this indicator; in all areas.")
    ] = None,
    lagging: Annotated[
        bool, typer.Option("--lagging", help="Chỉ chỉ tiêu chậm · Only what is behind its pace.")
    ] = False,
    unusual: Annotated[
        bool, typer.Option("--unusual", help="Chỉ số liệu bất thường · Only what lies far from its own past.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Nhiều nhất · Most rows.")] = 200,
    as_of: AsOf = None,
    as_json: AsJson = False,
) -> None:
    """Theo ngành, hoặc từng chỉ tiêu · How indicators stand: by sector, or one by one where anything is chosen."""
    one_by_one = any((sector, code, lagging, unusual))
    settings = Settings()
    moment = None if as_of is None else moment_of(settings, as_of)
    with (
        connect(settings, "reader", autocommit=True) as connection,
        translated_errors(),
        within(connection, moment),
    ):
        if one_by_one:
            rows = list_statuses(
                connection,
                sector=sector,
                area=area,
                code=code,
                status="lagging" if lagging else None,
                unusual=unusual,
                limit=limit,
            )
        else:
            rows = count_statuses(connection, area)
    if one_by_one and not as_json:
        names = (
            *("code", "area_name", "status", "since", "bucket", "value", "expected", "lag", "lag_in", "forecast"),
            *("target", "target_on", "reported", "due", "cause"),
        )
        rows = [{name: row[name] for name in names} for row in rows]
    show_rows(
        rows,
        as_json=as_json,
        title="Tình trạng chỉ tiêu · status",
        empty="Không có chỉ tiêu phù hợp, hoặc chưa đánh giá: `ioc scheduler` đánh giá vài giây một lần · "
        "Nothing fits, or nothing has been judged yet: `ioc scheduler` judges every few seconds.",
    )
