"""The channels that the settings open, and the address book of a profile."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import httpx

from ioc.notification.address_book import AddressBook
from ioc.notification.channel import TIMEOUT, ChannelName, MessageChannel
from ioc.notification.mail import MailChannel
from ioc.notification.telegram import TelegramChannel
from ioc.notification.webhook import WebhookChannel
from ioc.notification.zalo import ZaloChannel, ZaloTokens
from ioc.province.contact import contacts_of
from ioc.province.duty import load_ladder
from ioc.settings import Settings

ZALO_FILE = "zalo-token.json"


def open_channels(settings: Settings) -> dict[ChannelName, MessageChannel]:
    """Return the channels whose server or token the settings name; a webhook needs neither."""
    client = httpx.Client(timeout=TIMEOUT, follow_redirects=False)
    channels: dict[ChannelName, MessageChannel] = {"webhook": WebhookChannel(client)}
    if settings.smtp_host:
        channels["email"] = MailChannel.of(settings)
    if token := settings.telegram_token.get_secret_value():
        channels["telegram"] = TelegramChannel(token, settings.telegram_url, client)
    if settings.zalo_app_id:
        tokens = ZaloTokens(
            settings.state_dir / ZALO_FILE,
            settings.zalo_app_id,
            settings.zalo_app_secret.get_secret_value(),
            settings.zalo_refresh_token.get_secret_value(),
            settings.zalo_oauth_url,
            client,
        )
        channels["zalo"] = ZaloChannel(tokens, settings.zalo_url, client)
    return channels


def address_book(settings: Settings, sectors: Collection[str], owners: Collection[str]) -> AddressBook:
    """Return the address book of the settings' profile; raises ConfigError naming file, row and column.

    owners: of the catalogue, for whom `contacts.csv` may hold rows.
    """
    profile: Path = settings.profile
    ladder = load_ladder(profile, sectors)
    return AddressBook(ladder, contacts_of(profile, ladder, owners), sectors, settings.digest_webhook_url)
