"""The demo opens its pages, and says which does not answer."""

from __future__ import annotations

import httpx
import pytest

from deploy.demo.face import PATHS, check_pages
from ioc.errors import FatalError
from ioc.settings import Settings


def answering(failing: str = "", text: str = "<h1>x</h1>") -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.startswith("/link/"):
            return httpx.Response(303, headers={"location": "/", "set-cookie": "ioc_session=x; Path=/"})
        assert request.headers["cookie"] == "ioc_session=x"
        return httpx.Response(500 if request.url.path == failing else 200, text=text)

    return httpx.MockTransport(answer)


def test_every_kind_of_page_is_opened_with_the_links_session() -> None:
    assert check_pages(Settings(_env_file=None), transport=answering()) == 1 + len(PATHS)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_that_fails_is_named(path: str) -> None:
    with pytest.raises(FatalError, match="answers 500"):
        check_pages(Settings(_env_file=None), transport=answering(path))


def test_an_empty_page_is_no_answer() -> None:
    with pytest.raises(FatalError, match="answers 200"):
        check_pages(Settings(_env_file=None), transport=answering(text=""))
