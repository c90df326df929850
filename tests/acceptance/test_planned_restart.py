"""Another edition of the catalogue is loaded under running processes: each starts again with it, and says so.

A worker and a roll-up that are behind write nothing with the old edition; the API answers from one edition at a time.
"""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Any

import httpx
from testbed.invariants import assert_invariants
from testbed.run import Run

from deploy.local.service import Service
from ioc.catalogue import Catalogue
from ioc.catalogue.store import sync_catalogue
from ioc.database.connection import connect
from ioc.feeds.feed import Feed
from ioc.province.profile import load_profile_catalogue
from ioc.web.tokens import TokenFile

RENAMED = ("lodging.guests.total", "lodging.nights.total")
NEW = "Another edition"


class Asking(threading.Thread):
    """Asks the API for the names of indicators without a pause, and keeps each answer."""

    def __init__(self, address: str, secret: str) -> None:
        super().__init__(name="asking", daemon=True)
        self._address = address
        self._secret = secret
        self._ended = threading.Event()
        self.answers: list[tuple[bool, ...]] = []
        self.refused: list[int] = []

    def run(self) -> None:
        headers = {"authorization": f"Bearer {self._secret}"}
        with httpx.Client(base_url=f"http://{self._address}", headers=headers, timeout=30, trust_env=False) as client:
            while not self._ended.wait(0.02):
                answer = client.get("/v1/indicators", params={"sector": "lodging", "limit": 1000})
                if answer.status_code != 200:
                    self.refused.append(answer.status_code)
                    continue
                names = {one["code"]: one["name_en"] for one in answer.json()["indicators"]}
                self.answers.append(tuple(names[code] == NEW for code in RENAMED))

    def stop(self) -> None:
        """End, and wait for it."""
        self._ended.set()
        self.join(60)


def renamed(catalogue: Catalogue) -> Catalogue:
    """The catalogue with other names for some rows: another edition that counts the same."""
    rows = {
        code: replace(row, name_en=NEW, definition={**row.definition, "name_en": NEW})
        for code in RENAMED
        for row in [catalogue.indicators[code]]
    }
    return replace(catalogue, indicators={**catalogue.indicators, **rows})


def lines(service: Service) -> list[dict[str, Any]]:
    """What a process has logged; Faust writes signs for a terminal before some lines."""
    texts = service.log.read_text(encoding="utf-8", errors="replace").splitlines()
    return [json.loads(text[text.index("{") :]) for text in texts if text.endswith("}") and "{" in text]


def has_restarted(service: Service) -> bool:
    """Whether a process has said that it starts again as planned; at level info, and nothing worse."""
    told = [one for one in lines(service) if one["event"] == "planned restart"]
    assert {one["level"] for one in told} <= {"info"}
    return bool(told)


def test_processes_that_are_behind_start_again(run: Run, feeds: dict[str, Feed]) -> None:
    _, secret = TokenFile(run.settings.token_file).create("dashboard", (), (), reads=True)
    worker, rollup = run.worker(), run.rollup()
    api = run.api(api_rate=1000.0, api_burst=1000.0)
    for service in (worker, rollup, api):
        service.wait_ready()
    run.publish(300)
    run.wait_drained()
    asking = Asking(run.addresses[api.name], secret)
    asking.start()
    run.wait_for(lambda: bool(asking.answers), "the API answers")
    with connect(run.settings, "owner") as connection:
        sync_catalogue(connection, renamed(load_profile_catalogue(run.settings.profile, feeds)))
    run.publish(300)
    run.wait_for(lambda: has_restarted(worker), "the worker starts again")
    run.wait_for(lambda: has_restarted(rollup), "the roll-up starts again")
    run.wait_drained()
    run.wait_for(lambda: run.waiting() == 0, "the roll-up folds everything")
    run.wait_for(lambda: asking.answers[-1] == (True, True), "the API answers from the new edition")
    asking.stop()
    assert has_restarted(api)
    assert asking.refused == []
    assert set(asking.answers) == {(False, False), (True, True)}  # never one name of each
    assert asking.answers == sorted(asking.answers)  # and never back
    for service in (worker, rollup, api):
        assert service.pid is not None, f"{service.name} has ended"
        own = [one for one in lines(service) if not one.get("logger", "").startswith("aiokafka.")]
        assert [one for one in own if one["level"] in ("error", "critical")] == []
    assert_invariants(run)
