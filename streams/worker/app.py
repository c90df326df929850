"""The Faust application: an agent for each feed, one class for all feeds, over the project's delivery and transport.

Nothing here happens at import; `create_app` builds everything from what it is passed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, cast
from uuid import UUID

import faust
import psycopg
import structlog
import tenacity
from faust.types import TP, TransportT
from mode.supervisors import CrashingSupervisor

from ioc.catalogue.indicator import REPORT_FEED
from ioc.catalogue.limit import read_limits
from ioc.catalogue.store import load_limits, load_measures, read_epoch
from ioc.database.connection import connect
from ioc.errors import FatalError, RetryableError
from ioc.faultpoint import fault_from
from ioc.feeds.feed import Feed
from ioc.feeds.plausibility import Calendar
from ioc.messaging.client import tls_context
from ioc.province.profile import Profile, catalogue_directory
from ioc.province.store import check_province
from ioc.settings import Settings
from ioc.tracing import NO_TRACING, Tracing
from sql import load_queries
from streams.rules.contribute import Contributor
from streams.rules.limit import NO_LIMITS
from streams.rules.parse import BatchParser
from streams.rules.register import Register
from streams.worker.agent import FeedAgent, Work, Writer
from streams.worker.commit import JointCommit
from streams.worker.delivery import RawSchema, SingleRecordScheduler, WholeFetchScheduler
from streams.worker.halt import Halts, PartitionId
from streams.worker.log_mark import LogMarks
from streams.worker.log_state import LogStates
from streams.worker.metrics import WorkerMetrics
from streams.worker.selection import served_feeds
from streams.worker.stop_bound import StopBound
from streams.worker.store import RecordStore
from streams.worker.stored_position import judge, pass_over, read_positions
from streams.worker.transport import PositionConsumer, PositionTransport

# Long enough for a restart of PostgreSQL, short enough that a rebalance is not held up.
_PATIENCE = 90.0
# Compressed, some thousand events: more costs memory and is no faster. A record that is larger still comes whole.
_MAX_FETCH_BYTES = 1024 * 1024
_PASS_SECONDS = 1.0

log = structlog.get_logger(__name__)


class IocApp(faust.App):
    """A Faust app whose consumers start from the positions in the database."""

    def __init__(self, settings: Settings, topics: Sequence[str], stop_bound: StopBound) -> None:
        """stop_bound: is told when the app fails or begins to stop."""
        self.stop_bound = stop_bound
        self._ioc_settings = settings
        self._ioc_topics = list(topics)
        self._log_states = LogStates(settings)
        self.halts = Halts()
        self.marks = LogMarks()
        self.log_starts: dict[PartitionId, int] = {}
        self._topic_ids: dict[str, UUID | None] = {}
        super().__init__(
            settings.consumer_group,
            broker=[f"kafka://{server}" for server in settings.kafka_bootstrap.split(",")],
            broker_credentials=_credentials(settings),
            store="memory://",
            # Nothing is kept there, but Faust makes the directory: else in whatever directory the worker runs.
            datadir=str(settings.state_dir / "faust"),
            ConsumerScheduler=WholeFetchScheduler if settings.worker_whole_fetch else SingleRecordScheduler,
            agent_supervisor=CrashingSupervisor,
            autodiscover=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            stream_wait_empty=False,
            stream_buffer_maxsize=16,
            broker_max_poll_records=settings.worker_fetch_records,
            broker_commit_interval=1.0,
            broker_session_timeout=settings.worker_session_timeout,
            broker_heartbeat_interval=settings.worker_session_timeout / 5,
            broker_rebalance_timeout=60.0,
            broker_request_timeout=90.0,
            broker_max_poll_interval=600.0,
            consumer_max_fetch_size=_MAX_FETCH_BYTES,
            consumer_auto_offset_reset="earliest",
            # A topic that was made again, and partitions that were added, are found within so long.
            consumer_metadata_max_age_ms=15_000,
            web_enabled=False,
        )

    def _crash(self, reason: BaseException) -> None:
        self.stop_bound.failed()
        super()._crash(reason)

    async def stop(self) -> None:
        """Stop all services; what still waits for something after a while is ended with the process."""
        self.stop_bound.stopping()
        await super().stop()

    def _new_transport(self) -> TransportT:
        return PositionTransport(self.conf.broker_consumer, self, positions=self._positions)

    async def _positions(self, assignment: set[TP]) -> tuple[Mapping[TP, int], Mapping[TP, int]]:
        """Return the stored position of each assigned partition, and where to begin to read; new ones are created."""
        # Bounded, to half a minute, because a rebalance waits for it; the last failure is raised.
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_not_exception_type(FatalError),
            wait=tenacity.wait_exponential_jitter(initial=0.5, max=8.0),
            stop=tenacity.stop_after_attempt(8),
            reraise=True,
        )
        return await retrying(asyncio.to_thread, self._judged, assignment)

    def _judged(self, assignment: set[TP]) -> tuple[Mapping[TP, int], Mapping[TP, int]]:
        topics = {tp.topic for tp in assignment}
        with connect(self._ioc_settings, "worker", autocommit=True) as connection:
            ensure = load_queries("stream")["ensure_position"]
            connection.cursor().executemany(ensure, sorted(assignment))
            # Positions first: another worker may still move one, and none may seem to lie beyond an older end.
            stored = read_positions(connection, topics)
            logs = self._log_states(topics)
            self.log_starts.update({partition_id: state.start for partition_id, state in logs.items()})
            self._topic_ids.update({topic: state.topic_id for (topic, _), state in logs.items()})
            judge(connection, stored, logs, self.halts, self.marks, self._log_states.marks)
        positions = {tp: stored[tp.topic, tp.partition].next_offset for tp in assignment}
        # Of a halted partition nothing is stored: reading begins at its end.
        begins = {
            tp: (state.end if self.halts.holds(tp.topic, tp.partition) else max(positions[tp], state.start))
            for tp in assignment
            if (state := logs.get((tp.topic, tp.partition))) is not None
        }
        return positions, positions | begins

    @property
    def is_flowing(self) -> bool:
        """Whether records are being fetched: false before the first assignment and during a rebalance."""
        return bool(self.consumer.flow_active)  # type: ignore[attr-defined]  # every consumer has it; the interface does not

    def log_start(self, topic: str, partition: int) -> int:
        """Return the first offset that Kafka was last seen to keep of a partition."""
        return self.log_starts.get((topic, partition), 0)

    def topic_id(self, topic: str) -> UUID | None:
        """Return Kafka's id of a topic as it was when its partitions were assigned."""
        return self._topic_ids.get(topic)

    @faust.Service.task
    async def _pass_what_the_log_does_not_show(self) -> None:
        """Move positions over markers at a log's end, and over what was deleted where nothing follows."""
        before: dict[TP, tuple[int, int]] = {}
        while not self.should_stop:
            await self.sleep(_PASS_SECONDS)
            consumer = cast(PositionConsumer, self.consumer)
            passed = {} if self.rebalancing else consumer.passed()
            same = {
                tp: span
                for tp, span in passed.items()
                if before.get(tp) == span and not self.halts.holds(tp.topic, tp.partition)
            }
            before = passed
            if not same:
                continue
            spans = [(tp.topic, tp.partition, *span) for tp, span in same.items()]
            try:
                moved = await asyncio.to_thread(pass_over, self._ioc_settings, spans, self.log_starts)
            except (RetryableError, psycopg.Error) as error:
                log.warning("positions cannot be moved now", error=str(error))
                continue
            for tp, (start, end) in same.items():
                if (tp.topic, tp.partition) in moved:
                    consumer.went_on(tp, start, end)


