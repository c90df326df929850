"""What the doctor makes of what it sees: each fault has an advice, and what could not be looked at is not good."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from testbed.collector import running_collector
from testbed.server import free_ports

from deploy.doctor.database import judge_timescale
from deploy.doctor.finding import CheckResult, CheckVerdict, clock_finding, exit_status, run_checks
from deploy.doctor.kafka import judge_topics
from deploy.doctor.machine import check_disk, check_secrets, judge_libraries, judge_mode, judge_space
from deploy.doctor.service import check_collector, check_grafana, judge_grafana
from grafana.standin.api import running_standin
from ioc.messaging.topic import TopicState
from ioc.settings import Settings


@given(ahead=st.floats(-1e6, 1e6), uncertainty=st.floats(0, 10))
def test_a_clock_is_good_exactly_when_it_may_be_within_the_tolerance(ahead: float, uncertainty: float) -> None:
    found = clock_finding("kafka", ahead, uncertainty, 2.0)
    assert (found.verdict == "good") == (abs(ahead) <= 2.0 + uncertainty or abs(ahead) - uncertainty <= 2.0)
    assert bool(found.advice) == (found.verdict != "good")
    if abs(ahead) > 40:
        assert found.verdict == "fault"


@given(total=st.integers(1, 2**45), share=st.floats(0, 1))
def test_a_disk_that_fills_is_told_before_it_is_full(total: int, share: float) -> None:
    free = int(total * share)
    found = judge_space("/srv", free, total)
    assert (found.verdict == "good") == (free >= 2 * 1024**3 and free >= total * 0.1)
    assert bool(found.advice) == (found.verdict != "good")


def test_the_disk_of_a_state_directory_that_is_not_there_yet_is_that_of_its_parent(tmp_path: Path) -> None:
    (found,) = check_disk(Settings(_env_file=None, state_dir=tmp_path / "later" / "still"))
    assert str(tmp_path) in found.message
    assert f"{shutil.disk_usage(tmp_path).total / 1024**3:.1f}" in found.message


@pytest.mark.parametrize(("mode", "verdict"), [(0o600, "good"), (0o400, "good"), (0o640, "fault"), (0o604, "fault")])
def test_a_file_of_secrets_that_others_read_is_a_fault(tmp_path: Path, mode: int, verdict: str) -> None:
    path = tmp_path / "tokens.json"
    path.write_text("[]")
    path.chmod(mode)
    found = judge_mode(path)
    assert found.verdict == verdict
    assert found.advice == ("" if verdict == "good" else f"chmod 600 {path}")


def test_libraries_that_are_missing_or_too_old_are_named() -> None:
    found = judge_libraries(["pydantic>=2", "pydantic<1", "no-such-library>=3", 'other; python_version < "3"'])
    assert found.verdict == "fault"
    assert "pydantic" in found.message
    assert "no-such-library" in found.message
    assert "other" not in found.message
    assert judge_libraries(["pydantic>=2"]).verdict == "good"


def test_secrets_as_shipped_are_named_and_never_shown() -> None:
    (found,) = check_secrets(Settings(_env_file=None))
    assert found.verdict == "warning"
    assert "IOC_DB_OWNER_PASSWORD" in found.message
    assert "ioc-owner-local" not in found.message


@pytest.mark.parametrize(
    ("version", "edition", "verdict"),
    [
        (None, None, "fault"),
        ("2.18.2", "timescale", "fault"),
        ("2.19.3", "apache", "good"),
        ("3.0.0-dev", "timescale", "good"),
    ],
)
def test_editions_of_timescale(version: str | None, edition: str | None, verdict: str) -> None:
    found = judge_timescale(version, edition)
    assert found.verdict == verdict
    assert bool(found.advice) == (verdict != "good")


def test_what_a_topic_must_have_is_a_fault_and_what_it_should_have_a_warning() -> None:
    states = [
        TopicState(name="a", status="exists", partitions=6),
        TopicState(name="b", status="missing", partitions=0),
        TopicState(name="c", status="differs", partitions=6, differences=("max.message.bytes is 1, not 2",)),
        TopicState(name="d", status="differs", partitions=6, differences=("message.timestamp.type is C, not L",)),
        TopicState(name="e", status="differs", partitions=6, differences=("retention.ms is 1, not 2",)),
    ]
    verdicts = {name: one.verdict for one in judge_topics(states) for name in "bcde" if f"{name}:" in one.message}
    assert verdicts == {"c": "fault", "d": "fault", "e": "warning"}
    assert [one.verdict for one in judge_topics(states[1:2])] == ["fault"]
    assert [one.verdict for one in judge_topics(states[:1])] == ["good"]


def test_a_check_that_fails_is_unknown_and_stops_no_other() -> None:
    def failing() -> Iterator[CheckResult]:
        yield CheckResult(part="a", check="x", verdict="good", message="m")
        raise OSError("no route")

    def fine() -> Iterator[CheckResult]:
        yield CheckResult(part="b", check="y", verdict="good", message="m")

    found = list(run_checks([("a", failing), ("b", fine)]))
    assert [(one.part, one.verdict) for one in found] == [("a", "good"), ("a", "unknown"), ("b", "good")]
    assert "no route" in found[1].message
    assert found[1].is_bad
    # What is behind a gate is not asked again; others are.
    found = list(run_checks([("a", failing), ("a", fine), ("b", fine)], gates=("a",)))
    assert [one.part for one in found] == ["a", "a", "b"]


@pytest.mark.parametrize(("verdict", "status"), [("good", 0), ("warning", 0), ("fault", 1), ("unknown", 1)])
def test_the_exit_status_tells_of_faults_and_of_what_is_unknown(verdict: CheckVerdict, status: int) -> None:
    good = CheckResult(part="kafka", check="brokers", verdict="good", message="m")
    assert exit_status([good, CheckResult(part="kafka", check="clock", verdict=verdict, message="m")]) == status


@pytest.mark.parametrize(
    ("version", "verdict"), [("9.4.0-pre", "good"), ("10.1.2", "good"), ("8.5.1", "fault"), ("", "fault")]
)
def test_versions_of_grafana(version: str, verdict: str) -> None:
    assert judge_grafana(version, "http://g").verdict == verdict


def test_what_grafana_could_not_deliver_is_a_fault() -> None:
    with running_standin() as standin:
        own = Settings(_env_file=None, grafana_url=standin.url, grafana_token=SecretStr(standin.token))
        for uid, name in (("a", "IOC: so-y-te"), ("b", "IOC: so-du-lich"), ("c", "of someone else")):
            standin.store.contact_points[uid] = {"uid": uid, "name": name, "type": "email"}
        assert [(one.check, one.verdict) for one in check_grafana(own)] == [("version", "good"), ("delivery", "good")]
        standin.undelivered |= {"a": "dial tcp 10.0.0.9:25: connection refused", "c": "no matter"}
        *_, told = check_grafana(own)
        assert (told.check, told.verdict) == ("delivery", "fault")
        assert "IOC: so-y-te (email, 2026-11-28T06:33:10): dial tcp 10.0.0.9:25: connection refused" in told.message
        assert "someone else" not in told.message
        wrong = own.model_copy(update={"grafana_token": SecretStr("x")})
        assert [(one.check, one.verdict) for one in check_grafana(wrong)] == [("version", "good"), ("token", "fault")]


def test_a_collector_that_takes_no_traces_is_a_warning_with_what_to_do() -> None:
    def found(url: str) -> list[CheckResult]:
        return list(check_collector(Settings(_env_file=None, trace_url=url)))

    assert found("") == []
    with running_collector() as collector:
        (good,) = found(collector.url)
        (elsewhere,) = found(f"{collector.url}/other")
        assert collector.spans == []
    (port,) = free_ports(1)
    (away,) = found(f"http://127.0.0.1:{port}")
    assert [one.verdict for one in (good, elsewhere, away)] == ["good", "warning", "warning"]
    assert "HTTP 404" in elsewhere.message and "ConnectError" in away.message
    assert good.advice == "" and "IOC_TRACE_URL=" in away.advice
