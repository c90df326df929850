"""What Grafana's PostgreSQL data source makes of a query before it runs it: variables first, then macros.

Used to run every panel's and every rule's SQL without a Grafana server. Only what the boards use is known;
anything else is an error, so that a board cannot hold what was never run.
Source: Grafana's public/app/features/variables (formats) and the data source's macros.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from ioc.errors import ConfigError

_VARIABLE = re.compile(
    r"\$\{(?P<braced>\w+)(?::(?P<format>\w+))?\}|\$(?P<plain>(?!__)[A-Za-z]\w*)|\[\[(?P<old>\w+)\]\]"
)
_INTERVAL = re.compile(r"\$__(interval_ms|interval)\b")
# As in Grafana, an argument list ends at the first closing bracket: no nested calls inside a macro.
_MACRO = re.compile(r"\$__(\w+)\(([^)]*)\)")


@dataclass(frozen=True)
class Situation:
    """What a board shows at a moment: its time range, step, and what is chosen above it."""

    start: datetime
    end: datetime
    interval: timedelta = timedelta(minutes=1)
    variables: Mapping[str, str | Sequence[str]] = field(default_factory=dict)


def expand(sql: str, situation: Situation) -> str:
    """Return the SQL that reaches the database; raises ConfigError for what is not known here."""
    filled = _VARIABLE.sub(lambda match: _variable(match, situation), sql)
    milliseconds = int(situation.interval.total_seconds() * 1000)
    steps = {"interval": f"{milliseconds}ms", "interval_ms": str(milliseconds)}
    filled = _INTERVAL.sub(lambda match: steps[match[1]], filled)
    done = _MACRO.sub(lambda match: _macro(match[1], match[2], situation), filled)
    if "$__" in done:
        raise ConfigError(f"a macro is not written as Grafana reads it: {done[done.index('$__') :][:60]!r}")
    return done


def _variable(match: re.Match[str], situation: Situation) -> str:
    name = match["braced"] or match["plain"] or match["old"]
    if name not in situation.variables:
        raise ConfigError(f"${name} is not a variable of the board; add it to the board or correct the query")
    value = situation.variables[name]
    values = [value] if isinstance(value, str) else list(value)
    match match["format"]:
        case "sqlstring":
            return ",".join("'" + one.replace("'", "''") + "'" for one in values)
        case None | "raw" if isinstance(value, str):
            return value
        case "csv" | "raw":
            return ",".join(values)
        case unknown:
            raise ConfigError(f"${name}: the format {unknown!r} is not known here; boards use :sqlstring")


def _macro(name: str, arguments: str, situation: Situation) -> str:
    parts = [part.strip() for part in arguments.split(",")]
    start, end = _time(situation.start), _time(situation.end)
    match name, parts:
        case "timeFrom", [""]:
            return start
        case "timeTo", [""]:
            return end
        case "timeFilter", [column] if column:
            return f"{column} BETWEEN {start} AND {end}"
        case "timeGroup" | "timeGroupAlias", [column, step]:
            alias = ' AS "time"' if name == "timeGroupAlias" else ""
            return f"time_bucket('{_seconds(step):.3f}s',{column}){alias}"
    raise ConfigError(f"$__{name}({arguments}) is not a macro that is known here, or has wrong arguments")


def _time(moment: datetime) -> str:
    return f"'{moment.astimezone(UTC).isoformat(timespec='microseconds').replace('+00:00', 'Z')}'"


def _seconds(step: str) -> float:
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
    match = re.fullmatch(r"'?(\d+)(ms|s|m|h|d)'?", step)
    if match is None:
        raise ConfigError(f"{step!r} is not a step of time such as 5m")
    return int(match[1]) * units[match[2]]