def create_app(
    settings: Settings,
    feeds: Mapping[str, Feed],
    profile: Profile,
    metrics: WorkerMetrics,
    restart: Callable[[], None],
    tracing: Tracing = NO_TRACING,
) -> IocApp:
    """Return the application with an agent for each feed whose table fits it; reads the catalogue's measures.

    restart: what agents call when another edition of catalogue, areas and reporters has been loaded.

    Raises ConfigError where the database holds another province's data: its events would count in areas of this one.
    """
    with connect(settings, "worker") as connection:
        check_province(connection, settings, profile)
        # First: what is loaded after it may be newer than it says, never older.
        epoch = read_epoch(connection)
        measures = load_measures(connection)
        limits = load_limits(connection, read_limits(catalogue_directory(settings.profile)))
        ids: dict[str, int] = dict(connection.execute(load_queries("profile")["select_feed_ids"]).fetchall())
        feeds = served_feeds(connection, feeds, ids, metrics)
    app = IocApp(settings, [feed.topic(settings.topic_prefix) for feed in feeds.values()], StopBound())
    fault = fault_from(settings.fault)
    writer = Writer(lambda: _writer_connection(settings))
    # One thread each: batches are parsed and applied one after the other, in the order of their arrival.
    parse_pool = ThreadPoolExecutor(1, thread_name_prefix="parse")
    apply_pool = ThreadPoolExecutor(1, thread_name_prefix="apply")
    commit = JointCommit(
        apply_pool,
        partial(writer.apply_together, log_start=app.log_start),
        most_events=settings.worker_fetch_records,
    )
    calendar = Calendar.of(settings, profile.timezone)
    for feed in feeds.values():
        register = Register(feed, profile.reporters, profile.areas)
        parser = BatchParser(
            feed,
            register,
            calendar,
            limits=limits if feed.key == REPORT_FEED else NO_LIMITS,
            column_read_failed=partial(_column_read_failed, metrics, feed.key),
        )
        contributor = Contributor([measure for measure in measures if measure.measure.feed == feed.key])
        agent = FeedAgent(
            Work(
                feed.key,
                parser,
                RecordStore(feed, ids[feed.key], contributor, epoch=epoch, topic_id=app.topic_id, fault=fault),
            ),
            writer,
            parse_pool=parse_pool,
            commit=commit,
            metrics=metrics,
            log_start=app.log_start,
            halts=app.halts,
            marks=app.marks,
            patience=_PATIENCE,
            most_events=settings.worker_fetch_records,
            restart=restart,
            linger=settings.worker_linger,
            crashed=app.stop_bound.failed,
            fault=fault,
            tracing=tracing,
        )
        _register(app, feed, feed.topic(settings.topic_prefix), agent)
    return app


