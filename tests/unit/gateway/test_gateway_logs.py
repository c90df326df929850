"""The log says who published how much, and nothing of what."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from testbed.event import encoded, stay
from testbed.gateway import BATCH, EVENT, BrokenProducer, GatewayBed

from ioc.logging import configure_logging
from ioc.settings import Settings

SECRETS = ("Nguyễn Văn A", "079012345678", "0901234567")


@pytest.fixture(autouse=True)
def restored_log() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def start_log(*, as_json: bool = True) -> None:
    """Set the log up as the gateway does, at its most talkative; the test's own client stays out of it."""
    configure_logging(Settings(_env_file=None, log_level="DEBUG", log_json=as_json))
    logging.getLogger("httpx").setLevel(logging.WARNING)


def test_neither_tokens_nor_bodies_nor_values_are_logged(
    gateway: GatewayBed, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    start_log()
    name, card, phone = SECRETS
    hidden = [
        stay(sex=name, nationality=card),
        {**stay(), "guestname": name},
        {**stay(), "subject": phone},
        {phone: card},
    ]
    gateway.post(hidden, BATCH)
    gateway.post(encoded(name)[:-1], EVENT)
    gateway.post(stay(), secret=f"ioc_{card}_{phone}")
    gateway.get(f"/v1/schemas/{card}?name={name}")
    gateway.get(f"/{name}")
    gateway.memory.available = False
    gateway.post({**stay(), "id": card})
    broken = GatewayBed(tmp_path, BrokenProducer())
    broken.post({**stay(), "id": phone})
    log = capfd.readouterr().err
    assert len(log.splitlines()) >= 7
    for secret in (*SECRETS, gateway.secret, broken.secret, "Nguy", "0790", "0901"):
        assert secret not in log


def test_refusals_do_not_echo_what_was_sent(gateway: GatewayBed) -> None:
    name, card, phone = SECRETS
    events = [stay(sex=name, nationality=card, **{phone: 1}), stay(guest_id=card), {**stay(), "source": phone}]
    answer = gateway.post(events, BATCH).text
    for secret in SECRETS:
        assert secret not in answer
    assert "Ng*********A" in answer


def test_an_access_line_says_who_what_and_how_long(gateway: GatewayBed, capfd: pytest.CaptureFixture[str]) -> None:
    start_log()
    response = gateway.post([stay(), stay(sex="?")], BATCH)
    line = json.loads(capfd.readouterr().err.splitlines()[-1])
    assert line["ms"] >= 0
    assert line["request_id"] == response.headers["x-request-id"]
    shown = {name: line[name] for name in ("method", "path", "status", "token", "accepted", "refused")}
    assert shown == {
        "method": "POST",
        "path": "/v1/events",
        "status": 207,
        "token": gateway.token.id,
        "accepted": 1,
        "refused": 1,
    }


def test_libraries_stay_quiet_at_debug(capfd: pytest.CaptureFixture[str]) -> None:
    start_log()
    logging.getLogger("kafka.producer.kafka").debug("Sending (value=%r)", SECRETS[0])
    logging.getLogger("kafka.net.manager").error("connection refused")
    logging.getLogger("kafka.producer").warning("batch expired")
    assert [json.loads(line)["event"] for line in capfd.readouterr().err.splitlines()] == ["batch expired"]


@pytest.mark.parametrize("as_json", [True, False])
def test_tracebacks_show_no_local_variables(capfd: pytest.CaptureFixture[str], as_json: bool) -> None:
    start_log(as_json=as_json)
    held = SECRETS[1]
    try:
        raise ValueError(str(len(held)))
    except ValueError:
        logging.getLogger("x").exception("failed")
    log = capfd.readouterr().err
    assert "ValueError" in log and held not in log


def test_times_are_utc_and_there_are_no_colours_in_a_file(capfd: pytest.CaptureFixture[str]) -> None:
    start_log(as_json=False)
    logging.getLogger("x").warning("Hóa đơn")
    log = capfd.readouterr().err
    assert log.split()[0].endswith("Z")
    assert "Hóa đơn" in log and "\x1b" not in log
