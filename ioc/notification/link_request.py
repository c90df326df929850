"""A signed link on request: a person who enters the address of a post gets a link at that address only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from ioc.database.connection import connect, translated_errors
from ioc.notification.outbox import OutgoingMessage, put_message
from ioc.province.contact import Contact, contacts_of
from ioc.province.duty import Ladder
from ioc.settings import Settings

_SUBJECT = "Liên kết mở trang điều hành"


class LinkRequests:
    """Puts a message with a signed link in the outbox, for posts of the duty ladder that are reached by e-mail."""

    def __init__(self, settings: Settings, ladder: Ladder, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._now = now
        contacts: Mapping[str, Contact] = contacts_of(settings.profile, ladder)
        self._posts = {
            address.casefold(): post for post in ladder.posts for address in contacts.get(post.post, Contact()).emails
        }

    @property
    def is_open(self) -> bool:
        """Whether there is a mail server, and a role that may write."""
        return bool(self._settings.smtp_host and self._settings.db_api_password.get_secret_value())

    def ask(self, email: str, path: str) -> None:
        """Have a link to a path sent to a post's address, at most one a minute; nothing for any other address.

        Who asks learns neither way whether the address is known. Raises DatabaseUnavailableError.
        """
        post = self._posts.get(email.strip().casefold())
        if post is None or not self.is_open:
            return
        now = self._now()
        text = (
            f"Liên kết dưới đây mở trang điều hành cho {post.post_vi} trong {self._settings.link_hours} giờ. "
            "Ai có liên kết đều xem và xử lý được thay Ông/Bà: xin đừng chuyển tiếp. "
            "Nếu Ông/Bà không yêu cầu, hãy bỏ qua thư này.\n"
            f"English: the link below opens the pages for {post.post_en}; do not forward it."
        )
        message = OutgoingMessage(
            key=f"link:{post.post}:{now:%Y-%m-%dT%H:%M}",
            channel="email",
            recipient=post.post,
            recipient_name=post.post_vi,
            subject=_SUBJECT,
            text=text,
            opens=path,
            detail={"kind": "link"},
        )
        with translated_errors(), connect(self._settings, "api", autocommit=True) as connection:
            put_message(connection, message, now)
