"""`ioc doctor`."""

from __future__ import annotations

from typing import Annotated

import typer
from pydantic_core import to_json
from rich.console import Console
from rich.text import Text

from deploy.doctor.examination import examine
from deploy.doctor.finding import CheckResult, CheckVerdict, exit_status
from ioc.command.output import AsJson
from ioc.settings import Settings

app = typer.Typer()

_SIGNS: dict[CheckVerdict, tuple[str, str]] = {
    "good": ("✓", "green"),
    "warning": ("!", "yellow"),
    "fault": ("✗", "red"),
    "unknown": ("?", "magenta"),
}


@app.command()
def doctor(
    probe: Annotated[
        bool,
        typer.Option(
            "--probe/--no-probe",
            help="Tạo rồi xóa một topic để xem đồng hồ Kafka · Make and delete a topic to read Kafka's clock.",
        ),
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Khám toàn hệ thống: phiên bản, đồng hồ, đĩa, quyền, topic, lược đồ, danh mục, tiến trình; nêu việc cần làm
    · Check every dependency, version, clock, disk, permission, topic and process, and say what to do.
    """
    settings = Settings()
    console = Console(highlight=False)
    found: list[CheckResult] = []
    for one in examine(settings, probe=probe):
        found.append(one)
        if not as_json:
            _tell(console, one)
    if as_json:
        typer.echo(to_json([one.model_dump() for one in found], indent=2))
    else:
        counts = {verdict: sum(one.verdict == verdict for one in found) for verdict in _SIGNS}
        console.print(
            f"\n{counts['good']} tốt · good, {counts['warning']} cảnh báo · warnings, {counts['fault']} lỗi · faults, "
            f"{counts['unknown']} không rõ · unknown"
        )
    raise typer.Exit(exit_status(found))


def _tell(console: Console, finding: CheckResult) -> None:
    sign, colour = _SIGNS[finding.verdict]
    line = Text.assemble((f"{sign} ", colour), (f"{finding.part} · {finding.check}: ", "bold"), finding.message)
    console.print(line, soft_wrap=True)
    if finding.advice:
        console.print(Text(f"    → {finding.advice}"), soft_wrap=True)
