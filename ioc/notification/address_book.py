"""Who gets digests, through which channels, and at which addresses; addresses stay in the profile."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from ioc.notification.channel import CHANNELS, ChannelName
from ioc.province.contact import Contact
from ioc.province.duty import STEPS, Ladder, Post

PLATFORM = "platform"
_TOLD = ("leader", "head")  # steps whose posts get digests: the provincial leaders, and heads of departments


@dataclass(frozen=True)
class DigestReader:
    """A leader: post, name, and the sectors that the digest is about. One who holds several posts gets one digest."""

    post: str
    name: str
    sectors: tuple[str, ...]


class AddressBook:
    """The addresses of a province; `fallback_webhook` gets the digests of those who have no webhook of their own."""

    def __init__(
        self, ladder: Ladder, contacts: Mapping[str, Contact], sectors: Collection[str], fallback_webhook: str = ""
    ) -> None:
        self._ladder = ladder
        self._contacts = contacts
        self._sectors = (*sectors, PLATFORM)
        self._fallback = fallback_webhook

    def find(self, channel: ChannelName, post: str) -> str | None:
        """Return a post's address of a channel; None where it has none."""
        contact = self._contacts.get(post, Contact())
        addresses: Mapping[ChannelName, str] = {
            "email": ", ".join(contact.emails),
            "webhook": contact.webhook or self._fallback,
            "telegram": contact.telegram,
            "zalo": contact.zalo,
        }
        return addresses[channel] or None

    def channels(self, post: str, open_channels: Collection[ChannelName]) -> Iterator[ChannelName]:
        """Yield the channels by which a post is reached, of those that are open."""
        for channel in CHANNELS:
            if channel in open_channels and self.find(channel, post):
                yield channel

    def readers(self, day: date) -> list[DigestReader]:
        """Return who gets a digest on a day, provincial leaders first; a stand-in gets that of the absent person."""
        found: dict[tuple[str, str], tuple[Post, list[str]]] = {}
        for step in map(STEPS.index, _TOLD):
            for sector in self._sectors:
                post = self._ladder.on_duty(sector, step, day)
                if post is None:
                    continue
                # One person may head several sectors: same name, same address.
                _, sectors = found.setdefault((post.post_vi, self.find("email", post.post) or post.post), (post, []))
                if sector not in sectors:
                    sectors.append(sector)
        return [DigestReader(post.post, post.post_vi, tuple(sectors)) for post, sectors in found.values()]
