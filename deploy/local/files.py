"""Where the local stack keeps what it fetches and what it is configured from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ioc.settings import ROOT, is_checkout

LOCAL: Final = ROOT / "deploy" / "local"

# Fetched once for all stacks of this checkout, whatever their state directory; never inside an installed package.
CACHE: Final = ROOT / ".cache" if is_checkout() else Path("/var/cache/ioc")
KAFKA_JARS: Final = CACHE / "kafka"
CONNECT_JARS: Final = CACHE / "connect"
CONNECT_PLUGINS: Final = CACHE / "plugins"
PEER_PYTHON: Final = CACHE / "python_peer" / "bin" / "python"
DEBEZIUM_JARS: Final = CONNECT_PLUGINS / "debezium-connector-jdbc"

# Absolute: another version's programs may come first on the PATH.
POSTGRES_BIN: Final = Path("/usr/lib/postgresql/15/bin")
