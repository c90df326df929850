"""`ioc publish`: from files to the gateway's answers, with the real gateway over memory."""

from __future__ import annotations

import io
import json
import os
import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from format_reading import FEEDS, SAMPLES
from pydantic import SecretStr
from rich.console import Console
from testbed.gateway import AsgiTransport
from typer.testing import CliRunner

from connectors.formats.format import BadRecord, Event
from connectors.gateway.app import create_app
from connectors.gateway.producer import InMemoryEventProducer
from connectors.publishing.client import DeliveryReport, GatewayClient, token_of
from connectors.publishing.publish import FileReader, run
from connectors.publishing.report import FileResult
from connectors.publishing.sending import EventPublisher, send
from deploy.cli import app as commands
from ioc.errors import ConfigError, RetryableError
from ioc.settings import Settings
from ioc.web.tokens import TokenFile

INVOICES = SAMPLES / "einvoice_xml" / "message_200_with_a_bad_neighbour.xml"
PETROL = SAMPLES / "einvoice_xml" / "message_206_petrol.xml"
GUESTS = SAMPLES / "lodging_foreign_xml" / "guests.xml"
NOW = datetime(2024, 10, 12, 2, tzinfo=UTC)


def reader(**changes: Any) -> FileReader:
    return FileReader(Settings(_env_file=None), now=lambda: NOW, **changes)


def events_in(file: Path, **changes: Any) -> list[Event]:
    items = reader(establishment="77-750-0004", **changes).read(file, FileResult(""))
    return [item for item in items if isinstance(item, Event)]


class Consoles:
    """What a command prints, by stream."""

    def __init__(self) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()

    def run(
        self, files: Sequence[Path], publisher: EventPublisher | None, *, as_json: bool = False, **changes: Any
    ) -> int:
        return run(
            files,
            reader(**changes),
            publisher,
            as_json=as_json,
            stdout=Console(file=self.out, width=200),
            stderr=Console(file=self.err, width=200),
        )


@pytest.fixture
def producer() -> InMemoryEventProducer:
    return InMemoryEventProducer()


@pytest.fixture
def gateway(tmp_path: Path, producer: InMemoryEventProducer) -> Iterator[GatewayClient]:
    """A client of the real gateway; its token allows e-invoices of all sellers, no lodging."""
    tokens = TokenFile(tmp_path / "tokens.json")
    _, secret = tokens.create("tax", ["tax.einvoice"], ["*"])
    app = create_app(Settings(_env_file=None), FEEDS, tokens, producer)
    with GatewayClient("http://gateway.invalid", secret, transport=AsgiTransport(app)) as client:
        yield client


def kafka_events(producer: InMemoryEventProducer) -> list[dict[str, Any]]:
    values = [json.loads(record.value) for record in producer.records]
    return [event for value in values for event in (value if isinstance(value, list) else [value])]


def test_files_reach_kafka_and_what_was_refused_is_told(
    gateway: GatewayClient, producer: InMemoryEventProducer
) -> None:
    consoles = Consoles()
    status = consoles.run([INVOICES, PETROL, GUESTS], gateway, as_json=True, establishment="77-750-0004")
    report = json.loads(consoles.out.getvalue())
    assert status == 1, "something was refused"
    counts = [(Path(f["file"]).name, f["events"], f["accepted"], f["refused"], f["unsent"]) for f in report["files"]]
    assert counts == [
        ("message_200_with_a_bad_neighbour.xml", 1, 1, 1, 0),
        ("message_206_petrol.xml", 2, 2, 0, 0),
        ("guests.xml", 3, 0, 5, 0),
    ]
    refused_by_gateway = report["files"][2]["refusals"][-1]
    assert refused_by_gateway["where"].startswith(f"{GUESTS}: /KHAI_BAO_TAM_TRU")
    assert refused_by_gateway["reasons"]
    assert sorted(event["subject"] for event in kafka_events(producer)) == [
        "3590000051-001/1/C24MPL/1208",
        "3590000051/1/C24MPL/1207",
        "3590000090/1/C24TVT/311",
    ]


def test_nothing_planted_reaches_kafka_or_the_screen(gateway: GatewayClient, producer: InMemoryEventProducer) -> None:
    consoles = Consoles()
    consoles.run([INVOICES, PETROL, GUESTS], gateway, establishment="77-750-0004")
    kafka = b"".join(record.value for record in producer.records).decode()
    for where in (kafka, consoles.out.getvalue(), consoles.err.getvalue()):
        for planted in ("PLANTED", "0909123456", "077188000123", "C0PLANT11"):
            assert planted not in where
    assert "mã số thuế sai số kiểm tra" in consoles.out.getvalue()


