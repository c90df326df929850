"""Each way out against a server on this machine that answers as the real one does."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from testbed.chat_server import ChatRequest, ChatServer, running_chat_server
from testbed.mailbox import Mailbox, running_mailbox

from ioc.errors import DeliveryError, UndeliverableError
from ioc.notification.channel import TIMEOUT, ChannelMessage, MessageChannel, raise_for_http
from ioc.notification.mail import MailChannel
from ioc.notification.telegram import TelegramChannel
from ioc.notification.webhook import WebhookChannel
from ioc.notification.zalo import ZaloChannel, ZaloTokens

MESSAGE = ChannelMessage(
    "digest:daily:2024-10-05:ubnd:email",
    "ubnd.pho-chu-tich",
    "Bản tin ngày 05/10/2024: 3 xấu đi",
    "Hiện có 3 chỉ tiêu chậm.\nEnglish: 3 worse.",
    "https://ioc.example.vn/link/abc",
    {"kind": "digest_daily"},
)
TOKEN = "12345:secret-of-the-bot"


@pytest.fixture
def chat() -> Iterator[ChatServer]:
    with running_chat_server() as server:
        yield server


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with running_mailbox() as mailbox:
        yield mailbox


# ---------------------------------------------------------------------------------------------- Telegram
TELEGRAM_SENT = {"ok": True, "result": {"message_id": 77, "date": 1, "chat": {"id": 5, "type": "private"}}}


def test_telegram_sends_the_text_with_its_link(chat: ChatServer) -> None:
    chat.respond = lambda _: (200, TELEGRAM_SENT)
    assert TelegramChannel(TOKEN, chat.url).send("5", MESSAGE) == "77"
    (request,) = chat.requests
    assert request.path == f"/bot{TOKEN}/sendMessage"
    assert request.body["chat_id"] == "5"
    assert request.body["text"].startswith(MESSAGE.subject)
    assert request.body["text"].endswith(MESSAGE.link)


@pytest.mark.parametrize(
    ("answer", "error", "wait"),
    [
        (
            (429, {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 35",
                   "parameters": {"retry_after": 35}}),
            DeliveryError, 35,
        ),
        ((400, {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}),
         UndeliverableError, None),
        ((403, {"ok": False, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}),
         UndeliverableError, None),
        ((401, {"ok": False, "error_code": 401, "description": "Unauthorized"}), DeliveryError, None),
        ((502, "<html>Bad Gateway</html>"), DeliveryError, None),
        ((200, "no json"), DeliveryError, None),
    ],
)  # fmt: skip
def test_what_telegram_answers_says_whether_to_try_again(
    chat: ChatServer, answer: tuple[int, Any], error: type[Exception], wait: float | None
) -> None:
    chat.respond = lambda _: answer
    with pytest.raises(error) as raised:
        TelegramChannel(TOKEN, chat.url).send("5", MESSAGE)
    assert TOKEN not in str(raised.value)
    assert getattr(raised.value, "retry_after", None) == wait


def test_telegram_follows_a_group_that_has_moved(chat: ChatServer) -> None:
    moved = {"ok": False, "error_code": 400, "description": "Bad Request: group chat was upgraded to a supergroup chat",
             "parameters": {"migrate_to_chat_id": -1001234}}  # fmt: skip
    chat.respond = lambda request: (200, TELEGRAM_SENT) if request.body["chat_id"] == "-1001234" else (400, moved)
    assert TelegramChannel(TOKEN, chat.url).send("-5", MESSAGE) == "77"


@given(st.text(max_size=6000), st.integers(100, 5000))
def test_a_text_is_cut_and_its_link_is_not(text: str, limit: int) -> None:
    cut = ChannelMessage("k", "to", "Bản tin", text, "https://ioc.example.vn/link/abc").plain(limit)
    assert len(cut) <= limit
    assert cut.endswith("\n\nhttps://ioc.example.vn/link/abc")


# ---------------------------------------------------------------------------------------------- Zalo
def zalo(chat: ChatServer, path: Path) -> ZaloChannel:
    tokens = ZaloTokens(path / "zalo.json", "app", "secret", "first-refresh", chat.url, httpx.Client(timeout=TIMEOUT))
    return ZaloChannel(tokens, chat.url)


class ZaloServer:
    """The account's server: an access token that is over answers -216 within HTTP 200; a refresh token is used once."""

    def __init__(self) -> None:
        self.access = "access-0"
        self.refresh = "first-refresh"
        self.renewals = 0
        self.answer: dict[str, Any] = {"error": 0, "message": "Success", "data": {"message_id": "m1", "user_id": "9"}}

    def respond(self, request: ChatRequest) -> tuple[int, Any]:
        if request.path == "/v4/oa/access_token":
            if request.headers["secret_key"] != "secret" or request.body["refresh_token"] != self.refresh:
                return 200, {"error": -14014, "error_name": "Invalid refresh token", "error_description": "..."}
            self.renewals += 1
            self.access, self.refresh = f"access-{self.renewals}", f"refresh-{self.renewals}"
            return 200, {"access_token": self.access, "refresh_token": self.refresh, "expires_in": "90000"}
        assert request.path == "/v3.0/oa/message/cs"
        if request.headers["access_token"] != self.access:
            return 200, {"error": -216, "message": "Access token is invalid"}
        return 200, self.answer


