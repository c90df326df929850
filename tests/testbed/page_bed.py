"""The pages over a database of their own, without a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from fastapi import FastAPI

from ioc.database.connection import connect
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.settings import Settings
from ioc.web.signing import Signing
from ioc.web.tokens import TokenFile
from testbed.gateway import AsgiTransport
from testbed.page_data import fill_figures, fill_statuses
from testbed.page_site import Clock, site
from testbed.pipeline import Pipeline
from testbed.server import cloned_database

LEADER = "Chủ tịch UBND tỉnh"


def client_of(app: FastAPI) -> httpx.Client:
    """Somebody's browser: it keeps cookies, and shows where it is sent."""
    return httpx.Client(transport=AsgiTransport(app), base_url="http://127.0.0.1")


@dataclass
class Bed:
    """The pages over a database of their own; `client` keeps cookies as a browser does."""

    app: FastAPI
    signing: Signing
    tokens: TokenFile
    clock: Clock
    settings: Settings
    incident: int

    def stranger(self) -> httpx.Client:
        return client_of(self.app)

    def leader(self, path: str = "/") -> httpx.Client:
        """Somebody who has opened a signed link."""
        client = self.stranger()
        answer = client.get(self.signing.link(path, LEADER))
        assert (answer.status_code, answer.headers["location"]) == (303, path)
        return client

    def rows(self, statement: str) -> list[tuple[object, ...]]:
        with connect(self.settings, "owner", autocommit=True) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[arg-type]


def text_of(answer: httpx.Response) -> str:
    """What a page says, without its tags."""
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)).replace("\u202f", " ")


@contextmanager
def filled_database(template_database: str, own: Settings, feeds: dict[str, Feed], profile: Profile) -> Iterator[int]:
    """The database that `own` names, with figures, statuses and an incident; gives the incident's id."""
    with cloned_database(own, template_database):
        pipeline = Pipeline(own, feeds, profile)
        fill_figures(pipeline)
        pipeline.close()
        with connect(own, "owner", autocommit=True) as owner:
            incident = fill_statuses(owner)
        yield incident


@contextmanager
def page_bed(settings: Settings, incident: int) -> Iterator[Bed]:
    """The pages over such a database, with a clock and tokens of their own."""
    clock = Clock()
    with site(settings, clock) as (app, signing, tokens):
        yield Bed(app, signing, tokens, clock, settings, incident)
