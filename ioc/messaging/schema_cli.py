"""`ioc schema export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ioc.command.output import AsJson, show_rows
from ioc.feeds.feed import load_feeds
from ioc.messaging.schema import write_schemas
from ioc.settings import Settings

app = typer.Typer(no_args_is_help=True)


@app.command("export")
def export_command(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", file_okay=False, help="Thư mục ghi tệp · Where to write the files.")
    ],
    as_json: AsJson = False,
) -> None:
    """Ghi JSON Schema sự kiện của từng nguồn và tài liệu AsyncAPI · Write the JSON Schema of each feed's events and
    an AsyncAPI document of the topics.
    """
    files = write_schemas(load_feeds(), Settings().topic_prefix, directory)
    show_rows([{"file": str(file)} for file in files], as_json=as_json, title="Đã ghi · written")


@app.callback()
def _group() -> None:
    """Keep `export` a command of its own, as others may follow."""
