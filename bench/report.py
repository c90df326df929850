"""What was measured against what was wanted: a table, a flat file, and the page in the documentation."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psycopg
from psycopg.rows import scalar_row
from rich.console import Console
from rich.table import Table

from bench.drain import middle
from bench.peer import DEBEZIUM
from deploy.local.files import KAFKA_JARS
from ioc.settings import ROOT

LATEST = ROOT / "bench" / "latest.json"
PAGE = ROOT / "docs" / "performance.md"
_BEGIN, _END = "<!-- measured: begin -->", "<!-- measured: end -->"

Values = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Goal:
    """One line of the table. `of` computes it from one round's values; `least` or `most` is what is wanted."""

    name: str
    text: str
    needs: tuple[str, ...]
    of: Callable[..., float]
    least: float | None = None
    most: float | None = None
    unit: str = "x"

    @property
    def wanted(self) -> str:
        """The goal in words."""
        if self.least is not None:
            return f"≥ {self.least:g} {self.unit}"
        return f"≤ {self.most:g} {self.unit}" if self.most is not None else ""

    def verdict(self, value: float) -> str:
        """Whether a value meets the goal; nothing where there is none."""
        if self.least is None and self.most is None:
            return ""
        met = value >= self.least if self.least is not None else value <= (self.most or 0.0)
        return "met" if met else "missed"


def _ratio(part: float, whole: float) -> float:
    return part / whole


def _same(value: float) -> float:
    return value


def _spread_of(*values: float) -> float:
    return max(values) / min(values)


