"""Everything that Grafana is given, composed from catalogue, feeds and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana.alert_rule import ALERT_FOLDER, AlertGroup
from grafana.board import Folder, Json, to_json
from grafana.lag_rule import lag_rules
from grafana.notification import (
    Contact,
    contact_points,
    load_contacts,
    message_template,
    notification_policy,
)
from grafana.pipeline_board import PIPELINE_FOLDER, pipeline_board
from grafana.pipeline_rule import pipeline_rules, stale_rule
from grafana.query import DATASOURCE_TYPE, DATASOURCE_UID
from grafana.sector_board import board_of, boards_of, sector_board
from grafana.text import Language, Text
from ioc.catalogue import Catalogue
from ioc.feeds.feed import Feed, load_feeds
from ioc.province.profile import load_profile, load_profile_catalogue
from ioc.settings import Settings


@dataclass(frozen=True)
class Board:
    """A finished board and where it lies."""

    folder: Folder
    model: Json

    @property
    def uid(self) -> str:
        """Its identity in Grafana."""
        return str(self.model["uid"])


@dataclass(frozen=True)
class Bundle:
    """What one build makes. Everything is in the form that Grafana's API takes; secrets are not in it."""

    datasource: Json
    boards: tuple[Board, ...]
    rule_groups: tuple[Json, ...]
    contact_points: tuple[Json, ...]
    policy: Json
    template: Json

    @property
    def folders(self) -> dict[str, str]:
        """Titles of all folders by uid."""
        return {f.uid: f.name for f in (*(board.folder for board in self.boards), ALERT_FOLDER)}

    @property
    def rules(self) -> dict[str, Json]:
        """All alert rules by uid."""
        return {rule["uid"]: rule for group in self.rule_groups for rule in group["rules"]}


def load_bundle(settings: Settings, languages: Sequence[Language]) -> Bundle:
    """Compose the bundle of the settings' profile; raises ConfigError for what is wrong in it."""
    feeds = load_feeds()
    profile = load_profile(settings.profile)
    catalogue = load_profile_catalogue(settings.profile, feeds)
    notice = Text(catalogue.statement_vi, catalogue.statement_en)
    if profile.simulated:
        notice = Text(f"**{profile.note_vi}** {notice.vi}", f"**{profile.note_en}** {notice.en}")
    contacts = load_contacts(settings.profile / "contacts.csv")
    return make_bundle(catalogue, feeds, settings, profile.timezone, notice, contacts, languages=languages)


def make_bundle(
    catalogue: Catalogue,
    feeds: Mapping[str, Feed],
    settings: Settings,
    zone: str,
    notice: Text,
    contacts: Mapping[str, Contact],
    *,
    languages: Sequence[Language],
) -> Bundle:
    """Compose the bundle.

    zone:   time zone of business days.
    notice: what readers of the boards must know about the data.
    """
    boards: list[Board] = []
    for language in languages:
        for board in boards_of(catalogue):
            model = to_json(sector_board(board, catalogue, zone, language, notice).build())
            boards.append(Board(board.folder, model))
        boards.append(Board(PIPELINE_FOLDER, to_json(pipeline_board(list(feeds), zone, language).build())))
    groups = alert_groups(catalogue, feeds, zone)
    owners = {rule.owner for group in groups for rule in group.rules}
    return Bundle(
        datasource=datasource_model(settings),
        boards=tuple(boards),
        rule_groups=tuple(to_json(group.build().build()) for group in groups),
        contact_points=tuple(contact_points(owners, contacts, settings)),
        policy=notification_policy(owners),
        template=message_template(),
    )


def alert_groups(catalogue: Catalogue, feeds: Mapping[str, Feed], timezone: str) -> list[AlertGroup]:
    """Return all rules: a group for each sector's lags, one for the feeds, one for the pipeline."""
    groups: list[AlertGroup] = []
    for sector in catalogue.sectors:
        with_target = [i for i in catalogue.of_sector(sector) if i.target is not None and board_of(sector)]
        rules = [rule for indicator in with_target for rule in lag_rules(indicator, catalogue, timezone)]
        if rules:
            groups.append(AlertGroup(f"ioc-lag-{sector}", 300, tuple(rules)))
    stale = tuple(stale_rule(feed, catalogue) for feed in feeds.values())
    return [*groups, AlertGroup("ioc-feed", 60, stale), AlertGroup("ioc-pipeline", 60, pipeline_rules())]


def datasource_model(settings: Settings) -> Json:
    """Return the data source: the read-only role, without its password."""
    local = settings.db_host in ("127.0.0.1", "localhost", "::1")
    return {
        "access": "proxy",
        "database": settings.db_name,
        "isDefault": False,
        "jsonData": {
            "connMaxLifetime": 14400,
            "database": settings.db_name,
            "maxIdleConns": 5,
            "maxOpenConns": 10,
            "postgresVersion": 1500,
            "sslmode": "disable" if local else "require",
            "timescaledb": True,
        },
        "name": "IOC TimescaleDB",
        "type": DATASOURCE_TYPE,
        "uid": DATASOURCE_UID,
        "url": f"{settings.db_host}:{settings.db_port}",
        "user": settings.db_reader_user,
    }
