"""The page of a sector's engineer, in a real Chromium: with scripts and without, on a desk and on a telephone."""

from __future__ import annotations

import asyncio
import html
import re
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn
from testbed.browser import CHROMIUM, Tab, open_tab
from testbed.feed_event import HOTEL, INN, RIVAL, report, stay
from testbed.page_site import Clock, site
from testbed.pipeline import Pipeline
from testbed.server import cloned_database, free_ports

from connectors.gateway.app import create_app as create_gateway
from connectors.gateway.producer import InMemoryEventProducer
from ioc.api.pages.sending import GatewayUpload
from ioc.database.connection import connect
from ioc.feeds.feed import Feed
from ioc.province.profile import Profile
from ioc.settings import Settings
from ioc.web.tokens import TokenFile

PHONE, DESK = 360, 1280
STRANGER, FOREIGN = "77-999-9999", "88-888-8888"  # neither is registered; the first token may send for 77-*
FEEDS = ["tourism.daily_report", "tourism.stay"]


@dataclass(frozen=True)
class Served:
    """The pages, served over a database with some events; `secret` publishes for 77-*, `other` for one hotel."""

    address: str
    secret: str
    other: str
    reader: str
    tokens: TokenFile
    producer: InMemoryEventProducer

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=30)

    def enter(self, client: httpx.Client, secret: str) -> httpx.Response:
        return client.post("/enter", data={"token": secret, "next": "/"}, follow_redirects=True)


@pytest.fixture(scope="module")
def served(
    template_database: str,
    stack_settings: Settings,
    feeds: dict[str, Feed],
    profile: Profile,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Served]:
    (port,) = free_ports(1)
    directory = tmp_path_factory.mktemp("sending")
    own = stack_settings.model_copy(
        update={
            "db_name": f"t{uuid.uuid4().hex[:12]}",
            "api_port": port,
            "api_rate": 1000.0,
            "api_burst": 1000.0,
            "token_file": directory / "tokens.json",
            "state_dir": directory,
        }
    )
    with cloned_database(own, template_database):
        pipeline = Pipeline(own, feeds, profile)
        pipeline.send("tourism.stay", [stay(HOTEL, 1, "2024-10-22"), stay(RIVAL, 2, "2024-10-22")])
        pipeline.send("tourism.stay", [stay(HOTEL, 1, "2024-10-22")])  # a duplicate
        pipeline.send("tourism.daily_report", [report(HOTEL, "2024-10-22", rooms_total=9, rooms_available=9)])
        pipeline.send("tourism.daily_report", [report(INN, "2024-10-22", rooms_total=9, rooms_sold=-1)])
        pipeline.send("tourism.stay", [stay(STRANGER, guest, "2024-10-23") for guest in range(1, 6)])
        pipeline.send("tourism.stay", [stay(FOREIGN, 9, "2024-10-23")])
        pipeline.roll_up()
        pipeline.close()
        with connect(own, "owner", autocommit=True) as owner:
            owner.execute(
                "INSERT INTO control_total (feed, reporter, first_on, last_on, records) VALUES "
                "('tourism.stay', %s, '2024-10-22', '2024-10-22', 3)",
                [HOTEL],
            )
        tokens = TokenFile(own.token_file, Clock())
        producer = InMemoryEventProducer()
        gateway = create_gateway(own, feeds, tokens, producer)
        upload = GatewayUpload(own, httpx.ASGITransport(gateway))
        with site(own, Clock(), upload) as (app, _, tokens):
            _, secret = tokens.create("PMS khách sạn", FEEDS, ["77-*"])
            _, other = tokens.create("Một khách sạn", ["tourism.stay"], [RIVAL])
            _, reader = tokens.create("Người đọc", [], [], reads=True)
            server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None))
            thread = threading.Thread(target=server.run, daemon=True)
            thread.start()
            while not server.started:
                thread.join(0.05)
            yield Served(f"http://127.0.0.1:{port}", secret, other, reader, tokens, producer)
            server.should_exit = True
            thread.join(20)


def test_a_token_sees_its_own_feeds_and_reporters(served: Served) -> None:
    with served.client() as client:
        page = served.enter(client, served.secret)
        assert (page.status_code, page.url.path) == (200, "/sending")
        cookie = next(iter(client.cookies.jar))
        assert cookie.has_nonstandard_attr("HttpOnly") and cookie.get_nonstandard_attr("SameSite") == "lax"
        assert served.secret not in page.text
        text = page.text
        assert "PMS khách sạn" in text
        assert "rooms_sold" in text  # what was refused, with its field
        assert "lệch -2" in text or "lệch −2" in text  # three were told, one is stored
        assert "không có báo cáo bắt buộc" in text or "Chưa báo cáo" in text
        # Whoever sends sees no figures.
        assert client.get("/", follow_redirects=True).url.path == "/sending"
        assert client.get("/incidents", follow_redirects=True).url.path == "/sending"
    with served.client() as client:
        text = served.enter(client, served.other).text
        assert "rooms_sold" not in text
        assert HOTEL not in text
    with served.client() as client:
        assert served.enter(client, served.reader).url.path == "/"
        assert client.get("/sending").headers["location"] == "/enter?next=/sending"


