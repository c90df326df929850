"""`ioc format list`: the formats, what each gives and how it is recognised."""

from __future__ import annotations

import typer

from connectors.formats.format import load_formats
from ioc.command.output import AsJson, show_rows

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_formats(*, as_json: AsJson = False) -> None:
    """Liệt kê định dạng tệp: nguồn dữ liệu, phiên bản, cách nhận ra · List the formats: feeds, versions, how each is
    recognised.
    """
    rows = [
        {
            "format": declared.name,
            "feeds": list(declared.feeds) if as_json else _feeds(declared.feeds),
            "title_vi": declared.title_vi,
            "title_en": declared.title_en,
            "versions": list(declared.versions),
            "recognised_by": [carrier.says for carrier in declared.carriers],
        }
        for declared in load_formats().values()
    ]
    show_rows(rows, as_json=as_json, title="Định dạng tệp · formats")


@app.callback()
def _group() -> None:
    """Keep `list` a command of its own, as others may follow."""


def _feeds(feeds: tuple[str, ...]) -> list[str]:
    few = 3
    return list(feeds) if len(feeds) <= few else ["every feed"]
