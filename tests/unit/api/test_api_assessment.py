"""Statuses, incidents and quality over HTTP: who may read, who may act, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from testbed.gateway import AsgiTransport

from ioc.api.app import create_app
from ioc.api.assessment_model import Act, IncidentPage, QualityPage, StatusPage
from ioc.incident.acting import Actor
from ioc.settings import Settings
from ioc.web.tokens import TokenFile


class Assessment:
    """Answers nothing and remembers what it was asked and told."""

    def __init__(self) -> None:
        self.asked: list[Mapping[str, Any]] = []
        self.acts: list[tuple[int, str, str]] = []

    def statuses(self, **question: Any) -> StatusPage:
        self.asked.append(question)
        return StatusPage(offset=question["offset"], statuses=())

    def incidents(self, **question: Any) -> IncidentPage:
        self.asked.append(question)
        return IncidentPage(offset=0, incidents=())

    def quality(self, **question: Any) -> QualityPage:
        self.asked.append(question)
        return QualityPage(measures=())

    def act(self, incident_id: int, act: Act, actor: Actor, now: datetime) -> None:
        self.acts.append((incident_id, act.what, actor.by))

    def incident(self, incident_id: int) -> Any:
        raise AssertionError(incident_id)


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "tokens.json")


def ask(
    tokens: TokenFile, assessment: Assessment, secret: str, method: str, path: str, body: Any = None
) -> httpx.Response:
    app = create_app(Settings(_env_file=None), tokens, None, assessment=assessment)  # type: ignore[arg-type]

    with httpx.Client(transport=AsgiTransport(app), base_url="http://api") as client:
        return client.request(method, path, json=body, headers={"authorization": f"Bearer {secret}"})


@pytest.mark.parametrize(
    "path", ["/v1/status?sector=lodging&status=lagging", "/v1/incidents", "/v1/quality?on=2024-10-05"]
)
def test_a_reader_reads(tokens: TokenFile, path: str) -> None:
    _, secret = tokens.create("Portal", (), (), reads=True)
    assessment = Assessment()
    assert ask(tokens, assessment, secret, "GET", path).status_code == 200
    assert len(assessment.asked) == 1


def test_a_word_that_is_no_status_is_refused(tokens: TokenFile) -> None:
    _, secret = tokens.create("Portal", (), (), reads=True)
    assert ask(tokens, Assessment(), secret, "GET", "/v1/status?status=good").status_code == 422


def test_only_who_may_act_acts(tokens: TokenFile) -> None:
    _, reader = tokens.create("Portal", (), (), reads=True)
    assessment = Assessment()
    answer = ask(tokens, assessment, reader, "POST", "/v1/incidents/7/acts", {"what": "acknowledge"})
    assert answer.status_code == 403
    assert answer.json()["rule"] == "token_does_not_act"
    assert assessment.acts == []