GOALS = (
    Goal("bulk_vs_peer", "Bulk load, beside Kafka Connect + Debezium JDBC sink (upsert of flat rows, nothing else)",
         ("bulk_events_s", "peer_rows_s"), _ratio, least=4),
    Goal("bulk_vs_narrow_peer", "… upserting rows of 12 columns instead of all",
         ("bulk_events_s", "peer_narrow_rows_s"), _ratio, least=2.5),
    Goal("bulk_vs_plain", "Bulk load, beside a plain consumer: pydantic, COPY, upsert (ten sums, no corrections)",
         ("bulk_events_s", "plain_events_s"), _ratio),
    Goal("bulk_vs_quix", "Bulk load, beside Quix Streams with its PostgreSQL sink (ten sums, no corrections)",
         ("bulk_events_s", "quix_events_s"), _ratio),
    Goal("bulk_vs_database", "Bulk load, beside the database alone with the same writes",
         ("bulk_events_s", "database_events_s"), _ratio, least=0.75),
    Goal("single_vs_bulk", "Single-event records, beside batches", ("single_events_s", "bulk_events_s"), _ratio,
         least=0.9),
    Goal("single_vs_faust", "Single-event records, beside an empty agent of stock Faust",
         ("single_events_s", "faust_records_s"), _ratio, least=2),
    Goal("latency_p50_s", "Appended to committed, at a quarter of full load, median", ("latency_p50_s",), _same,
         unit="s"),
    Goal("latency_p99_s", "… 99th percentile", ("latency_p99_s",), _same, most=1, unit="s"),
    Goal("indicator_p99_s", "Sent to counted in the province's indicator, 99th percentile", ("indicator_p99_s",),
         _same, unit="s"),
    Goal("worker_rss_mib", "Worker's memory while draining, peak", ("worker_rss_mib",), _same, most=400, unit="MiB"),
    Goal("worker_rss_growth", "… last third of the drain over the middle third", ("worker_rss_growth",), _same,
         most=1.1),
    Goal("gateway_vs_empty", "Gateway, batches of 100 in a closed loop, beside its server with an empty handler",
         ("gateway_events_s", "gateway_empty_events_s"), _ratio, least=0.5),
    Goal("gateway_half_p99_ms", "… a request's latency at half of its events a second, 99th percentile",
         ("gateway_half_p99_ms",), _same, most=250, unit="ms"),
    Goal("gateway_rss_growth", "… its memory, last third of the loop over the middle third", ("gateway_rss_growth",),
         _same, most=1.1),
    Goal("publish_csv_rss_mib", "`ioc publish` of a CSV of a million rows: memory, peak", ("publish_csv_rss_mib",),
         _same, most=400, unit="MiB"),
    Goal("publish_csv_rss_growth", "… last third of the way over the middle third", ("publish_csv_rss_growth",), _same,
         most=1.1),
    Goal("publish_xml_rss_mib", "`ioc publish` of an XML of 200 MiB: memory, peak", ("publish_xml_rss_mib",), _same,
         most=400, unit="MiB"),
    Goal("publish_xml_rss_growth", "… last third of the way over the middle third", ("publish_xml_rss_growth",), _same,
         most=1.1),
    Goal("live_cpu_vs_bulk", "Processor time of an event of a trickle over all feeds, beside bulk of the same events",
         ("live_cpu_us", "live_bulk_cpu_us"), _ratio, most=3),
    Goal("live_indicator_p99_s", "… accepted to visible in the province's indicators, 99th percentile",
         ("live_indicator_p99_s",), _same, most=1, unit="s"),
    Goal("member_bytes_per_event", "Members of distinct counts, for each event of all feeds",
         ("member_bytes_per_event",), _same, most=200, unit="bytes"),
    Goal("shards_cpu_ratio", "Processor time of an event, the dearest of 1, 2 and 4 workers over the cheapest",
         ("shards_1_cpu_us", "shards_2_cpu_us", "shards_4_cpu_us"), _spread_of, most=1.1),
    Goal("history_cost_ratio", "Time of an event with 100 times the history, over that with one",
         ("history_short_events_s", "history_long_events_s"), _ratio, most=1.1),
    Goal("overview_p95_ms", "Overview query over a year of all areas, 95th percentile", ("overview_p95_ms",), _same,
         most=50, unit="ms"),
    Goal("panel_p95_worst_ms", "Slowest of Grafana's panels that shows a month of a year's figures, p95",
         ("panel_p95_worst_ms",), _same, most=50, unit="ms"),
    Goal("panel_year_p95_worst_ms", "Slowest of Grafana's panels that shows the year, p95",
         ("panel_year_p95_worst_ms",), _same, most=50, unit="ms"),
    Goal("year_rollup_s", "Rolling up 1,298 indicators, all areas and periods, one year", ("year_rollup_s",), _same,
         unit="s"),
    Goal("status_full_s", "Judging every indicator in every area anew, a full pass", ("status_full_s",), _same, most=2,
         unit="s"),
    Goal("status_touched_ms", "Judging what one batch has touched", ("status_touched_ms",), _same, most=100, unit="ms"),
    Goal(
        "status_everywhere_ms",
        "Judging after a batch that moves every figure of its sector in every area",
        ("status_everywhere_ms",),
        _same,
        unit="ms",
    ),
    Goal("status_core_share", "The scheduler's looks beside the stream: share of a core, its database's part included",
         ("status_core_share",), _same, most=0.05, unit="cores"),
    Goal("rebuild_s", "Rebuilding a sector over a month of a million records", ("rebuild_s",), _same, most=60,
         unit="s"),
)  # fmt: skip


@dataclass(frozen=True)
class GoalResult:
    """A goal with what was measured: median, least and most of the rounds."""

    goal: Goal
    value: float
    low: float
    high: float


def lines_of(values: Values) -> list[GoalResult]:
    """Return the goals whose values were all measured; a ratio is taken within each round."""
    lines = []
    for goal in GOALS:
        rounds = [goal.of(*row) for row in zip(*(values.get(name, ()) for name in goal.needs), strict=False)]
        if rounds:
            lines.append(GoalResult(goal, middle(rounds), min(rounds), max(rounds)))
    return lines


def flat(values: Values, facts: Mapping[str, object]) -> dict[str, object]:
    """Return everything as one flat object: ratios, absolute numbers with their spread, machine and versions."""
    result: dict[str, object] = dict(facts)
    for name, rounds in values.items():
        result |= {name: middle(rounds), f"{name}_min": min(rounds), f"{name}_max": max(rounds)}
    for line in lines_of(values):
        name = line.goal.name
        result |= {name: line.value, f"{name}_min": line.low, f"{name}_max": line.high}
    return result