def _register(app: IocApp, feed: Feed, topic_name: str, agent: FeedAgent) -> None:
    topic = app.topic(topic_name, schema=RawSchema(), internal=False)

    async def consume(stream: Any) -> None:
        # `noack`: plain iteration acknowledges an event even when the body raised.
        events: AsyncIterable[Any] = stream.noack().events()
        await agent.run(events)

    app.agent(topic, name=f"agent.{feed.key}", concurrency=1)(consume)


def _column_read_failed(metrics: WorkerMetrics, feed: str, error: BaseException) -> None:
    metrics.read_singly(feed)
    log.warning(
        "records could not be read by the column and are read one by one", feed=feed, error=type(error).__name__
    )


def _writer_connection(settings: Settings) -> Any:
    connection = connect(settings, "worker", autocommit=True)
    # A worker that is stopped in the middle of a transaction must not hold its successor up for ever.
    connection.execute("SET idle_in_transaction_session_timeout = '15s'")
    connection.execute("SET lock_timeout = '20s'")
    connection.execute(load_queries("stream")["end_stalled_writers"])
    return connection


def _credentials(settings: Settings) -> Any:
    protocol = settings.kafka_security_protocol
    if protocol == "PLAINTEXT":
        return None
    context = tls_context(settings)
    if protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=settings.kafka_sasl_username,
            password=settings.kafka_sasl_password.get_secret_value(),
            mechanism=settings.kafka_sasl_mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context)