def test_a_good_file_ends_with_status_0(gateway: GatewayClient) -> None:
    consoles = Consoles()
    assert consoles.run([PETROL], gateway) == 0
    assert "message_206_petrol.xml" in consoles.out.getvalue()


def test_what_is_wrong_in_many_places_is_told_once(gateway: GatewayClient, tmp_path: Path) -> None:
    guests = GUESTS.read_text()
    first, last = guests.index("  <THONG_TIN_KHACH>"), guests.index("</KHAI_BAO_TAM_TRU>")
    valid = guests[first : guests.index("  <THONG_TIN_KHACH><so_thu_tu>2")]
    file = tmp_path / "guests.xml"
    file.write_text(guests[:first] + "".join(valid.replace("C0PLANT11", f"C{n}") for n in range(9)) + guests[last:])
    consoles = Consoles()
    assert consoles.run([file], gateway, establishment="77-750-0004") == 1
    shown = consoles.out.getvalue()
    assert shown.count("this token may not publish tourism.stay") == 1
    assert "THONG_TIN_KHACH[3]" in shown and "THONG_TIN_KHACH[4]" not in shown
    assert "6 more places" in shown


def test_warnings_are_shown_on_a_narrow_terminal_too(
    gateway: GatewayClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / PETROL.name).write_bytes(PETROL.read_bytes())
    monkeypatch.chdir(tmp_path)
    out = io.StringIO()
    quiet = Console(file=io.StringIO())
    files = [Path(PETROL.name)]
    assert run(files, reader(), gateway, as_json=False, stdout=Console(file=out, width=80), stderr=quiet) == 0
    assert "none of the known products" in out.getvalue()
    assert "message_206_petrol.xml │" in out.getvalue(), "names of files are not folded"
    assert "…" not in out.getvalue()


def test_a_dry_run_prints_one_event_a_line(producer: InMemoryEventProducer) -> None:
    consoles = Consoles()
    assert consoles.run([PETROL], None) == 0
    printed = [json.loads(line) for line in consoles.out.getvalue().splitlines()]
    assert [event["data"]["number"] for event in printed] == [1207, 1208]
    assert "message_206_petrol.xml" in consoles.err.getvalue()
    assert producer.records == []


def test_a_dry_run_as_json_holds_the_envelopes() -> None:
    consoles = Consoles()
    consoles.run([PETROL], None, as_json=True)
    (file,) = json.loads(consoles.out.getvalue())["files"]
    assert len(file["envelopes"]) == 2
    assert file["warnings"]


def test_a_file_in_no_known_format_is_refused_and_the_rest_goes_on(tmp_path: Path, gateway: GatewayClient) -> None:
    strange = tmp_path / "strange.csv"
    strange.write_text("a;b")
    consoles = Consoles()
    assert consoles.run([strange, PETROL], gateway, as_json=True) == 1
    files = json.loads(consoles.out.getvalue())["files"]
    assert files[0]["refusals"][0]["reasons"][0]["rule"] == "unknown_format"
    assert files[1]["accepted"] == 2


class Failing:
    """Answers the first event, then stays away."""

    def publish(self, events: Sequence[Mapping[str, Any]]) -> Iterator[list[DeliveryReport]]:
        yield [DeliveryReport(events[0]["id"], accepted=True)]
        raise RetryableError("the gateway is away")


def test_what_was_done_is_reported_before_the_error_passes() -> None:
    consoles = Consoles()
    with pytest.raises(RetryableError):
        consoles.run([PETROL, INVOICES], Failing(), as_json=True)
    (file,) = json.loads(consoles.out.getvalue())["files"]
    assert (file["accepted"], file["unsent"]) == (1, 1)


def test_a_file_published_again_gives_the_very_same_events(tmp_path: Path) -> None:
    file = tmp_path / "guests.xml"
    file.write_bytes(GUESTS.read_bytes())
    os.utime(file, (NOW.timestamp() - 3600, NOW.timestamp() - 3600))
    one, other = events_in(file), events_in(file)
    assert one == other
    assert one[0].envelope["time"] == "2024-10-12T01:00:00.000+00:00"


