"""The scenarios, in the order of a round: what is compared runs side by side in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bench.bed import Scenario
from bench.scenario.bulk import Bulk
from bench.scenario.database import Database
from bench.scenario.faust import EmptyAgent
from bench.scenario.gateway import GatewayLoop
from bench.scenario.history import History
from bench.scenario.latency import Latency
from bench.scenario.live import Live
from bench.scenario.members import Members
from bench.scenario.peer import FlatRows, NarrowRows
from bench.scenario.publish import PublishedFiles
from bench.scenario.python_peer import PlainConsumer, QuixStreams
from bench.scenario.rebuild import RebuildDuration
from bench.scenario.shards import Shards
from bench.scenario.single import Single
from bench.scenario.year import Year

SCENARIOS: Final[tuple[Callable[[], Scenario], ...]] = (
    Bulk,
    FlatRows,
    NarrowRows,
    PlainConsumer,
    QuixStreams,
    Database,
    Single,
    EmptyAgent,
    Latency,
    GatewayLoop,
    PublishedFiles,
    Live,
    Members,
    Shards,
    History,
    Year,
    RebuildDuration,
)
