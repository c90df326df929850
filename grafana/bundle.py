"""Everything that Grafana is given, composed from catalogue, feeds and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from grafana.alerting.contact import contact_points
from grafana.alerting.incident_rule import alert_groups
from grafana.alerting.message import message_template
from grafana.alerting.policy import notification_policy
from grafana.alerting.rule import ALERT_FOLDER, OPERATOR
from grafana.boards.board import Json, MapView, TimeRange, board_uid, to_json
from grafana.boards.frame import AREA, GENERAL_FOLDER, INCIDENT, OVERVIEW, QUALITY, SYSTEM_FOLDER, Board, Frame
from grafana.boards.incident_board import incident_board
from grafana.boards.indicator_board import area_board, indicator_board
from grafana.boards.overview_board import overview_board
from grafana.boards.pipeline_board import pipeline_board
from grafana.boards.quality_board import quality_board
from grafana.boards.scope import Scope
from grafana.boards.sector_board import sector_board, sector_folder
from grafana.query.binding import DATASOURCE_TYPE, DATASOURCE_UID
from grafana.text import Language, Text
from ioc.catalogue import Catalogue
from ioc.feeds.feed import load_feeds
from ioc.province.contact import OPERATORS, Contact, contacts_of
from ioc.province.duty import load_ladder
from ioc.province.profile import load_profile, load_profile_catalogue
from ioc.settings import Settings

# What a reader must know before any figure; the profile's own note says more.
_SIMULATED = Text("Dữ liệu mô phỏng, không phải số liệu thật của tỉnh", "Simulated data, not the province's figures")


@dataclass(frozen=True)
class Bundle:
    """What one build makes. Everything is in the form that Grafana's API takes; secrets are not in it."""

    datasource: Json
    boards: tuple[Board, ...]
    rule_groups: tuple[Json, ...]
    contact_points: tuple[Json, ...]
    policy: Json
    template: Json
    playlist: Json

    @property
    def folders(self) -> dict[str, str]:
        """Titles of all folders by uid."""
        return {f.uid: f.name for f in (*(board.folder for board in self.boards), ALERT_FOLDER)}

    @property
    def rules(self) -> dict[str, Json]:
        """All alert rules by uid."""
        return {rule["uid"]: rule for group in self.rule_groups for rule in group["rules"]}


def load_bundle(settings: Settings, languages: Sequence[Language], shown: TimeRange = TimeRange()) -> Bundle:  # noqa: B008
    """Compose the bundle of the settings' profile; raises ConfigError for what is wrong in it."""
    profile = load_profile(settings.profile)
    catalogue = load_profile_catalogue(settings.profile, load_feeds())
    ladder = load_ladder(settings.profile, catalogue.sectors)
    contacts = contacts_of(settings.profile, ladder, known_names(catalogue))
    view = MapView.around((a.latitude, a.longitude) for a in profile.areas.areas if a.latitude and a.longitude)
    notice = _SIMULATED if profile.simulated else Text("", "")
    posts = {post.post: Text(post.post_vi, post.post_en) for post in ladder.posts}
    return make_bundle(
        catalogue, settings, profile.timezone, notice, contacts, posts, languages=languages, shown=shown, view=view
    )


def known_names(catalogue: Catalogue) -> frozenset[str]:
    """Return whom a contact may be given for: owners of the catalogue, the operators, and the steps of a duty
    ladder."""
    return frozenset({OPERATORS, OPERATOR, *catalogue.owners})


def make_bundle(
    catalogue: Catalogue,
    settings: Settings,
    timezone: str,
    notice: Text,
    contacts: Mapping[str, Contact],
    posts: Mapping[str, Text],
    *,
    languages: Sequence[Language],
    shown: TimeRange,
    view: MapView,
) -> Bundle:
    """Compose the bundle.

    notice: what readers must know about the data; posts: names of those who are told, by code; shown: the range of
    business days.
    """
    pages = settings.public_url.rstrip("/") or f"http://127.0.0.1:{settings.api_port}"
    boards = [
        board
        for language in languages
        for board in _boards(
            Scope(language, timezone, catalogue, tuple(catalogue.sectors), pages, posts), notice, shown, view
        )
    ]
    groups = alert_groups(timezone, notice, pages, posts)
    return Bundle(
        datasource=datasource_model(settings),
        boards=tuple(boards),
        rule_groups=tuple(to_json(group.build().build()) for group in groups),
        contact_points=tuple(contact_points(contacts, settings)),
        policy=notification_policy(contacts),
        template=message_template(),
        playlist=_playlist(languages[0]),
    )


def _boards(scope: Scope, notice: Text, shown: TimeRange, view: MapView) -> list[Board]:
    everything, catalogue = Frame(scope, notice, shown, view), scope.catalogue
    boards = [
        Board(GENERAL_FOLDER, overview_board(everything)),
        Board(GENERAL_FOLDER, indicator_board(everything)),
        Board(GENERAL_FOLDER, area_board(everything)),
        Board(GENERAL_FOLDER, incident_board(everything)),
        Board(SYSTEM_FOLDER, quality_board(everything)),
        Board(SYSTEM_FOLDER, pipeline_board(everything)),
    ]
    for sector in catalogue.sectors:
        if catalogue.of_sector(sector):
            frame = Frame(replace(scope, sectors=(sector,)), notice, shown, view)
            boards.append(Board(sector_folder(sector, catalogue), sector_board(frame, sector)))
    return boards


def datasource_model(settings: Settings) -> Json:
    """Return the data source: Grafana's own role, without its password."""
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
            "sslmode": "disable"
            if local
            else settings.db_sslmode
            if settings.db_sslmode.startswith("verify")
            else "require",
            "timescaledb": True,
        },
        "name": "IOC TimescaleDB",
        "type": DATASOURCE_TYPE,
        "uid": DATASOURCE_UID,
        "url": f"{settings.db_host}:{settings.db_port}",
        "user": settings.db_grafana_user,
    }


def _playlist(language: Language) -> Json:
    """Return the boards that a wall shows in turn; they say what they are in kiosk mode too."""
    uids = [board_uid(key, language) for key in (OVERVIEW, AREA, INCIDENT, QUALITY)]
    return {
        "name": "IOC: màn hình lớn" if language == "vi" else "IOC: wall",
        "interval": "1m",
        "items": [{"type": "dashboard_by_uid", "value": uid, "title": uid} for uid in uids],
    }