def facts_of(connection: psycopg.Connection, *, events: int, rounds: int, command: str) -> dict[str, object]:
    """Return what the numbers were measured on and with."""
    cpu = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    cursor = connection.cursor(row_factory=scalar_row)
    server = cursor.execute("SHOW server_version").fetchone()
    extension = cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'timescaledb'").fetchone()
    kafka = next(iter(KAFKA_JARS.glob("kafka-server-[0-9]*.jar")), None)
    return {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command,
        "events": events,
        "rounds": rounds,
        "cpu": cpu[1] if cpu else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory[1]) / 2**20, 1) if memory else 0,
        "load_before": round(os.getloadavg()[0], 2),
        "python_version": platform.python_version(),
        "postgresql_version": str(server).split(maxsplit=1)[0] if server else "",
        "timescaledb_version": extension or "",
        "kafka_version": kafka.stem.removeprefix("kafka-server-") if kafka else "",
        "debezium_version": DEBEZIUM,
        "faust_version": version("faust-streaming"),
        "polars_version": version("polars"),
    }


def write_latest(result: Mapping[str, object], path: Path = LATEST) -> None:
    """Write the flat object."""
    path.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


def show(values: Values, console: Console) -> None:
    """Print goals and absolute numbers."""
    table = Table(title="Goals", title_justify="left")
    for title in ("what", "goal", "measured", "min – max", "verdict"):
        table.add_column(title, justify="left" if title == "what" else "right")
    colours = {"met": "green", "missed": "yellow", "": ""}
    for line in lines_of(values):
        verdict = line.goal.verdict(line.value)
        shown = f"[{colours[verdict]}]{verdict}[/]" if verdict else ""
        table.add_row(line.goal.text, line.goal.wanted, f"{line.value:,.2f}", _spread(line.low, line.high), shown)
    console.print(table)
    numbers = Table(title="Measured", title_justify="left")
    for title in ("what", "median", "min – max"):
        numbers.add_column(title, justify="left" if title == "what" else "right")
    for name, rounds in values.items():
        numbers.add_row(name, f"{middle(rounds):,.2f}", _spread(min(rounds), max(rounds)))
    console.print(numbers)


def page_section(values: Values, facts: Mapping[str, object]) -> str:
    """Return the generated section of the documentation."""
    what = (
        f"`{facts['command']}` on {str(facts['measured_at'])[:10]}: {facts['events']:,} events, {facts['rounds']} "
        f"rounds, {facts['cores']} cores ({facts['cpu']}), {facts['memory_gib']} GiB; the machine's load before it "
        f"began was {facts['load_before']}."
    )
    tools = (
        f"Python {facts['python_version']}, PostgreSQL {facts['postgresql_version']}, TimescaleDB "
        f"{facts['timescaledb_version']}, Kafka {facts['kafka_version']}, Debezium {facts['debezium_version']}, "
        f"faust-streaming {facts['faust_version']}, Polars {facts['polars_version']}."
    )
    goals = ["| what | goal | measured | min – max | |", "|---|--:|--:|--:|---|"]
    for line in lines_of(values):
        verdict = line.goal.verdict(line.value)
        spread = _spread(line.low, line.high)
        goals.append(f"| {line.goal.text} | {line.goal.wanted} | {line.value:,.2f} | {spread} | {verdict} |")
    numbers = ["| number | median | min – max |", "|---|--:|--:|"]
    for name, rounds in values.items():
        numbers.append(f"| `{name}` | {middle(rounds):,.2f} | {_spread(min(rounds), max(rounds))} |")
    return "\n\n".join([what, tools, "\n".join(goals), "\n".join(numbers)])


def write_page(section: str, path: Path = PAGE) -> None:
    """Put a new generated section between the page's two marks; the rest of the page is left as it is."""
    before, found_begin, rest = path.read_text().partition(_BEGIN)
    _, found_end, after = rest.partition(_END)
    if not (found_begin and found_end):
        raise ValueError(f"{path} has lost its marks {_BEGIN} and {_END}: put them back where the table belongs")
    path.write_text(f"{before}{_BEGIN}\n{section}\n{_END}{after}")


def _spread(low: float, high: float) -> str:
    return f"{low:,.2f} – {high:,.2f}" if low != high else ""
