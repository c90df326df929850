"""`ioc registry publish`: the profile's registers through the real gateway over memory."""

from __future__ import annotations

import io
import json
import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from testbed.gateway import AsgiTransport
from typer.testing import CliRunner

from connectors.gateway.app import create_app
from connectors.gateway.producer import InMemoryEventProducer
from connectors.publishing.client import GatewayClient
from connectors.publishing.registry import changed_at, publish_registers
from deploy.cli import app as commands
from ioc.errors import ConfigError
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile, registry_events
from ioc.settings import Settings
from ioc.web.tokens import TokenFile

FEED = "registry.reporter"
AT = datetime(2024, 10, 1, 8, 30, tzinfo=UTC)
Open = Callable[..., GatewayClient]


@pytest.fixture
def producer() -> InMemoryEventProducer:
    return InMemoryEventProducer()


@pytest.fixture
def open_client(tmp_path: Path, producer: InMemoryEventProducer, feeds: dict[str, Feed]) -> Open:
    tokens = TokenFile(tmp_path / "tokens.json")
    gateway = create_app(Settings(_env_file=None), feeds, tokens, producer)

    def open_(*agencies: str) -> GatewayClient:
        _, secret = tokens.create("register", [FEED], agencies)
        return GatewayClient("http://gateway.invalid", secret, transport=AsgiTransport(gateway))

    return open_


def published(
    client: GatewayClient, profile: Profile, feeds: dict[str, Feed], at: datetime = AT, *, as_json: bool = True
) -> int:
    with client:
        quiet = Console(file=io.StringIO())
        return publish_registers(profile, feeds[FEED], at, client, as_json=as_json, stderr=quiet)


def events_in(producer: InMemoryEventProducer) -> list[dict[str, Any]]:
    values = [json.loads(record.value) for record in producer.records]
    return [event for value in values for event in (value if isinstance(value, list) else [value])]


def test_every_entry_of_every_register_is_published_by_its_agency(
    open_client: Open,
    producer: InMemoryEventProducer,
    profile: Profile,
    feeds: dict[str, Feed],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert published(open_client("*"), profile, feeds) == 0
    expected = [
        (agency, entry.model_dump(mode="json", exclude_none=True)) for agency, entry in registry_events(profile)
    ]
    events = events_in(producer)
    assert len(events) == len(expected) > 1000
    for agency, data in expected[:: len(expected) // 50]:
        subject = f"{agency}/{data['registry']}/{data['place_id']}"
        (event,) = (event for event in events if event["subject"] == subject)
        assert event["data"] == data
        assert "revision" not in event, "the time orders the versions"
        assert datetime.fromisoformat(event["time"]) == AT
    report = json.loads(capsys.readouterr().out)
    assert (report["events"], report["accepted"], report["refused"]) == (len(expected), len(expected), 0)
    places = {one["register"]: one["events"] for one in report["registers"]}
    assert places == Counter(data["registry"] for _, data in expected)


def test_an_unchanged_profile_gives_the_very_same_events(
    open_client: Open, producer: InMemoryEventProducer, profile: Profile, feeds: dict[str, Feed]
) -> None:
    published(open_client("*"), profile, feeds)
    first = [record.value for record in producer.records]
    producer.records.clear()
    published(open_client("*"), profile, feeds)
    assert [record.value for record in producer.records] == first
    producer.records.clear()
    published(open_client("*"), profile, feeds, AT + timedelta(seconds=1))
    assert {datetime.fromisoformat(event["time"]) for event in events_in(producer)} == {AT + timedelta(seconds=1)}


def test_what_the_token_does_not_allow_is_told_once(
    open_client: Open, profile: Profile, feeds: dict[str, Feed], capsys: pytest.CaptureFixture[str]
) -> None:
    stderr = io.StringIO()
    with open_client(*sorted({*profile.registers.values()} - {"cuc-thue"})) as client:
        console = Console(file=stderr, width=80)
        assert publish_registers(profile, feeds[FEED], AT, client, as_json=False, stderr=console) == 1
    assert stderr.getvalue().count("this token may not publish for this reporter") == 1
    assert "einvoice/" in stderr.getvalue() and "lodging/" not in stderr.getvalue()
    assert "so-du-lich" in capsys.readouterr().out


def test_the_newest_file_of_reporters_tells_when_a_profile_changed(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="IOC_PROFILE"):
        changed_at(tmp_path, AT)
    for name, age in (("reporters_a.csv", 3600), ("reporters_b.csv", 60), ("areas.csv", 1)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (AT.timestamp() - age, AT.timestamp() - age))
    assert changed_at(tmp_path, AT) == AT - timedelta(seconds=60)
    os.utime(tmp_path / "reporters_a.csv", (AT.timestamp() + 60, AT.timestamp() + 60))
    assert changed_at(tmp_path, AT) == AT, "a clock that is ahead does not block later versions"


def test_the_command_needs_a_token() -> None:
    done = CliRunner().invoke(commands, ["registry", "publish"])
    assert done.exit_code == 2
    assert "--token-file" in done.output
