"""Apache Kafka for the local stack: one node, KRaft, jars fetched by set-up."""

from __future__ import annotations

import secrets
import shutil
import subprocess
from pathlib import Path

from deploy.local.files import KAFKA_JARS, LOCAL
from deploy.local.process import Address, BackgroundProcess
from ioc.errors import ConfigError, FatalError
from ioc.settings import Settings

_LOOPBACK = ("127.0.0.1", "localhost")


class KafkaServer:
    """The broker behind `IOC_KAFKA_BOOTSTRAP`; data below `IOC_STATE_DIR`/kafka."""

    name = "kafka"

    def __init__(self, settings: Settings) -> None:
        host, _, port = settings.kafka_bootstrap.rpartition(":")
        if host not in _LOOPBACK or not port.isdecimal():
            raise ConfigError(
                f"The local stack cannot start Kafka on {settings.kafka_bootstrap!r}: "
                "set IOC_KAFKA_BOOTSTRAP to 127.0.0.1:<port>, or use your own brokers without `make up`."
            )
        self._settings = settings
        self._bootstrap = f"127.0.0.1:{port}"
        self._client = Address("127.0.0.1", int(port), "IOC_KAFKA_BOOTSTRAP=127.0.0.1:<port>")
        self._controller = Address("127.0.0.1", settings.kafka_controller_port, "IOC_KAFKA_CONTROLLER_PORT")
        self._dir = settings.state_dir.absolute() / "kafka"
        self._config = self._dir / "server.properties"
        self._process = BackgroundProcess(self.name, settings.state_dir.absolute())

    @property
    def pid(self) -> int | None:
        return self._process.pid

    @property
    def address(self) -> str:
        return self._bootstrap

    @property
    def log(self) -> Path:
        return self._process.log

    def start(self, timeout: float = 60.0) -> None:
        """Start and wait until clients are served; returns at once when it already runs.

        Raises `ConfigError` for a port in use, `FatalError` when it does not come up.
        """
        if self.pid is None:
            java = _java()
            self._client.require_free("Kafka")
            self._controller.require_free("Kafka's controller")
            self._configure()
            self._format(java)
            # The heap is small and of fixed size; a broker reads and writes through the page cache.
            self._process.start([*java, "-Xms512m", "-Xmx512m", *self._options(), "kafka.Kafka", self._config])
        self._process.wait_ready(self.is_ready, timeout)

    def stop(self) -> None:
        """Shut down cleanly, so that the next start has no log to recover."""
        self._process.stop()

    def kill(self) -> None:
        """SIGKILL; returns when the process is gone."""
        self._process.kill()

    def is_ready(self) -> bool:
        """Whether a client finds a broker that takes part in the cluster."""
        from ioc.messaging.client import is_reachable  # noqa: PLC0415 - slow import, needed only while waiting

        return self._client.answers() and is_reachable(self._settings, 3.0)

    def purge(self) -> None:
        """Stop and delete all topics."""
        self.stop()
        shutil.rmtree(self._dir, ignore_errors=True)

    def _configure(self) -> None:
        (self._dir / "tmp").mkdir(parents=True, exist_ok=True)
        own = {
            "listeners": f"CLIENT://{self._bootstrap},CONTROLLER://127.0.0.1:{self._controller.port}",
            "advertised.listeners": f"CLIENT://{self._bootstrap}",
            "controller.quorum.bootstrap.servers": f"127.0.0.1:{self._controller.port}",
            "log.dirs": self._dir / "data",
        }
        base = (LOCAL / "kafka" / "server.properties").read_text()
        self._config.write_text(base + "".join(f"{key}={value}\n" for key, value in own.items()))

    def _format(self, java: list[str]) -> None:
        """Give a new data directory its cluster id; one that has it is left as it is."""
        if (self._dir / "data" / "meta.properties").exists():
            return
        cluster_id = secrets.token_urlsafe(16)  # Kafka's own form: 128 bits in URL-safe base 64
        formatting = ["format", "--standalone", f"--cluster-id={cluster_id}", "--config", str(self._config)]
        made = subprocess.run(
            [*java, *self._options(), "kafka.tools.StorageTool", *formatting],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            raise FatalError(f"Kafka's data directory {self._dir} could not be formatted: {made.stderr or made.stdout}")

    def _options(self) -> list[str]:
        return [
            "-XX:-UsePerfData",  # writes outside the checkout
            f"-Djava.io.tmpdir={self._dir / 'tmp'}",
            f"-Dlog4j2.configurationFile={LOCAL / 'kafka' / 'log4j2.properties'}",
            "-cp",
            f"{KAFKA_JARS}/*",
        ]


def _java() -> list[str]:
    java = shutil.which("java")
    if java is None or not any(KAFKA_JARS.glob("kafka_*.jar")):
        raise FatalError("Kafka or its Java runtime is not installed: run `make setup`.")
    return [java]