def test_zalo_renews_its_tokens_once_and_keeps_them(chat: ChatServer, tmp_path: Path) -> None:
    server = ZaloServer()
    chat.respond = server.respond
    assert zalo(chat, tmp_path).send("900000001", MESSAGE) == "m1"
    sent = chat.requests[-1]
    assert sent.body["recipient"] == {"user_id": "900000001"}
    assert sent.body["message"]["text"].endswith(MESSAGE.link)
    assert stat.S_IMODE((tmp_path / "zalo.json").stat().st_mode) == 0o600
    # Another process goes on with what was kept; a token that is over is renewed, and the message sent.
    assert zalo(chat, tmp_path).send("900000001", MESSAGE) == "m1"
    assert server.renewals == 1
    server.access = "over"
    assert zalo(chat, tmp_path).send("900000001", MESSAGE) == "m1"
    assert server.renewals == 2


@pytest.mark.parametrize(
    ("code", "error", "wait"),
    [
        (-213, UndeliverableError, None),  # the user does not follow the account
        (-230, UndeliverableError, None),  # has not spoken to it for seven days
        (-32, DeliveryError, 60.0),  # too many requests
        (-200, DeliveryError, None),
    ],
)
def test_what_zalo_answers_within_200_says_whether_to_try_again(
    chat: ChatServer, tmp_path: Path, code: int, error: type[Exception], wait: float | None
) -> None:
    server = ZaloServer()
    server.answer = {"error": code, "message": "..."}
    chat.respond = server.respond
    with pytest.raises(error, match=str(code)) as raised:
        zalo(chat, tmp_path).send("900000001", MESSAGE)
    assert getattr(raised.value, "retry_after", None) == wait


def test_a_refresh_token_that_was_used_is_told_with_what_to_do(chat: ChatServer, tmp_path: Path) -> None:
    server = ZaloServer()
    server.refresh = "another"
    chat.respond = server.respond
    with pytest.raises(DeliveryError, match="IOC_ZALO_REFRESH_TOKEN") as raised:
        zalo(chat, tmp_path).send("900000001", MESSAGE)
    assert "secret" not in str(raised.value).lower().replace("ioc_zalo", "")


# ---------------------------------------------------------------------------------------------- webhook, e-mail
def test_a_webhook_gets_the_same_key_each_time(chat: ChatServer) -> None:
    chat.respond = lambda _: (204, "")
    channel = WebhookChannel()
    channel.send(f"{chat.url}/digest", MESSAGE)
    channel.send(f"{chat.url}/digest", MESSAGE)
    assert {request.headers["idempotency-key"] for request in chat.requests} == {f'"{MESSAGE.key}"'}
    assert chat.requests[0].body == {
        "key": MESSAGE.key, "recipient": MESSAGE.to, "title": MESSAGE.subject, "message": MESSAGE.text,
        "link": MESSAGE.link, "kind": "digest_daily",
    }  # fmt: skip


@pytest.mark.parametrize("status", range(200, 600))
def test_every_http_status_is_sent_for_good_or_for_later(status: int) -> None:
    answer = httpx.Response(status, headers={"retry-after": "7"})
    if 200 <= status < 300:
        raise_for_http("x", answer)
        return
    error = UndeliverableError if status in (400, 404, 410, 413, 422) else DeliveryError
    with pytest.raises(error):
        raise_for_http("x", answer)


def test_an_e_mail_bears_the_same_message_id_each_time(box: Mailbox) -> None:
    channel = MailChannel("127.0.0.1", box.smtp_port, "ioc@brvt.example", security="none")
    first = channel.send("a@example.invalid, b@example.invalid", MESSAGE)
    assert channel.send("a@example.invalid", MESSAGE) == first
    mail, again = box.mails
    assert mail["Message-ID"] == again["Message-ID"] == first
    assert first.endswith("@brvt.example>")
    assert mail["Subject"] == MESSAGE.subject
    assert MESSAGE.link in mail.get_content()
    assert "Hiện có 3 chỉ tiêu chậm." in mail.get_content()


def test_nothing_that_listens_is_waited_for_and_tried_later(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    tokens = ZaloTokens(tmp_path / "z", "a", "s", "r", nowhere, httpx.Client(timeout=TIMEOUT))
    channels: list[tuple[MessageChannel, str]] = [
        (TelegramChannel(TOKEN, nowhere), "5"),
        (ZaloChannel(tokens, nowhere), "9"),
        (WebhookChannel(), f"{nowhere}/secret-path"),
        (MailChannel("127.0.0.1", 9, "ioc@brvt.example", security="none"), "a@example.invalid"),
    ]
    for channel, address in channels:
        with pytest.raises(DeliveryError) as raised:
            channel.send(address, MESSAGE)
        assert TOKEN not in str(raised.value)
        assert "secret-path" not in str(raised.value)