def test_a_file_from_the_future_arrived_now(tmp_path: Path) -> None:
    file = tmp_path / "guests.xml"
    file.write_bytes(GUESTS.read_bytes())
    os.utime(file, (NOW.timestamp() + 3600, NOW.timestamp() + 3600))
    event = events_in(file)[0]
    assert event.envelope["time"] == "2024-10-12T02:00:00.000+00:00"


def test_the_time_of_arrival_can_be_given_in_local_time() -> None:
    given = datetime(2024, 10, 5, 8)  # noqa: DTZ001 - as the command line gives it
    event = events_in(GUESTS, received_at=given)[0]
    assert event.envelope["time"] == "2024-10-05T01:00:00.000+00:00"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "large.xml"
    with file.open("wb") as sparse:
        sparse.truncate(513 * 2**20)
    (bad,) = reader().read(file, FileResult(""))
    assert isinstance(bad, BadRecord) and bad.reasons[0].rule == "file_too_large"


def test_the_token_comes_from_the_option_the_file_or_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-file\n")
    settings = Settings(_env_file=None, publish_token=SecretStr("from-settings"))
    assert token_of(settings, "given", file) == "given"
    assert token_of(settings, "", file) == "from-file"
    assert token_of(settings, "", None) == "from-settings"
    with pytest.raises(ConfigError, match="--token-file"):
        token_of(Settings(_env_file=None), "", None)
    with pytest.raises(ConfigError, match="cannot be read"):
        token_of(settings, "", tmp_path / "absent")
    file.write_text("hai\ndòng")
    with pytest.raises(ConfigError, match="signs that no token has"):
        token_of(settings, "", file)


def test_the_command_line() -> None:
    arguments = ["publish", "--dry-run", "--json", "--establishment", "77-750-0004", str(GUESTS)]
    done = CliRunner().invoke(commands, arguments)
    assert done.exit_code == 1
    report = json.loads(done.stdout)
    assert (report["events"], report["refused"]) == (3, 2)
    missing = CliRunner().invoke(commands, ["publish", "--dry-run", "--json", "/nowhere/file.xml", str(PETROL)])
    files = json.loads(missing.stdout)["files"]
    assert missing.exit_code == 1
    assert [file["events"] for file in files] == [0, 2], "one missing file does not stop the rest"
    assert files[0]["refusals"][0]["reasons"][0]["rule"] == "file_missing"


@pytest.mark.parametrize("kind", ["csv", "xml", "ndjson"])
def test_a_large_file_is_read_in_memory_that_does_not_grow(kind: str, tmp_path: Path) -> None:
    """Ten times the records take no more memory; the figures of a million rows are in docs/formats.md."""
    peaks = []
    for count in (50, 500):
        file = tmp_path / f"{count}.{kind}"
        file.write_text(large(kind, count), encoding="utf-8")
        sums = FileResult("")
        told: list[int] = []
        tracemalloc.start()
        send(sums, reader().read(file, sums, told.append), Counting())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert sums.accepted == count
        assert max(told) == told[-1] == file.stat().st_size and told == sorted(told), "the bar runs once, to its end"
    assert peaks[1] < 2 * peaks[0] + 8 * 2**20


class Counting:
    """Accepts every event and keeps none."""

    def publish(self, events: Sequence[Mapping[str, Any]]) -> Iterator[list[DeliveryReport]]:
        yield [DeliveryReport(event["id"], accepted=True) for event in events]


def large(kind: str, count: int) -> str:
    at = "2024-10-03T08:00:00+07:00"
    if kind == "csv":
        rows = "".join(f"soc-tinh,alert,AL-{n},{at},high,{at}\n" for n in range(count))
        return f"centre,kind,item_id,occurred_at,severity,updated_at\n{rows}"
    if kind == "ndjson":
        told = {"centre": "soc-tinh", "kind": "alert", "occurred_at": at, "severity": "high", "updated_at": at}
        return "".join(json.dumps(told | {"item_id": f"AL-{n}"}) + "\n" for n in range(count))
    text = PETROL.read_text(encoding="utf-8")
    one = text[text.index("<HDon>") : text.index("</HDon>") + 7]
    invoices = "".join(one.replace(">1207<", f">{n}<") for n in range(1, count + 1))
    return f"<TDiep><TTChung><MLTDiep>206</MLTDiep></TTChung><DLieu>{invoices}</DLieu></TDiep>"