def test_refused_events_are_grouped_by_cause_with_what_to_do(served: Served) -> None:
    with served.client() as client:
        page = served.enter(client, served.secret).text
    section = page.partition('id="refused"')[2].partition("</section>")[0]
    unknown, negative = (
        html.unescape(" ".join(re.sub(r"<[^>]+>", " ", part).split())) for part in section.split("<h3>")[1:]
    )
    assert unknown.startswith("5 sự kiện") and "source : đơn vị báo cáo chưa có trong danh bạ" in unknown
    assert "nhờ người vận hành thêm vào danh bạ rồi phát lại" in unknown
    assert "1 đơn vị · 5 chưa phát lại · ngày nghiệp vụ 23/10/2024" in unknown
    assert "ioc dead-letter sample --feed tourism.stay --rule unknown_reporter" in unknown
    assert "ioc dead-letter replay --feed tourism.stay --rule unknown_reporter" in unknown
    assert '"path": "/data/establishment_id"' in unknown
    assert unknown.count(f"· {STRANGER} ·") == 3  # samples of the five
    assert FOREIGN not in page
    # What a model refuses is never replayed as it is.
    assert '"steps"' not in negative  # a number is mended where it was counted
    assert negative.startswith("1 sự kiện") and "data.rooms_sold :" in negative
    assert "sample --feed tourism.daily_report" in negative and "dead-letter replay" not in negative
    assert re.search(r"có thể đổi nhiều nhất [1-9][\d.]* chỉ tiêu: ", negative)
    with served.client() as client:
        text = served.enter(client, served.other).text
    assert "Không có sự kiện nào bị từ chối" in text
    assert "ioc publish --wait" in text  # duplicates are not known by reporter; it says where they are


def test_a_session_ends_with_its_token_and_sends_nothing_by_itself(served: Served) -> None:
    token, secret = served.tokens.create("Kết thúc", FEEDS, ["77-*"])
    with served.client() as client:
        page = served.enter(client, secret)
        form = page.text.split('name="form" value="')[1].split('"')[0]
        file = {"file": ("days.csv", b"x")}
        given = {"form": form, "feed": FEEDS[0], "token": "", "what": "send"}
        # Neither without the token, nor with another one, nor with a form of elsewhere.
        assert "không đúng" in client.post("/sending/file", data=given, files=file).text
        foreign = client.post("/sending/file", data=given | {"token": served.secret}, files=file)
        assert "không phải mã đã đăng nhập" in foreign.text
        forged = client.post("/sending/file", data=given | {"form": "x", "token": secret}, files=file)
        assert forged.status_code == 403
        served.tokens.revoke(token.id)
        assert client.get("/sending").status_code == 303
    assert served.producer.records == []


async def type_in(tab: Tab, served: Served, file: Path, what: str) -> str:
    """Sign in, choose a file, press a button; returns what the page says then."""
    await tab.evaluate(f"document.querySelector('#token').value = {served.secret!r}")
    await tab.evaluate("document.querySelector('#feed').value = 'tourism.daily_report'")
    root = await tab.call("DOM.getDocument")
    chosen = await tab.call("DOM.querySelector", nodeId=root["root"]["nodeId"], selector="#file")
    await tab.call("DOM.setFileInputFiles", files=[str(file)], nodeId=chosen["nodeId"])
    await tab.click(f"button[value={what}]")
    return str(await tab.evaluate("document.querySelector('#answer').innerText"))


@pytest.mark.skipif(CHROMIUM is None, reason="Debian's package chromium is not installed")
@pytest.mark.parametrize(("width", "scripts"), [(DESK, True), (PHONE, False)])
def test_an_engineer_signs_in_tries_a_file_and_sends_it(
    served: Served, width: int, scripts: bool, tmp_path: Path
) -> None:
    samples = Path(__file__).parents[1] / "samples" / "formats" / "lodging_daily_table"
    file = tmp_path / "days.csv"
    file.write_bytes((samples / "days.csv").read_bytes())
    before = len(served.producer.records)

    async def work() -> tuple[str, str]:
        async with open_tab() as tab:
            await tab.call("Emulation.setScriptExecutionDisabled", value=not scripts)
            await tab.open(f"{served.address}/sending", width=width, phone=width == PHONE)
            assert await tab.evaluate("document.location.pathname") == "/enter"
            await tab.evaluate(f"document.querySelector('#token').value = {served.secret!r}")
            await tab.click("main button")
            assert await tab.evaluate("document.location.pathname") == "/sending"
            assert await tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            await tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
            assert await tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
            assert await tab.evaluate("document.querySelectorAll('script, [style], [onclick]').length") == 0
            if width == PHONE:
                sizes = await tab.evaluate(
                    "[...document.querySelectorAll('main button, main select, main input:not([type=hidden])')]"
                    ".map(one => one.getBoundingClientRect().height)"
                )
                assert all(height >= 44 for height in sizes), sizes
            tried = await type_in(tab, served, file, "try")
            assert len(served.producer.records) == before
            sent = await type_in(tab, served, file, "send")
            assert tab.complaints == []
            return tried, sent

    tried, sent = asyncio.run(work())
    assert "Chạy thử: chưa gửi gì" in tried
    assert "sẽ được nhận" in tried
    assert "Đã gửi" in sent or "Cổng tiếp nhận trả lời" in sent
    assert "được nhận" in sent
    assert len(served.producer.records) > before
