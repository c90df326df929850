"""A webhook: JSON to an address of the province's own."""

from __future__ import annotations

import httpx

from ioc.notification.channel import TIMEOUT, ChannelMessage, ChannelName, post, raise_for_http


class WebhookChannel:
    """Posts each message as JSON.

    Every try of a message bears the same `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), so that the
    receiver can know a second delivery for one.
    """

    name: ChannelName = "webhook"

    def __init__(self, client: httpx.Client | None = None) -> None:
        self._client = client or httpx.Client(timeout=TIMEOUT, follow_redirects=False)

    def send(self, address: str, message: ChannelMessage) -> str:
        """Post a message; any 2xx is an acceptance."""
        body = {
            "key": message.key,
            "recipient": message.to,
            "title": message.subject,
            "message": message.text,
            "link": message.link,
            **message.detail,
        }
        answer = post(self._client, "the webhook", address, json=body, headers={"idempotency-key": f'"{message.key}"'})
        raise_for_http("the webhook", answer)
        return ""
