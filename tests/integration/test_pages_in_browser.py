"""The pages in a real Chromium, on a telephone and on a desk: nothing is refused, all fits, and A4 prints."""

from __future__ import annotations

import asyncio
import os
import re
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from testbed.browser import CHROMIUM, Tab, open_tab
from testbed.page_bed import filled_database
from testbed.page_data import GUESTS
from testbed.page_site import Clock, site
from testbed.server import free_ports

from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.settings import Settings
from ioc.web.signing import Signing

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Debian's package chromium is not installed")
PHONE, DESK = 360, 1280
# Screenshots for people go there, when it is set.
PICTURES = os.environ.get("PICTURES", "")


@dataclass(frozen=True)
class Served:
    """The pages, served."""

    signing: Signing
    incident: int

    def link(self, path: str) -> str:
        return self.signing.link(path, "Chủ tịch UBND tỉnh")


@pytest.fixture(scope="module")
def served(
    template_database: str, stack_settings: Settings, feeds: dict[str, Feed], profile: Profile
) -> Iterator[Served]:
    (port,) = free_ports(1)
    own = stack_settings.model_copy(
        update={"db_name": f"t{uuid.uuid4().hex[:12]}", "api_port": port, "api_rate": 1000.0, "api_burst": 1000.0}
    )
    with (
        filled_database(template_database, own, feeds, profile) as incident,
        site(own, Clock()) as (app, signing, _),
    ):
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        yield Served(signing, incident)
        server.should_exit = True
        thread.join(20)


def paths(served: Served) -> dict[str, str]:
    return {
        "overview": "/",
        "sector": "/sectors/lodging",
        "indicator": f"/indicators/{GUESTS}",
        "area": "/indicators/lodging.occupancy.total?area=747&period=day",
        "incidents": "/incidents",
        "incident": f"/incidents/{served.incident}",
        "silent": f"/incidents/{served.incident - 1}",
        "morning": "/morning",
    }


async def is_inside(tab: Tab) -> bool:
    """Whether nothing of the page lies beside the screen."""
    return bool(await tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_every_page_fits_its_screen_and_nothing_of_it_is_refused(served: Served, width: int) -> None:
    pictures: dict[str, bytes] = {}

    async def visit() -> None:
        async with open_tab() as tab:
            for name, path in paths(served).items():
                await tab.open(served.link(path), width=width, phone=width == PHONE)
                assert await tab.evaluate("document.location.pathname + document.location.search") == path
                assert await tab.evaluate("document.querySelectorAll('h1').length") == 1
                # Its only style sheet holds, so that the browser paints what was drawn.
                sheets = "[...document.styleSheets].filter(one => one.href?.includes('/style.css')).length"
                assert await tab.evaluate(sheets) == 1
                assert await tab.evaluate("document.querySelectorAll('style, script').length") == 0
                assert await tab.evaluate("getComputedStyle(document.querySelector('.top')).display") == "flex"
                assert await is_inside(tab), (name, width)
                if width == PHONE:
                    # What is touched is large enough for a finger.
                    await tab.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
                    assert await is_inside(tab), (name, width)
                    sizes = await tab.evaluate(
                        "[...document.querySelectorAll('main button, main select, main input:not([type=hidden])')]"
                        ".map(one => one.getBoundingClientRect().height)"
                    )
                    assert all(height >= 44 for height in sizes)
                pictures[f"{name}-{width}.png"] = await tab.screenshot() if PICTURES else b""
            assert tab.complaints == []

    asyncio.run(visit())
    for file, picture in pictures.items():
        if picture:
            (Path(PICTURES) / file).write_bytes(picture)


def test_a_chart_is_painted_in_the_colours_of_the_sheet(served: Served) -> None:
    async def look() -> None:
        async with open_tab() as tab:
            await tab.open(served.link(f"/indicators/{GUESTS}"), width=DESK)
            painted = "getComputedStyle(document.querySelector('.serie-0 .line')).stroke"
            assert await tab.evaluate(painted) == "rgb(11, 92, 173)"
            assert await tab.evaluate("document.querySelectorAll('script, [style], [onload]').length") == 0

    asyncio.run(look())


def test_an_incident_is_acknowledged_assigned_and_silenced_on_a_telephone(served: Served) -> None:
    async def act() -> None:
        async with open_tab() as tab:
            await tab.open(served.link(f"/incidents/{served.incident}"), width=PHONE, phone=True)
            await tab.evaluate("document.querySelector('#note').value = 'Đã giao phòng nghiệp vụ'")
            await tab.click("form[action$='/acknowledge'] button")
            text = await tab.evaluate("document.querySelector('main').innerText")
            assert "Chủ tịch UBND tỉnh đã nhận xử lý" in text
            assert "Đã giao phòng nghiệp vụ" in text
            assert await tab.evaluate("document.querySelector('form[action$=\"/acknowledge\"]')") is None

            unfold = "document.querySelectorAll('details').forEach(one => { one.open = true; })"
            await tab.evaluate(unfold)
            await tab.evaluate("document.querySelector('#to').value = 'Giám đốc Sở Du lịch'")
            await tab.click("form[action$='/assign'] button")
            await tab.evaluate(unfold)
            await tab.evaluate("document.querySelector('#hours').value = '72'")
            await tab.evaluate("document.querySelector('#reason').value = 'Đang chờ nhà cung cấp'")
            await tab.click("form[action$='/silence'] button")
            await tab.evaluate(unfold)
            text = await tab.evaluate("document.querySelector('main').innerText")
            assert "Giám đốc Sở Du lịch" in text
            assert "Tạm dừng báo đến" in text and "Đang chờ nhà cung cấp" in text
            await tab.click("form[action$='/silence'] button")
            text = await tab.evaluate("document.querySelector('main').innerText")
            assert "Báo trở lại" in text and "Tạm dừng báo đến" not in text
            assert tab.complaints == []

    asyncio.run(act())


def test_the_morning_page_prints_on_a4(served: Served) -> None:
    async def print_it() -> bytes:
        async with open_tab() as tab:
            await tab.open(served.link("/morning"), width=DESK)
            await tab.call("Emulation.setEmulatedMedia", media="print")
            shown = "document.querySelector('footer').checkVisibility() && document.querySelector('footer').innerText"
            assert "Dữ liệu mô phỏng" in await tab.evaluate(shown), "paper says it, too"
            return await tab.pdf()

    pdf = asyncio.run(print_it())
    if PICTURES:
        (Path(PICTURES) / "morning.pdf").write_bytes(pdf)
    sheets = {tuple(round(float(side)) for side in box.split()) for box in re.findall(rb"/MediaBox \[([^]]+)\]", pdf)}
    assert sheets == {(0, 0, 595, 842)}, "A4 in points"
    assert 1 <= pdf.count(b"/Type /Page\n") + pdf.count(b"/Type/Page\n") <= 2
