"""E-mail over SMTP."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

from ioc.errors import DeliveryError, UndeliverableError
from ioc.notification.channel import ChannelMessage, ChannelName
from ioc.province.duty import split_addresses
from ioc.settings import Settings

_TIMEOUT = 10.0  # seconds, of each step of the talk


class MailChannel:
    """Hands messages to one SMTP server.

    A second try of a message bears the same Message-ID (RFC 5322, 3.6.4), by which mailboxes know it for the same.
    """

    name: ChannelName = "email"

    def __init__(
        self,
        host: str,
        port: int,
        sender: str,
        *,
        security: Literal["starttls", "tls", "none"] = "starttls",
        user: str = "",
        password: str = "",
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._host, self._port, self._sender = host, port, sender
        self._security, self._user, self._password = security, user, password
        self._now = now

    @classmethod
    def of(cls, settings: Settings) -> MailChannel:
        """Return the channel of the settings."""
        return cls(
            settings.smtp_host,
            settings.smtp_port,
            settings.mail_from,
            security=settings.smtp_security,
            user=settings.smtp_user,
            password=settings.smtp_password.get_secret_value(),
        )

    def send(self, address: str, message: ChannelMessage) -> str:
        """Send to one or several addresses, each of which may be refused; raises where none is taken."""
        mail = self._compose(address, message)
        try:
            with self._connect() as server:
                if self._user:
                    server.login(self._user, self._password)
                server.send_message(mail, to_addrs=split_addresses(address))
        except smtplib.SMTPRecipientsRefused as error:
            codes = {code for code, _ in error.recipients.values()}
            text = f"the mail server refuses the recipient ({', '.join(map(str, sorted(codes)))})"
            if all(code >= 500 for code in codes):
                raise UndeliverableError(text) from None
            raise DeliveryError(text) from None
        except smtplib.SMTPResponseException as error:
            # 5xx after DATA is about this message (RFC 5321, 4.2.1). Earlier it is about sign-in or sender: an operator
            # must fix that, so the message waits.
            text = f"the mail server answered {error.smtp_code}"
            if error.smtp_code >= 500 and isinstance(error, smtplib.SMTPDataError):
                raise UndeliverableError(text) from None
            raise DeliveryError(text) from None
        except (smtplib.SMTPException, OSError) as error:
            raise DeliveryError(f"the mail server is not reached: {type(error).__name__}") from None
        return str(mail["Message-ID"])

    def _connect(self) -> smtplib.SMTP:
        if self._security == "tls":
            return smtplib.SMTP_SSL(self._host, self._port, timeout=_TIMEOUT, context=ssl.create_default_context())
        server = smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT)
        if self._security == "starttls":
            try:
                server.starttls(context=ssl.create_default_context())
            except BaseException:
                server.close()
                raise
        return server

    def _compose(self, address: str, message: ChannelMessage) -> EmailMessage:
        mail = EmailMessage()
        mail["From"] = self._sender
        mail["To"] = ", ".join(split_addresses(address))
        mail["Subject"] = " ".join(message.subject.split())
        mail["Date"] = format_datetime(self._now())
        mail["Message-ID"] = f"<{message.digest}@{self._sender.rpartition('@')[2] or 'ioc.invalid'}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: absence notices do not answer
        link = f"\n\nMở trang: {message.link}\n" if message.link else "\n"
        mail.set_content(message.text + link)
        return mail
