"""The Faust application: one generic agent per feed over the project's delivery and transport.

Nothing here happens at import; `create_app` builds everything from what it is passed.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import faust
from faust.types import TP, TransportT
from mode.supervisors import CrashingSupervisor

from ioc.catalogue.store import load_measures, read_epoch
from ioc.database.connection import connect
from ioc.feeds.feed import Feed
from ioc.feeds.plausibility import Calendar
from ioc.province.profile import Profile
from ioc.province.store import check_province
from ioc.settings import Settings
from sql import load_queries
from streams.process.faultpoint import fault_from
from streams.rules.contribute import Contributor
from streams.rules.parse import BatchParser
from streams.rules.register import Register
from streams.worker.agent import FeedAgent, Work, Writer
from streams.worker.delivery import RawSchema, SingleRecordScheduler, WholeFetchScheduler
from streams.worker.metrics import WorkerMetrics
from streams.worker.selection import served_feeds
from streams.worker.store import RecordStore
from streams.worker.transport import PositionTransport, with_retries

# Long enough for a restart of PostgreSQL, short enough that a rebalance is not held up.
_PATIENCE = 90.0
# Compressed, some thousand events: more costs memory and is no faster. A record that is larger still comes whole.
_MAX_FETCH_BYTES = 1024 * 1024


class IocApp(faust.App):
    """A Faust app whose consumers start from the positions in the database."""

    def __init__(self, settings: Settings, topics: Sequence[str]) -> None:
        self._ioc_settings = settings
        self._ioc_topics = list(topics)
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
            web_enabled=False,
        )

    def _new_transport(self) -> TransportT:
        return PositionTransport(self.conf.broker_consumer, self, positions=self._stored_positions)

    async def _stored_positions(self, assignment: set[TP]) -> Mapping[TP, int]:
        """Return the stored position of each assigned partition, creating those that are new."""
        return await with_retries(
            lambda: asyncio.to_thread(_read_positions, self._ioc_settings, assignment), attempts=8, pause=1.0
        )

    @property
    def is_flowing(self) -> bool:
        """Whether records are being fetched: false before the first assignment and during a rebalance."""
        return bool(self.consumer.flow_active)  # type: ignore[attr-defined]  # every consumer has it; the interface does not

    def is_known_gap(self, topic: str, partition: int, offset: int) -> bool:
        """Tell whether Kafka had deleted everything up to an offset when its partition was sought."""
        transport = cast(PositionTransport, self.transport)
        return transport.deleted_up_to.get(TP(topic, partition)) == offset


def _read_positions(settings: Settings, assignment: set[TP]) -> dict[TP, int]:
    queries = load_queries("stream")
    with connect(settings, "writer") as connection:
        connection.cursor().executemany(queries["ensure_position"], sorted(assignment))
        rows = connection.execute(queries["select_positions"], [sorted({tp.topic for tp in assignment})]).fetchall()
    stored = {TP(topic, partition): offset for topic, partition, offset in rows}
    return {tp: stored[tp] for tp in assignment}


def create_app(
    settings: Settings, feeds: Mapping[str, Feed], profile: Profile, metrics: WorkerMetrics, restart: Callable[[], None]
) -> IocApp:
    """Return the application with an agent for each feed whose table fits it; reads the catalogue's measures.

    restart: what agents call when another edition of catalogue, areas and reporters has been loaded.

    Raises ConfigError where the database holds another province's data: its events would count in areas of this one.
    """
    with connect(settings, "writer") as connection:
        check_province(connection, settings, profile)
        # First: what is loaded after it may be newer than it says, never older.
        epoch = read_epoch(connection)
        measures = load_measures(connection)
        ids: dict[str, int] = dict(connection.execute("SELECT key, feed_id FROM feed").fetchall())
        feeds = served_feeds(connection, feeds, ids, metrics)
    app = IocApp(settings, [feed.topic(settings.topic_prefix) for feed in feeds.values()])
    fault = fault_from(settings.fault)
    writer = Writer(lambda: _writer_connection(settings))
    # One thread each: batches are parsed and applied one after the other, in the order of their arrival.
    parse_pool = ThreadPoolExecutor(1, thread_name_prefix="parse")
    apply_pool = ThreadPoolExecutor(1, thread_name_prefix="apply")
    calendar = Calendar.of(settings, profile.timezone)
    for feed in feeds.values():
        register = Register(feed, profile.reporters, profile.areas)
        parser = BatchParser(feed, register, calendar)
        contributor = Contributor([measure for measure in measures if measure.measure.feed == feed.key])
        agent = FeedAgent(
            Work(feed.key, parser, RecordStore(feed, ids[feed.key], contributor, epoch=epoch, fault=fault)),
            writer,
            parse_pool=parse_pool,
            apply_pool=apply_pool,
            metrics=metrics,
            is_known_gap=app.is_known_gap,
            patience=_PATIENCE,
            most_events=settings.worker_fetch_records,
            restart=restart,
            fault=fault,
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


def _writer_connection(settings: Settings) -> Any:
    connection = connect(settings, "writer", autocommit=True)
    # A worker that is stopped in the middle of a transaction must not hold its successor up for ever.
    connection.execute("SET idle_in_transaction_session_timeout = '15s'")
    connection.execute("SET lock_timeout = '20s'")
    connection.execute(load_queries("stream")["end_stalled_writers"])
    return connection


def _credentials(settings: Settings) -> Any:
    protocol = settings.kafka_security_protocol
    if protocol == "PLAINTEXT":
        return None
    context = ssl.create_default_context(cafile=settings.kafka_ssl_cafile) if protocol.endswith("SSL") else None
    if protocol.startswith("SASL"):
        return faust.SASLCredentials(
            username=settings.kafka_sasl_username,
            password=settings.kafka_sasl_password.get_secret_value(),
            mechanism=settings.kafka_sasl_mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context)
