from __future__ import annotations

from pathlib import Path

import pytest
from testbed.gateway import GatewayBed


@pytest.fixture
def gateway(tmp_path: Path) -> GatewayBed:
    return GatewayBed(tmp_path)
